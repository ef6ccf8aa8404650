"""Files of a result, the figure and the numbers: they appear whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import errno
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riemopt.figures import Figure

__all__ = ["output_folder", "save_all", "write_files"]


@contextlib.contextmanager
def output_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder that can be written to; where it had to be made, a failure leaves nothing of it behind.

    Parameters
    ----------
    folder : str or path-like
        Where results are to go.

    Yields
    ------
    Path
        The folder.

    Raises
    ------
    OSError
        If it cannot be made or written to.
    """
    path = Path(folder)
    missing = [place for place in (path, *path.parents) if not place.exists()]
    try:
        _require_writable(path)
        yield path
    except BaseException:
        for place in missing:  # the innermost first
            with contextlib.suppress(OSError):
                place.rmdir()
        raise


def _require_writable(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        number = errno.ENOTDIR if path.is_file() else error.errno or errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from None


def write_files(folder: str | os.PathLike[str], writers: Mapping[str, Callable[[Path], None]]) -> list[Path]:
    """Write files into a folder; they appear there when all of them are written, or not at all.

    Parameters
    ----------
    folder : str or path-like
        Made if need be. Files of the same names are replaced, others are left alone.
    writers : mapping of str to callable
        For each name a function that writes the file at a path.

    Returns
    -------
    list of Path
        The files, in the order of `writers`.

    Raises
    ------
    OSError
        If the folder or a file cannot be written.
    """
    with output_folder(folder) as path, tempfile.TemporaryDirectory(prefix=".unfinished-", dir=path) as unfinished:
        targets = [path / name for name in writers]
        for target in targets:
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        for target, write in zip(targets, writers.values(), strict=True):
            write(Path(unfinished, target.name))
        for target in targets:
            os.replace(Path(unfinished, target.name), target)
    return targets


def save_all(
    folder: str | os.PathLike[str], name: str, figure: Figure, tables: Mapping[str, tuple[Sequence[str], Iterable[Any]]]
) -> list[Path]:
    """Write the figure and the numbers of a result; see :func:`write_files`.

    Parameters
    ----------
    folder : str or path-like
        Where they go.
    name : str
        What the figure's files are called, PNG and SVG.
    figure : matplotlib.figure.Figure
    tables : mapping of str to tuple
        For each CSV file its header and its rows.
    """
    from riemopt import figures

    writers: dict[str, Callable[[Path], None]] = {
        f"{name}.{kind}": lambda path: figures.save(figure, path) for kind in ("png", "svg")
    }
    for table, (header, rows) in tables.items():
        writers[table] = functools.partial(_write_csv, header, rows)
    return write_files(folder, writers)


def _write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]], path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
