"""What a command prints: tables as plain text and lines of progress, where there is no terminal."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from riemopt.cli.output import progress_bar, show, tell_files
from riemopt.experiments.tables import Tables


def test_tables_are_plain_text_without_a_terminal(capsys):
    show(Tables(Text("a heading", style="bold")))
    assert capsys.readouterr().out == "a heading\n"


def test_files_are_told_with_their_folder(capsys):
    tell_files(Path("new"), [Path("new/a.csv"), Path("new/b.csv")])
    assert capsys.readouterr().out == "\nIn new: a.csv, b.csv\n"


def test_progress_is_a_line_on_stderr_when_it_takes_long(capsys, monkeypatch):
    monkeypatch.setattr("riemopt.cli.output._PATIENCE", -1.0)
    with progress_bar() as progress:
        progress(1, 4, "ng in the chart b")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "riemopt: ng in the chart b (25% done)\n")
