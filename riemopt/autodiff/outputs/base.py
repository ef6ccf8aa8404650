"""What a network needs of the distribution of its targets.

The loss of a case is A(z) - z·t up to what does not depend on z; what a network needs of it is the slope y - t with
y = ∇A, and products with H = ∇²A and with A'''.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from riemopt.errors import DataError, ShapeError

__all__ = ["NetworkOutput"]


class NetworkOutput(ABC):
    """The distribution of targets given a network's outputs z.

    Outputs and targets are arrays of shape (N, ...), a case a row; losses are summed over all axes but the first.

    Parameters
    ----------
    arrays : module
        What they are arrays of: NumPy, CuPy, ``jax.numpy``, or a namespace of PyTorch's with the same names.

    Attributes
    ----------
    name : str
        What it is called.
    """

    name: str

    def __init__(self, arrays: Any) -> None:
        self.arrays = arrays

    def __repr__(self) -> str:
        return self.name

    @abstractmethod
    def losses(self, z: Any, t: Any) -> Any:
        """-log p(t | z) in nats, a number a case, shape (N,)."""

    @abstractmethod
    def slope(self, z: Any, t: Any) -> Any:
        """The derivative y - t of the losses by z."""

    @abstractmethod
    def hessian(self, z: Any, u: Any) -> Any:
        """H u for a direction u of the shape of z."""

    @abstractmethod
    def third(self, z: Any, u: Any, w: Any) -> Any:
        """A'''[u, w] for two directions."""

    @abstractmethod
    def factors(self, z: Any) -> Iterator[Any]:
        """Arrays h of the shape of z with Σ h hᵀ = H in every case, one entry of the last axis after the other."""

    def targets(self, t: Any, z: Any) -> Any:
        """Targets, checked against outputs z.

        Raises
        ------
        ShapeError, DataError
            If there are not as many as outputs, or one is not in the output's range.
        """
        t = self.arrays.asarray(t, dtype=z.dtype)
        if t.ndim == z.ndim - 1 and z.shape[-1] == 1:
            t = t[..., None]
        if tuple(t.shape) != tuple(z.shape):
            raise ShapeError(f"targets has shape {tuple(t.shape)}, but the outputs have shape {tuple(z.shape)}")
        wrong, why = self._wrong(t)
        self._require(~wrong, t, why)
        return t

    def _wrong(self, t: Any) -> tuple[Any, str]:
        """Which targets cannot be, and what is wrong with them."""
        return ~self.arrays.isfinite(t), "is not finite"

    def _require(self, right: Any, t: Any, why: str) -> None:
        if bool(right.all()):
            return
        rows = right.reshape(right.shape[0], -1).all(1)
        row = int(self.arrays.argmin(self.arrays.asarray(rows, dtype=self.arrays.int32)))
        value = t[row][~right[row]].reshape(-1)[0] if t[row].ndim else t[row]
        raise DataError(f"target {row}: {float(value):g} {why}, as a {self.name} output needs")

    def _total(self, terms: Any) -> Any:
        """A sum over all axes but the first."""
        return terms.reshape(terms.shape[0], -1).sum(1)

    def _units(self, z: Any, roots: Any) -> Iterator[Any]:
        """The factors of a diagonal H from its roots."""
        places = self._places(z)
        for k in range(z.shape[-1]):
            yield self.arrays.where(places == k, roots, 0.0 * roots)

    def _places(self, z: Any) -> Any:
        """0, 1, ... along the last axis, where z is."""
        ones = self.arrays.ones_like(z[(0,) * (z.ndim - 1)])
        return self.arrays.cumsum(ones, 0) - 1.0
