"""Fully connected networks without a framework: the paper's algorithms on arrays of NumPy or CuPy."""

from __future__ import annotations

import importlib
import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from riemopt.autodiff.layers import ACTIVATIONS, Activation, ForwardPass, Layer
from riemopt.autodiff.network import NetworkProblem as _NetworkProblem
from riemopt.autodiff.network import require_finite
from riemopt.autodiff.outputs import Framework
from riemopt.errors import ArgumentError, ModelError, ShapeError, UnknownNameError
from riemopt.models import ExponentialFamily
from riemopt.numerics.arrays import namespace_of, on_host
from riemopt.solvers import LinearSolver

__all__ = ["NetworkProblem"]


class NetworkProblem(_NetworkProblem):
    """A fully connected network on arrays of NumPy or CuPy, its loss, and the Fisher metric of its outputs.

    Parameters
    ----------
    parameters : sequence of (array, array)
        Where to start: for each layer its weights W, shape (outputs, inputs), and biases b, shape (outputs,). In this
        order they are the coordinates, W row by row.
    inputs : array_like, shape (N, inputs)
        What the network is given, a case a row.
    targets : array_like
        What it should give: shape (N, outputs), or labels 0, 1, ... for ``"categorical"``.
    output : str or ExponentialFamily, optional
        ``"gaussian"``, ``"bernoulli"``, ``"categorical"`` or ``"poisson"``; or a log-partition of your own, of as many
        symbols as there are outputs (or of one, for each of them). The last layer is linear: it gives means,
        logits, logits, or logarithms of means.
    activation : str or sequence of str, optional
        Of the hidden units, for all layers or for each: ``"tanh"``, ``"logistic"``, ``"softplus"``, ``"relu"`` or
        ``"linear"``.
    scale : float or None, optional
        The standard deviation of a gaussian output; None if it is not known, and profiled out. If nothing is said it is
        1, and :func:`riemopt.fit` estimates it.
    chunk : int, optional
        How many cases to look at at a time; all at once by default.
    metric_cases : int, optional
        How many cases the metric and the connection are taken over, by default all: in turn the first so many, the
        next, and so on, from one iteration of a driver to the next.
    weight_decay : float or array of shape (n,), optional
        c ≥ 0: ½ c θ² is added to the loss, and c to the diagonal of the metric.
    solver : LinearSolver, optional
        What solves with the metric; by default conjugate gradients of at most 50 iterations, stopped where they no
        longer progress.
    preconditioned : bool, optional
        Whether a damped metric comes with a preconditioner made from squared gradients of the cases.

    Raises
    ------
    ShapeError, DataError, ModelError, ArgumentError
        If parameters, inputs and targets do not fit one another, a number is not finite, or activations are not as many
        as hidden layers.
    UnknownNameError
        If there is no output or activation of that name.

    Notes
    -----
    Computed in single precision if that is what all parameters have, else in double; on the GPU where these are arrays
    of CuPy. Losses of cases are added up in double precision.

    Without `chunk`, the forward pass at a point is kept for all products there. Squared gradients of cases and the
    diagonal of the metric are exact: what a case gives to a weight is a product of two numbers.

    In natural parameters z the paper's Algorithms 1 and 2 are one sweep: upwards with z, R z and S z, downwards with
    the covector H S z + (1 - a)/2 A'''[R z, R z]. Nothing is divided by y(1 - y).

    References
    ----------
    Appendix C and F of the paper, Algorithms 1, 2 and 3.

    Examples
    --------
    >>> import numpy as np
    >>> import riemopt as ro
    >>> x = np.linspace(0.0, 1.0, 5)[:, None]
    >>> line = [(np.zeros((1, 1)), np.zeros(1))]
    >>> net = ro.autodiff.feedforward.NetworkProblem(line, x, 2.0 * x + 1.0, output="gaussian")
    >>> end = ro.minimize(net, "ng", start=net.start, step_size=1.0, steps=1).x
    >>> [(weights.round(4), biases.round(4)) for weights, biases in net.unflatten(end)]
    [(array([[2.]]), array([1.]))]
    """

    def __init__(
        self,
        parameters: Sequence[tuple[Any, Any]],
        inputs: Any,
        targets: Any,
        output: str | ExponentialFamily = "gaussian",
        *,
        activation: str | Sequence[str] = "tanh",
        scale: float | EllipsisType | None = ...,
        chunk: int | None = None,
        metric_cases: int | None = None,
        weight_decay: Any = 0.0,
        solver: LinearSolver | None = None,
        preconditioned: bool = True,
    ) -> None:
        layers = _layers(parameters)
        self.arrays, self.dtype = namespace_of(layers[0].weights), layers[0].weights.dtype
        self._shapes = [layer.weights.shape for layer in layers]
        self.start = self._flat(layers)
        self.dimension = self.start.shape[0]
        self._activations = _activations(activation, len(layers) - 1)
        self.inputs = self._table(inputs)
        count = self.inputs.shape[0]
        settings = (chunk, metric_cases, weight_decay, solver, preconditioned)
        super().__init__(output, scale, Framework(self.arrays, _special(self.arrays)), count, *settings)
        if np.ndim(weight_decay):
            self.weight_decay = self._point(weight_decay)
        self.targets = self.output.targets(targets, self.arrays.zeros((count, self._shapes[-1][0]), self.dtype))
        self._memory = _Memory()

    @property
    def parameters(self) -> list[str]:
        """What the coordinates are called: ``W1[0,0]``, ..., ``b1[0]``, ... of the first layer, and so on."""
        names = []
        for k, (rows, columns) in enumerate(self._shapes, start=1):
            names += [f"W{k}[{i},{j}]" for i in range(rows) for j in range(columns)]
            names += [f"b{k}[{i}]" for i in range(rows)]
        return names

    def unflatten(self, theta: Any) -> list[tuple[Any, Any]]:
        """The weights and biases of each layer that a flat vector stands for, copied."""
        return [(layer.weights.copy(), layer.biases.copy()) for layer in self._unflattened(self._point(theta))]

    def _unflattened(self, theta: Any) -> list[Layer]:
        """The same, as parts of the vector."""
        ends = list(itertools.accumulate((rows * columns + rows for rows, columns in self._shapes), initial=0))
        parts = [theta[first:last] for first, last in itertools.pairwise(ends)]
        return [
            Layer(part[: rows * columns].reshape(rows, columns), part[rows * columns :])
            for part, (rows, columns) in zip(parts, self._shapes, strict=True)
        ]

    def _flat(self, layers: Sequence[Layer]) -> Any:
        """Layers as one vector."""
        return self.arrays.concatenate([part.reshape(-1) for layer in layers for part in layer])

    def _passes(self, theta: Any, first: int, count: int) -> Iterator[tuple[ForwardPass, Any]]:
        """Forward passes that together go over some cases, a chunk at a time, with the targets of these."""
        size = count if self.chunk is None else min(self.chunk, count)
        for begin in range(first, first + count, size):
            end = min(begin + size, first + count)
            if self.chunk is None:
                run = self._memory.get(theta, (begin, end), self._pass)
            else:
                run = self._pass(theta, begin, end)
            yield run, self.targets[begin:end]

    def _pass(self, theta: Any, begin: int, end: int) -> ForwardPass:
        return ForwardPass(self.arrays, self._unflattened(theta), self._activations, self.inputs[begin:end])

    def _mean(self, theta: Any, rows: tuple[int, int], terms: Callable[[ForwardPass, Any], list[Layer]]) -> Any:
        """The mean over some cases of what the terms are sums over theirs."""
        with np.errstate(all="ignore"):
            return sum(self._flat(terms(*these)) for these in self._passes(theta, *rows)) / rows[1]

    @property
    def _all(self) -> tuple[int, int]:
        """The first case, 0, and the number of cases."""
        assert self.count is not None
        return 0, self.count

    @property
    def _part(self) -> tuple[int, int]:
        """The first of the metric's cases, and their number."""
        return self.first_case, self._all[1] if self.metric_cases is None else self.metric_cases

    def _loss(self, theta: Any, part: bool = False) -> float:
        total, rows = 0.0, self._part if part else self._all
        with np.errstate(all="ignore"):
            for run, targets in self._passes(theta, *rows):
                total += float(self.output.losses(run.z, targets).sum(dtype=np.float64))
            decay = 0.5 * float((self.weight_decay * theta * theta).sum(dtype=np.float64))
        return total / rows[1] + decay

    def _gradient(self, theta: Any) -> Any:
        return self._mean(theta, self._all, lambda run, targets: run.pull(self.output.slope(run.z, targets)))

    def _product(self, theta: Any, v: Any) -> Any:
        direction = self._unflattened(v)
        return self._mean(theta, self._part, lambda run, _: run.pull(self.output.hessian(run.z, run.push(direction))))

    def _connection(self, theta: Any, v: Any, a: float) -> Any:
        direction = self._unflattened(v)

        def terms(run: ForwardPass, targets: Any) -> list[Layer]:
            rate, second = run.push_twice(direction)
            bent = 0.5 * (1.0 - a) * self.output.third(run.z, rate, rate)
            return run.pull(self.output.hessian(run.z, second) + bent)

        return self._mean(theta, self._part, terms)

    def _third_term(self, theta: Any, v: Any) -> Any:
        direction = self._unflattened(v)

        def terms(run: ForwardPass, targets: Any) -> list[Layer]:
            return run.pull_rate(direction, self.output.hessian(run.z, run.push(direction)))

        return self._mean(theta, self._part, terms)

    def _squares(self, theta: Any) -> Any:
        return self._mean(theta, self._part, lambda run, targets: run.pull_squares(self.output.slope(run.z, targets)))

    def _diagonal(self, theta: Any) -> Any:
        def terms(run: ForwardPass, targets: Any) -> list[Layer]:
            each = [run.pull_squares(factor) for factor in self.output.factors(run.z)]
            return [Layer(*map(sum, zip(*layers, strict=True))) for layers in zip(*each, strict=True)]

        return self._mean(theta, self._part, terms)

    def _fingerprints(self) -> list[str]:
        data = [self._host(array) for array in (self.inputs, self.targets)]
        return [f"{array.shape} {zlib.crc32(array.tobytes()):08x}" for array in data]

    def _point(self, theta: Any) -> Any:
        try:
            point = self.arrays.asarray(theta, dtype=self.dtype)
        except (TypeError, ValueError):
            raise ShapeError(f"a point or vector must be an array of {self.dimension} real numbers") from None
        self._require_shape(point, "a point or vector")
        return point

    @staticmethod
    def _host(array: Any) -> np.ndarray:
        return np.asarray(on_host(array))

    def _table(self, inputs: Any) -> Any:
        """Inputs as an array, checked."""
        table, width = self.arrays.asarray(inputs, dtype=self.dtype), self._shapes[0][1]
        if table.ndim != 2 or table.shape[1] != width or not table.shape[0]:
            raise ShapeError(f"inputs has shape {tuple(table.shape)}, but must have shape (N, {width}), a case a row")
        require_finite(self.arrays.isfinite(table).all(), "inputs")
        return table


