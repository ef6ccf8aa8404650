"""What users give, as arrays of numbers, on the processor or a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from riemopt.errors import ShapeError

__all__ = ["as_numbers", "copied", "is_floating", "is_real", "namespace_of", "on_host", "unboxed"]


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
    if hasattr(array, "detach"):
        return array.detach().cpu().numpy()
    return array.get() if _on_device(array) else array


def unboxed(array: Any) -> Any:
    """The number that an array without axes holds, copied from a GPU; any other array as it is."""
    return array if array.ndim else on_host(array)[()]


def namespace_of(array: Any) -> Any:
    """The module whose functions take an array: NumPy, CuPy, ``jax.numpy``, or PyTorch under the same names.

    Examples
    --------
    >>> namespace_of([1.0]).__name__
    'numpy'
    """
    if isinstance(array, np.ndarray):
        return np
    if type(array).__module__.partition(".")[0] == "torch":
        import array_api_compat.torch

        return array_api_compat.torch
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    return np


def is_floating(array: Any) -> bool:
    """Whether an array of any framework holds floating-point numbers."""
    return "float" in str(array.dtype)


def is_real(array: Any) -> bool:
    """Whether an array of any framework holds real numbers."""
    return is_floating(array) or "int" in str(array.dtype)


def copied(array: Any) -> Any:
    """A copy of an array of any framework, to change in place; of JAX, whose arrays never change, the array itself."""
    if type(array).__module__.partition(".")[0] in ("jax", "jaxlib"):
        return array
    return array.copy() if hasattr(array, "copy") else array.clone()


def _on_device(array: Any) -> bool:
    """Whether this is an array of CuPy's; what other libraries have on a GPU is copied as NumPy asks them to."""
    return all(hasattr(array, name) for name in ("__cuda_array_interface__", "__array_function__", "get"))
