"""What networks of all frameworks have in common: cases, chunks, weight decay, and the metric at a point."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import math
import zlib
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from types import EllipsisType
from typing import Any, TypeVar

import numpy as np

from riemopt.autodiff.outputs import Doubled, Framework, Gaussian, NetworkOutput, Residuals, output_of
from riemopt.errors import ArgumentError, DataError, ShapeError
from riemopt.problem import Point
from riemopt.problem.integrated import IntegratedProblem, integrable
from riemopt.problem.metric import By, Metric, OperatorMetric, matrix_of
from riemopt.problem.protocol import INTEGRATED
from riemopt.solvers import ConjugateGradient, LinearSolver, Solution
from riemopt.status import Status

__all__ = ["HostedNetwork", "NetworkMetric", "NetworkPoint", "NetworkProblem", "geometric", "scrambled", "truncated"]

_Self = TypeVar("_Self", bound="NetworkProblem")


def geometric(iteration: int) -> bool:
    """Whether an iteration of a solve is one of ⌈1.3^j⌉: 1, 2, 3, 4, 5, 7, 9, 11, 14, ...

    Examples
    --------
    >>> [i for i in range(1, 20) if geometric(i)]
    [1, 2, 3, 4, 5, 7, 9, 11, 14, 18]
    """
    power = 1.0
    while np.ceil(power) < iteration:
        power *= 1.3
    return bool(np.ceil(power) == iteration)


def scrambled(bits: Any, number: Callable[[int], Any] = int) -> Any:
    """Whole numbers of 32 bits, each sent to another one, and no two to the same.

    Chained over the places of an array's entries, they tell arrays apart. The factors are those that Wellons found,
    "Prospecting for Hash Functions", 2018.

    Parameters
    ----------
    bits : array of unsigned or of 64-bit whole numbers
        The numbers.
    number : callable, optional
        Makes a number that goes with them.
    """
    mask = number(0xFFFFFFFF)
    bits = ((bits ^ (bits >> 16)) * number(0x7FEB352D)) & mask
    bits = ((bits ^ (bits >> 15)) * number(0x846CA68B)) & mask
    return bits ^ (bits >> 16)


def truncated(solver: LinearSolver) -> LinearSolver:
    """A solver with a limit of iterations as Hessian-free training has it, in what it does not say itself.

    It stops where the quadratic hardly falls any more, and keeps a few iterates for a driver to walk back to. Martens,
    "Deep learning via Hessian-free optimization", 2010, sections 4.4 and 4.6.
    """
    if not (isinstance(solver, ConjugateGradient) and solver.max_iterations is not None):
        return solver
    return dataclasses.replace(
        solver,
        progress=5e-4 if solver.progress is None else solver.progress,
        keep=geometric if solver.keep is None else solver.keep,
    )


class NetworkProblem(IntegratedProblem):
    """The mean loss of a network over cases, with the Fisher metric of its outputs; the base of all frameworks'.

    Attributes
    ----------
    start : array, shape (n,)
        The parameters as one flat vector.
    count : int
        The number of cases N.
    output : NetworkOutput
        The distribution of targets given the network's outputs.
    solver : LinearSolver
        What solves with the metric unless a driver brings its own.
    """

    start: Any
    output: NetworkOutput
    targets: Any
    solver: LinearSolver
    _scale_given: bool
    warm_start = 0.95
    _squared_over: NetworkProblem | None = None
    """The same over all cases, for the preconditioner of a network :meth:`as_published`."""
    _published: tuple[NetworkOutput, Any] | None = None
    """The network :meth:`as_published`, made once, and the output that it was made for."""
    _keeps_passes = True
    """Whether forward passes over the metric's cases are kept for the next product."""

    def __init__(
        self,
        output: Any,
        scale: float | EllipsisType | None,
        framework: Framework,
        count: int,
        chunk: int | None,
        metric_cases: int | None,
        weight_decay: Any,
        solver: LinearSolver | None,
        preconditioned: bool,
    ) -> None:
        for name, rows in (("chunk", chunk), ("metric_cases", metric_cases)):
            if not (rows is None or (isinstance(rows, (int, np.integer)) and rows >= 1)):
                raise ArgumentError(f"{name} must be a whole number of at least 1, or None, not {rows!r}")
        if np.ndim(weight_decay) == 0 and not (np.isreal(weight_decay) and 0.0 <= weight_decay < np.inf):
            raise ArgumentError(f"weight_decay must be at least 0 and finite, not {weight_decay!r}")
        self._scale_given = scale is not ...
        self.output = output_of(output, framework, 1.0 if isinstance(scale, EllipsisType) else scale)
        if self.profiled and (np.ndim(weight_decay) or weight_decay):
            raise ArgumentError("weight_decay= goes with a known scale: give scale=, too")
        self.count, self.preconditioned = count, preconditioned
        self._rows = count  # the cases that are here, and not in another process
        self.chunk = None if chunk is None or chunk >= count else int(chunk)
        self.metric_cases = None if metric_cases is None or metric_cases >= count else int(metric_cases)
        self.weight_decay = weight_decay
        self.solver = ConjugateGradient(max_iterations=50) if solver is None else solver
        offers = {"loss", "gradient", "raise_index", "lower_index", "connection"}
        self.offers = integrable(offers).union(offers)
        self._iteration = 0

    # -- what a framework has to write; sums over cases are means here

    @abstractmethod
    def _loss(self, theta: Any, part: bool = False) -> float:
        """The mean loss over all cases, or over the metric's, with weight decay."""

    @abstractmethod
    def _gradient(self, theta: Any) -> Any: ...

    @abstractmethod
    def _product(self, theta: Any, v: Any) -> Any:
        """The Fisher product without weight decay, over the metric's cases."""

    @abstractmethod
    def _connection(self, theta: Any, v: Any, a: float) -> Any: ...

    @abstractmethod
    def _squares(self, theta: Any) -> Any:
        """The mean over the metric's cases of the squared gradients of their losses, without weight decay."""

    @abstractmethod
    def _diagonal(self, theta: Any) -> Any:
        """The diagonal of the metric without weight decay; None if there is no rule for it."""

    @abstractmethod
    def _third_term(self, theta: Any, v: Any) -> Any: ...

    def _solution(self, metric: NetworkMetric, c: Any, start: Any, preconditioner: Any) -> Solution:
        """The solution of a linear system with a metric; a framework may have a faster way."""
        products = OperatorMetric(metric.product, metric.dimension, metric.solver, preconditioner=preconditioner)
        return products.solution(c, start)

    def _rebuild(self) -> None:
        """What a framework has made from the output is made anew."""

    # -- the protocol

    @property
    def profiled(self) -> bool:
        """Whether the scale of a gaussian output is not known."""
        return isinstance(self.output, Residuals)

    @property
    def width(self) -> int:
        """The number of outputs of a case."""
        return math.prod(self.targets.shape[1:])

    @property
    def variance_factor(self) -> float:  # type: ignore[override]
        """M/(M - n) for M residuals of a scale that is estimated, too; else 1; see :class:`~riemopt.Problem`."""
        if not self.profiled:
            return 1.0
        assert self.count is not None and self.dimension is not None
        residuals = self.count * self.width
        return residuals / (residuals - self.dimension) if residuals > self.dimension else np.nan

    def for_fit(self: _Self) -> _Self:
        """The same, but that the scale of a gaussian output is estimated, too, unless one was given."""
        if type(self.output) is not Gaussian or self._scale_given:
            return self
        other = copy.copy(self)
        other.output = Residuals(self.arrays)
        other._rebuild()
        return other

    def as_published(self: _Self) -> _Self:
        """The same in the ways of the code published with the paper; see `faithful` of :func:`~riemopt.minimize`.

        Weight decay is left out of the metric, but not out of its preconditioner, whose squared gradients are those of
        all cases; the loss of a gaussian output is the square of the residuals, twice what its gradient and metric are
        of.
        """
        known = self._published
        if known is not None and known[0] is self.output:
            return known[1]
        other, everywhere = copy.copy(self), copy.copy(self)
        everywhere.metric_cases, everywhere._keeps_passes = None, False
        everywhere._rebuild()
        other._squared_over = everywhere
        if type(self.output) is Gaussian:
            other.output = Doubled(self.arrays, self.output.scale)
            other._rebuild()
        self._published = self.output, other
        return other

    @property
    def published(self) -> bool:
        """Whether this is a network :meth:`as_published`."""
        return self._squared_over is not None

    def at(self, theta: Any) -> NetworkPoint:
        """The network at a point; see :class:`~riemopt.problem.Point`."""
        return NetworkPoint(self, self._point(theta))

    def seen_at(self: _Self, iteration: int, key: int = 0) -> _Self:
        """The problem as an iteration of a driver sees it: with the metric of the part whose turn it is."""
        if self.metric_cases is None or iteration == self._iteration:
            return self
        other = copy.copy(self)
        other._iteration = iteration
        return other

    @property
    def first_case(self) -> int:
        """The first of the cases that the metric is taken over."""
        if self.metric_cases is None:
            return 0
        parts = -(-self._rows // self.metric_cases)
        return min(self._iteration % parts * self.metric_cases, self._rows - self.metric_cases)

    def loss(self, theta: Any) -> float:
        """The mean loss of the cases in nats, and half the weight decay times the square of θ."""
        return float(self.at(theta).loss)

    def gradient(self, theta: Any) -> Any:
        """The differential of the loss; see :class:`~riemopt.Problem`."""
        return self.at(theta).gradient

    def fisher_product(self, theta: Any, vector: Any) -> Any:
        """The metric applied to a vector: E[Jᵀ H J] v, and weight decay; a covector."""
        return self.at(theta).metric.product(self._direction(vector))

    def lower_index(self, theta: Any, vector: Any) -> Any:
        """See :meth:`fisher_product`."""
        return self.fisher_product(theta, vector)

    def raise_index(self, theta: Any, covector: Any) -> Any:
        """The vector of a covector, by the solver; see :class:`~riemopt.Problem`."""
        return self.at(theta).metric.solve(self._direction(covector))

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """The lowered connection product E[Jᵀ(H D²z + (1 - a)/2 A'''[Dz, Dz])] along a vector, a covector."""
        return self.at(theta).connection(self._direction(vector), a)

    def third_term(self, theta: Any, vector: Any) -> Any:
        """The third term E[(D_v J)ᵀ H Dz] of the paper's Algorithm 3, a covector.

        It occurs in the small-curvature study alone, equation (20) of the paper.
        """
        point = self._point(theta)
        return self.at(point)._scaled(self._third_term(point, self._direction(vector)))

    def metric(self, theta: Any) -> Any:
        """The metric as a matrix, shape (n, n), of a small network."""
        return self.at(theta).metric.dense()

    def contains(self, theta: Any) -> bool:
        """Whether a point is finite."""
        return bool(self.arrays.isfinite(theta).all())

    @property
    def numbers(self) -> Any:
        """NumPy: losses are numbers of Python's."""
        return np

    def require_inside(self, points: Any, what: str) -> None:
        """See :class:`~riemopt.Problem`."""
        super().require_inside(0.0 if self.contains(points) else np.nan, what)

    def reason(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Status:
        """Why a number is not finite; see :class:`~riemopt.Problem`."""
        if primitive in INTEGRATED:
            return Status.DIVERGED
        source = {"natural_gradient": "gradient", "acceleration": "connection"}.get(primitive)
        if source and not self.contains(getattr(self, source)(theta, *arguments, **options)):
            return Status.NON_FINITE
        return Status.SINGULAR_METRIC if source or primitive == "raise_index" else Status.NON_FINITE

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """See :class:`~riemopt.problem.IntegratedProblem`; a reference, for small networks."""
        return self._point(HostedNetwork(self).exp(self._hosted(theta), self._hosted(vector), a))

    def transport(self, theta: Any, along: Any, vector: Any) -> Any:
        """See :class:`~riemopt.problem.IntegratedProblem`; a reference, for small networks."""
        hosted = (self._hosted(x) for x in (theta, along, vector))
        return self._point(HostedNetwork(self).transport(*hosted))

    def flow(self, theta: Any, time: Any) -> Any:
        """See :class:`~riemopt.problem.IntegratedProblem`; a reference, for small networks."""
        return self._point(HostedNetwork(self).flow(self._hosted(theta), time))

    def _hosted(self, array: Any) -> np.ndarray:
        """A point or vector, checked, as an array of NumPy."""
        return self._host(self._point(array))

    @property
    def digest(self) -> str:
        """What tells this problem from others: its sizes, output, data and settings."""
        parts = [type(self).__name__, repr(self.output), self.count, self.dimension, self.metric_cases]
        parts += ["published"] if self.published else []
        decay = np.asarray(self._host(self.weight_decay))
        parts += [f"{zlib.crc32(decay.tobytes()):08x}", *self._fingerprints()]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @abstractmethod
    def _fingerprints(self) -> list[str]:
        """A few numbers of the data."""

    # -- arrays

    @abstractmethod
    def _point(self, theta: Any) -> Any:
        """A point, as an array of the framework, of the parameters' precision and where they are."""

    def _direction(self, vector: Any) -> Any:
        """A vector or covector, checked like a point."""
        return self._point(vector)

    @staticmethod
    def _host(array: Any) -> np.ndarray:
        """An array of the framework as one of NumPy."""
        return np.asarray(array)

    def _require_shape(self, array: Any, what: str) -> None:
        if tuple(array.shape) != (self.dimension,):
            raise ShapeError(f"{what} has shape {tuple(array.shape)}, but the network has {self.dimension} parameters")

    def _require_outputs(self, z: Any, rows: int) -> None:
        """Raise unless the outputs of some cases are an array with as many rows."""
        shape = tuple(getattr(z, "shape", ()))
        if len(shape) < 2 or shape[0] != rows:
            raise ShapeError(f"the network gives outputs of shape {shape} for {rows} cases, not of shape ({rows}, ...)")


def require_finite(finite: Any, what: str) -> None:
    """Raise :class:`~riemopt.errors.DataError` unless all numbers of the data are finite."""
    if not bool(finite):
        raise DataError(f"{what} contains a number that is not finite")


class HostedNetwork(IntegratedProblem):
    """A network with points and vectors of NumPy, for what works on these alone: integrations and fits.

    Parameters
    ----------
    network : NetworkProblem
        The network, of any framework.
    """

    def __init__(self, network: NetworkProblem) -> None:
        self.network, self.name = network, type(network).__name__
        self.start = network._host(network.start)
        self.dimension, self.dtype, self.offers = network.dimension, self.start.dtype, network.offers
        self.count, self.variance_factor = network.count, network.variance_factor

    @property
    def parameters(self) -> list[str] | None:
        """What the coordinates are called, if the network says."""
        return getattr(self.network, "parameters", None)

    def loss(self, theta: Any) -> float:
        """See :class:`~riemopt.Problem`."""
        return self.network.loss(theta)

    def gradient(self, theta: Any) -> Any:
        """See :class:`~riemopt.Problem`."""
        return self.network._host(self.network.gradient(theta))

    def raise_index(self, theta: Any, covector: Any) -> Any:
        """See :class:`~riemopt.Problem`."""
        return self.network._host(self.network.raise_index(theta, covector))

    def lower_index(self, theta: Any, vector: Any) -> Any:
        """See :class:`~riemopt.Problem`."""
        return self.network._host(self.network.lower_index(theta, vector))

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """See :class:`~riemopt.Problem`."""
        return self.network._host(self.network.connection(theta, vector, a))


class NetworkPoint(Point):
    """A network at a point."""

    problem: NetworkProblem

    @cached_property
    def loss(self) -> float:
        """See :class:`~riemopt.problem.Point`."""
        problem, loss = self.problem, self._unprofiled
        if not problem.profiled:
            return loss
        return 0.5 * problem.width * (math.log(2.0 * math.pi * self.variance) + 1.0) if loss > 0.0 else -math.inf

    @cached_property
    def _unprofiled(self) -> float:
        return self.problem._loss(self.theta)

    @cached_property
    def part_loss(self) -> float:
        """See :class:`~riemopt.problem.Point`; of a scale that is not known, with the variance of all cases."""
        if self.problem.metric_cases is None:
            return self.loss
        part = self.problem._loss(self.theta, part=True)
        return part if not self.problem.profiled else self.loss + (part - self._unprofiled) / self.variance

    @cached_property
    def variance(self) -> float:
        """The variance that residuals of an unknown scale have; 1 where the scale is known."""
        return 2.0 * self._unprofiled / self.problem.width if self.problem.profiled else 1.0

    @cached_property
    def gradient(self) -> Any:
        """See :class:`~riemopt.problem.Point`."""
        return _sum(self._scaled(self.problem._gradient(self.theta)), self.problem.weight_decay, self.theta)

    @property
    def metric(self) -> NetworkMetric:  # type: ignore[override]
        """See :class:`~riemopt.problem.Point`; made each time, since it holds the point."""
        return NetworkMetric(self)

    def connection(self, v: Any, a: float = 0.0) -> Any:
        """See :class:`~riemopt.problem.Point`."""
        return self._scaled(self.problem._connection(self.theta, v, float(a)))

    def product(self, v: Any) -> Any:
        """The Fisher product E[Jᵀ H J] v, without weight decay."""
        return self._scaled(self.problem._product(self.theta, v))

    def _scaled(self, covector: Any) -> Any:
        """A derivative of the loss, from one of the losses with a scale of 1."""
        return covector / self.variance if self.problem.profiled else covector

    @cached_property
    def squares(self) -> Any:
        """The mean of the squared gradients of the metric's cases, shape (n,); for preconditioners."""
        problem = self.problem._squared_over or self.problem
        return self._scaled(self._scaled(problem._squares(self.theta)))


def _sum(covector: Any, factor: Any, vector: Any) -> Any:
    """c + f v; c itself where f is the number 0, since arrays of millions are not passed through for nothing."""
    return covector if isinstance(factor, (int, float)) and factor == 0 else covector + factor * vector


class NetworkMetric(Metric):
    """The Fisher metric of a network at a point, known by its products; with weight decay, and damped.

    Parameters
    ----------
    point : NetworkPoint
        Where.
    damping : float or array of shape (n,), optional
        What is added to the diagonal besides weight decay.
    solver : LinearSolver, optional
        What solves with it; by default the problem's own.

    Attributes
    ----------
    preconditioner : array, shape (n,), or None
        (Σ of squared per-case gradients, damping and weight decay)^(3/4), where the metric is damped or decays.
    """

    def __init__(self, point: NetworkPoint, damping: Any = 0.0, solver: LinearSolver | None = None) -> None:
        self.point, self.damping, self.problem = point, damping, point.problem
        self.dimension = point.theta.shape[0]
        self.solver: LinearSolver = truncated(self.problem.solver if solver is None else solver)

    @property
    def added(self) -> Any:
        """What is added to the diagonal of E[Jᵀ H J]."""
        return self.damping if self.problem.published else self.problem.weight_decay + self.damping

    def product(self, v: Any) -> Any:
        """See :class:`~riemopt.Metric`."""
        return _sum(self.point.product(v), self.added, v)

    def solution(self, c: Any, start: Any = None) -> Solution:
        """See :class:`~riemopt.Metric`."""
        return self.problem._solution(self, c, start, self.preconditioner)

    @cached_property
    def preconditioner(self) -> Any:
        """See :class:`NetworkMetric`."""
        added = self.problem.weight_decay + self.damping
        if not self.problem.preconditioned or not self._is_regular(added):
            return None
        root = self.problem.arrays.sqrt(self.point.squares + added)
        return root * self.problem.arrays.sqrt(root)  # roots are quicker than powers

    @staticmethod
    def _is_regular(added: Any) -> bool:
        """Whether something is added to every entry of the diagonal."""
        positive = added > 0
        return bool(positive.all() if hasattr(positive, "all") else positive)

    def diagonal(self) -> Any:
        """See :class:`~riemopt.Metric`."""
        own = self.problem._diagonal(self.point.theta)
        if own is None:
            return self.problem._direction(super().diagonal())
        return own / self.point.variance + self.added

    def dense(self) -> Any:
        """See :class:`~riemopt.Metric`; a NumPy array."""
        problem = self.problem
        return matrix_of(lambda v: problem._host(self.product(problem._direction(v))), self.dimension)

    def damped(self, strength: float, by: By = "identity") -> NetworkMetric:
        """See :class:`~riemopt.Metric`."""
        return NetworkMetric(self.point, self.damping + strength * self._added(strength, by), self.solver)

    def solved_by(self, solver: LinearSolver) -> NetworkMetric:
        """See :class:`~riemopt.Metric`."""
        return NetworkMetric(self.point, self.damping, solver)
