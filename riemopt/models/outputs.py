"""Outputs of conditional models: the distribution of targets t given natural parameters z, as the loss of one case."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, DataError, ModelError, ShapeError, UnknownNameError

__all__ = ["ExponentialFamily", "Output", "as_table", "output_of"]


@dataclass(frozen=True)
class Output:
    """The distribution of targets given outputs z, as the loss of one case.

    Attributes
    ----------
    name : str
        What it is called.
    symbols, targets : tuple of sympy.Symbol
        z, and the targets t as the columns of a table.
    loss : sympy.Expr
        -log p(t | z), in nats, up to what does not depend on z.
    profiled : bool
        Whether a common scale is unknown: the loss is then half the squared residual.
    kind : str
        What targets are: ``"real"``, ``"probability"``, ``"count"`` or ``"label"``.
    """

    name: str
    symbols: tuple[sp.Symbol, ...]
    targets: tuple[sp.Symbol, ...]
    loss: sp.Expr
    profiled: bool = False
    kind: str = "real"

    def columns(self, targets: Any, count: int) -> np.ndarray:
        """Targets as rows of a table, shape (columns, N); raises where they cannot be targets of this output."""
        array = as_table(targets, "targets")
        width = len(self.symbols)
        if self.kind == "label":
            return self._labels(array, count)
        if array.ndim == 1 and width == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape != (count, width):
            wanted = f"({count},)" if width == 1 else f"({count}, {width})"
            raise ShapeError(f"targets has shape {np.shape(targets)}, but for {count} inputs it must be {wanted}")
        wrong, why = {
            "real": (~np.isfinite(array), "is not finite"),
            "probability": (~((array >= 0) & (array <= 1)), "is not between 0 and 1"),
            "count": (~((array >= 0) & (array == np.floor(array)) & np.isfinite(array)), "is not a count 0, 1, 2, ..."),
        }[self.kind]
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataError(f"target {row}: {array[row, column]} {why}, as a {self.name} output needs")
        return np.ascontiguousarray(array.T)

    def _labels(self, array: np.ndarray, count: int) -> np.ndarray:
        """Labels, or rows of probabilities, as rows of a table."""
        width = len(self.symbols)
        if array.shape == (count, width) and width > 1:
            if not (np.all(array >= 0) and np.allclose(array.sum(axis=1), 1.0)):
                raise DataError("targets of a categorical output are labels, or rows of probabilities that add up to 1")
            return np.ascontiguousarray(array.T)
        if array.shape != (count,):
            raise ShapeError(f"targets has shape {array.shape}, but for {count} inputs it must be ({count},)")
        wrong = ~np.isin(array, np.arange(width))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(f"target {row}: {array[row]} is not a label 0, ..., {width - 1}")
        return np.ascontiguousarray((array[None, :] == np.arange(width)[:, None]).astype(float))

    def constant(self, table: np.ndarray) -> float:
        """The mean over cases of what the loss leaves out, from the targets' rows of the table."""
        if self.name != "poisson":
            return 0.0
        from scipy.special import gammaln

        return float(np.mean(gammaln(table + 1.0).sum(axis=0)))


class ExponentialFamily:
    """An exponential-family output of one's own: p(t | z) = exp(z·t - A(z)) h(t).

    Parameters
    ----------
    log_partition : sympy.Expr
        A(z); ∇A is the mean of the targets.
    symbols : sympy.Symbol or sequence of sympy.Symbol
        z, one symbol for each output.

    Notes
    -----
    h is not known here: losses and log-likelihoods lack the mean of log h(t), which moves nothing.

    Examples
    --------
    >>> import sympy as sp
    >>> import riemopt as ro
    >>> z = sp.Symbol("z", negative=True)
    >>> waiting_time = ro.ExponentialFamily(-sp.log(-z), z)
    """

    def __init__(self, log_partition: sp.Expr, symbols: sp.Symbol | Sequence[sp.Symbol]) -> None:
        self.symbols = (symbols,) if isinstance(symbols, sp.Symbol) else tuple(symbols)
        self.log_partition = sp.sympify(log_partition, strict=True)
        strangers = self.log_partition.free_symbols - set(self.symbols)
        if strangers:
            raise ModelError(f"the log-partition contains {min(map(str, strangers))}, which is not an output")

    def __repr__(self) -> str:
        return f"ExponentialFamily({self.log_partition}, {', '.join(map(str, self.symbols))})"


