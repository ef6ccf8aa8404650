"""Manifold: what a user holds, a model with its geometry for reading and as compiled functions."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from riemopt.arrays import as_numbers
from riemopt.errors import ArgumentError, BackendError, DataError, ShapeError, UnknownNameError, UnsupportedError
from riemopt.geometry import connection, metric
from riemopt.geometry.symbolic import SymbolicGeometry, velocity_symbols
from riemopt.kernels.target import Kernel, Target, broadcast
from riemopt.manifold.shooting import shoot
from riemopt.models.conditional import ConditionalModel
from riemopt.models.expectation import ExactExpectation, QuadratureExpectation
from riemopt.models.statistical import StatisticalModel
from riemopt.problem import curvature
from riemopt.problem.geometry import ClosedForm, DataAverage, Geometry, Loss, OutputLoss, Quadrature, SampleLoss
from riemopt.problem.likelihood import LikelihoodProblem
from riemopt.problem.statistics import reduced_loss
from riemopt.problem.traced import ATOL, RTOL, Formulas, pointwise_program

__all__ = ["Manifold"]

_TARGETS = {"numpy": ("numpy", "NumpyTarget"), "numba": ("numba", "NumbaTarget")}


def _target(backend: str) -> Target:
    if backend == "cupy":
        raise BackendError("the backend 'cupy' is not there yet: use backend='numba' or backend='numpy'")
    if backend not in _TARGETS:
        raise UnknownNameError("backend", backend, _TARGETS)
    module, name = _TARGETS[backend]
    return getattr(importlib.import_module(f"riemopt.kernels.{module}"), name)()  # type: ignore[no-any-return]


class Manifold:
    """A statistical model as a Riemannian manifold, derived from its log-density and compiled.

    Every method takes one point ``(n,)`` or a batch ``(..., n)``, and all arguments broadcast. What a method returns
    is NaN where a point lies outside the domain or a geodesic leaves it.

    Parameters
    ----------
    model : StatisticalModel or ConditionalModel
        The model; its parameters are the coordinates. The geometry of a conditional model is a mean over inputs, so it
        is the problem made by :meth:`likelihood` that offers it.
    backend : str, optional
        ``"numba"``: compiled for the processor. ``"numpy"``: the reference.

    Attributes
    ----------
    model : StatisticalModel
        The model.
    symbolic : SymbolicGeometry
        The geometry as SymPy expressions.
    dimension : int
        The number of coordinates n.

    Examples
    --------
    >>> import riemopt as ro
    >>> manifold = ro.Manifold(ro.models.Normal(), backend="numpy")
    >>> manifold.metric([0.0, 2.0])
    array([[0.25, 0.  ],
           [0.  , 0.5 ]])
    >>> float(manifold.distance([0.0, 1.0], [0.0, 2.0]).round(6))
    0.980258
    """

    def __init__(self, model: StatisticalModel | ConditionalModel, backend: str = "numba") -> None:
        self.model = model
        self.backend = backend
        self.symbolic = SymbolicGeometry(model)  # type: ignore[arg-type]
        self.dimension = model.dimension
        self._target = _target(backend)
        self._kernels: dict[Any, Kernel] = {}

    def __repr__(self) -> str:
        return f"Manifold({self.model!r}, backend={self.backend!r})"

    @cached_property
    def _formulas(self) -> Formulas:
        return Formulas(self.model.parameters, tuple(self.model.domain.margins), self._geometry)

    @cached_property
    def _geometry(self) -> Geometry:
        model = self.model
        if isinstance(model, ConditionalModel):
            return DataAverage(model)
        expectation, velocity = model.expectation, velocity_symbols(model)
        if isinstance(expectation, QuadratureExpectation):
            return Quadrature(expectation.plan)
        g = metric.fisher_metric(model)

        def skewness() -> tuple[sp.Expr, ...] | Quadrature:
            if isinstance(expectation, ExactExpectation) and not expectation.skewness_is_closed:
                return Quadrature(expectation.density)
            return connection.skewness_product(expectation.skewness, velocity)

        product = connection.lowered_product(g, model.parameters, velocity)
        return ClosedForm(model.parameters, velocity, g, product, skewness)

    # -- tensors at points

    def metric(self, points: Any) -> np.ndarray:
        """The Fisher metric at points.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n, n)
        """
        n = self.dimension
        return self._evaluate("metric", lambda p, x: p.metric(x), [points], [(n, n)])

    def christoffel(self, points: Any) -> np.ndarray:
        """The Levi-Civita symbols of the second kind at points, from the connection products of the coordinate vectors.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n, n, n)
            Indices [μ, α, β].
        """
        n = self.dimension
        units = np.eye(n)

        def rule(p: Any, x: Any) -> Any:
            columns = [p.raise_index(x, p.mixed_connection(x, units[a], units[b])) for a in range(n) for b in range(n)]
            return np.stack(columns, axis=1)

        return self._evaluate("christoffel", rule, [points], [(n, n, n)])

    def connection(self, points: Any, vectors: Any, a: float = 0.0) -> np.ndarray:
        """The lowered connection products Γ^(a)_ν(v) = Γ^(a)_ναβ v^α v^β, covectors.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
        a : float, optional
            Which α-connection; 0 is Levi-Civita, 1 the exponential and -1 the mixture connection.

        Returns
        -------
        array, shape (..., n)
        """
        a = float(a)

        def rule(p: Any, x: Any, v: Any) -> Any:
            return p.connection(x, v, a)

        return self._evaluate(("connection", a), rule, [points, vectors], [(self.dimension,)])

    def raise_index(self, points: Any, covectors: Any) -> np.ndarray:
        """The vectors g⁻¹c of covectors c, shape (..., n), each by one linear solve."""

        def rule(p: Any, x: Any, c: Any) -> Any:
            return p.raise_index(x, c)

        return self._evaluate("raise_index", rule, [points, covectors], [(self.dimension,)])

    def inner(self, points: Any, u: Any, v: Any) -> np.ndarray:
        """The inner products g_μν u^μ v^ν of vectors, shape (...)."""
        return self._evaluate("inner", lambda p, x, u, v: u @ (p.metric(x) @ v), [points, u, v], [()])

    def norm(self, points: Any, v: Any) -> np.ndarray:
        """The Riemannian norms of vectors, shape (...)."""
        # a square that is all rounding may be negative
        return np.sqrt(np.maximum(self.inner(points, v, v), 0.0))

    def scalar_curvature(self, points: Any) -> np.ndarray:
        """The scalar curvature at points, shape (...)."""
        closed = isinstance(self._geometry, ClosedForm)

        def rule(p: Any, x: Any) -> Any:
            if not closed:
                return curvature.scalar_curvature(p, x)
            p.require_domain(x)
            environment = dict(zip(self.model.parameters, x.nodes, strict=True))
            return type(x).scalar(p.graph.lower(self.symbolic.scalar_curvature, environment))

        return self._evaluate("scalar_curvature", rule, [points], [()])

    # -- geodesics

    def exp(self, points: Any, vectors: Any, rtol: float = RTOL, atol: float = ATOL, *, a: float = 0.0) -> np.ndarray:
        """The exponential map: where geodesics are after unit time.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            Where they start, and their velocities there.
        rtol, atol : float, optional
            Tolerances of the integration.
        a : float, optional
            Which α-connection's geodesics; 0 is Levi-Civita.

        Returns
        -------
        array, shape (..., n)
            NaN where a geodesic leaves the domain.
        """

        def rule(p: Any, x: Any, v: Any) -> Any:
            return p.exp(x, v, a)

        a = float(a)
        return self._evaluate(("exp", a), rule, [points, vectors], [(self.dimension,)], tolerances=(rtol, atol))

    def geodesic(self, points: Any, vectors: Any, times: Any, rtol: float = RTOL, atol: float = ATOL) -> np.ndarray:
        """Points on geodesics.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            Where they start, and their velocities there.
        times : array_like, shape (m,)
            When to look; negative times look back.

        Returns
        -------
        array, shape (..., m, n)
            NaN from where a geodesic leaves the domain.
        """
        when = as_numbers(times, "times")
        if when.ndim != 1:
            raise ShapeError(f"times has shape {when.shape}, but must have one axis")
        n = self.dimension
        batch, (x, v) = broadcast((points, vectors), (("points", (n,)), ("vectors", (n,))))
        curves = self.exp(x[:, None, :], when[:, None] * v[:, None, :], rtol, atol)
        return curves.reshape(*batch, len(when), n)

    def transport(self, points: Any, along: Any, vectors: Any, rtol: float = RTOL, atol: float = ATOL) -> np.ndarray:
        """Vectors carried parallel to themselves to the end of a geodesic.

        Parameters
        ----------
        points : array_like, shape (..., n)
            Where the geodesics start.
        along : array_like, shape (..., n)
            Their velocities there: they end at ``exp(points, along)``.
        vectors : array_like, shape (..., n)
            What to carry.

        Returns
        -------
        array, shape (..., n)
        """
        n = self.dimension

        def rule(p: Any, x: Any, u: Any, v: Any) -> Any:
            return p.solve(p.formulas.transport, np.concatenate([x, u, v]), 1.0)[2 * n :]

        return self._evaluate("transport", rule, [points, along, vectors], [(n,)], tolerances=(rtol, atol))

    def log(self, points: Any, targets: Any, rtol: float = RTOL, atol: float = ATOL) -> np.ndarray:
        """The velocities of the geodesics that reach targets in unit time: the inverse of :meth:`exp`.

        Parameters
        ----------
        points, targets : array_like, shape (..., n)
            Where the geodesics start and end.

        Returns
        -------
        array, shape (..., n)
            NaN where no geodesic was found.
        """
        names = (("points", (self.dimension,)), ("targets", (self.dimension,)))
        batch, (x, y) = broadcast((points, targets), names)

        def exp_and_slope(x: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self._exp_and_slope(x, v, rtol, atol)

        return shoot(exp_and_slope, self.norm, self.model.domain, x, y, rtol, atol).reshape(*batch, self.dimension)

    def distance(self, points: Any, targets: Any, rtol: float = RTOL, atol: float = ATOL) -> np.ndarray:
        """The Fisher–Rao distances between points and targets: the lengths of the geodesics of :meth:`log`.

        Parameters
        ----------
        points, targets : array_like, shape (..., n)

        Returns
        -------
        array, shape (...)
            NaN where no geodesic was found.
        """
        return self.norm(points, self.log(points, targets, rtol, atol))

    def _exp_and_slope(self, x: np.ndarray, v: np.ndarray, rtol: float, atol: float) -> tuple[np.ndarray, np.ndarray]:
        """exp(x, v) and its derivative with respect to v, shape (..., n, n)."""
        n = self.dimension

        def rule(p: Any, x: Any, v: Any) -> Any:
            units = [np.concatenate([np.zeros(n), unit]) for unit in np.eye(n)]
            end = p.solve(p.formulas.jacobi, np.concatenate([x, v, *units]), 1.0)
            columns = [end[2 * n * (k + 1) : 2 * n * (k + 1) + n] for k in range(n)]
            return end[:n], np.stack(columns, axis=1)

        outputs = [(n,), (n, n)]
        end, slope = self._run("jacobi", rule, [x, v], outputs, (rtol, atol))
        return end, slope

    # -- problems

    def likelihood(self, samples: Any, inputs: Any = None) -> LikelihoodProblem:
        """The mean negative log-likelihood of samples as a problem.

        Parameters
        ----------
        samples : array_like, shape (N,), or (N, d) for d > 1 observations
            What was observed; the targets of a conditional model. For an exponential family they are reduced to their
            mean sufficient statistics here, once.
        inputs : array_like, shape (N,) or (N, d), optional
            The inputs of a conditional model, and of no other.

        Returns
        -------
        LikelihoodProblem

        Raises
        ------
        DataError
            If there is no sample, or one lies outside the support.
        ExpectationError
            If no way is known to take expectations under the model.
        """
        model = self.model
        if isinstance(model, ConditionalModel):
            return self._conditional_likelihood(model, samples, inputs)
        if inputs is not None:
            raise ArgumentError(f"{model.name} has no inputs; they belong to a ConditionalModel")
        columns = model.require_samples(samples)
        count = len(columns[0])
        form = model.expectation.form
        if form is None:
            loss: Loss = SampleLoss(model.log_density, model.observation, model.parameters)
            data, table = np.array([1.0 / count]), np.ascontiguousarray(columns)
        else:
            (loss, data), table = reduced_loss(model, form, columns), None
        return self._problem(loss, data, count, table)

    def _conditional_likelihood(self, model: ConditionalModel, targets: Any, inputs: Any) -> LikelihoodProblem:
        if inputs is None and model.inputs:
            raise ArgumentError(f"{model.name} needs inputs: likelihood(targets, inputs=...)")
        count = len(np.atleast_1d(np.asarray(targets)))
        given = np.empty((0, count)) if not model.inputs else model.columns(inputs)
        answers = model.output.columns(targets, given.shape[1])
        if not count:
            raise DataError("there are no samples")
        variance_factor = 1.0
        data = [1.0 / count]
        if model.output.profiled:
            residuals = answers.size
            if residuals <= model.dimension:
                raise DataError(f"{residuals} targets do not determine {model.dimension} parameters and a scale")
            variance_factor = residuals / (residuals - model.dimension)
            data = [1.0 / residuals, float(len(answers))]
        loss = OutputLoss(model, model.output.constant(answers))
        return self._problem(loss, np.array(data), count, np.concatenate([given, answers]), variance_factor)

    def _problem(
        self, loss: Loss, data: np.ndarray, count: int, table: np.ndarray | None, variance_factor: float = 1.0
    ) -> LikelihoodProblem:
        formulas = dataclasses.replace(self._formulas, loss=loss, data=len(data))
        return LikelihoodProblem(formulas, self._target, data, self.model.domain.require, count, table, variance_factor)

    # -- kernels

    def _evaluate(
        self,
        key: Any,
        rule: Callable[..., Any],
        arrays: Sequence[Any],
        outputs: Sequence[tuple[int, ...]],
        tolerances: tuple[float, float] | None = None,
    ) -> np.ndarray:
        return self._run(key, rule, arrays, outputs, tolerances)[0]

    def _run(
        self,
        key: Any,
        rule: Callable[..., Any],
        arrays: Sequence[Any],
        outputs: Sequence[tuple[int, ...]],
        tolerances: tuple[float, float] | None = None,
    ) -> list[np.ndarray]:
        """The values of a rule of traced primitives at arrays of vectors, compiled at its first use."""
        if tolerances is not None and not (min(tolerances) >= 0.0 and 0.0 < sum(tolerances) < np.inf):
            raise ArgumentError(f"rtol and atol must be at least 0, and one of them positive, not {tolerances}")
        if isinstance(self.model, ConditionalModel):
            raise UnsupportedError(
                f"the geometry of {self.model.name} is a mean over inputs: "
                "ask the problem that likelihood(targets, inputs=...) makes"
            )
        kernel = self._kernels.get(key)
        if kernel is None:
            sizes = [self.dimension] * len(arrays)
            program = pointwise_program(self._formulas, rule, sizes, tolerances=tolerances is not None)
            names = ["points", *(["vectors"] * (len(arrays) - 1))]
            arguments = [(name, (self.dimension,)) for name in names]
            kernel = Kernel(self._target, program, arguments, outputs, constants=2 if tolerances else 0)
            self._kernels[key] = kernel
        return kernel(*arrays, constants=tolerances or ())[1:]
