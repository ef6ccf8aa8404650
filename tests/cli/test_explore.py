"""``riemopt explore``: what a page begins with, and what cannot be served."""

import socket

import pytest
from click.testing import CliRunner

import riemopt.cli
from riemopt.errors import DataError, UnknownNameError
from riemopt.explore import opening_of


def run(*arguments):
    return CliRunner().invoke(riemopt.cli.main, ["explore", "--no-browser", *arguments])


def test_a_page_begins_with_the_family_that_is_named():
    assert opening_of("gamma")["start"] == [4.0, 2.0]
    opening = opening_of("Normal")
    assert opening["family"] == "normal" and opening["start"] is None
    assert "sigma = 1/s" in opening["charts"]


def test_a_page_begins_with_a_file(tmp_path):
    file = tmp_path / "waiting.csv"
    file.write_text("minutes\n1\n2\n")
    data = opening_of("gamma", str(file), "minutes")["data"]
    assert data == {"kind": "file", "name": "waiting.csv", "text": "minutes\n1\n2\n", "column": "minutes"}
    with pytest.raises(DataError, match="no column"):
        opening_of("gamma", str(file), "hours")
    with pytest.raises(UnknownNameError, match="did you mean 'gamma'"):
        opening_of("gama")


def test_a_file_that_no_page_could_send_back_is_refused(tmp_path):
    file = tmp_path / "long.csv"
    file.write_text("1.0000000000000000000\n" * 200_000)
    with pytest.raises(DataError, match="too many for a page"):
        opening_of("gamma", str(file))


def test_bad_input_is_one_line():
    for arguments, words in [(("gama",), "did you mean"), (("--data", "nowhere.csv"), "no such file")]:
        result = run(*arguments)
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert line.startswith("riemopt: error: ") and words in line


def test_a_port_that_is_taken_is_told_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("--port", str(other.getsockname()[1]))
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "is taken" in line and "--port" in line
