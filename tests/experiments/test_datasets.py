"""Reading a column of numbers from a CSV file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riemopt.errors import DataError
from riemopt.experiments.datasets import read_column


@pytest.fixture
def file(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "rain.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(path: Path, column: str | int | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_column(path, column)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    "content",
    [
        "1\n2.5\n-3e2\n",
        "1\n2.5\n-3e2",
        "1\r\n2.5\r\n-3e2\r\n",
        "1\r2.5\r-3e2\r",
        "rain\n1\n2.5\n-3e2\n\n\n",
        "\n\n1\n  \n2.5\n\t\n-3e2\n",
        "\ufeffrain\n 1 \n2.5\n-3e2\n",
        '"rain"\n"1"\n"2.5"\n"-3e2"\n',
    ],
)
def test_a_file_of_one_column_needs_no_column(file, content: str) -> None:
    values = read_column(file(content))
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [1.0, 2.5, -300.0])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", ", " ; "])
@pytest.mark.parametrize("column", ["rain", " rain ", 2, "2", np.int64(2)])
def test_a_column_is_found_by_name_and_by_number_counted_from_1(file, delimiter: str, column: str | int) -> None:
    rows = [["day", "rain", "town"], ["1", "0.5", "Ulm"], ["2", "1.5", "Bonn"]]
    path = file("\n".join(delimiter.join(row) for row in rows))
    np.testing.assert_array_equal(read_column(path, column), [0.5, 1.5])


def test_without_a_header_the_first_row_is_data(file) -> None:
    np.testing.assert_array_equal(read_column(file("1,2\n3,4\n"), 2), [2.0, 4.0])


def test_a_header_of_digits_cannot_be_told_from_data(file) -> None:
    np.testing.assert_array_equal(read_column(file("2019,2020\n3,4\n"), 2), [2020.0, 4.0])


def test_a_digit_in_the_header_is_a_name_first(file) -> None:
    # an empty corner cell, as spreadsheets write
    np.testing.assert_array_equal(read_column(file(",x\n3,4\n"), "x"), [4.0])


def test_decimal_commas_do_not_divide_cells(file) -> None:
    assert refusal(file("1,5;2,5\n3,5;4,5\n"), 1) == "row 1, column 1: '1,5' is not a number"


def test_a_delimiter_within_quotes_does_not_divide_cells(file) -> None:
    np.testing.assert_array_equal(read_column(file('"town, or city",rain\n"Ulm, D",1\n'), "rain"), [1.0])


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("day,rain\n1,2\n2,wet\n", "rain", "row 3, column 'rain': 'wet' is not a number"),
        ("day,rain\n\n1,2\n\n2,wet\n", "rain", "row 5, column 'rain': 'wet' is not a number"),
        ("day,rain\n1,2\n2,1_0\n", "rain", "row 3, column 'rain': '1_0' is not a number"),
        ("1,2\n2,wet\n", 2, "row 2, column 2: 'wet' is not a number"),
        ("day,rain\n1,\n", "rain", "row 2, column 'rain': the cell is empty"),
        ("day,rain\n1,  \n", 2, "row 2, column 'rain': the cell is empty"),
        ("rain\n1\nnan\n", None, "row 3, column 'rain': nan is not a finite number"),
        ("1\n-inf\n", None, "row 2, column 1: -inf is not a finite number"),
        ("1\n1e999\n", None, "row 2, column 1: inf is not a finite number"),
        ("day,rain\n1,2\n2\n", "day", "row 3 has 1 cells where 2 are expected (column 'day')"),
        ("day,rain\n1,2\n2,3,4\n", "day", "row 3 has 3 cells where 2 are expected (column 'day')"),
        ("", None, "the file is empty"),
        ("\ufeff\n \n", None, "the file is empty"),
        ("rain\n", None, "there is nothing below the header"),
        ("day,rain\n1,2\n", None, "the file has 2 columns, say which (day, rain)"),
        ("1,2\n3,4\n", None, "the file has 2 columns, say which (numbers 1 to 2, the file has no header)"),
        ("day,rain\n1,2\n", "rian", "no column 'rian': did you mean 'rain'? there are: day, rain"),
        ("1,2\n3,4\n", "rain", "no column 'rain': there are: numbers 1 to 2, the file has no header"),
        ("day,rain\n1,2\n", 3, "no column 3: columns are counted from 1 to 2"),
        ("day,rain\n1,2\n", 0, "no column 0: columns are counted from 1 to 2"),
        ("day,rain\n1,2\n", -1, "no column -1: columns are counted from 1 to 2"),
        ("day,rain\n1,2\n", "7", "no column 7: columns are counted from 1 to 2"),
        ("x,x\n1,2\n", "x", "several columns are called 'x': give a number from 1 to 2"),
        (b"rain\n1\n\xff\xfe\n", None, "row 3 is not UTF-8 text"),
        ("rain\n" + "9" * 200_000 + "\n", None, "row 2 is not CSV (field larger than field limit (131072))"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(file, content: str | bytes, column: str | int | None, message: str) -> None:
    assert refusal(file(content), column) == message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv") == "no such file"
    assert refusal(tmp_path) == "this is a directory, not a file"
    file = tmp_path / "file"
    file.touch()
    assert "cannot be read" in refusal(file / "inside.csv")


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_column("a\0b")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_read_to_the_last_bit(file, values: list[float]) -> None:
    path = file("\n".join(map(repr, values)))
    np.testing.assert_array_equal(read_column(path), values)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.one_of(st.binary(), st.text('01.,;\t"\n\r ax-', max_size=40).map(str.encode)), st.integers(0, 3))
def test_any_file_gives_finite_numbers_or_one_line(file, content: bytes, column: int) -> None:
    path = file(content)
    try:
        assert np.isfinite(read_column(path, column or None)).all()
    except DataError as error:
        assert "\n" not in str(error)


def test_header_with_a_line_break_stays_on_one_line(file):
    with pytest.raises(DataError) as caught:
        read_column(file('"rain\nin mm",day\n1,2\n'))
    assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(read_column(file('"rain\nin mm",day\n1,2\n'), "rain in mm"), [1.0])
