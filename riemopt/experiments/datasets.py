"""Observations from files."""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riemopt.errors import DataError

__all__ = ["read_column", "read_numbered_column"]

_DELIMITERS = "\t;,"  # in order of preference: where several divide evenly, a comma is a decimal comma
_SNIFFED_LINES = 20
_DIGITS = re.compile(r"[-+\d.,_eE\s]*\d[-+\d.,_eE\s]*")


def read_column(path: str | os.PathLike[str], column: str | int | None = None) -> NDArray[np.float64]:
    r"""Read one column of numbers from a CSV file, with or without a header.

    The delimiter is a comma, a semicolon or a tab, whichever divides the first lines evenly. The first line is a header
    if none of its cells looks like a number. Lines that are entirely blank are skipped.

    Parameters
    ----------
    path : str or path-like
        A text file in UTF-8.
    column : str or int, optional
        The name of the column in the header, or its number, **counted from 1** as in a spreadsheet. A text of digits is
        a number unless the header has that name. It may be left out if the file has one column.

    Returns
    -------
    array, shape (N,)

    Raises
    ------
    DataError
        If the file cannot be read, there is no such column, a cell of it is empty, not a number or not finite, or a row
        has more or fewer cells than the first; naming file, row and column. Rows are lines of the file, counted from 1.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "rain.csv")
    ...     _ = file.write_text("day,rain\n1,0.5\n2,1.25\n")
    ...     read_column(file, "rain"), read_column(file, 2)
    (array([0.5 , 1.25]), array([0.5 , 1.25]))
    """
    return read_numbered_column(path, column)[0]


def read_numbered_column(
    path: str | os.PathLike[str], column: str | int | None = None
) -> tuple[NDArray[np.float64], Callable[[int], str]]:
    """The numbers of :func:`read_column`, and a function that says in which file, row and column number i stands."""
    name = os.fspath(path)
    text = _read_text(name)
    rows = _rows(name, text, _delimiter(text))
    line, first = next(rows, (0, []))
    if not first:
        raise DataError(f"{name}: the file is empty")
    header = [] if any(map(_like_a_number, first)) else [_on_one_line(cell) for cell in first]
    index = _locate(name, column, header, len(first))
    label = f"column {header[index]!r}" if header else f"column {index + 1}"
    values, lines = _numbers(name, rows if header else itertools.chain([(line, first)], rows), index, len(first), label)
    if not values:
        raise DataError(f"{name}: there is nothing below the header")
    numbers = np.array(values)

    def where(i: int) -> str:
        return f"{name}: row {lines[i]}, {label}"

    infinite = np.flatnonzero(~np.isfinite(numbers))
    if infinite.size:
        raise DataError(f"{where(infinite[0])}: {numbers[infinite[0]]} is not a finite number")
    return numbers, where


def _read_text(name: str) -> str:
    try:
        return Path(name).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{name}: this is a directory, not a file") from None
    except OSError as error:
        raise DataError(f"{name}: the file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(f"{name}: row {line} is not UTF-8 text") from None
    except ValueError as error:  # a NUL in the name
        raise DataError(f"{name!r}: the file cannot be read ({error})") from None


def _delimiter(text: str) -> str:
    lines = [line for line in itertools.islice(io.StringIO(text, newline=""), _SNIFFED_LINES) if line.strip()]
    for delimiter in _DELIMITERS:
        with contextlib.suppress(csv.Error):
            widths = {len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)}
            if len(widths) == 1 and widths != {1}:
                return delimiter
    # no even division, so a row is ragged: what is in the first line tells the reader which
    return next((delimiter for delimiter in _DELIMITERS if lines and delimiter in lines[0]), ",")


def _rows(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{name}: row {reader.line_num} is not CSV ({error})") from None


def _numbers(
    name: str, rows: Iterator[tuple[int, list[str]]], index: int, width: int, label: str
) -> tuple[list[float], list[int]]:
    """The numbers of a column and the lines they stand in."""
    values: list[float] = []
    lines: list[int] = []
    for line, row in rows:
        if len(row) != width:
            raise DataError(f"{name}: row {line} has {len(row)} cells where {width} are expected ({label})")
        cell = row[index]
        try:
            if "_" in cell:  # which float would skip
                raise ValueError
            values.append(float(cell))
        except ValueError:
            problem = f"{cell.strip()!r:.60} is not a number" if cell.strip() else "the cell is empty"
            raise DataError(f"{name}: row {line}, {label}: {problem}") from None
        lines.append(line)
    return values, lines


def _like_a_number(cell: str) -> bool:
    """Whether a cell is or was meant to be a number; a decimal comma must not pass for a header."""
    try:
        float(cell)
    except ValueError:
        return bool(_DIGITS.fullmatch(cell))
    return True


def _on_one_line(name: str) -> str:
    """A name as messages print it: a quoted cell may hold line breaks."""
    return " ".join(name.split())


def _locate(name: str, column: str | int | None, header: Sequence[str], width: int) -> int:
    """The index of a column, from 0."""
    columns = ", ".join(header) if header else f"numbers 1 to {width}, the file has no header"
    if column is None:
        if width > 1:
            raise DataError(f"{name}: the file has {width} columns, say which ({columns})")
        return 0
    if isinstance(column, str):
        sought = _on_one_line(column)
        if header.count(sought) > 1:
            raise DataError(f"{name}: several columns are called {sought!r}: give a number from 1 to {width}")
        if sought in header:
            return header.index(sought)
        if not sought.isdecimal():
            nearest = difflib.get_close_matches(sought, header, n=1)
            hint = f"did you mean {nearest[0]!r}? " if nearest else ""
            raise DataError(f"{name}: no column {sought!r}: {hint}there are: {columns}")
    number = int(column)
    if not 1 <= number <= width:
        raise DataError(f"{name}: no column {number}: columns are counted from 1 to {width}")
    return number - 1
