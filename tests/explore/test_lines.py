"""The lines of Python run as printed, and give the numbers of the view."""

import contextlib
import io

import pytest

from riemopt.explore.lines import python_lines
from riemopt.explore.opening import open_explorer
from tests.explore.conftest import CHART, RUN

DATA = [
    {"kind": "drawn", "point": None, "size": 300, "seed": 5},
    {"kind": "drawn", "point": [3.0], "size": 200, "seed": 1},
    {"kind": "file", "name": "waiting.csv", "text": "day,minutes\n1,3.5\n2,1.25\n3,0.5\n", "column": "minutes"},
]


@pytest.mark.parametrize("data", DATA, ids=["example", "point", "file"])
def test_the_lines_run_as_printed_and_give_the_numbers_of_the_page(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "waiting.csv").write_text(DATA[2]["text"])
    run = {**RUN, "start": [1.0], "integrators": ["ng"], "steps": 2}
    request = {"type": "open", "id": 1, "family": "exponential", "charts": ["rate = 1/r"], "data": data, **run}
    _, opened = open_explorer(request, lambda piece: None)
    lines = opened["ran"]["python"]
    names = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(lines, names)
    assert "Invariance gap" in printed.getvalue()
    assert [gap.tolist() for gap in names["result"].gap.values()] == opened["ran"]["gap"]
    assert names["result"].losses["rate = 1/r"]["ng"].tolist() == opened["ran"]["losses"][1][0]


def test_text_from_a_page_stays_a_string_in_the_lines():
    hostile = "x'); import os; ('"
    data = {"kind": "file", "name": hostile, "text": "1", "column": hostile}
    lines = python_lines({"family": hostile, "data": data}, [CHART, hostile], RUN)
    import ast

    calls = [node for node in ast.walk(ast.parse(lines)) if isinstance(node, ast.Import)]
    assert [alias.name for node in calls for alias in node.names] == ["riemopt"]
