"""The kernel cache: only safe directories are used, a second process compiles nothing, and no file is trusted.

Whatever happens to the directory or to the disk, numbers are right and nothing is raised.
"""

import errno
import os
import pickle
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import riemopt as ro
from riemopt.kernels.store import cache, precompiled
from riemopt.kernels.targets.numba import COMPILERS
from tests.marks import slow

PROGRAM = """
import sys
import numba.core.compiler as compiler
compiled = []
original = compiler.compile_extra
def counted(*args, **kwargs):
    compiled.append(args)
    return original(*args, **kwargs)
compiler.compile_extra = counted
import numba.core.dispatcher
import riemopt as ro
manifold = ro.Manifold(ro.models.Gamma())
problem = manifold.likelihood([0.5, 1.0, 1.5])
end = manifold.exp([2.0, 3.0], [0.5, -0.2])
loss = ro.minimize(problem, "geo", start=[1.0, 1.0], step_size=0.5, steps=3).loss
print(len(compiled), repr(end.tolist()), repr(float(loss)))
"""

FIRST = """
import sys
import numba.core.compiler as compiler
def refuse(*args, **kwargs):
    raise AssertionError("derived or compiled again")
if len(sys.argv) > 2:
    compiler.compile_extra = refuse
    import numba.core.dispatcher
    import riemopt.manifold.evaluation as module
    module.pointwise_program = refuse
import riemopt as ro
name, method = sys.argv[1].split()
print(getattr(ro.Manifold(ro.models.family(name)), method)([2.0, 3.0], [0.5, -0.2]).tolist())
# what SymPy and Numba load when they simplify, and when they prepare to compile
print([name for name in ("sympy.physics.units", "numba.np.arraymath") if name in sys.modules])
"""

SHORT_PROGRAM = """
import warnings
import riemopt as ro
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(ro.Manifold(ro.models.Normal()).connection([0.0, 2.0], [1.0, 1.0]).tolist())
for warning in caught:
    print(warning.category.__name__, warning.message)
"""

CONNECTION = "[-0.25, -0.125]"
"""Of the normal distribution, (-2 v₀v₁, v₀² - 2v₁²)/σ³."""


def start(directory, program=PROGRAM, **options):
    environment = {**os.environ, "RIEMOPT_CACHE": str(directory)}
    environment = {name: value for name, value in {**environment, **options.pop("environment", {})}.items() if value}
    return subprocess.Popen(
        [sys.executable, "-c", program, *options.pop("arguments", ())],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process):
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out


def run(directory):
    count, numbers = finish(start(directory)).split(maxsplit=1)
    return int(count), numbers


def run_short(directory, **options):
    numbers, *warnings = finish(start(directory, SHORT_PROGRAM, **options)).splitlines()
    return numbers, warnings


