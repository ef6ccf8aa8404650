"""Expectations by the score identity E[∂_μℓ] = 0, which holds for every regular model. Two kinds need nothing else.

- The second derivatives of ℓ = log p are free of the observation, so that they are their own expectations.
- Exponential families in any parametrization, ℓ = z(θ)·T(x) - A(θ) + log h(x): the identity is the linear system
  (∂_μ z_i) E[T_i] = ∂_μ A, and with E[T] known the tensors follow by differentiation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from sympy.polys.matrices import DomainMatrix

from riemopt.models.expectation.expectation import Expectation
from riemopt.models.expectation.exponential_form import ExponentialForm
from riemopt.models.expectation.fractions import in_fractions
from riemopt.models.support import member

__all__ = [
    "ExponentialFamilyExpectation",
    "ObservationFreeHessian",
    "has_full_rank",
    "mean_of_indicators",
    "observation_free_hessian",
]


@dataclass(frozen=True)
class ObservationFreeHessian(Expectation):
    """Expectations where ∂_μ∂_νℓ does not contain the observation.

    Then E[∂_νℓ ∂_α∂_βℓ] = 0, and differentiating the metric gives T_μνκ = ∂_κ g_μν. The model is an exponential family
    with natural parameters θ, whose form is read off at one point and one observation.
    """

    hessian: sp.ImmutableMatrix
    form: ExponentialForm
    parameters: tuple[sp.Symbol, ...]

    def __str__(self) -> str:
        return "score identity: the second derivatives of the log-density do not contain the observation"

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """See :class:`Expectation`."""
        return sp.ImmutableMatrix(-self.hessian)

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """See :class:`Expectation`."""
        return sp.ImmutableDenseNDimArray([[[g.diff(p) for p in self.parameters] for g in row] for row in self._rows])

    @property
    def _rows(self) -> list[list[sp.Expr]]:
        """The metric as lists of its rows."""
        return self.metric.tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ExponentialFamilyExpectation(Expectation):
    """Expectations in an exponential family whose natural parameters are coordinates too."""

    form: ExponentialForm
    parameters: tuple[sp.Symbol, ...]
    known_mean: tuple[sp.Expr, ...] | None = None
    """E[T_i], where :func:`mean_of_indicators` gives it."""

    def __str__(self) -> str:
        return f"score identity: an exponential family with statistics {', '.join(map(str, self.form.statistics))}"

    @cached_property
    def jacobian(self) -> sp.ImmutableMatrix:
        """∂_μ z_i, shape (i, μ)."""
        return sp.ImmutableMatrix(self.form.natural).jacobian(self.parameters)

    @cached_property
    def mean(self) -> tuple[sp.Expr, ...]:
        """E[T_i], by the score identity unless it is known."""
        if self.known_mean is not None:
            return self.known_mean
        slope = sp.Matrix([self.form.log_partition.diff(p) for p in self.parameters])
        return tuple(in_fractions(_solution, self.jacobian.T, slope))

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """g_μν = (∂_μ z_i)(∂_ν E[T_i]); see :class:`Expectation`."""
        slopes = sp.Matrix(self.mean).jacobian(self.parameters)
        if slopes.free_symbols:
            product = in_fractions(lambda a, b: a * b.transpose(), self.jacobian.T, slopes.T)
        else:  # numbers: nothing can cancel
            product = self.jacobian.T * slopes
        n = len(self.parameters)
        # symmetric in exact arithmetic: one triangle says it all
        return sp.ImmutableMatrix(n, n, lambda i, j: product[max(i, j), min(i, j)])

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """T_μνκ = (∂_μ z_i)(∂_ν z_j) ∂_κ Cov[T_i, T_j]; see :class:`Expectation`."""
        # (∂_μ z_i)(∂_ν z_j) ∂_κ H_ij = ∂_κ g_μν - (∂_κ∂_μ z_i) ∂_ν E[T_i] - (∂_κ∂_ν z_j) ∂_μ E[T_j], since g = Jᵀ H J
        slopes = sp.Matrix(self.mean).jacobian(self.parameters)

        def entry(m: int, n: int, k: int) -> sp.Expr:
            p = self.parameters[k]
            curving = [
                self.jacobian[i, m].diff(p) * slopes[i, n] + self.jacobian[i, n].diff(p) * slopes[i, m]
                for i in range(len(self.mean))
            ]
            return self.metric[m, n].diff(p) - sp.Add(*curving)

        count = range(len(self.parameters))
        return sp.ImmutableDenseNDimArray([[[entry(m, n, k) for k in count] for n in count] for m in count])


def _solution(matrix: DomainMatrix, vector: DomainMatrix) -> DomainMatrix:
    """The solution of a linear system, of equations without denominators: those of products grow very large."""
    _, equations = matrix.hstack(vector).clear_denoms_rowwise()
    return equations[:, :-1].lu_solve(equations[:, -1:])


_MOST_OUTCOMES = 1000


def mean_of_indicators(
    form: ExponentialForm, log_density: sp.Expr, observation: Sequence[sp.Symbol], support: Sequence[sp.Set]
) -> tuple[sp.Expr, ...] | None:
    """E[T_i] = T_i(x_i) p(x_i) where each statistic vanishes at all outcomes but one of finitely many; else None.

    The score identity gives the same by a linear system, which takes long where there are many parameters.
    """
    if len(observation) != 1 or not support[0].is_finite_set or len(support[0]) > _MOST_OUTCOMES:
        return None
    (x,) = observation
    means = []
    for statistic in form.statistics:
        if not statistic.has(sp.Piecewise, sp.KroneckerDelta):
            return None
        found = [(value, outcome) for outcome in support[0] if (value := statistic.subs(x, outcome)) != 0]
        if len(found) != 1:
            return None
        ((value, outcome),) = found
        means.append(value * sp.exp(log_density.subs(x, outcome)))
    return tuple(means)


def has_full_rank(jacobian: sp.Matrix, parameters: Sequence[sp.Symbol], points: Sequence[np.ndarray]) -> bool:
    """Whether a square matrix of functions of θ has full rank at one of some points, in sixty digits."""
    for point in points:
        exact = {p: sp.Rational(x) for p, x in zip(parameters, point, strict=True)}
        # enough digits to tell what is zero from what is small
        matrix = jacobian.subs(exact).evalf(60)
        if abs(matrix.det()) > 1e-40 * sp.Mul(*(matrix.row(i).norm() for i in range(matrix.rows))):
            return True
    return False


def observation_free_hessian(
    hessian: sp.Matrix,
    observation: Sequence[sp.Symbol],
    support: Sequence[sp.Set],
) -> sp.Matrix | None:
    """Second derivatives of a log-density in a form without the observation, or None if they depend on it."""
    parameters = tuple(hessian.free_symbols - set(observation))
    # numbers first: simplifying what does contain it may take very long
    at = {p: sp.Rational(k + 3, 2 * k + 5) for k, p in enumerate(sorted(parameters, key=str))}
    here, there = ({x: member(s) + shift for x, s in zip(observation, support, strict=True)} for shift in (0, 1))
    change = (hessian.subs(at).subs(there) - hessian.subs(at).subs(here)).applyfunc(lambda e: e.evalf(20))
    if any(e.is_number and not abs(e) < 1e-9 for e in change):
        return None
    simple = hessian.applyfunc(sp.simplify)
    return None if simple.free_symbols & set(observation) else simple
