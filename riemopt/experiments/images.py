"""Images that networks are trained on: MNIST and the Olivetti faces from their files, and curves that are drawn."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from riemopt.errors import ArgumentError, DataError

__all__ = ["curves", "mnist", "olivetti_faces", "read_idx"]

_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_MNIST = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_SIDE = 28


def read_idx(path: str | os.PathLike[str]) -> NDArray[np.generic]:
    """The array of a file in the IDX format of MNIST, gzipped or not.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    array
        Of the type and shape that the file says.

    Raises
    ------
    DataError
        If the file cannot be read, is not in that format, or is cut short.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "pair-idx1-ubyte")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    ...     read_idx(file)
    array([7, 9], dtype=uint8)
    """
    name = os.fspath(path)
    try:
        content = Path(name).read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: the file cannot be read ({error})") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES:
        raise DataError(f"{name}: this is not a file in the IDX format")
    kind, axes = np.dtype(_IDX_TYPES[content[2]]), content[3]
    head = 4 + 4 * axes
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, min(head, len(content)), 4))
    wanted = head + kind.itemsize * int(np.prod(shape, dtype=np.int64))
    if len(shape) != axes or len(content) != wanted:
        raise DataError(f"{name}: the file has {len(content)} bytes, but its head promises {wanted}: is it cut short?")
    return np.frombuffer(content, kind, offset=head).reshape(shape)


def mnist(
    part: Literal["train", "test"] = "train", folder: str | os.PathLike[str] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Handwritten digits: images and labels.

    Parameters
    ----------
    part : {"train", "test"}, optional
        60,000 images to train on, or 10,000 others.
    folder : str or path-like, optional
        Where the four files of MNIST are, or a folder ``mnist`` with them; gzipped or not. By default the folder that
        the environment variable ``RIEMOPT_DATA`` names.

    Returns
    -------
    images : array of float32, shape (N, 784)
        Intensities from 0 to 1, row by row.
    labels : array of int64, shape (N,)

    Raises
    ------
    DataError
        If a file is missing or cannot be read.
    """
    if part not in _MNIST:
        raise ArgumentError(f"part must be 'train' or 'test', not {part!r}")
    images, labels = (read_idx(_found("mnist", name, folder, "MNIST")) for name in _MNIST[part])
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DataError(f"MNIST: {images.shape} images and {labels.shape} labels do not belong together")
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255.0), labels.astype(np.int64)


def olivetti_faces(folder: str | os.PathLike[str] | None = None) -> NDArray[np.float32]:
    """Ten photographs of each of forty people.

    Parameters
    ----------
    folder : str or path-like, optional
        Where ``olivettifaces.mat`` is; by default the folder that the environment variable ``RIEMOPT_DATA`` names.

    Returns
    -------
    array of float32, shape (400, 64, 64)
        Intensities from 0 to 1, the images of a person one after the other.

    Raises
    ------
    DataError
        If the file is missing or cannot be read.
    """
    from scipy.io import loadmat  # slow to import

    path = _found("", "olivettifaces.mat", folder, "the Olivetti faces")
    try:
        faces = loadmat(path, variable_names=["faces"])["faces"]
    except Exception as error:  # of a file that is damaged, SciPy raises whatever it stumbles over
        raise DataError(f"{path}: the faces cannot be read ({error})") from None
    if faces.shape != (4096, 400):
        raise DataError(f"{path}: faces has shape {faces.shape}, not (4096, 400)")
    # a column is an image, itself column by column
    return np.ascontiguousarray(faces.T.reshape(400, 64, 64).transpose(0, 2, 1)).astype(np.float32) / np.float32(255.0)


def curves(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Images of curves through three random points, inked onto 28 × 28 pixels.

    Each coordinate of a point lies between 2 and 26, its x at least 2 beyond that of the point before; a cubic spline,
    through three points a parabola, leads from the first to the last.

    Parameters
    ----------
    count : int
        How many.
    seed : int, optional
        The same seed gives the same images.

    Returns
    -------
    array of float32, shape (count, 784)
        Intensities from 0 to 1, row by row.

    Examples
    --------
    >>> images = curves(3)
    >>> images.shape, float(images.min()), float(images.max())
    ((3, 784), 0.0, 1.0)
    """
    if not (isinstance(count, (int, np.integer)) and count >= 0):
        raise ArgumentError(f"count must be a whole number of at least 0, not {count!r}")
    rng = np.random.default_rng(seed)
    # three numbers at least 2 apart in an interval of 24 are any three ones in an interval of 20, spread
    x = np.sort(rng.uniform(2.0, 22.0, (count, 3)), axis=1) + np.array([0.0, 2.0, 4.0])
    y = rng.uniform(2.0, 26.0, (count, 3))
    block = max(1, _NUMBERS // (_SIDE * _SIDE))
    parts = [_inked(x[i : i + block], y[i : i + block]) for i in range(0, count, block)]
    return np.concatenate(parts) if parts else np.empty((0, _SIDE * _SIDE), np.float32)


_NUMBERS = 1 << 22
"""Numbers that a temporary may hold."""

_STROKES = 256
"""Points along a curve, less than a third of a pixel apart but where it is steepest."""


def _inked(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Images of the curves through points: a pixel is as dark as its centre is near, white from 1.5 pixels on."""
    t = x[:, :1] + (x[:, 2:] - x[:, :1]) * np.linspace(0.0, 1.0, _STROKES)
    # Lagrange's form of the parabola
    along = np.zeros_like(t)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        others = (t - x[:, [j]]) * (t - x[:, [k]])
        along += y[:, [i]] * others / ((x[:, [i]] - x[:, [j]]) * (x[:, [i]] - x[:, [k]]))
    image = np.zeros((len(x), _SIDE + 4, _SIDE + 4), np.float32)
    rows, number = np.clip(np.rint(along).astype(int), -2, _SIDE + 1), np.arange(len(x))
    columns = np.rint(t).astype(int)
    for stroke in range(_STROKES):
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                row, column = rows[:, stroke] + down, columns[:, stroke] + across
                away = np.hypot(along[:, stroke] - row, t[:, stroke] - column)
                place = (number, np.clip(row + 2, 0, _SIDE + 3), column + 2)
                image[place] = np.maximum(image[place], np.clip(1.5 - away, 0.0, 1.0))
    return image[:, 2:-2, 2:-2].reshape(len(x), -1)


def _found(sub: str, name: str, folder: str | os.PathLike[str] | None, what: str) -> Path:
    """The file of a name, gzipped or not, in a folder or one below it."""
    given = os.environ.get("RIEMOPT_DATA") if folder is None else os.fspath(folder)
    if not given:
        raise DataError(
            f"{what}: say where the data are: set the environment variable RIEMOPT_DATA to a folder with {name}, "
            f"or name the folder"
        )
    places = [Path(given, sub, name + end) for end in ("", ".gz")] + [Path(given, name + end) for end in ("", ".gz")]
    for place in places:
        if place.is_file():
            return place
    raise DataError(f"{what}: there is no {name} or {name}.gz in {places[0].parent}: put it there as it was published")
