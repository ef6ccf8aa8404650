"""Outputs of networks with a log-partition of the user's own, as a formula or as a function of the framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from riemopt.autodiff.outputs.base import NetworkOutput
from riemopt.errors import ShapeError
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.arrays import array_function
from riemopt.models import ExponentialFamily

__all__ = ["FormulaOutput", "FunctionOutput"]


class _LogPartitionOutput(NetworkOutput):
    """p(t | z) = exp(z·t - A(z)) h(t); losses lack -log h(t), which moves nothing."""

    name = "exponential family"

    def factors(self, z: Any) -> Iterator[Any]:
        """See :class:`NetworkOutput`; the eigenvectors of H, times the roots of its eigenvalues."""
        a, width = self.arrays, z.shape[-1]
        units = [a.where(self._places(z) == k, 1.0 + 0.0 * z, 0.0 * z) for k in range(width)]
        values, vectors = a.linalg.eigh(a.stack([self.hessian(z, unit) for unit in units], -1))
        roots = a.sqrt(a.where(values > 0.0, values, 0.0 * values))
        for k in range(width):
            yield roots[..., k : k + 1] * vectors[..., k]


class FormulaOutput(_LogPartitionOutput):
    """A log-partition in SymPy, lowered and differentiated as the formulas of models are.

    Parameters
    ----------
    family : ExponentialFamily
        A(z) of as many symbols as a case has outputs along the last axis; or of one, for each of them alike.
    arrays, special : module
        See :func:`~riemopt.kernels.targets.arrays.array_function`.

    Raises
    ------
    UnsupportedError
        If the framework lacks a function that A or one of its derivatives needs.
    """

    def __init__(self, family: ExponentialFamily, arrays: Any, special: Any) -> None:
        super().__init__(arrays)
        self.family = family
        graph, width = Graph(), len(family.symbols)
        z, u, w = ([graph.input(f"{name} {k}") for k in range(width)] for name in "zuw")
        partition = graph.lower(family.log_partition, dict(zip(family.symbols, z, strict=True)))
        mean = graph.gradients({partition: graph.constant(1.0)}, z)
        hessian = graph.tangents(mean, dict(zip(z, u, strict=True)))
        third = graph.tangents(hessian, dict(zip(z, w, strict=True)))

        def compiled(inputs: Sequence[Node], outputs: Sequence[Node]) -> Callable[..., tuple[Any, ...]]:
            return array_function(Program(tuple(inputs), tuple(outputs)), arrays, special)

        self._partition, self._mean = compiled(z, [partition]), compiled(z, mean)
        self._hessian, self._third = compiled([*z, *u], hessian), compiled([*z, *u, *w], third)

    def __repr__(self) -> str:
        return repr(self.family)

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`; not a number outside the domain that the symbols of A are declared with."""
        columns = self._columns(z)
        value = self._partition(*columns)[0] + 0.0 * columns[0]
        value = self.arrays.where(self._inside(columns), value, float("nan") * value)
        return self._total(value - z * t) if self._is_single else self._total((value - (z * t).sum(-1))[..., None])

    def slope(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._of(self._mean, z) - t

    def hessian(self, z: Any, u: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._of(self._hessian, z, u)

    def third(self, z: Any, u: Any, w: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._of(self._third, z, u, w)

    def targets(self, t: Any, z: Any) -> Any:
        """See :class:`NetworkOutput`."""
        width = len(self.family.symbols)
        if not self._is_single and width != z.shape[-1]:
            raise ShapeError(f"{self.family} is for {width} outputs, but the network gives {z.shape[-1]}")
        return super().targets(t, z)

    @property
    def _is_single(self) -> bool:
        return len(self.family.symbols) == 1

    def _columns(self, array: Any) -> list[Any]:
        """What each symbol stands for."""
        return [array] if self._is_single else [array[..., k] for k in range(len(self.family.symbols))]

    def _of(self, function: Callable[..., tuple[Any, ...]], z: Any, *directions: Any) -> Any:
        """A function with as many values as there are symbols, in the shape of z."""
        values = function(*self._columns(z), *(column for u in directions for column in self._columns(u)))
        if self._is_single:
            return values[0] + 0.0 * z
        return self.arrays.stack([value + 0.0 * z[..., 0] for value in values], -1)

    def _inside(self, columns: Sequence[Any]) -> Any:
        """Where all symbols have the signs that they are declared with."""
        inside = columns[0] == columns[0]
        for symbol, column in zip(self.family.symbols, columns, strict=True):
            if symbol.is_positive or symbol.is_negative:
                inside = inside & (column > 0.0 if symbol.is_positive else column < 0.0)
            elif symbol.is_nonnegative or symbol.is_nonpositive:
                inside = inside & (column >= 0.0 if symbol.is_nonnegative else column <= 0.0)
        return inside


class FunctionOutput(_LogPartitionOutput):
    """A log-partition written in the framework, differentiated by it.

    Parameters
    ----------
    partition : callable
        Takes outputs of shape (N, ...), returns A of every case, shape (N,).
    arrays : module
        See :class:`NetworkOutput`.
    gradient : callable
        Makes of a function of an array with one number as its value its gradient.
    """

    def __init__(
        self, partition: Callable[[Any], Any], arrays: Any, gradient: Callable[[Callable[[Any], Any]], Any]
    ) -> None:
        super().__init__(arrays)
        self.partition, self._gradient = partition, gradient
        self._values: list[float] = []

    def __repr__(self) -> str:
        return f"{self.name} {self._values}"  # of functions the values tell, which have no other name to go by

    @cached_property
    def _mean(self) -> Callable[[Any], Any]:
        return self._gradient(lambda z: self.partition(z).sum())  # type: ignore[no-any-return]

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self.partition(z) - self._total(z * t)

    def slope(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._mean(z) - t

    def hessian(self, z: Any, u: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._gradient(lambda z: (self._mean(z) * u).sum())(z)

    def third(self, z: Any, u: Any, w: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._gradient(lambda z: (self.hessian(z, u) * w).sum())(z)

    def targets(self, t: Any, z: Any) -> Any:
        """See :class:`NetworkOutput`."""
        shape = tuple(getattr(self.partition(z), "shape", ()))
        if shape != (z.shape[0],):
            raise ShapeError(
                f"the log-partition gives an array of shape {shape} for {z.shape[0]} cases, not ({z.shape[0]},)"
            )
        one = z[:1] + 1.0 + self._places(z)
        self._values = [float(self.partition(level * one)[0]) for level in (0.3, -0.7)]
        return super().targets(t, z)