class _Memory:
    """The latest forward passes of all cases and of the metric's, and at which point they were made."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Any, ForwardPass]] = {}

    def get(self, theta: Any, rows: tuple[int, int], made: Callable[[Any, int, int], ForwardPass]) -> ForwardPass:
        """The forward pass of some rows at a point."""
        known = self._known.pop(rows, None)
        if known is None or not bool((known[0] == theta).all()):
            own = theta.copy()  # what is kept must not change with the caller's array
            known = own, made(own, *rows)
        self._known[rows] = known
        while len(self._known) > 2:
            del self._known[next(iter(self._known))]
        return known[1]


def _layers(parameters: Any) -> list[Layer]:
    """The layers that a user gave, in one precision and where they lie, checked."""
    try:
        pairs = [(weights, biases) for weights, biases in parameters]
    except (TypeError, ValueError):
        raise ModelError("parameters must be a sequence of pairs (weights, biases), one a layer") from None
    if not pairs:
        raise ModelError("parameters has no layer")
    arrays = namespace_of(pairs[0][0])
    if arrays.__name__.partition(".")[0] != "cupy":
        arrays = np
    single = all(getattr(part, "dtype", None) == np.float32 for pair in pairs for part in pair)
    dtype = np.dtype(np.float32 if single else np.float64)
    layers = [Layer(*(arrays.asarray(part, dtype=dtype) for part in pair)) for pair in pairs]
    for k, (weights, biases) in enumerate(layers):
        fits = weights.ndim == 2 and weights.size and biases.shape == weights.shape[:1]
        if not fits:
            shapes = f"{tuple(weights.shape)} and {tuple(biases.shape)}"
            raise ShapeError(
                f"layer {k + 1}: weights and biases must be (outputs, inputs) and (outputs,), not {shapes}"
            )
        if k and weights.shape[1] != layers[k - 1].weights.shape[0]:
            before = layers[k - 1].weights.shape[0]
            raise ShapeError(f"layer {k + 1}: weights are for {weights.shape[1]} inputs, but layer {k} gives {before}")
        if not bool(arrays.isfinite(weights).all() and arrays.isfinite(biases).all()):
            raise ModelError("parameters contains a number that is not finite")
    return layers


def _activations(activation: str | Sequence[str], hidden: int) -> list[Activation]:
    """The activations of the hidden layers, from their names."""
    names = [activation] * hidden if isinstance(activation, str) else list(activation)
    for name in [activation] if isinstance(activation, str) else names:
        if name not in ACTIVATIONS:
            raise UnknownNameError("activation", name, ACTIVATIONS)
    if len(names) != hidden:
        raise ArgumentError(f"activation must be one name, or one for each of {hidden} hidden layers, not {len(names)}")
    return [ACTIVATIONS[name] for name in names]


def _special(arrays: Any) -> Any:
    """The special functions of SciPy, or what CuPy has of them."""
    library = "scipy" if arrays is np else "cupyx.scipy"
    return importlib.import_module(f"{library}.special")
