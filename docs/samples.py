"""Where the code samples of the pages run: in a folder of their own, the command lines among them too."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

_pages = Path(__file__).parent
_folders: list[tuple[str, tempfile.TemporaryDirectory[str]]] = []


def enter() -> None:
    """Go to a new empty folder."""
    _folders.append((os.getcwd(), tempfile.TemporaryDirectory()))
    os.chdir(_folders[-1][1].name)


def leave() -> None:
    """Go back, and leave nothing behind."""
    before, folder = _folders.pop()
    os.chdir(before)
    folder.cleanup()


def run_commands(page: str, files: Mapping[str, str]) -> None:
    """Run every line of a page that reads ``$ riemopt ...``.

    Parameters
    ----------
    page : str
        The page's file name.
    files : mapping of str to str
        Files that the commands read, by name.
    """
    from click.testing import CliRunner

    from riemopt.cli import main

    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    commands = re.findall(r"^\$ riemopt (.*)$", (_pages / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert commands, f"{page} has no commands"
    for command in commands:
        result = CliRunner().invoke(main, shlex.split(command))
        assert result.exit_code == 0, f"riemopt {command}: {result.output}"
