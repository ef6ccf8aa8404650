"""The mean negative log-likelihood of a model, with every primitive compiled."""

from __future__ import annotations

import copy
import linecache
import traceback
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from riemopt.formulas.formulas import Formulas
from riemopt.formulas.traced import TracedPrimitives, pointwise_program
from riemopt.formulas.trajectory import rule_identity, trajectory_program
from riemopt.kernels.graph.tracing import TracingError
from riemopt.kernels.targets.target import Kernel, Target
from riemopt.numerics.arrays import unboxed
from riemopt.problem.point import Point
from riemopt.problem.protocol import INTEGRATED, PRIMITIVES, CompiledRule, Problem
from riemopt.status import Status

__all__ = ["LikelihoodProblem"]


class LikelihoodProblem(Problem):
    """The mean negative log-likelihood of samples under a model, in nats.

    Made by :meth:`riemopt.Manifold.likelihood`. Every primitive takes one point ``(n,)`` or a batch ``(..., n)``;
    what it returns is NaN where a point lies outside the domain.

    Parameters
    ----------
    formulas : Formulas
        The geometry and the loss.
    target : Target
        What runs them.
    data : array, shape (k,)
        The numbers that the loss depends on: mean sufficient statistics, or one over the number of samples.
    require_inside : callable
        Takes points and what they are called; raises :class:`~riemopt.errors.DomainError` for a point outside.
    count : int
        The number of samples N.
    table : array, shape (columns, N), optional
        The samples, where the loss is a sum over them.
    variance_factor : float, optional
        What the inverse of N times the metric is to be multiplied by for the covariance of an estimate: N/(N - n) where
        a scale was profiled out.

    Attributes
    ----------
    count : int
        The number of samples N.
    variance_factor : float
        See above.
    """

    offers = frozenset(PRIMITIVES)
    dtype = np.dtype(np.float64)

    def __init__(
        self,
        formulas: Formulas,
        target: Target,
        data: np.ndarray,
        require_inside: Callable[[Any, str], None],
        count: int,
        table: np.ndarray | None = None,
        variance_factor: float = 1.0,
    ) -> None:
        self.formulas, self.target, self.arrays = formulas, target, target.arrays
        self.data = self.arrays.asarray(data)
        self.table = None if table is None else self.arrays.asarray(table)
        self.count, self.variance_factor = count, variance_factor
        self._require_inside = require_inside
        self.dimension = formulas.dimension
        self._kernels: dict[tuple[Any, ...], Kernel] = {}
        self._compiled: dict[Any, CompiledRule | str] = {}

    def at(self, theta: Any) -> Point:
        """The problem at points; whether they lie in the domain comes with the loss. See :class:`Problem`."""
        return _LikelihoodPoint(self, self.arrays.asarray(theta, dtype=self.dtype))

    def loss(self, theta: Any) -> np.ndarray:
        """The loss at points, shape (...)."""
        return self._evaluate("loss", theta, axes=())

    def gradient(self, theta: Any) -> np.ndarray:
        """The differential of the loss at points, shape (..., n)."""
        return self._evaluate("gradient", theta)

    def metric(self, theta: Any) -> np.ndarray:
        """The Fisher metric at points, shape (..., n, n)."""
        n = self.formulas.dimension
        return self._evaluate("metric", theta, axes=(n, n))

    def natural_gradient(self, theta: Any) -> np.ndarray:
        """The natural gradient at points, shape (..., n)."""
        return self._evaluate("natural_gradient", theta)

    def acceleration(self, theta: Any, velocity: Any, a: float = 0.0) -> np.ndarray:
        """The accelerations -g⁻¹Γ^(a)(θ̇) of geodesics at points, shape (..., n); what cancels is taken out first."""
        return self._evaluate("acceleration", theta, velocity, a=a)

    def raise_index(self, theta: Any, covector: Any) -> np.ndarray:
        """The vectors g⁻¹c of covectors at points, shape (..., n)."""
        return self._evaluate("raise_index", theta, covector)

    def lower_index(self, theta: Any, vector: Any) -> np.ndarray:
        """The covectors g v of vectors at points, shape (..., n)."""
        return self._evaluate("lower_index", theta, vector)

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> np.ndarray:
        """The lowered products Γ^(a)_ν(v) of vectors at points, shape (..., n)."""
        return self._evaluate("connection", theta, vector, a=a)

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> np.ndarray:
        """The ends of the geodesics of an a-connection from points along vectors; NaN where one leaves the domain."""
        return self._evaluate("exp", theta, vector, a=a)

    def exp_series(self, theta: Any, vector: Any, order: int) -> np.ndarray:
        """The Taylor polynomials of an order of :meth:`exp`, shape (..., n)."""
        return self._evaluate("exp_series", theta, vector, order=order)

    def transport(self, theta: Any, along: Any, vector: Any) -> np.ndarray:
        """Vectors carried parallel to themselves to ``exp(theta, along)``, shape (..., n)."""
        return self._evaluate("transport", theta, along, vector)

    def has_closed_form(self, primitive: str, a: float = 0.0) -> bool:
        """Whether geodesics, or transports along them, are closed forms; see :class:`Problem`."""
        return self.formulas.has_closed_form(primitive, a)

    def flow(self, theta: Any, time: Any) -> np.ndarray:
        """The natural gradient flow from points after times of shape (...), shape (..., n)."""
        return self._evaluate("flow", theta, time)

    def require_inside(self, points: Any, what: str) -> None:
        """Raise :class:`~riemopt.errors.DomainError` for a point outside, naming the coordinate and its value."""
        self._require_inside(points, what)

    def contains(self, theta: Any) -> bool:
        """Whether a point lies in the domain."""
        return bool(self.at(theta).inside)

    def reason(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Status:
        """Why a primitive gives numbers that are not finite; an exact integration knows. See :class:`Problem`."""
        status = int(self._run(primitive, theta, *arguments, **options)[0]) if primitive in INTEGRATED else 0
        return Status(status) if status else super().reason(primitive, theta, *arguments, **options)

    def compiled(self, rule: Any, count: int, converges: bool) -> CompiledRule | str:
        """Whole trajectories by a fused kernel, the rule traced; or why it is not. See :class:`Problem`."""
        if not self.target.fuses:
            return f"backend={self.target.name!r} runs rules as they stand"
        if not rule.traceable:
            return f"{rule} says that it is not to be traced"
        if self.table is not None and self.target.shares_rows(self.table.size, count):
            return "few starts on much data: the sums over it are shared among the cores instead"
        key = rule_identity(rule), converges
        if key not in self._compiled:
            compiled = self._traced(rule, converges)
            if key[0] is None:  # a user's rule may depend on more than itself
                return compiled
            self._compiled[key] = compiled
        return self._compiled[key]

    def _traced(self, rule: Any, converges: bool) -> CompiledRule | str:
        """A rule traced and compiled; why that cannot be, if tracing is what fails."""
        try:
            copied = copy.deepcopy(rule)  # running a rule may change a state that it keeps on itself
        except Exception as error:
            return f"{rule} cannot be copied, and so not be traced: {error}"
        try:
            program = trajectory_program(self.formulas, copied, converges)
        except Exception as error:
            refusal = self._refusal(error)
            if refusal is None:
                error.add_note("raised while the rule was traced; with traceable = False it runs on numbers")
                raise
            return f"{refusal}{_line_of(error, rule)}"
        kernel = self.target.trajectories(program)

        def run(
            starts: np.ndarray, step_sizes: np.ndarray, steps: int, keep_all: bool, tolerance: float | None
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
            bound = -1.0 if tolerance is None else tolerance
            return kernel(starts, step_sizes, self.data, steps, keep_all, bound, **self._rows)  # type: ignore[no-any-return]

        return CompiledRule(run, *program.asked)

    def _refusal(self, error: BaseException) -> str | None:
        """What tracing refused, if that is why a rule failed; None if the rule itself is wrong."""
        if isinstance(error, TracingError):
            return str(error)
        if isinstance(error, AttributeError) and isinstance(error.obj, TracedPrimitives):
            known = hasattr(self, error.name or "")
            return f"the problem's {error.name!r} is not known while a rule is traced" if known else None
        # NumPy turns what an array refuses into an error of its own
        return None if error.__cause__ is None else self._refusal(error.__cause__)

    @property
    def _rows(self) -> dict[str, Any]:
        return {} if self.table is None else {"table": self.table}

    def _evaluate(self, name: str, *arrays: Any, axes: tuple[int, ...] | None = None, **options: Any) -> np.ndarray:
        return self._run(name, *arrays, axes=axes, **options)[1]

    def _run(self, name: str, *arrays: Any, axes: tuple[int, ...] | None = None, **options: Any) -> list[np.ndarray]:
        """The status and the value of a primitive with options other than 0, compiled at its first use."""
        given = {option: value for option, value in options.items() if value}
        key = name, *given.items()
        kernel = self._kernels.get(key)
        if kernel is None:
            n = self.formulas.dimension
            others = [("time", ())] if name == "flow" else [("vectors", (n,))] * (len(arrays) - 1)
            arguments: list[tuple[str, tuple[int, ...]]] = [("points", (n,)), *others]
            sizes = [n if shape else 1 for _, shape in arguments]
            unpacked = [bool(shape) for _, shape in arguments]

            def rule(primitives: Any, *inputs: Any) -> Any:
                values = [x if vector else x[0] for x, vector in zip(inputs, unpacked, strict=True)]
                return getattr(primitives, name)(*values, **given)

            program = pointwise_program(self.formulas, rule, sizes)
            outputs = [(n,) if axes is None else axes]
            kernel = Kernel(self.target, program, arguments, outputs, constants=len(self.data))
            self._kernels[key] = kernel
        return kernel(*arrays, constants=self.data, **self._rows)


class _LikelihoodPoint(Point):
    """A point whose kernel of the loss tells, too, whether it lies in the domain."""

    problem: LikelihoodProblem

    @cached_property
    def inside(self) -> Any:
        """Whether the point lies in the domain: by a status, since the loss of one inside may be no number."""
        return unboxed(self._status_and_loss[0] == int(Status.COMPLETED))

    @cached_property
    def loss(self) -> Any:
        """The loss; see :class:`Point`."""
        return self._status_and_loss[1]

    @cached_property
    def _status_and_loss(self) -> list[np.ndarray]:
        return self.problem._run("loss", self.theta, axes=())


def _line_of(error: BaseException, rule: Any) -> str:
    """The innermost line of a rule, or of what stands in the same file, that an error went through."""
    methods = [getattr(rule, name) for name in ("init", "step", "path")]
    files = {method.__func__.__code__.co_filename for method in methods if hasattr(method, "__func__")}
    lines = [
        (frame.f_code.co_filename, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in files
    ]
    if not lines:
        return ""
    file, number = lines[-1]
    return f" (line {number} of {file}: {linecache.getline(file, number).strip()})"
