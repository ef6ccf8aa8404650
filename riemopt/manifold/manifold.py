"""Manifold: what a user holds, a model with its geometry for reading and as compiled functions."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, DataError, ShapeError, UnknownNameError, UnsupportedError
from riemopt.formulas import tensors
from riemopt.formulas.cancellation import without_cancellation
from riemopt.formulas.geometry import (
    ClosedForm,
    DataAverage,
    Deferred,
    Geometry,
    Loss,
    Moved,
    MovedLoss,
    OutputLoss,
    Quadrature,
    SampleLoss,
)
from riemopt.formulas.statistics import reduced_loss
from riemopt.formulas.traced import Formulas, pointwise_program
from riemopt.geometry import connection, metric
from riemopt.geometry.closed_forms import Isometry, isometry
from riemopt.geometry.printing import summary
from riemopt.geometry.symbolic import SymbolicGeometry, velocity_symbols
from riemopt.kernels.store.programs import derived_once
from riemopt.kernels.targets.target import Kernel, Target, broadcast
from riemopt.manifold.divergence import Bregman, ExpectedLogRatio, divergence_of
from riemopt.manifold.info import GeodesicInfo, LogInfo, searched
from riemopt.manifold.likelihood import LikelihoodProblem
from riemopt.manifold.shooting import shoot
from riemopt.models.conditional import ConditionalModel
from riemopt.models.expectation import ExactExpectation, QuadratureExpectation
from riemopt.models.statistical import StatisticalModel
from riemopt.models.straight_line import StraightLine, straight_line
from riemopt.numerics.arrays import as_numbers, on_host
from riemopt.numerics.ode import RTOL
from riemopt.status import Status

__all__ = ["Manifold"]

_WRITTEN_OUT = 2
"""The dimension up to which the metric in another chart is derived as an expression; fractions grow long."""

_WRITTEN_OUT_PRODUCT = 4
"""The dimension up to which the connection product is; it has n³ terms."""

_TARGETS = {
    "numpy": ("numpy", "NumpyTarget"),
    "numba": ("numba", "NumbaTarget"),
    "cupy": ("cupy", "CupyTarget"),
}


def _target(backend: str) -> Target:
    if backend not in _TARGETS:
        raise UnknownNameError("backend", backend, _TARGETS)
    module, name = _TARGETS[backend]
    return getattr(importlib.import_module(f"riemopt.kernels.targets.{module}"), name)()  # type: ignore[no-any-return]


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
        ``"numba"``: compiled for the processor. ``"cupy"``: compiled for a GPU, on which arrays and results then are.
        ``"numpy"``: the reference.
    closed_forms : bool, optional
        Whether geodesics are taken in closed form where that is known; ``False`` integrates all of them.

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

    def __init__(
        self, model: StatisticalModel | ConditionalModel, backend: str = "numba", *, closed_forms: bool = True
    ) -> None:
        self.model = model
        self.backend = backend
        self.closed_forms = closed_forms
        self.symbolic = SymbolicGeometry(model)  # type: ignore[arg-type]
        self.dimension = model.dimension
        self._target = _target(backend)
        self._kernels: dict[Any, Kernel] = {}

    def __repr__(self) -> str:
        return f"Manifold({self.model!r}, backend={self.backend!r})"

    def _repr_latex_(self) -> str | None:
        """The log-density and the metric, for a notebook; of a conditional model nothing."""
        if isinstance(self.model, ConditionalModel) or self.model.chart.is_implicit:
            return None
        return summary(self.symbolic, str(self.model), "Fisher metric")

    @cached_property
    def _formulas(self) -> Formulas:
        return Formulas(
            self.model.parameters,
            tuple(self.model.domain.margins),
            Deferred(lambda: self._geometry),
            isometry=lambda: self._isometry,
            straight_line=self._straight_line,
        )

    @cached_property
    def _isometry(self) -> Isometry | None:
        if not self.closed_forms or isinstance(self.model, ConditionalModel):
            return None
        return isometry(self.model)

    @cached_property
    def _straight_line(self) -> Callable[[float], StraightLine | None]:
        model = self.model
        if not self.closed_forms or isinstance(model, ConditionalModel):
            return lambda a: None
        velocity = velocity_symbols(model)
        return functools.cache(lambda a: straight_line(model, velocity, a))

    @cached_property
    def _geometry(self) -> Geometry:
        model = self.model
        if isinstance(model, ConditionalModel):
            return DataAverage(model)
        if model.chart.is_implicit:
            return Moved(model.chart, self._own._geometry)
        expectation, velocity = model.expectation, velocity_symbols(model)
        if isinstance(expectation, QuadratureExpectation):
            return Quadrature(expectation.plan)
        if model is not model.original and model.dimension > _WRITTEN_OUT:
            return Moved(model.chart, self._own._geometry)
        g = metric.fisher_metric(model)

        def skewness() -> tuple[sp.Expr, ...] | Quadrature:
            if isinstance(expectation, ExactExpectation) and not expectation.skewness_is_closed:
                return Quadrature(expectation.plan)
            return connection.skewness_product(expectation.skewness, velocity)

        short = model.dimension <= _WRITTEN_OUT_PRODUCT
        product = connection.lowered_product(g, model.parameters, velocity) if short else None
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
            columns = [p.raised_connection(x, units[a], units[b]) for a in range(n) for b in range(n)]
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
        return self._evaluate("inner", lambda p, x, u, v: p.inner(x, u, v), [points, u, v], [()])

    def norm(self, points: Any, v: Any) -> np.ndarray:
        """The Riemannian norms of vectors, shape (...)."""
        # a square that is all rounding may be negative
        return np.sqrt(np.maximum(self.inner(points, v, v), 0.0))

    def scalar_curvature(self, points: Any) -> np.ndarray:
        """The scalar curvature at points, shape (...)."""

        def rule(p: Any, x: Any) -> Any:
            known = self._known_curvature(p, x)
            return tensors.scalar_curvature(p, x) if known is None else known

        return self._evaluate("scalar_curvature", rule, [points], [()])

    def _known_curvature(self, p: Any, x: Any) -> Any:
        """The scalar curvature at a traced point by its formula, if there is one."""
        if not isinstance(self._geometry, ClosedForm):
            return None
        p.require_domain(x)
        environment = dict(zip(self.model.parameters, x.nodes, strict=True))
        expression = without_cancellation(self.symbolic.scalar_curvature)
        return type(x).scalar(p.graph.lower(expression, environment))

    def _gaussian_curvature(self, p: Any, x: Any) -> Any:
        """Half the scalar curvature of a surface by its formula, if it is one and there is one."""
        scalar = self._known_curvature(p, x) if self.dimension == 2 else None
        return None if scalar is None else 0.5 * scalar

    def riemann(self, points: Any) -> np.ndarray:
        """The Riemann tensor R^ρ_σμν of the Levi-Civita connection at points.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n, n, n, n)
            Indices [ρ, σ, μ, ν], with R^ρ_σμν = ∂_μ Γ^ρ_νσ - ∂_ν Γ^ρ_μσ + Γ^ρ_μλ Γ^λ_νσ - Γ^ρ_νλ Γ^λ_μσ.

        Examples
        --------
        >>> import riemopt as ro
        >>> manifold = ro.Manifold(ro.models.Normal(), backend="numpy")
        >>> manifold.riemann([0.0, 2.0])[0, 1]
        array([[ 0.  , -0.25],
               [ 0.25,  0.  ]])
        """

        def rule(p: Any, x: Any) -> Any:
            return tensors.riemann(p, x, self._gaussian_curvature(p, x))

        return self._evaluate("riemann", rule, [points], [(self.dimension,) * 4])

    def ricci(self, points: Any) -> np.ndarray:
        """The Ricci tensor R_σν = R^ρ_σρν at points.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n, n)

        Examples
        --------
        >>> import riemopt as ro
        >>> ro.Manifold(ro.models.Categorical(3), backend="numpy").ricci([0.25, 0.25])
        array([[1.5, 0.5],
               [0.5, 1.5]])
        """

        def rule(p: Any, x: Any) -> Any:
            return tensors.ricci(p, x, self._gaussian_curvature(p, x))

        return self._evaluate("ricci", rule, [points], [(self.dimension,) * 2])

    def sectional_curvature(self, points: Any, u: Any, v: Any) -> np.ndarray:
        """The sectional curvature ``R_ρσμν u^ρ v^σ u^μ v^ν / (|u|²|v|² - (u·v)²)`` of planes.

        Parameters
        ----------
        points : array_like, shape (..., n)
        u, v : array_like, shape (..., n)
            Vectors that span the planes.

        Returns
        -------
        array, shape (...)
            NaN where u and v are parallel.

        Raises
        ------
        ArgumentError
            If the manifold has one dimension, and so no planes.

        Examples
        --------
        >>> import riemopt as ro
        >>> manifold = ro.Manifold(ro.models.Categorical(4), backend="numpy")
        >>> float(manifold.sectional_curvature([0.1, 0.2, 0.3], [1.0, 0.0, 0.0], [0.0, 1.0, 2.0]).round(12))
        0.25
        """
        if self.dimension < 2:
            raise ArgumentError(f"{self.model.name} has one parameter: there are no planes in one dimension")

        def rule(p: Any, x: Any, u: Any, v: Any) -> Any:
            return tensors.sectional_curvature(p, x, u, v, self._gaussian_curvature(p, x))

        return self._evaluate("sectional_curvature", rule, [points, u, v], [()])

    def volume_element(self, points: Any) -> np.ndarray:
        """The density √det g of the Riemannian volume at points: Jeffreys' prior up to its normalization.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (...)

        Examples
        --------
        >>> import riemopt as ro
        >>> ro.Manifold(ro.models.Exponential(), backend="numpy").volume_element([[0.5], [2.0]])
        array([2. , 0.5])
        """
        return self._evaluate("volume_element", tensors.volume_element, [points], [()])

    def amari_chentsov(self, points: Any) -> np.ndarray:
        """The Amari–Chentsov tensor T_μνκ = E[∂_μℓ ∂_νℓ ∂_κℓ] at points, symmetric in its indices.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n, n, n)

        Examples
        --------
        >>> import riemopt as ro
        >>> ro.Manifold(ro.models.Poisson(), backend="numpy").amari_chentsov([2.0])
        array([[[0.25]]])
        """
        n = self.dimension

        def rule(p: Any, x: Any) -> Any:
            p.require_domain(x)
            geometry = self._geometry
            twist = geometry.skewness() if isinstance(geometry, ClosedForm) else geometry

            def contraction(v: np.ndarray) -> Any:
                if isinstance(twist, Quadrature):
                    return type(x).of(p.graph, twist.skewness(p, list(x.nodes), [p.graph.constant(c) for c in v]))
                return p.connection(x, v, -1.0) - p.connection(x, v, 1.0)

            if not isinstance(twist, tuple):
                return tensors.amari_chentsov(contraction, n)
            environment = dict(zip(self.model.parameters, x.nodes, strict=True))
            entries = [without_cancellation(entry) for entry in sp.flatten(self.symbolic.amari_chentsov)]
            return type(x).of(p.graph, [p.graph.lower(entry, environment) for entry in entries]).reshape(n, n, n)

        return self._evaluate("amari_chentsov", rule, [points], [(n, n, n)])

    # -- geodesics

    def exp(
        self, points: Any, vectors: Any, rtol: float = RTOL, atol: float | None = None, *, a: float = 0.0
    ) -> np.ndarray:
        """The exponential map: where geodesics are after unit time.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            Where they start, and their velocities there.
        rtol, atol : float, optional
            Tolerances of the integration; the absolute one is a hundredth of the relative one unless it is given.
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
        both = _tolerances(rtol, atol)
        return self._evaluate(("exp", a), rule, [points, vectors], [(self.dimension,)], tolerances=both)

    def geodesic(
        self,
        points: Any,
        vectors: Any,
        times: Any,
        rtol: float = RTOL,
        atol: float | None = None,
        *,
        full_output: bool = False,
    ) -> Any:
        """Points on geodesics.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            Where they start, and their velocities there.
        times : array_like, shape (m,)
            When to look; negative times look back.
        rtol, atol : float, optional
            Tolerances of the integration; the absolute one is a hundredth of the relative one unless it is given.
        full_output : bool, optional
            Whether to say also when each geodesic enters and leaves the domain.

        Returns
        -------
        curves : array, shape (..., m, n)
            NaN from where a geodesic leaves the domain.
        info : GeodesicInfo
            With ``full_output=True`` only.

        Examples
        --------
        The mean of a Poisson distribution falls to nothing in finite time.

        >>> import riemopt as ro
        >>> manifold = ro.Manifold(ro.models.Poisson(), backend="numpy")
        >>> curve, info = manifold.geodesic([1.0], [-1.0], [0.0, 1.0, 3.0], full_output=True)
        >>> curve[:, 0]
        array([1.  , 0.25,  nan])
        >>> float(info.exit_time)
        2.0
        """
        when = as_numbers(on_host(times), "times")
        if when.ndim != 1:
            raise ShapeError(f"times has shape {when.shape}, but must have one axis")
        n = self.dimension
        batch, (x, v) = self._broadcast(("points", points), ("vectors", vectors))
        if self._isometry is not None:
            curves, info = self._known_curves(x, v, when)
        else:
            curves, info = self._integrated_curves(x, v, when, _tolerances(rtol, atol))
        curves = curves.reshape(*batch, len(when), n)
        return (curves, info.reshaped(batch)) if full_output else curves

    def _known_curves(self, x: np.ndarray, v: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, GeodesicInfo]:
        """Points on geodesics in closed form, shape (batch, m, n)."""
        curves = self.exp(x[:, None, :], np.asarray(times, like=x)[:, None] * v[:, None, :])
        rates = self._evaluate("leaving", lambda p, x, v: np.stack([p.leaving(x, v), p.leaving(x, -v)]), [x, v], [(2,)])
        with np.errstate(divide="ignore"):
            exits, entries = 1.0 / np.abs(rates[:, 0]), -1.0 / np.abs(rates[:, 1])
        left = ~((entries < float(times.min(initial=0.0))) & (exits > float(times.max(initial=0.0))))
        status = np.zeros(len(x), dtype=np.int64, like=x)
        status[left] = int(Status.LEFT_DOMAIN)
        return curves, GeodesicInfo(status, entries, exits)

    def _integrated_curves(
        self, x: np.ndarray, v: np.ndarray, times: np.ndarray, tolerances: tuple[float, float]
    ) -> tuple[np.ndarray, GeodesicInfo]:
        """Points on geodesics by integration from each time to the next, shape (batch, m, n)."""
        n, count = self.dimension, len(x)
        curves = np.full_like(x, np.nan, shape=(count, len(times), n))
        status = np.zeros(count, dtype=np.int64, like=x)
        ends = np.full_like(x, np.inf, shape=(2, count))

        def rule(p: Any, x: Any, v: Any, t: Any) -> Any:
            state = p.follow(p.formulas.geodesic(), np.concatenate([x, v]), t[0])
            p.note(state[2 * n])
            return state[:n], state[n : 2 * n]

        arguments = [("points", (n,)), ("vectors", (n,)), ("times", (1,))]
        for side, sign in enumerate((-1.0, 1.0)):
            order = np.argsort(sign * times, kind="stable")
            point, velocity, now = x, v, 0.0
            alive = np.arange(count, like=x)
            for place in order[sign * times[order] >= 0.0].tolist():
                step = np.full((1, 1), times[place] - now)
                arrays = [point, velocity, step]
                found, end, speed, reached = self._run("follow", rule, arrays, [(n,), (n,), ()], tolerances, arguments)
                lost = found != 0
                status[alive[lost]] = found[lost].astype(np.int64)
                ends[side, alive[lost]] = sign * (now + reached[lost])
                alive, point, velocity = alive[~lost], end[~lost], speed[~lost]
                now = times[place]
                curves[alive, place] = point
        outside = ~self.model.domain.contains(x)
        ends[:, outside] = np.nan
        status[outside] = int(Status.LEFT_DOMAIN)
        return curves, GeodesicInfo(status, -ends[0], ends[1])

    def transport(
        self, points: Any, along: Any, vectors: Any, rtol: float = RTOL, atol: float | None = None
    ) -> np.ndarray:
        """Vectors carried parallel to themselves to the end of a geodesic.

        Parameters
        ----------
        points : array_like, shape (..., n)
            Where the geodesics start.
        along : array_like, shape (..., n)
            Their velocities there: they end at ``exp(points, along)``.
        vectors : array_like, shape (..., n)
            What to carry.
        rtol, atol : float, optional
            Tolerances of the integration; the absolute one is a hundredth of the relative one unless it is given.

        Returns
        -------
        array, shape (..., n)
            NaN where a geodesic leaves the domain.
        """

        def rule(p: Any, x: Any, u: Any, v: Any) -> Any:
            return p.transport(x, u, v)

        arrays = [points, along, vectors]
        return self._evaluate("transport", rule, arrays, [(self.dimension,)], tolerances=_tolerances(rtol, atol))

    def log(
        self, points: Any, targets: Any, rtol: float = RTOL, atol: float | None = None, *, full_output: bool = False
    ) -> Any:
        """The velocities of the geodesics that reach targets in unit time: the inverse of :meth:`exp`.

        Where geodesics are no closed forms, they are found by Newton's method with the Jacobi equation, target after
        target along a way from the point to its own.

        Parameters
        ----------
        points, targets : array_like, shape (..., n)
            Where the geodesics start and end.
        rtol, atol : float, optional
            Tolerances of the integration; the absolute one is a hundredth of the relative one unless it is given.
        full_output : bool, optional
            Whether to say also why a velocity is NaN, and how well it is known.

        Returns
        -------
        velocities : array, shape (..., n)
            NaN where no geodesic was found.
        info : LogInfo
            With ``full_output=True`` only.

        Examples
        --------
        >>> import riemopt as ro
        >>> manifold = ro.Manifold(ro.models.Normal(), backend="numpy")
        >>> v, info = manifold.log([0.0, 1.0], [[0.0, 2.0], [0.0, -2.0]], full_output=True)
        >>> v.round(6)
        array([[0.      , 0.693147],
               [     nan,      nan]])
        >>> info.message
        '1 of 2: found; 1 of 2: the point or the target lies outside the domain'
        """
        n = self.dimension
        batch, (x, y) = self._broadcast(("points", points), ("targets", targets))
        if self._isometry is not None:
            v = self._evaluate("log", lambda p, x, y: p.log(x, y), [x, y], [(n,)], tolerances=_tolerances(rtol, atol))
            found = np.isfinite(v).all(axis=-1)
            inside = self.model.domain.contains(x) & self.model.domain.contains(y)
            error = np.zeros(len(x), like=x)
            error[~found] = np.nan
            info = LogInfo(searched(found, inside), error)
        else:
            v, info = shoot(self._exp_and_slope, self.norm, self.model.domain, x, y, *_tolerances(rtol, atol))
        v = v.reshape(*batch, n)
        return (v, info.reshaped(batch)) if full_output else v

    def distance(self, points: Any, targets: Any, rtol: float = RTOL, atol: float | None = None) -> np.ndarray:
        """The Fisher–Rao distances between points and targets: the lengths of the geodesics of :meth:`log`.

        Parameters
        ----------
        points, targets : array_like, shape (..., n)
        rtol, atol : float, optional
            Tolerances of the integration; the absolute one is a hundredth of the relative one unless it is given.

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

        # the derivatives begin at 0 and need no digits beyond those of the end
        _, end, slope = self._run("jacobi", rule, [x, v], [(n,), (n, n)], (rtol, max(atol, 1e-3 * rtol)))
        return end, slope

    # -- divergences

    def kl_divergence(self, points: Any, targets: Any) -> np.ndarray:
        """The Kullback–Leibler divergences KL(p ‖ p') = E_p[log p - log p'] of targets p' from points p, in nats.

        Parameters
        ----------
        points, targets : array_like, shape (..., n)

        Returns
        -------
        array, shape (...)
            At least 0; NaN where a point or a target lies outside the domain.

        Notes
        -----
        In an exponential family this is the Bregman divergence of the log-partition from the target to the point in
        natural parameters, and that of its Legendre dual A* from the point to the target in mean parameters:
        KL(p_z ‖ p_z') = A(z') - A(z) - (z' - z)·η = A*(η) - A*(η') - (η - η')·z'. In other models it is an integral.
        Close points lose no digits: the relative error stays where it is for distant ones, but for what rounding the
        coordinates themselves does to their difference.

        Examples
        --------
        >>> import riemopt as ro
        >>> manifold = ro.Manifold(ro.models.Exponential(), backend="numpy")
        >>> manifold.kl_divergence([2.0], [[1.0], [2.0], [2.000001]])
        array([1.93147181e-01, 0.00000000e+00, 1.24999958e-13])
        """
        self._require_geometry()
        if self.model.chart.is_implicit:
            points, targets = (self.model.chart.to_original(on_host(x)) for x in (points, targets))
            return self._own.kl_divergence(points, targets)
        batch, (x, y) = self._broadcast(("points", points), ("targets", targets))

        def values(name: str, rule: Callable[..., Any], arrays: Sequence[np.ndarray], count: int) -> np.ndarray:
            return self._evaluate(name, rule, arrays, [(count,)])

        return self._divergence(values, x, y).reshape(batch)

    def bregman_divergence(self, points: Any, targets: Any) -> np.ndarray:
        """The Bregman divergences of the log-partition, B(z, z') = A(z) - A(z') - ∇A(z')·(z - z'), in nats.

        Parameters
        ----------
        points, targets : array_like, shape (..., n)
            In the coordinates of the chart; z and z' are their natural parameters.

        Returns
        -------
        array, shape (...)
            :meth:`kl_divergence` with the arguments exchanged; NaN where a point or a target lies outside the domain.

        Raises
        ------
        UnsupportedError
            If the model is not an exponential family.

        Examples
        --------
        >>> import riemopt as ro
        >>> manifold = ro.Manifold(ro.models.Exponential(), backend="numpy")
        >>> float(manifold.bregman_divergence([1.0], [2.0]).round(6))
        0.193147
        """
        self._require_geometry()
        own = self._own if self.model.chart.is_implicit else self  # type: ignore[union-attr]
        if not isinstance(own._divergence, Bregman):
            raise UnsupportedError(f"{self.model.name} is not an exponential family: it has no log-partition")
        return self.kl_divergence(targets, points)

    @cached_property
    def _divergence(self) -> Bregman | ExpectedLogRatio:
        return divergence_of(self.model)  # type: ignore[arg-type]

    @cached_property
    def _own(self) -> Manifold:
        """The model in its own chart."""
        return Manifold(self.model.original, self.backend, closed_forms=self.closed_forms)  # type: ignore[union-attr]

    # -- problems

    def likelihood(
        self, samples: Any, inputs: Any = None, *, rtol: float = RTOL, atol: float | None = None
    ) -> LikelihoodProblem:
        """The mean negative log-likelihood of samples as a problem.

        Parameters
        ----------
        samples : array_like, shape (N,), or (N, d) for d > 1 observations
            What was observed; the targets of a conditional model. For an exponential family they are reduced to their
            mean sufficient statistics here, once.
        inputs : array_like, shape (N,) or (N, d), optional
            The inputs of a conditional model, and of no other.
        rtol, atol : float, optional
            Tolerances of the problem's exact integrations, geodesics and flows; the absolute one is a hundredth of the
            relative one unless it is given.

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
        model, tolerances = self.model, _tolerances(rtol, atol)
        samples, inputs = on_host(samples), on_host(inputs)
        if isinstance(model, ConditionalModel):
            return self._conditional_likelihood(model, samples, inputs, tolerances)
        if inputs is not None:
            raise ArgumentError(f"{model.name} has no inputs; they belong to a ConditionalModel")
        columns = model.require_samples(samples)
        count = len(columns[0])
        # a chart without a closed form comes on top of the model's own
        own = model.original if model.chart.is_implicit else model
        form = own.expectation.form
        if form is None:
            loss: Loss = SampleLoss(own.log_density, own.observation, own.parameters)
            data, table = np.array([1.0 / count]), np.ascontiguousarray(columns)
        else:
            (loss, data), table = reduced_loss(own, form, columns), None
        if own is not model:
            loss = MovedLoss(model.chart, loss)
        return self._problem(loss, data, count, tolerances, table)

    def _conditional_likelihood(
        self, model: ConditionalModel, targets: Any, inputs: Any, tolerances: tuple[float, float]
    ) -> LikelihoodProblem:
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
        table = np.concatenate([given, answers])
        return self._problem(loss, np.array(data), count, tolerances, table, variance_factor)

    def _problem(
        self,
        loss: Loss,
        data: np.ndarray,
        count: int,
        tolerances: tuple[float, float],
        table: np.ndarray | None,
        variance_factor: float = 1.0,
    ) -> LikelihoodProblem:
        rtol, atol = tolerances
        formulas = dataclasses.replace(self._formulas, loss=loss, data=len(data), rtol=rtol, atol=atol)
        return LikelihoodProblem(formulas, self._target, data, self.model.domain.require, count, table, variance_factor)

    # -- kernels

    def _broadcast(self, *given: tuple[str, Any]) -> tuple[tuple[int, ...], list[np.ndarray]]:
        """Points and vectors, each with its name, on the broadcast of their leading axes; see :func:`broadcast`."""
        arguments = [(name, (self.dimension,)) for name, _ in given]
        return broadcast([array for _, array in given], arguments, self._target.arrays)

    def _evaluate(
        self,
        key: Any,
        rule: Callable[..., Any],
        arrays: Sequence[Any],
        outputs: Sequence[tuple[int, ...]],
        tolerances: tuple[float, float] | None = None,
    ) -> np.ndarray:
        return self._run(key, rule, arrays, outputs, tolerances, status=False)[0]

    def _run(
        self,
        key: Any,
        rule: Callable[..., Any],
        arrays: Sequence[Any],
        outputs: Sequence[tuple[int, ...]],
        tolerances: tuple[float, float] | None = None,
        arguments: Sequence[tuple[str, tuple[int, ...]]] | None = None,
        status: bool = True,
    ) -> list[np.ndarray]:
        """The status, if it is wanted, and the values of a rule of traced primitives, compiled at its first use."""
        self._require_geometry()
        kernel = self._kernels.get(key)
        if kernel is None:
            if arguments is None:
                names = ["points", *(["vectors"] * (len(arrays) - 1))]
                arguments = [(name, (self.dimension,)) for name in names]
            sizes = [axes[0] for _, axes in arguments]
            program = derived_once(
                self._identity(key, sizes),
                lambda: pointwise_program(self._formulas, rule, sizes, tolerances=tolerances is not None),
            )
            kernel = Kernel(self._target, program, arguments, outputs, constants=2 if tolerances else 0, status=status)
            self._kernels[key] = kernel
        return kernel(*arrays, constants=tolerances or ())

    def _identity(self, key: Any, sizes: Sequence[int]) -> str | None:
        """All that the program of a rule depends on."""
        model = None if isinstance(self.model, ConditionalModel) else self.model.identity
        return None if model is None else f"{key} {sizes} {self.closed_forms}\0{model}"

    def _require_geometry(self) -> None:
        if isinstance(self.model, ConditionalModel):
            raise UnsupportedError(
                f"the geometry of {self.model.name} is a mean over inputs: "
                "ask the problem that likelihood(targets, inputs=...) makes"
            )


def _tolerances(rtol: float, atol: float | None) -> tuple[float, float]:
    """The relative and the absolute tolerance of an integration."""
    both = rtol, 0.01 * rtol if atol is None else atol
    if not (min(both) >= 0.0 and 0.0 < sum(both) < np.inf):
        raise ArgumentError(f"rtol and atol must be at least 0, and one of them positive, not {both}")
    return both
