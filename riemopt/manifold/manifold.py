"""Manifold: what a user holds, a model with its geometry for reading and as compiled functions."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError, ShapeError, UnsupportedError
from riemopt.formulas import tensors
from riemopt.formulas.formulas import Formulas
from riemopt.formulas.model_geometry import formulas_of
from riemopt.formulas.model_loss import loss_of
from riemopt.formulas.model_tensors import ModelTensors
from riemopt.geometry.printing import summary
from riemopt.geometry.symbolic import SymbolicGeometry
from riemopt.manifold.divergence import Bregman, ExpectedLogRatio, divergence_of
from riemopt.manifold.evaluation import Evaluator, both_tolerances, target_of
from riemopt.manifold.geodesics import Geodesics
from riemopt.manifold.likelihood import LikelihoodProblem
from riemopt.models.conditional import ConditionalModel
from riemopt.models.statistical import StatisticalModel
from riemopt.numerics.arrays import as_numbers, on_host
from riemopt.numerics.ode import RTOL

__all__ = ["Manifold"]


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
        self._evaluate = Evaluator(model, target_of(backend), lambda: self._formulas, str(closed_forms))
        self._tensors = ModelTensors(self.symbolic)
        self._geodesics = Geodesics(self._evaluate, model.domain, self._has_closed_geodesics, self.norm)

    def __repr__(self) -> str:
        return f"Manifold({self.model!r}, backend={self.backend!r})"

    def _repr_latex_(self) -> str | None:
        """The log-density and the metric, for a notebook; of a conditional model nothing."""
        if isinstance(self.model, ConditionalModel) or self.model.chart.is_implicit:
            return None
        return summary(self.symbolic, str(self.model), "Fisher metric")

    @cached_property
    def _formulas(self) -> Formulas:
        return formulas_of(self.model, self.closed_forms)

    def _has_closed_geodesics(self) -> bool:
        return self._formulas.isometry() is not None

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
        return self._evaluate("christoffel", self._tensors.christoffel, [points], [(self.dimension,) * 3])

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
        return self._evaluate("scalar_curvature", self._tensors.scalar_curvature, [points], [()])

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
        return self._evaluate("riemann", self._tensors.riemann, [points], [(self.dimension,) * 4])

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
        return self._evaluate("ricci", self._tensors.ricci, [points], [(self.dimension,) * 2])

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
        return self._evaluate("sectional_curvature", self._tensors.sectional_curvature, [points, u, v], [()])

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
        return self._evaluate("amari_chentsov", self._tensors.amari_chentsov, [points], [(self.dimension,) * 3])

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
        return self._geodesics.exp(points, vectors, rtol, atol, float(a))

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
        batch, (x, v) = self._evaluate.broadcast(("points", points), ("vectors", vectors))
        curves, info = self._geodesics.curves(x, v, when, rtol, atol)
        curves = curves.reshape(*batch, len(when), self.dimension)
        return (curves, info.reshaped(batch)) if full_output else curves

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
        return self._geodesics.transport(points, along, vectors, rtol, atol)

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
        batch, (x, y) = self._evaluate.broadcast(("points", points), ("targets", targets))
        v, info = self._geodesics.log(x, y, rtol, atol)
        v = v.reshape(*batch, self.dimension)
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
        self._evaluate.require_geometry()
        if self.model.chart.is_implicit:
            points, targets = (self.model.chart.to_original(on_host(x)) for x in (points, targets))
            return self._own.kl_divergence(points, targets)
        batch, (x, y) = self._evaluate.broadcast(("points", points), ("targets", targets))
        return self._divergence(self._evaluate, x, y).reshape(batch)

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
        self._evaluate.require_geometry()
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
        rtol, atol = both_tolerances(rtol, atol)
        given = loss_of(self.model, on_host(samples), on_host(inputs))
        formulas = dataclasses.replace(self._formulas, loss=given.loss, data=len(given.data), rtol=rtol, atol=atol)
        return LikelihoodProblem(
            formulas,
            self._evaluate.target,
            given.data,
            self.model.domain.require,
            given.count,
            given.table,
            given.variance_factor,
        )
