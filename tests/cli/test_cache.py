"""The command ``riemopt cache``."""

from __future__ import annotations

from click.testing import CliRunner

from riemopt.cli import main


def run(*arguments):
    return CliRunner().invoke(main, arguments, prog_name="riemopt")


def test_cache_is_shown_and_cleared_but_for_what_is_not_a_kernel(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("RIEMOPT_CACHE", str(tmp_path))
    names = (f"kernel_{1:032x}", f"kernel_{2:032x}", "unfinished_1.part", "kernel_notes.txt")
    for name in names:
        (tmp_path / name).write_text("x" * 100_000)
    result = run("cache")
    assert result.exit_code == 0
    assert result.output.splitlines() == [str(tmp_path), "2 kernels, 0.3 MB"]
    assert run("cache", "--clear").output.splitlines() == [str(tmp_path), "2 kernels, 0.3 MB, cleared"]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["kernel_notes.txt"]
    assert run("cache").output.splitlines()[1] == "0 kernels, 0.0 MB"
