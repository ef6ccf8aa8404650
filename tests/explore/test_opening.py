"""A study is opened piece by piece, from drawn data or a file, with the charts that can be had."""

import numpy as np
import pytest

from riemopt.errors import DataError, DomainError, ModelError, UnknownNameError
from riemopt.explore.opening import open_explorer, open_formulas, samples_of
from riemopt.models import family
from tests.explore.test_server import OPEN

FILE = {"kind": "file", "name": "waiting.csv", "text": "day,minutes\n1,3.5\n2,1.25\n", "column": "minutes"}


def opened(**changes):
    pieces = []
    explorer, answer = open_explorer({**OPEN, **changes}, pieces.append)
    return explorer, answer, pieces


def test_an_opening_tells_what_it_does_and_begins_with_a_run():
    explorer, answer, pieces = opened()
    assert [piece["what"] for piece in pieces[:2]] == ["the family exponential", "the chart rate = 1/r"]
    assert pieces[1]["chart"] == "rate = 1/r" and pieces[-1]["what"] == "contours of the loss"
    assert answer["ran"]["type"] == "ran" and answer["landscape"]["type"] == "landscape"
    assert answer["landscape"]["curve"]
    assert explorer.study.problem.count == 50


def test_charts_that_cannot_be_had_are_told_and_the_others_are_there():
    _, answer, _ = opened(charts=["rate = sin(r)", "rate = 1/r", "rate = ("])
    assert [chart["label"] for chart in answer["charts"]] == ["rate", "rate = 1/r"]
    assert "not invertible" in answer["refused"]["rate = sin(r)"]
    assert "never closed" in answer["refused"]["rate = ("]


def test_a_start_that_makes_no_sense_gives_way_to_the_one_by_default():
    for start in (None, [1.0, 2.0], [-1.0]):
        assert opened(start=start)[1]["ran"]["start"] == [4.0]


def test_the_numbers_of_a_file_are_those_of_its_column():
    np.testing.assert_array_equal(samples_of(family("exponential"), FILE), [3.5, 1.25])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"column": None}, "waiting.csv: the file has 2 columns, say which"),
        ({"column": "hours"}, "waiting.csv: no column 'hours'"),
        ({"text": "minutes\n3\nx\n"}, "waiting.csv: row 3, column 'minutes': 'x' is not a number"),
        ({"text": "minutes\n3\n-1\n"}, "waiting.csv: row 3"),
        ({"text": ""}, "waiting.csv: the file is empty"),
    ],
)
def test_a_bad_file_is_refused_by_its_own_name_and_row(changes, words):
    with pytest.raises(DataError) as error:
        samples_of(family("exponential"), {**FILE, **changes})
    assert str(error.value).startswith(words)


def test_data_are_drawn_from_the_point_that_was_chosen():
    model = family("normal")
    samples = samples_of(model, {"kind": "drawn", "point": [3.0, 0.1], "size": 400, "seed": 1})
    assert samples.shape == (400,) and abs(samples.mean() - 3.0) < 0.05
    with pytest.raises(DomainError):
        samples_of(model, {"kind": "drawn", "point": [3.0, -1.0], "size": 4, "seed": 1})


def test_what_is_not_in_the_catalogue_or_too_large_is_refused():
    with pytest.raises(UnknownNameError):
        opened(family="gama")
    with pytest.raises(ModelError, match="parameters"):
        opened(family="multivariatenormal")


def test_formulas_are_those_of_the_chart():
    parts = open_formulas({"family": "exponential"}, "rate = 1/r")["parts"]
    assert "<mi>r</mi>" in "".join(parts[1]["equations"])
