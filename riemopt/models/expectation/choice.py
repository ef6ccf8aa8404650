"""Which way of taking expectations a log-density admits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sympy as sp

from riemopt.errors import ExpectationError
from riemopt.models.expectation.expectation import Expectation
from riemopt.models.expectation.exponential_form import ExponentialForm, Values, affine_form
from riemopt.models.expectation.score_identity import (
    ExponentialFamilyExpectation,
    ObservationFreeHessian,
    has_full_rank,
    mean_of_indicators,
    observation_free_hessian,
)
from riemopt.models.expectation.score_products import by_score_products, converges
from riemopt.models.plan import Plan

__all__ = ["expectation_of"]


def expectation_of(
    log_density: sp.Expr,
    observation: Sequence[sp.Symbol],
    support: Sequence[sp.Set],
    constraints: Sequence[sp.Basic],
    parameters: tuple[sp.Symbol, ...],
    form: ExponentialForm | None,
    reference: Callable[[], tuple[Values, Values]],
    points: Callable[[], Sequence[np.ndarray]],
    quadrature: Callable[[], Plan],
) -> Expectation:
    """The first way of taking expectations that a log-density admits.

    Parameters
    ----------
    log_density : sympy.Expr
        ℓ(x; θ).
    observation, parameters : sequence of sympy.Symbol
        x and θ.
    support : sequence of sympy.Set
        Where each x lies.
    constraints : sequence of relation
        What they fulfil besides.
    form : ExponentialForm or None
        What :func:`exponential_form` found.
    reference : callable
        Gives some observation of the support and some point of the domain, as values of their symbols.
    points : callable
        Gives some points of the domain at which exact integrals are compared with numbers.
    quadrature : callable
        Gives the plan of a quadrature, or raises :class:`~riemopt.errors.ExpectationError`.

    Raises
    ------
    ExpectationError
        If there is none, naming what was tried.
    """
    tried = []
    if form is None:
        tried.append("exponential family (the terms of the log-density do not separate)")
    elif len(form.statistics) != len(parameters):
        tried.append(
            f"exponential family ({len(form.statistics)} statistics for {len(parameters)} parameters: "
            "the system is not square)"
        )
    else:
        known_mean = mean_of_indicators(form, log_density, observation, support)
        family = ExponentialFamilyExpectation(form, parameters, known_mean)
        if has_full_rank(family.jacobian, parameters, points()):
            return family
        tried.append("exponential family (its natural parameters depend on one another)")
    hessian = observation_free_hessian(sp.hessian(log_density, parameters), observation, support)
    if hessian is not None:
        form = affine_form(log_density, parameters, *reference())
        return ObservationFreeHessian(sp.ImmutableMatrix(hessian), form, parameters)
    tried.append("second derivatives of the log-density (they contain the observation)")
    if constraints:
        raise _none_found([*tried, "quadrature (the support is not a product)"])
    try:
        plan = quadrature()
    except ExpectationError as error:
        raise _none_found([*tried, str(error)]) from None
    some = tuple(points())
    if len(observation) == 1 and not any(converges(plan.moments(2, point)) for point in some):
        reason = "quadrature (the density's integral is not 1, or those of score products do not converge)"
        raise _none_found([*tried, reason])
    return by_score_products(plan, tuple(support), some, form)


def _none_found(tried: Sequence[str]) -> ExpectationError:
    return ExpectationError(f"no way was found to take expectations; tried {'; '.join(tried)}")
