"""Errors on the command line are one line and an exit status."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from riemopt.cli.errors import Group, complain
from riemopt.errors import DataError


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (DataError("two\nlines"), "riemopt: error: two lines", 2),
        (click.UsageError("--a needs --b"), "riemopt: error: --a needs --b", 2),
        (OSError(28, "No space left", "place"), "riemopt: error: cannot write to 'place': No space left", 2),
        (KeyboardInterrupt(), "riemopt: interrupted", 130),
    ],
)
def test_what_a_user_can_cause_is_one_line(error, line, status):
    @click.group(cls=Group)
    def group():
        pass

    @group.command()
    def failing():
        raise error

    result = CliRunner().invoke(group, ["failing"])
    assert (result.exit_code, result.stdout, result.stderr.strip()) == (status, "", line)


def test_a_complaint_ends_the_program(capsys):
    with pytest.raises(SystemExit) as ended:
        complain("warning: so  much", 1)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "riemopt: warning: so much\n"
