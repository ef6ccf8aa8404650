"""The kernel cache: only safe directories are used, a second process compiles nothing, and text is never trusted."""

import errno
import os
import subprocess
import sys

import numba
import numpy as np
import pytest

import riemopt as ro
from riemopt.kernels import cache

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


def run(directory):
    environment = {**os.environ, "RIEMOPT_CACHE": str(directory)}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    count, numbers = result.stdout.split(maxsplit=1)
    return int(count), numbers, result.stderr


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels", numbered=True)
    folder.chmod(0o700)
    return folder, run(folder)


def test_second_process_compiles_nothing_and_gets_the_same_numbers(warm):
    folder, (count, numbers, _) = warm
    assert count > 0
    again = run(folder)
    assert again[0] == 0 and again[1] == numbers


def test_changed_file_is_written_anew_and_not_run(warm):
    folder, (_, numbers, _) = warm
    for file in folder.glob("kernel_*.py"):
        file.write_text("raise SystemExit('foreign code was run')\n")
    assert run(folder)[1] == numbers
    assert all("foreign" not in file.read_text() for file in folder.glob("kernel_*.py"))


def test_directory_that_others_can_write_to_is_not_used(tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("RIEMOPT_CACHE", str(shared))
    cache._prepared.cache_clear()
    with pytest.warns(RuntimeWarning, match="others can write to it"):
        used = cache.directory()
    assert used != shared and not any(shared.iterdir())
    cache._prepared.cache_clear()


def test_file_in_the_way_is_no_obstacle(tmp_path, monkeypatch):
    taken = tmp_path / "taken"
    taken.write_text("here already")
    monkeypatch.setenv("RIEMOPT_CACHE", str(taken))
    cache._prepared.cache_clear()
    with pytest.warns(RuntimeWarning, match="RIEMOPT_CACHE"):
        assert cache.directory().is_dir()
    assert taken.read_text() == "here already"
    cache._prepared.cache_clear()


def test_new_directory_is_private(tmp_path, monkeypatch):
    monkeypatch.setenv("RIEMOPT_CACHE", str(tmp_path / "new" / "cache"))
    cache._prepared.cache_clear()
    assert cache.directory().stat().st_mode & 0o777 == 0o700
    cache._prepared.cache_clear()


def test_full_disk_costs_the_cache_and_nothing_else(tmp_path, monkeypatch):
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache, "_write", full)
    manifold = ro.Manifold(ro.models.Normal())
    with pytest.warns(RuntimeWarning, match="No space left"):
        # a connection that no other test asks for, so that its kernel is not loaded yet
        values = manifold.connection([0.0, 2.0], [1.0, 1.0], a=0.123)
    # kept for the process: a second manifold neither compiles nor warns
    again = ro.Manifold(ro.models.Normal()).connection([0.0, 2.0], [1.0, 1.0], a=0.123)
    np.testing.assert_array_equal(again, values)
    reference = ro.Manifold(ro.models.Normal(), backend="numpy").connection([0.0, 2.0], [1.0, 1.0], a=0.123)
    np.testing.assert_allclose(values, reference, rtol=1e-14)


def test_kernels_stay_in_the_checked_directory(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(elsewhere))
    ro.Manifold(ro.models.Normal()).connection([0.0, 2.0], [1.0, 1.0], a=0.456)
    assert not list(elsewhere.rglob("*.nbi"))
    assert str(elsewhere) == numba.config.CACHE_DIR
