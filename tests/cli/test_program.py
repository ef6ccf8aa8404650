"""The command ``riemopt`` as a program: its exit status, its streams, its help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import riemopt
from riemopt.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, arguments, prog_name="riemopt")


def listing(folder):
    return {path.relative_to(folder).as_posix(): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def test_a_command_that_there_is_not_is_one_line():
    result = run("invarianc")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("riemopt: error: ")
    assert "invarianc" in line
    assert result.stdout == ""


def program(*arguments, **variables):
    root = str(Path(riemopt.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, **variables}
    command = [sys.executable, "-m", "riemopt.cli", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **streams)


@pytest.mark.slow
def test_the_program_reports_bad_input_by_its_exit_status(folder):
    before = listing(folder)
    process = program("invariance", "--start", "0,1")
    out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err == "riemopt: error: start: alpha = 0.0 is outside its domain alpha > 0\n"
    assert listing(folder) == before


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(folder):
    with program("derive", "normal") as process:
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


def test_a_terminal_without_unicode_is_given_ascii(folder):
    out, _ = program("derive", "normal", PYTHONIOENCODING="ascii").communicate()
    assert out.isascii()
    assert "Gamma^sigma_mu,mu" in out


def test_without_a_command_the_help_is_shown(folder):
    assert run().exit_code == 0
    assert "invariance" in run().stdout
    assert run("invariance", "--help").exit_code == 0
