"""Networks written in JAX: a function of parameters and inputs, differentiated where its arrays are."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import EllipsisType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree

from riemopt.autodiff.jax.squares import OpenedNetwork
from riemopt.autodiff.network import NetworkMetric, NetworkPoint, require_finite, scrambled
from riemopt.autodiff.network import NetworkProblem as _NetworkProblem
from riemopt.autodiff.outputs import Framework, NetworkOutput
from riemopt.errors import ModelError, ShapeError
from riemopt.models import ExponentialFamily
from riemopt.solvers import ConjugateGradient, LinearSolver, Solution
from riemopt.status import Status

__all__ = ["NetworkProblem"]


class NetworkProblem(_NetworkProblem):
    """A network written in JAX, its loss, and the Fisher metric of its outputs.

    Parameters
    ----------
    apply : callable
        (parameters, inputs) ↦ z, the outputs of all cases *before* the last activation (logits for ``"bernoulli"`` and
        ``"categorical"``, means for ``"gaussian"``, logarithms of means for ``"poisson"``), shape (N, ...) or (N,).
    parameters : pytree
        Where to start. Its arrays of floating-point numbers are the coordinates, in the order of the tree; all else in
        it (integers, functions, as in an Equinox module) stays as it is.
    inputs : array or pytree of arrays
        What the network is given, a case a row.
    targets : array
        What it should give: of the outputs' shape, or labels 0, 1, ... for ``"categorical"``.
    output : str, ExponentialFamily or callable, optional
        ``"gaussian"``, ``"bernoulli"``, ``"categorical"`` or ``"poisson"``; or a log-partition of your own, as an
        :class:`~riemopt.ExponentialFamily` of as many symbols as a case has outputs (or of one, for each of them), or
        as a function of jax.numpy that takes z and returns A of every case, shape (N,).
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
    BackendError
        If JAX is not installed.
    ShapeError, DataError, ModelError
        If parameters, inputs, outputs and targets do not fit one another, or a number is not finite.

    Notes
    -----
    Everything is computed in the precision of the parameters, on the device where they are; nothing becomes a NumPy
    array on the way. Losses of cases are added up with twice the digits. At its peak a product
    takes less than twice the memory of one gradient over `chunk` cases, and so does a connection product; a solve has
    its vectors besides. Arrays that are sharded over devices along the cases stay so: give no `chunk` then.

    A solve is one compiled loop on the device. Without `chunk`, the network is linearized once for all its iterations,
    and once for all products of the metric at a point (:meth:`at`) but the first.

    Squared gradients of cases and the diagonal of the metric are exact for parameters that meet the cases in products,
    convolutions and sums; those within a scan or another loop, and tables looked up, have squares estimated with four
    random signs, and the diagonal is not known then.

    References
    ----------
    Proposition 1 and appendix C of the paper; Martens, "Deep learning via Hessian-free optimization", 2010.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import riemopt as ro
    >>> def line(parameters, x):
    ...     return parameters["slope"] * x + parameters["height"]
    >>> x = jnp.linspace(0.0, 1.0, 5)[:, None]
    >>> parameters = {"slope": jnp.zeros(1), "height": jnp.zeros(1)}
    >>> net = ro.autodiff.jax.NetworkProblem(line, parameters, x, 2.0 * x + 1.0, output="gaussian")
    >>> end = ro.minimize(net, "ng", start=net.start, step_size=1.0, steps=1).x
    >>> {name: round(float(value[0]), 4) for name, value in net.unflatten(end).items()}
    {'height': 1.0, 'slope': 2.0}
    """

    arrays = jnp

    def __init__(
        self,
        apply: Callable[[Any, Any], Any],
        parameters: Any,
        inputs: Any,
        targets: Any,
        output: str | ExponentialFamily | Callable[[Any], Any] = "gaussian",
        *,
        scale: float | EllipsisType | None = ...,
        chunk: int | None = None,
        metric_cases: int | None = None,
        weight_decay: Any = 0.0,
        solver: LinearSolver | None = None,
        preconditioned: bool = True,
    ) -> None:
        self.start, self.unflatten = _flat(parameters)
        self.dimension, self.dtype = self.start.shape[0], self.start.dtype
        self.inputs = jax.tree_util.tree_map(self._input, inputs)
        count = _rows_of(self.inputs)
        settings = (chunk, metric_cases, weight_decay, solver, preconditioned)
        framework = Framework(jnp, jax.scipy.special, jax.grad)
        super().__init__(output, scale, framework, count, *settings)
        if np.ndim(weight_decay):
            self.weight_decay = self._point(weight_decay)
        require_finite(
            jnp.all(jnp.stack([jnp.isfinite(x).all() for x in jax.tree_util.tree_leaves(self.inputs)])), "inputs"
        )
        shapes = jax.eval_shape(lambda theta, x: _as_rows(apply(self.unflatten(theta), x)), self.start, self.inputs)
        self._require_outputs(shapes, count)
        self.targets = self.output.targets(targets, jnp.zeros(shapes.shape, self.dtype))
        self._apply = apply
        self._rebuild()

    def at(self, theta: Any) -> NetworkPoint:
        """See :class:`~riemopt.Problem`; from the second product on, these share one linearization."""
        return _Point(self, self._point(theta))

    def _rebuild(self) -> None:
        self._functions = _Functions(self._apply, self.unflatten, self.output, self.chunk, self.metric_cases)

    @property
    def parameters(self) -> list[str]:
        """What the coordinates are called: by their places in the tree."""
        paths = jax.tree_util.tree_flatten_with_path(self.unflatten(self.start))[0]
        return [name for path, leaf in paths if _is_free(leaf) for name in _names(path, leaf)]

    @property
    def _data(self) -> tuple[Any, Any]:
        return self.inputs, self.targets

    def _loss(self, theta: Any, part: bool = False) -> float:
        if part:
            high, low = self._functions.part_loss(theta, self._data, self.first_case)
        else:
            high, low = self._functions.loss(theta, self._data)
        decay = 0.5 * jnp.sum(self.weight_decay * theta * theta)
        count = self.metric_cases if part and self.metric_cases is not None else self.count
        assert count is not None
        return (float(high) + float(low)) / count + float(decay)

    def _gradient(self, theta: Any) -> Any:
        return self._functions.gradient(theta, self._data)

    def _product(self, theta: Any, v: Any) -> Any:
        return self._functions.product(theta, v, self._data, self.first_case)

    def _connection(self, theta: Any, v: Any, a: float) -> Any:
        return self._functions.connection(theta, v, a, self._data, self.first_case)

    def _third_term(self, theta: Any, v: Any) -> Any:
        return self._functions.third_term(theta, v, self._data, self.first_case)

    def _squares(self, theta: Any) -> Any:
        return self._functions.squares(theta, self._data, self.first_case)

    def _diagonal(self, theta: Any) -> Any:
        return self._functions.diagonal(theta, self._data, self.first_case)

    def _solution(self, metric: NetworkMetric, c: Any, start: Any, preconditioner: Any) -> Solution:
        solver = metric.solver
        if not isinstance(solver, ConjugateGradient):
            return super()._solution(metric, c, start, preconditioner)
        found = self._functions.solved(
            solver,
            metric.point.theta,
            self._point(c),
            start,
            metric.added,
            1.0 / metric.point.variance,
            preconditioner,
            self._data,
            self.first_case,
        )
        iterations = int(found.iterations)
        kept = {i: found.scale * found.kept[k] for k, i in enumerate(_marks(solver, c)) if i <= iterations}
        return Solution(found.x, Status(int(found.outcome)), iterations, float(found.residual), kept)

    def _fingerprints(self) -> list[str]:
        leaves = jax.tree_util.tree_leaves(self._data)
        return [f"{leaf.shape} {leaf.dtype} {int(_checksum(leaf)):08x}" for leaf in leaves]

    def _input(self, values: Any) -> Any:
        """An array of inputs; in the precision of the parameters unless they are whole numbers."""
        values = jnp.asarray(values)
        return values.astype(self.dtype) if jnp.issubdtype(values.dtype, jnp.floating) else values

    def _point(self, theta: Any) -> Any:
        try:
            point = jnp.asarray(theta, dtype=self.dtype)
        except (TypeError, ValueError):
            raise ShapeError(f"a point or vector must be an array of {self.dimension} real numbers") from None
        self._require_shape(point, "a point or vector")
        return point


class _Point(NetworkPoint):
    """A network at a point, linearized there once somebody asks for more than one product."""

    problem: NetworkProblem
    _asked = False

    def product(self, v: Any) -> Any:
        """See :class:`NetworkPoint`."""
        problem, rows = self.problem, self.problem.metric_cases or self.problem.count
        assert rows is not None
        if not self._asked or (problem.chunk is not None and problem.chunk < rows):
            self._asked = True
            return super().product(v)
        return self._scaled(problem._functions.followed(*self._linearization, v))

    @functools.cached_property
    def _linearization(self) -> tuple[Any, Any, Any]:
        """The outputs of the metric's cases, what pushes a direction forward to them, and how many cases there are."""
        problem = self.problem
        return problem._functions.linearized(self.theta, problem._data, problem.first_case)  # type: ignore[no-any-return]


