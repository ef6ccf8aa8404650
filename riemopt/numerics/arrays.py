"""What users give, as arrays of numbers, on the processor or a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from riemopt.errors import ShapeError

__all__ = ["as_numbers", "on_host", "unboxed"]


def as_numbers(array: Any, name: str, arrays: Any = None) -> np.ndarray:
    """Anything NumPy takes, as float64.

    Parameters
    ----------
    array : array_like
        What a user gave.
    name : str
        What it is called in the message.
    arrays : module, optional
        NumPy or CuPy, whose array is wanted. By default that of NumPy, but what lies on a GPU stays there.

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
        if arrays is not None:
            return arrays.asarray(array, dtype=np.float64)  # type: ignore[no-any-return]
        return np.asarray(array, dtype=np.float64, like=array if _on_device(array) else None)
    except (TypeError, ValueError):
        if _on_device(array) and arrays is np:
            raise ShapeError(f"{name} lies on a GPU: use backend='cupy', or copy it with .get()") from None
        raise ShapeError(f"{name} is not an array of numbers: {array!r:.80}") from None


def on_host(array: Any) -> Any:
    """An array as one of NumPy: what lies on a GPU is copied from there."""
    return array.get() if _on_device(array) else array


def unboxed(array: Any) -> Any:
    """The number that an array without axes holds, copied from a GPU; any other array as it is."""
    return array if array.ndim else on_host(array)[()]


def _on_device(array: Any) -> bool:
    """Whether this is an array of CuPy's; what other libraries have on a GPU is copied as NumPy asks them to."""
    return all(hasattr(array, name) for name in ("__cuda_array_interface__", "__array_function__", "get"))
