"""Expectations of products of scores as sums and integrals: exact where SymPy finds them, else by quadrature.

What SymPy finds is compared with quadrature at some points, because it is not always right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp

from riemopt.models.exact import exact_expectations, poles
from riemopt.models.expectation.expectation import Expectation
from riemopt.models.expectation.exponential_form import ExponentialForm
from riemopt.models.integrals.results import NotFound
from riemopt.models.plan import Plan

__all__ = ["ExactExpectation", "QuadratureExpectation", "by_score_products", "converges"]

_TIME_LIMIT = 3.0
"""Seconds that SymPy may look for integrals."""

_AGREE = 1e-7
"""How well an exact expectation must agree with quadrature, relative to the scale of its factors."""


def by_score_products(
    plan: Plan, support: tuple[sp.Set, ...], points: tuple[np.ndarray, ...], form: ExponentialForm | None
) -> Expectation:
    """Exact expectations where SymPy finds the metric in time and quadrature confirms it, else those of the quadrature.

    Parameters
    ----------
    plan : Plan
        The quadrature.
    support : tuple of sympy.Set
        Where each observation lies.
    points : tuple of array
        Points of the domain at which exact values are compared with numbers.
    form : ExponentialForm or None
        The log-density as an exponential family, if it is one.
    """
    products = plan.products(2)
    try:
        entries = exact_expectations(
            products, plan.log_density, plan.observation, support, plan.parameters, _TIME_LIMIT
        )
    except NotFound:
        return QuadratureExpectation(plan, support, form)
    # a closed form that is 0/0 somewhere loses digits all around
    if poles(entries) or not _agree(plan, 2, entries, points):
        return QuadratureExpectation(plan, support, form)
    finite = all(part.is_finite_set for part in support)
    sums = finite or all(stretch.lattice for part in plan.stretches for stretch in part)
    description = f"exact {'sums' if sums else 'integrals'} over {', '.join(map(str, plan.observation))}"
    return ExactExpectation(description, plan, support, entries, points, form)


@dataclass(frozen=True, eq=False)
class ExactExpectation(Expectation):
    """Expectations by sums and integrals that SymPy has found.

    Attributes
    ----------
    description : str
        What ``str()`` says.
    plan : Plan
        The quadrature that exact values are compared with.
    support : tuple of sympy.Set
        Where each observation lies.
    entries : tuple of sympy.Expr
        The lower triangle of the metric, row by row. The Amari–Chentsov tensor, which fewer people need, is looked for
        when it is asked for.
    points : tuple of array
        Where exact values are compared with numbers.
    form : ExponentialForm or None
        The log-density as an exponential family, if it is one.
    """

    description: str
    plan: Plan
    support: tuple[sp.Set, ...]
    entries: tuple[sp.Expr, ...]
    points: tuple[np.ndarray, ...]
    form: ExponentialForm | None

    def __str__(self) -> str:
        return self.description

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """See :class:`Expectation`."""
        return _symmetric_matrix(self.entries, len(self.plan.parameters))

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """See :class:`Expectation`; of unevaluated integrals where SymPy finds no closed form in time."""
        plan = self.plan
        products = plan.products(3)
        try:
            values = exact_expectations(
                products, plan.log_density, plan.observation, self.support, plan.parameters, _TIME_LIMIT
            )
            closed = _agree(plan, 3, values, self.points)
        except NotFound:
            closed = False
        if not closed:
            values = tuple(plan.unevaluated(e, self.support) for e in products)
        return _symmetric_array(values, plan)

    @property
    def skewness_is_closed(self) -> bool:
        """Whether `skewness` is free of integrals."""
        return not any(entry.has(sp.Integral, sp.Sum) for entry in sp.flatten(self.skewness))


@dataclass(frozen=True, eq=False)
class QuadratureExpectation(Expectation):
    """Expectations by quadrature: a plan for the kernels, and unevaluated integrals to be read."""

    plan: Plan
    support: tuple[sp.Set, ...]
    form: ExponentialForm | None

    def __str__(self) -> str:
        return str(self.plan)

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """See :class:`Expectation`."""
        values = [self.plan.unevaluated(e, self.support) for e in self.plan.products(2)]
        return _symmetric_matrix(values, len(self.plan.parameters))

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """See :class:`Expectation`."""
        values = [self.plan.unevaluated(e, self.support) for e in self.plan.products(3)]
        return _symmetric_array(values, self.plan)


def _symmetric_matrix(values: Sequence[sp.Expr], n: int) -> sp.ImmutableMatrix:
    """A symmetric matrix from its lower triangle, row by row."""
    return sp.ImmutableMatrix(sp.Matrix(n, n, lambda i, j: values[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)]))


def _symmetric_array(values: Sequence[sp.Expr], plan: Plan) -> sp.ImmutableDenseNDimArray:
    """A symmetric tensor of order 3 from its components in the order of :meth:`Plan.indices`."""
    places = {index: k for k, index in enumerate(plan.indices(3))}
    count = range(len(plan.parameters))

    def entry(*index: int) -> sp.Expr:
        return values[places[tuple(sorted(index, reverse=True))]]

    return sp.ImmutableDenseNDimArray([[[entry(m, n, k) for k in count] for n in count] for m in count])


def converges(moments: np.ndarray) -> bool:
    """Whether all moments that :meth:`Plan.moments` gives are finite, and the mass is 1."""
    return bool(np.isfinite(moments).all() and abs(moments[0] - 1.0) <= _AGREE)


def _agree(plan: Plan, order: int, values: Sequence[sp.Expr], points: Sequence[np.ndarray]) -> bool:
    """Whether expectations of score products are those of the quadrature, at the points where it converges."""
    compared = 0
    for point in points:
        mass, *squares = plan.moments(2, point)
        if not abs(mass - 1.0) <= _AGREE:
            continue
        scales = np.sqrt([x for x, (i, j) in zip(squares, plan.indices(2), strict=True) if i == j])
        at = dict(zip(plan.parameters, point, strict=True))
        _, *numbers = plan.moments(order, point)
        for value, number, index in zip(values, numbers, plan.indices(order), strict=True):
            if not abs(complex(value.evalf(subs=at)) - number) <= _AGREE * np.prod(scales[list(index)]):
                return False
        compared += 1
    return compared > 0
