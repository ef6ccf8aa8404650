"""ConditionalModel: p(t | x; θ), an exponential family in t whose natural parameters are expressions in x and θ."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, DataError, ModelError, ShapeError, UnknownNameError
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain

__all__ = ["ConditionalModel", "ExponentialFamily", "FeedForward", "Output"]


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
        array = _numbers(targets, "targets")
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
    squares = sp.Add(*((b - a) ** 2 for a, b in zip(z, t, strict=True))) / 2
    if scale is None:
        return Output("gaussian", z, t, squares, profiled=True)
    if not (isinstance(scale, (int, float)) and math.isfinite(scale) and scale > 0):
        raise ArgumentError(f"scale must be a positive number or None, not {scale!r}")
    variance = sp.Float(scale) ** 2
    return Output("gaussian", z, t, squares / variance + len(z) * sp.log(2 * sp.pi * variance) / 2)


def _bernoulli(z: tuple[sp.Symbol, ...], t: tuple[sp.Symbol, ...]) -> Output:
    terms = (sp.log(1 + sp.exp(a)) - b * a for a, b in zip(z, t, strict=True))
    return Output("bernoulli", z, t, sp.Add(*terms), kind="probability")


def _categorical(z: tuple[sp.Symbol, ...], t: tuple[sp.Symbol, ...]) -> Output:
    if len(z) < 2:
        raise ModelError("a categorical output needs at least two outputs, one a category")
    chosen = sp.Add(*(a * b for a, b in zip(z, t, strict=True)))
    return Output("categorical", z, t, sp.log(sp.Add(*map(sp.exp, z))) - chosen, kind="label")


def _poisson(z: tuple[sp.Symbol, ...], t: tuple[sp.Symbol, ...]) -> Output:
    return Output("poisson", z, t, sp.Add(*(sp.exp(a) - b * a for a, b in zip(z, t, strict=True))), kind="count")


_OUTPUTS: dict[str, Callable[..., Output]] = {
    "gaussian": _gaussian,
    "bernoulli": _bernoulli,
    "categorical": _categorical,
    "poisson": _poisson,
}


def _output(output: Any, count: int, scale: float | None) -> Output:
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


class ConditionalModel:
    """A model p(t | x; θ) of targets given inputs, such as a regression or a small network.

    Parameters
    ----------
    outputs : sequence of sympy.Expr
        z(x; θ), the natural parameters of the targets' distribution before any link: logits for ``"bernoulli"`` and
        ``"categorical"``, the logarithm of the mean for ``"poisson"``, the mean for ``"gaussian"``.
    output : str or ExponentialFamily
        ``"gaussian"``, ``"bernoulli"``, ``"categorical"``, ``"poisson"``, or an :class:`~riemopt.ExponentialFamily`.
    inputs : sequence of sympy.Symbol
        x; may be empty.
    parameters : sequence of sympy.Symbol
        θ, in coordinate order; their assumptions give the domain.
    scale : float, optional
        The standard deviation of a gaussian output. None: it is unknown and profiled out.
    name : str, optional
        What to call the model.
    domain : iterable of relation, optional
        Further conditions on the parameters.

    Raises
    ------
    ModelError
        If a symbol is neither an input nor a parameter, or a parameter occurs in no output.

    Examples
    --------
    >>> import sympy as sp
    >>> import riemopt as ro
    >>> u, w0, w1 = sp.symbols("u w0 w1", real=True)
    >>> logistic = ro.ConditionalModel(outputs=[w0 + w1 * u], output="bernoulli", inputs=(u,), parameters=(w0, w1))
    >>> logistic
    bernoulli(w0, w1 | u)
    >>> problem = ro.Manifold(logistic, backend="numpy").likelihood([0, 0, 1, 1], inputs=[-1.0, 0.5, 0.0, 2.0])
    >>> float(problem.loss([0.0, 0.0]).round(6))
    0.693147
    """

    def __init__(
        self,
        outputs: Sequence[sp.Expr],
        output: str | ExponentialFamily,
        inputs: Sequence[sp.Symbol],
        parameters: Sequence[sp.Symbol],
        scale: float | None = None,
        name: str = "",
        domain: Iterable[sp.Basic] = (),
    ) -> None:
        given = (outputs,) if isinstance(outputs, sp.Basic) else tuple(outputs)
        self.inputs = (inputs,) if isinstance(inputs, sp.Symbol) else tuple(inputs)
        self.parameters = (parameters,) if isinstance(parameters, sp.Symbol) else tuple(parameters)
        self.output = _output(output, len(given), scale)
        self.name = name or self.output.name
        try:
            # strict: a text would be evaluated
            self.outputs = tuple(sp.sympify(z, strict=True) for z in given)
        except sp.SympifyError:
            raise ModelError(f"{self.name}: an output is not a SymPy expression") from None
        self._validate()
        self.domain = Domain.of(self.parameters, (domain,) if isinstance(domain, sp.Basic) else domain)
        self.chart = Chart.identity(self.parameters, self.domain)
        self.original: ConditionalModel = self

    def reparametrize(
        self, substitution: Mapping[sp.Symbol, Any], parameters: Sequence[sp.Symbol], name: str = ""
    ) -> ConditionalModel:
        """The same model in another chart; see :meth:`riemopt.StatisticalModel.reparametrize`."""
        new = (parameters,) if isinstance(parameters, sp.Symbol) else tuple(parameters)
        step = Chart.of(self.domain, {**{p: p for p in self.parameters}, **substitution}, new)
        exchange = dict(zip(self.parameters, step.expressions, strict=True))
        moved = copy.copy(self)
        moved.name = name or self.name
        moved.outputs = tuple(z.subs(exchange, simultaneous=True) for z in self.outputs)
        moved.parameters, moved.domain, moved.chart = new, step.domain, self.chart.then(step)
        moved._validate()
        return moved

    def _validate(self) -> None:
        if not self.outputs or not self.parameters:
            raise ModelError(f"{self.name}: there is no {'parameter' if self.outputs else 'output'}")
        names = [s.name for s in (*self.inputs, *self.parameters)]
        twice = [n for n in names if names.count(n) > 1]
        if twice:
            raise ModelError(f"{self.name}: {twice[0]} is named twice among inputs and parameters")
        free = set().union(*(z.free_symbols for z in self.outputs))
        foreign = sorted(map(str, free - {*self.inputs, *self.parameters}))
        if foreign:
            raise ModelError(f"{self.name}: {foreign[0]} occurs in the outputs but is neither an input nor a parameter")
        missing = [str(s) for s in self.parameters if s not in free]
        if missing:
            raise ModelError(f"{self.name}: the parameter {missing[0]} does not occur in the outputs")

    @property
    def dimension(self) -> int:
        """The number of parameters."""
        return len(self.parameters)

    def __repr__(self) -> str:
        given = f" | {', '.join(map(str, self.inputs))}" if self.inputs else ""
        return f"{self.name}({', '.join(map(str, self.parameters))}{given})"

    def columns(self, inputs: Any) -> np.ndarray:
        """Inputs as rows of a table, shape (d, N).

        Parameters
        ----------
        inputs : array_like, shape (N,) for one input, or (N, d)

        Raises
        ------
        ShapeError, DataError
            If they are not that, or one is not finite.
        """
        array = _numbers(inputs, "inputs")
        width = len(self.inputs)
        if array.ndim == 1 and width == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != width:
            shape = "(N,)" if width == 1 else f"(N, {width})"
            raise ShapeError(f"inputs has shape {np.shape(inputs)}, but must have shape {shape}")
        if not len(array):
            raise DataError("there are no inputs")
        wrong = ~np.isfinite(array)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataError(f"input {row}: {self.inputs[column]} = {array[row, column]} is not finite")
        return np.ascontiguousarray(array.T)


def _numbers(values: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"the {what} are not an array of numbers: {values!r:.80}") from None


_ACTIVATIONS = {
    "tanh": sp.tanh,
    "logistic": lambda u: 1 / (1 + sp.exp(-u)),
    "softplus": lambda u: sp.log(1 + sp.exp(u)),
    "linear": lambda u: u,
}


def FeedForward(
    layers: Sequence[int],
    activation: str = "tanh",
    output: str | ExponentialFamily = "gaussian",
    scale: float | None = 1.0,
) -> ConditionalModel:
    """A small fully connected network, its last layer linear.

    Parameters
    ----------
    layers : sequence of int
        The number of inputs, of units in each hidden layer, and of outputs.
    activation : {"tanh", "logistic", "softplus", "linear"}, optional
        Of the hidden units.
    output : str or ExponentialFamily, optional
        As in :class:`~riemopt.ConditionalModel`.
    scale : float, optional
        The standard deviation of a gaussian output, or None.

    Returns
    -------
    ConditionalModel
        Its parameters are the weights of each layer, unit by unit, each unit's bias after its weights.

    Examples
    --------
    >>> FeedForward([2, 3, 1]).dimension
    13
    """
    sizes = list(layers)
    if len(sizes) < 2 or not all(isinstance(s, (int, np.integer)) and s > 0 for s in sizes):
        raise ArgumentError(f"layers must be at least two positive whole numbers, not {layers!r}")
    if activation not in _ACTIVATIONS:
        raise UnknownNameError("activation", activation, _ACTIVATIONS)
    inputs = sp.symbols(f"x_1:{sizes[0] + 1}", real=True)
    units: list[sp.Expr] = list(inputs)
    parameters: list[sp.Symbol] = []
    for layer, (before, count) in enumerate(itertools.pairwise(sizes), start=1):
        sums = []
        for unit in range(1, count + 1):
            weights = [sp.Symbol(f"w_{layer}_{unit}_{k}", real=True) for k in range(1, before + 1)]
            bias = sp.Symbol(f"b_{layer}_{unit}", real=True)
            parameters += [*weights, bias]
            sums.append(sp.Add(*(w * u for w, u in zip(weights, units, strict=True))) + bias)
        units = sums if layer == len(sizes) - 1 else [_ACTIVATIONS[activation](s) for s in sums]
    return ConditionalModel(units, output, inputs, parameters, scale=scale, name="FeedForward")