def _gaussian(z: tuple[sp.Symbol, ...], t: tuple[sp.Symbol, ...], scale: float | None) -> Output:
    """Half the squared residuals, over the variance if that is known."""
    squares = sp.Add(*((b - a) ** 2 for a, b in zip(z, t, strict=True))) / 2
    if scale is None:
        return Output("gaussian", z, t, squares, profiled=True)
    if not (isinstance(scale, (int, float)) and math.isfinite(scale) and scale > 0):
        raise ArgumentError(f"scale must be a positive number or None, not {scale!r}")
    variance = sp.Float(scale) ** 2
    return Output("gaussian", z, t, squares / variance + len(z) * sp.log(2 * sp.pi * variance) / 2)


def _bernoulli(z: tuple[sp.Symbol, ...], t: tuple[sp.Symbol, ...]) -> Output:
    """The cross-entropy of probabilities with logits z.

    log(1 + e^z) - t z as log(1 + e^-|z|) + |z| times what the likelier value misses of t: of a saturated output that
    is right the digits remain.
    """
    terms = []
    for a, b in zip(z, t, strict=True):
        size = sp.Piecewise((a, a > 0), (-a, True))
        terms.append(sp.log(1 + sp.exp(-size)) + size * sp.Piecewise((1 - b, a > 0), (b, True)))
    return Output("bernoulli", z, t, sp.Add(*terms), kind="probability")


def _categorical(z: tuple[sp.Symbol, ...], t: tuple[sp.Symbol, ...]) -> Output:
    """The cross-entropy of categories with logits z.

    log Σ e^z - t·z by what the logits are less than the largest, the first one of these, whose own exponential is the
    1 in log(1 + Σ).
    """
    if len(z) < 2:
        raise ModelError("a categorical output needs at least two outputs, one a category")
    count = range(len(z))
    largest = [sp.And(*(z[k] > z[j] if j < k else z[k] >= z[j] for j in count if j != k)) for k in count]
    peak = sp.Piecewise(*((z[k], largest[k]) for k in count[:-1]), (z[-1], True))
    below = [peak - a for a in z]
    others = [sp.Piecewise((0, largest[k]), (sp.exp(-below[k]), True)) for k in count]
    missed = [sp.Piecewise((0, largest[k]), (below[k] * t[k], True)) for k in count]
    loss = sp.log(1 + sp.Add(*others)) + sp.Add(*missed)
    return Output("categorical", z, t, loss, kind="label")


def _poisson(z: tuple[sp.Symbol, ...], t: tuple[sp.Symbol, ...]) -> Output:
    """The loss of counts whose means have the logarithms z."""
    return Output("poisson", z, t, sp.Add(*(sp.exp(a) - b * a for a, b in zip(z, t, strict=True))), kind="count")


_OUTPUTS: dict[str, Callable[..., Output]] = {
    "gaussian": _gaussian,
    "bernoulli": _bernoulli,
    "categorical": _categorical,
    "poisson": _poisson,
}


def output_of(output: Any, count: int, scale: float | None) -> Output:
    """The output that a user named or defined.

    Parameters
    ----------
    output : str or ExponentialFamily
        As in :class:`~riemopt.ConditionalModel`.
    count : int
        How many natural parameters there are.
    scale : float or None
        The standard deviation of a gaussian output.
    """
    z = tuple(sp.Dummy(f"z_{k}", real=True) for k in range(count))
    t = tuple(sp.Dummy(f"t_{k}", real=True) for k in range(count))
    if isinstance(output, ExponentialFamily):
        if len(output.symbols) != count:
            raise ModelError(f"{output} is for {len(output.symbols)} outputs, not {count}")
        own = tuple(sp.Dummy(s.name, **s.assumptions0) for s in output.symbols)
        partition = output.log_partition.xreplace(dict(zip(output.symbols, own, strict=True)))
        mean = sp.Add(*(a * b for a, b in zip(own, t, strict=True)))
        return Output("exponential family", own, t, partition - mean)
    if output not in _OUTPUTS:
        raise UnknownNameError("output", output, _OUTPUTS)
    return _gaussian(z, t, scale) if output == "gaussian" else _OUTPUTS[output](z, t)


def as_table(values: Any, what: str) -> np.ndarray:
    """What a user gave as an array of numbers; raises :class:`~riemopt.errors.DataError` if it is none."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"the {what} are not an array of numbers: {values!r:.80}") from None