def _flat(parameters: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The floating-point numbers of a tree as one vector, and the tree of a vector."""
    leaves, tree = jax.tree_util.tree_flatten(parameters)
    free = [k for k, leaf in enumerate(leaves) if _is_free(leaf)]
    if not free:
        raise ModelError("parameters has no array of floating-point numbers")
    start, unravel = ravel_pytree([jnp.asarray(leaves[k]) for k in free])
    if not bool(jnp.isfinite(start).all()):
        raise ModelError("parameters contains a number that is not finite")

    def unflatten(theta: Any) -> Any:
        """The parameters of a flat vector, as they were given."""
        full = list(leaves)
        for k, leaf in zip(free, unravel(theta), strict=True):
            full[k] = leaf
        return jax.tree_util.tree_unflatten(tree, full)

    return start, unflatten


def _is_free(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and hasattr(leaf, "shape") and jnp.issubdtype(leaf.dtype, jnp.floating)


def _as_rows(z: Any) -> Any:
    """Outputs with an axis of their own where a network gives a number a case."""
    return z[:, None] if getattr(z, "ndim", 0) == 1 else z


def _names(path: Any, leaf: Any) -> list[str]:
    """What the entries of a leaf are called: ``w``, or ``w[0]``, ``w[1]`` and so on."""
    name = jax.tree_util.keystr(path, simple=True, separator=".") or "theta"
    return [name + (str(list(index)).replace(" ", "") if index else "") for index in np.ndindex(leaf.shape)]


def _rows_of(inputs: Any) -> int:
    """The number of cases."""
    leaves = jax.tree_util.tree_leaves(inputs)
    rows = {leaf.shape[0] if leaf.ndim else 0 for leaf in leaves}
    if len(rows) != 1 or 0 in rows:
        raise ShapeError(f"inputs must be arrays of as many rows as there are cases, not of {sorted(rows)} rows")
    return int(rows.pop())


def _sliced(data: Any, first: Any, count: int) -> Any:
    """So many cases from one on."""
    return jax.tree_util.tree_map(lambda a: lax.dynamic_slice_in_dim(a, first, count), data)


def _marks(solver: ConjugateGradient, c: Any) -> list[int]:
    """The iterations whose iterates a solver keeps."""
    limit = 10 * len(c) if solver.max_iterations is None else solver.max_iterations
    return [] if solver.keep is None else [i for i in range(1, limit + 1) if solver.keep(i)]


class _Loop:
    """Carries out an iteration as one compiled loop; see :class:`riemopt.solvers.Machine`."""

    def __init__(self, marks: list[int]) -> None:
        self._marks = marks

    @staticmethod
    def number(x: Any) -> Any:
        return x

    @staticmethod
    def quotient(a: Any, b: Any) -> Any:
        return a / b

    @staticmethod
    def choose(condition: Any, a: Any, b: Any) -> Any:
        return jnp.where(condition, a, b)

    @staticmethod
    def loop(goes_on: Callable[[Any], Any], advanced: Callable[[Any], Any], state: Any) -> Any:
        return lax.while_loop(goes_on, advanced, jax.tree_util.tree_map(jnp.asarray, state))

    @staticmethod
    def series(length: int, like: Any) -> Any:
        return jnp.zeros(length, like.dtype)

    @staticmethod
    def put(series: Any, i: Any, value: Any) -> Any:
        return series.at[i].set(value)

    @staticmethod
    def get(series: Any, i: Any) -> Any:
        return jnp.where(i >= 0, series[i], 0.0)

    def room(self, keep: Any, limit: int, like: Any) -> Any:
        return jnp.zeros((len(self._marks), *like.shape), like.dtype)

    def record(self, kept: Any, keep: Any, i: Any, x: Any) -> Any:
        if not self._marks:
            return kept
        places = np.full(max(self._marks) + 2, -1)
        places[self._marks] = np.arange(len(self._marks))
        place = jnp.asarray(places)[jnp.minimum(i, len(places) - 1)]
        return lax.cond(place >= 0, lambda: kept.at[place].set(x), lambda: kept)


class _Functions:
    """The compiled functions of a network: data are their arguments, so that none of it is a constant to be folded."""

    def __init__(
        self,
        apply: Callable[[Any, Any], Any],
        unflatten: Callable[[Any], Any],
        output: NetworkOutput,
        chunk: int | None,
        metric_cases: int | None,
    ) -> None:
        self._apply, self._unflatten, self._output = apply, unflatten, output
        self._chunk, self._metric_cases = chunk, metric_cases

    def _network(self, inputs: Any) -> Callable[[Any], Any]:
        """θ ↦ z of some cases."""
        return lambda theta: _as_rows(self._apply(self._unflatten(theta), inputs))

    def _sum(self, terms: Callable[[Any, Any], Any], data: Any) -> Any:
        """The sum of some terms over all cases, a chunk at a time."""
        count = _rows_of(data)
        size = self._chunk
        if size is None or size >= count:
            return terms(*data)

        def add(k: Any, total: Any) -> Any:
            return jax.tree_util.tree_map(jnp.add, total, terms(*_sliced(data, k * size, size)))

        shapes = jax.eval_shape(lambda: terms(*_sliced(data, 0, size)))
        zero = jax.tree_util.tree_map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
        whole, rest = divmod(count, size)
        total = lax.fori_loop(0, whole, add, zero)
        return jax.tree_util.tree_map(jnp.add, total, terms(*_sliced(data, whole * size, rest))) if rest else total

    def _part(self, data: Any, first: Any) -> tuple[Any, int]:
        """The cases of the metric, and how many there are."""
        size = self._metric_cases
        if size is None:
            return data, _rows_of(data)
        return _sliced(data, first, size), size

    @functools.partial(jax.jit, static_argnums=0)
    def loss(self, theta: Any, data: Any) -> Any:
        """The sum of the cases' losses, as the sum of two numbers."""

        def terms(inputs: Any, targets: Any) -> Any:
            return self._output.losses(self._network(inputs)(theta), targets)

        count = _rows_of(data)
        size = self._chunk
        if size is None or size >= count:
            return _exact_sum(terms(*data))
        whole, rest = divmod(count, size)
        losses = lax.map(lambda k: terms(*_sliced(data, k * size, size)), jnp.arange(whole)).reshape(-1)
        if rest:
            losses = jnp.concatenate([losses, terms(*_sliced(data, whole * size, rest))])
        return _exact_sum(losses)

    @functools.partial(jax.jit, static_argnums=0)
    def part_loss(self, theta: Any, data: Any, first: Any) -> Any:
        """The same over the metric's cases."""
        return self.loss(theta, self._part(data, first)[0])

    @functools.partial(jax.jit, static_argnums=0)
    def gradient(self, theta: Any, data: Any) -> Any:
        """The differential of the mean loss."""

        def terms(inputs: Any, targets: Any) -> Any:
            z, pull = jax.vjp(self._network(inputs), theta)
            return pull(self._output.slope(z, targets) / _rows_of(data))[0]

        return self._sum(terms, data)

    @functools.partial(jax.jit, static_argnums=0)
    def product(self, theta: Any, v: Any, data: Any, first: Any) -> Any:
        """E[Jᵀ H J] v."""
        part, count = self._part(data, first)

        def terms(inputs: Any, targets: Any) -> Any:
            network = self._network(inputs)
            z, dz = jax.jvp(network, (theta,), (v,))
            _, pull = jax.vjp(network, theta)
            return pull(self._output.hessian(z, dz) / count)[0]

        return self._sum(terms, part)

    @functools.partial(jax.jit, static_argnums=0)
    def linearized(self, theta: Any, data: Any, first: Any) -> tuple[Any, Any, Any]:
        """z of the metric's cases, v ↦ Dz as what can be handed to another function, and the number of cases."""
        (inputs, _), count = self._part(data, first)
        return *jax.linearize(self._network(inputs), theta), count

    @functools.partial(jax.jit, static_argnums=0)
    def followed(self, z: Any, push: Any, count: Any, v: Any) -> Any:
        """E[Jᵀ H J] v from a linearization."""
        return self._pulled(push, self._output.hessian(z, push(v)) / count, v)

    @staticmethod
    def _pulled(push: Any, covector: Any, v: Any) -> Any:
        """Jᵀ u of a linearization; v is any vector."""
        return jax.linear_transpose(push, v)(covector)[0]

    @functools.partial(jax.jit, static_argnums=0)
    def connection(self, theta: Any, v: Any, a: Any, data: Any, first: Any) -> Any:
        """E[Jᵀ(H D²z + (1 - a)/2 A'''[Dz, Dz])]."""
        part, count = self._part(data, first)

        def terms(inputs: Any, targets: Any) -> Any:
            network = self._network(inputs)
            (z, dz), (_, d2z) = jax.jvp(lambda p: jax.jvp(network, (p,), (v,)), (theta,), (v,))
            factor = jnp.asarray(0.5 * (1.0 - a), z.dtype)
            covector = self._output.hessian(z, d2z) + factor * self._output.third(z, dz, dz)
            # the way back begins when the way forward has given up its memory
            covector, here = lax.optimization_barrier((covector, theta))
            return jax.vjp(network, here)[1](covector / count)[0]

        return self._sum(terms, part)

    @functools.partial(jax.jit, static_argnums=0)
    def third_term(self, theta: Any, v: Any, data: Any, first: Any) -> Any:
        """E[(D_v J)ᵀ H Dz]: Jᵀ of a fixed covector of the outputs, differentiated along v."""
        part, count = self._part(data, first)

        def terms(inputs: Any, targets: Any) -> Any:
            network = self._network(inputs)
            z, dz = jax.jvp(network, (theta,), (v,))
            covector = self._output.hessian(z, dz)
            return jax.jvp(lambda p: jax.vjp(network, p)[1](covector)[0], (theta,), (v,))[1]

        return self._sum(terms, part) / count

    def _opened(self, theta: Any, inputs: Any) -> OpenedNetwork:
        """The network of some cases, opened where its parameters meet them."""
        leaves, tree = jax.tree_util.tree_flatten(self._unflatten(theta))
        free = [k for k, leaf in enumerate(leaves) if _is_free(leaf)]

        def network(parameters: list[Any], cases: Any) -> Any:
            full = list(leaves)
            for k, leaf in zip(free, parameters, strict=True):
                full[k] = leaf
            return _as_rows(self._apply(jax.tree_util.tree_unflatten(tree, full), cases))

        return OpenedNetwork(network, [leaves[k] for k in free], inputs)

    @functools.partial(jax.jit, static_argnums=0)
    def squares(self, theta: Any, data: Any, first: Any) -> Any:
        """The mean of the cases' squared gradients; where there is no rule for them, estimated with random signs."""
        part, count = self._part(data, first)

        def terms(inputs: Any, targets: Any) -> Any:
            opened = self._opened(theta, inputs)
            found = opened.squares(lambda z: self._output.slope(z, targets)[None])
            if None not in found:
                return _joined(found, theta)
            estimate = jax.tree_util.tree_leaves(self._unflatten(self._estimate(theta, inputs, targets)))
            guesses = [leaf for leaf in estimate if _is_free(leaf)]
            return _joined([g if f is None else f for f, g in zip(found, guesses, strict=True)], theta)

        return self._sum(terms, part) / count

    def _estimate(self, theta: Any, inputs: Any, targets: Any) -> Any:
        """The sum of the cases' squared gradients, estimated with random signs."""
        z, pull = jax.vjp(self._network(inputs), theta)
        slope = self._output.slope(z, targets)
        total = jnp.zeros_like(theta)
        for k in range(_SIGNS):
            signs = jax.random.rademacher(jax.random.key(k), (z.shape[0], *[1] * (z.ndim - 1)), z.dtype)
            total = total + pull(signs * slope)[0] ** 2
        return total / _SIGNS

    @functools.partial(jax.jit, static_argnums=0)
    def diagonal(self, theta: Any, data: Any, first: Any) -> Any:
        """The diagonal of E[Jᵀ H J], where there is a rule for all parameters; else None."""
        part, count = self._part(data, first)
        z = jax.eval_shape(self._network(part[0]), theta)
        if z.ndim != 2 or z.shape[1] > _WIDEST or not all(self._opened(theta, part[0]).ruled):
            return None

        def terms(inputs: Any, targets: Any) -> Any:
            found = self._opened(theta, inputs).squares(lambda z: jnp.stack(list(self._output.factors(z))))
            return _joined(found, theta)

        return self._sum(terms, part) / count

    @functools.partial(jax.jit, static_argnums=(0, 1))
    def solved(
        self,
        solver: ConjugateGradient,
        theta: Any,
        c: Any,
        start: Any,
        added: Any,
        factor: Any,
        preconditioner: Any,
        data: Any,
        first: Any,
    ) -> Any:
        """What a solver finds of (f E[Jᵀ H J] + D) x = c, D diagonal."""
        part, count = self._part(data, first)
        if self._chunk is None or self._chunk >= count:
            inputs, _ = part
            z, push = jax.linearize(self._network(inputs), theta)

            def product(v: Any) -> Any:
                return self._pulled(push, (factor / count) * self._output.hessian(z, push(v)), v) + added * v

        else:

            def product(v: Any) -> Any:
                return factor * self.product(theta, v, data, first) + added * v

        return solver.run(product, c, start, preconditioner, _Loop(_marks(solver, c)))


_SIGNS = 4
"""Random signs that squared gradients are estimated with."""

_WIDEST = 128
"""The number of outputs up to which the diagonal of a metric is pulled back from each of them."""


def _joined(parts: list[Any], theta: Any) -> Any:
    """Parameters as one vector like θ."""
    return jnp.concatenate([part.reshape(-1) for part in parts]).astype(theta.dtype)


@jax.jit
def _checksum(array: Any) -> Any:
    """A number of 32 bits that depends on every entry of an array and on its place, computed where the array is."""
    bits = array
    if jnp.issubdtype(array.dtype, jnp.inexact):
        bits = lax.bitcast_convert_type(array, jnp.uint16 if array.dtype.itemsize == 2 else jnp.uint32)
    bits = scrambled(bits.astype(jnp.uint32), jnp.uint32)
    for axis in range(bits.ndim):
        places = lax.broadcasted_iota(jnp.uint32, bits.shape, axis)
        bits = scrambled(bits + places + 1, jnp.uint32)
    return jnp.sum(bits, dtype=jnp.uint32)


def _exact_sum(values: Any) -> tuple[Any, Any]:
    """A sum as that of two numbers, in pairs whose rounding errors are added up, too (Knuth's TwoSum)."""
    high, low = values, jnp.zeros_like(values)
    while high.shape[0] > 1:
        if high.shape[0] % 2:
            high, low = (jnp.concatenate([x, jnp.zeros_like(x[:1])]) for x in (high, low))
        (a, b), (c, d) = ((x[::2], x[1::2]) for x in (high, low))
        total = a + b
        shadow = total - a
        high, low = total, c + d + ((a - (total - shadow)) + (b - shadow))
    return high[0], low[0]
