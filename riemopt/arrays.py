"""What users give, as arrays of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from riemopt.errors import ShapeError

__all__ = ["as_numbers"]


def as_numbers(array: Any, name: str) -> np.ndarray:
    """Anything NumPy takes, as float64.

    Parameters
    ----------
    array : array_like
        What a user gave.
    name : str
        What it is called in the message.

    Raises
    ------
    ShapeError
        If it is not an array of numbers.

    Examples
    --------
    >>> as_numbers([1, 2], "points")
    array([1., 2.])
    """
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise ShapeError(f"{name} is not an array of numbers: {array!r:.80}") from None