def forget(monkeypatch):
    """Let this process have loaded no kernel."""
    for compiler in COMPILERS.values():
        monkeypatch.setattr(compiler, "_loaded", {})


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty cache, for kernels that this process has not loaded yet."""
    folder = tmp_path / "kernels"
    monkeypatch.setenv("RIEMOPT_CACHE", str(folder))
    forget(monkeypatch)
    cache._warn.cache_clear()
    yield folder
    cache._warn.cache_clear()


def connection():
    return ro.Manifold(ro.models.Normal()).connection([0.0, 2.0], [1.0, 1.0])


@pytest.fixture(scope="module")
def expected():
    return ro.Manifold(ro.models.Normal(), backend="numpy").connection([0.0, 2.0], [1.0, 1.0])


@pytest.fixture(scope="module")
def written(tmp_path_factory, expected):
    """A cache in which this process has kept a kernel and its program."""
    folder = tmp_path_factory.mktemp("written") / "kernels"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIEMOPT_CACHE", str(folder))
        forget(patch)
        np.testing.assert_allclose(connection(), expected, rtol=1e-14)
    return folder


@pytest.mark.slow
def test_second_process_compiles_nothing_and_gets_the_same_numbers(tmp_path):
    folder = tmp_path / "kernels"
    count, numbers = run(folder)
    assert count > 0
    assert run(folder) == (0, numbers)


@pytest.mark.parametrize(("what", "simplifies"), [("normal connection", False), slow("gamma exp", True)])
def test_second_process_derives_nothing_and_does_not_prepare_to(what, simplifies, tmp_path):
    folder = tmp_path / "kernels"
    numbers, loaded = finish(start(folder, FIRST, arguments=(what,))).splitlines()
    assert loaded == str([*["sympy.physics.units"] * simplifies, "numba.np.arraymath"])
    second = finish(start(folder, FIRST, arguments=(what, "again"))).splitlines()
    assert second == [numbers, "[]"]


@pytest.mark.slow
def test_processes_that_compile_the_same_at_once_agree_and_leave_nothing_unfinished(tmp_path):
    processes = [start(tmp_path / "kernels", SHORT_PROGRAM) for _ in range(4)]
    assert len({finish(process) for process in processes}) == 1
    assert sorted(file.name.split("_")[0] for file in (tmp_path / "kernels").iterdir()) == ["kernel", "program"]


# -- files that are not what was written


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: b"raise SystemExit('foreign code was run')\n",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: pickle.dumps(SystemExit),
    ],
    ids=["empty", "foreign text", "truncated", "last byte", "first byte", "pickle"],
)
@pytest.mark.parametrize("kind", cache.KINDS)
@pytest.mark.slow_for("kernel-first byte")
def test_file_that_is_not_what_was_written_is_made_anew(kind, spoil, written, empty, monkeypatch, expected):
    shutil.copytree(written, empty)
    np.testing.assert_allclose(connection(), expected, rtol=1e-14)
    (file,) = empty.glob(f"{kind}_*")
    data = file.read_bytes()
    file.write_bytes(spoil(data))
    forget(monkeypatch)
    np.testing.assert_allclose(connection(), expected, rtol=1e-14)
    assert cache.read(file.name) is not None
    assert len(list(empty.iterdir())) == 2


def test_kernel_under_the_name_of_another_is_not_run(empty):
    cache.write("kernel_one", b"code")
    (empty / "kernel_one").rename(empty / "kernel_other")
    assert cache.read("kernel_other") is None
    cache.write("kernel_other", b"other code")
    assert cache.read("kernel_other") == b"other code"


@pytest.mark.slow
def test_what_another_version_has_pickled_is_compiled_anew(empty, monkeypatch, expected):
    connection()
    (file,) = empty.glob("kernel_*")
    for data in (b"\x80\x05cgone\nname\n.", pickle.dumps(("too", "short")), b"no pickle"):
        cache.write(file.name, data)
        forget(monkeypatch)
        np.testing.assert_allclose(connection(), expected, rtol=1e-14)


class Kernel:
    argument_types = ("float64",)

    def __init__(self, text):
        self.text = text


class Dispatcher:
    """What numba-cuda gives for a function that is not compiled yet, on a pretended GPU."""

    capability = (9, 0)
    compiled = 0

    def __init__(self, text):
        self._text, self.overloads = text, {}
        self.targetctx = self

    def codegen(self):
        return self

    def magic_tuple(self):
        return ((12, 9), self.capability)

    def compile(self, signature):
        Dispatcher.compiled += 1
        self.overloads[Kernel.argument_types] = Kernel(self._text)

    def add_overload(self, kernel, types):
        self.overloads[types] = kernel

    def disable_compile(self):
        assert self.overloads


def test_kernels_for_a_gpu_are_kept_by_its_compute_capability(empty, monkeypatch):
    def count(name="one"):
        """Of what was compiled until a kernel was loaded."""
        run = precompiled.ForGpu(Dispatcher).load("void(float64)", name, lambda: "alone", lambda: "complete")
        (kernel,) = run.overloads.values()
        assert kernel.text == "complete"
        return Dispatcher.compiled

    monkeypatch.setattr(Dispatcher, "compiled", 0)
    assert [count(), count(), count("other"), count("other")] == [1, 1, 2, 2]
    monkeypatch.setattr(Dispatcher, "capability", (8, 0))
    assert [count(), count()] == [3, 3]
    for file in empty.iterdir():
        cache.write(file.name, pickle.dumps("of another version"))
    assert [count(), count()] == [4, 4]


def test_versions_and_everything_a_kernel_depends_on_are_part_of_its_name(monkeypatch):
    name = cache.digest("text", "library")
    assert len({name, cache.digest("text", "other"), cache.digest("textlibrary"), cache.digest("library", "text")}) == 4
    monkeypatch.setattr(cache, "_versions", lambda: "numba 0.0")
    assert cache.digest("text", "library") != name


# -- directories


def test_directory_that_others_can_write_to_is_not_used(empty, expected):
    cache.write("kernel_old", b"code")
    empty.chmod(0o777)
    assert cache.read("kernel_old") is None
    with pytest.warns(RuntimeWarning, match="others can write to it"):
        np.testing.assert_allclose(connection(), expected, rtol=1e-14)
    assert [file.name for file in empty.iterdir()] == ["kernel_old"]


def test_file_in_the_way_is_no_obstacle(empty, expected):
    empty.write_text("here already")
    with pytest.warns(RuntimeWarning, match="RIEMOPT_CACHE") as caught:
        np.testing.assert_allclose(connection(), expected, rtol=1e-14)
        ro.Manifold(ro.models.Normal()).metric([0.0, 2.0])
    assert len(caught) == 1
    assert empty.read_text() == "here already"


def test_new_directory_is_private(empty):
    cache.write("one", b"code")
    assert empty.stat().st_mode & 0o777 == 0o700


def test_directory_that_vanishes_is_made_again(empty, expected):
    np.testing.assert_allclose(connection(), expected, rtol=1e-14)
    cache.clear()
    empty.rmdir()
    np.testing.assert_allclose(connection(), expected, rtol=1e-14)
    ro.Manifold(ro.models.Normal()).metric([0.0, 2.0])
    assert len(list(empty.glob("kernel_*"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_home_that_does_not_exist_and_cannot_be_made_is_no_obstacle(variable, tmp_path):
    (tmp_path / "file").write_text("")
    missing = {"HOME": None, "XDG_CACHE_HOME": None, "RIEMOPT_CACHE": None, variable: str(tmp_path / "file" / "home")}
    numbers, warnings = run_short("", environment=missing)
    assert numbers == CONNECTION
    assert len(warnings) == 1 and "is not used" in warnings[0]


def test_nobody_home_is_no_obstacle(empty, monkeypatch):
    import platformdirs

    monkeypatch.delenv("RIEMOPT_CACHE")
    # what it says where neither HOME nor the system's list of users has a home directory
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *args, **options: "~/.cache/riemopt")
    assert cache.read("one") is None
    with pytest.warns(RuntimeWarning, match="no home directory"):
        cache.write("one", b"code")
    assert not os.path.exists("~")


@pytest.mark.slow
def test_kernels_are_read_where_nothing_can_be_written(empty, monkeypatch, expected):
    def read_only(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def refuse(*arguments):
        raise AssertionError("compiled what was there already")

    connection()
    forget(monkeypatch)
    monkeypatch.setattr(cache.tempfile, "mkstemp", read_only)
    with monkeypatch.context() as patched:
        patched.setattr(precompiled.ForProcessor, "_dumped", refuse)
        np.testing.assert_allclose(connection(), expected, rtol=1e-14)
    with pytest.warns(RuntimeWarning, match="Read-only"):
        ro.Manifold(ro.models.Normal()).metric([0.0, 2.0])


# -- disks


def test_full_disk_costs_the_cache_and_nothing_else(empty, monkeypatch, expected):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="No space left") as caught:
        np.testing.assert_allclose(connection(), expected, rtol=1e-14)
        # kept for the process: a second manifold neither compiles nor warns
        np.testing.assert_array_equal(connection(), expected)
    assert len(caught) == 1
    assert list(empty.iterdir()) == []


@pytest.mark.slow
def test_disk_that_is_full_halfway_costs_the_cache_and_nothing_else(tmp_path):
    limit = 100  # bytes in a file: less than anything that is kept takes
    full = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    numbers, *warnings = finish(start(tmp_path / "kernels", full + SHORT_PROGRAM)).splitlines()
    assert numbers == CONNECTION
    assert len(warnings) == 1 and os.strerror(errno.EFBIG) in warnings[0]
    assert list((tmp_path / "kernels").iterdir()) == []


@pytest.mark.slow
def test_clearing_disturbs_nobody(tmp_path):
    folder = tmp_path / "kernels"
    process = start(folder, SHORT_PROGRAM)
    while process.poll() is None:
        for file in folder.glob("*"):
            file.unlink(missing_ok=True)
        time.sleep(0.001)
    assert finish(process).splitlines() == [CONNECTION]


def test_clearing_leaves_alone_what_is_not_ours(empty):
    connection()
    others = [empty / name for name in ("program_notes.txt", "kernel_panic.log", "movie.mkv.part")]
    for file in others:
        file.write_text("somebody's")
    assert cache.contents()
    cache.clear()
    assert not cache.contents() and all(file.exists() for file in others)
