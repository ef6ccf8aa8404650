"""The Kullback-Leibler divergence between two members of a model, without the cancellation between close ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from riemopt.formulas.log_ratio import expected_log_ratio
from riemopt.kernels.graph.tracing import TracedArray
from riemopt.models.dual import mean_parameters, natural_form
from riemopt.models.expectation import ObservationFreeHessian
from riemopt.models.expectation.score_identity import ExponentialFamilyExpectation
from riemopt.models.plan import Plan
from riemopt.models.statistical import StatisticalModel

__all__ = ["Bregman", "ExpectedLogRatio", "divergence_of"]

Evaluate = Callable[..., np.ndarray]
"""Takes a name, a rule of traced primitives, arrays of vectors and the axes of the values; returns the values."""

_ENOUGH = 1e-13
"""The relative error that needs no second look."""

_ROUNDING = 4.0 * float(np.finfo(np.float64).eps)

_FEW, _MANY = (np.polynomial.legendre.leggauss(count) for count in (8, 12))

_CLOSE = 1e-2
"""The divergence below which log-ratios are small compared with their fluctuations."""


def divergence_of(model: StatisticalModel) -> Bregman | ExpectedLogRatio:
    """How the divergence of a model is taken."""
    expectation = model.expectation
    if isinstance(expectation, (ExponentialFamilyExpectation, ObservationFreeHessian)):
        return Bregman(model)
    plan = expectation.plan  # type: ignore[attr-defined]
    return ExpectedLogRatio(plan)


class Bregman:
    """The divergence of an exponential family, D = A(z') - A(z) - (z' - z)·η, as a function of θ and δ = θ' - θ.

    Fractions are brought to one denominator, which cancels what moves with both points. Between close points what is
    left cancels in numbers. Then the curvature along the segment is integrated, D = ∫₀¹ (1 - t) d²D/dt² dt, by Gauss
    and Legendre with 8 and with 12 nodes. Of the two ways that with the smaller error is taken.
    """

    def __init__(self, model: StatisticalModel) -> None:
        form, mean = natural_form(model), mean_parameters(model)
        step = [sp.Dummy(f"delta_{p.name}", real=True) for p in model.parameters]
        there = {p: p + d for p, d in zip(model.parameters, step, strict=True)}
        moves = [(z.xreplace(there) - z) * eta for z, eta in zip(form.natural, mean, strict=True)]
        terms = sp.Add.make_args(
            sp.expand_mul(form.log_partition.xreplace(there) - form.log_partition - sp.Add(*moves))
        )
        fractions = [term for term in terms if term.is_rational_function()]
        fraction = sp.factor(sp.Add(*fractions))
        others = [term for term in terms if term not in fractions]
        self._symbols = (*model.parameters, *step)
        self._divergence = sp.Add(fraction, *others)
        # a function near its zero, log Γ(θ') at θ' = 1, is small and still takes on the rounding of θ'
        moved = [there[p] * other.diff(d) for other in others for p, d in zip(model.parameters, step, strict=True)]
        self._scale = sp.Add(*map(sp.Abs, [*_apart(fraction), *others, *moved]))

    def __call__(self, evaluate: Evaluate, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The divergences of targets y from points x, shape (m,)."""
        result, scale = evaluate("divergence", self._difference, [x, y], [(2,)]).T
        error = _ROUNDING * scale
        close = np.flatnonzero(~(error <= _ENOUGH * np.abs(result)) & np.isfinite(result))
        if close.size:
            few, many = (self._integrated(evaluate, x[close], y[close], rule) for rule in (_FEW, _MANY))
            better = np.abs(many - few) < error[close]
            result[close[better]] = many[better]
        return np.maximum(result, 0.0)

    def _integrated(
        self, evaluate: Evaluate, x: np.ndarray, y: np.ndarray, rule: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        nodes, weights = (np.asarray(numbers, like=x) for numbers in rule)
        times = (nodes + 1.0) / 2.0
        step = (y - x)[:, None, :]
        steps = times[:, None] * step
        flat = [np.broadcast_to(a, steps.shape).reshape(-1, x.shape[1]) for a in (x[:, None, :], steps, step)]
        curvature = evaluate("divergence between close points", self._curvature, flat, [(1,)]).reshape(len(x), -1)
        return curvature @ (0.5 * weights * (1.0 - times))  # type: ignore[no-any-return]

    def _difference(self, p: Any, x: Any, y: Any) -> Any:
        p.require_domain(x)
        p.require_domain(y)
        environment = dict(zip(self._symbols, (*x.nodes, *(y - x).nodes), strict=True))
        return TracedArray.of(p.graph, [p.graph.lower(e, environment) for e in (self._divergence, self._scale)])

    def _curvature(self, p: Any, x: Any, step: Any, v: Any) -> Any:
        """The second derivative of D along v."""
        p.require_domain(x + step)
        g = p.graph
        probes = [g.input(f"probe {i}") for i in range(len(step.nodes))]
        environment = dict(zip(self._symbols, (*x.nodes, *probes), strict=True))
        seeds = dict(zip(probes, v.nodes, strict=True))
        second = g.tangents(g.tangents([g.lower(self._divergence, environment)], seeds), seeds)
        return TracedArray.of(g, g.substitute(second, dict(zip(probes, step.nodes, strict=True))))


def _apart(fraction: sp.Expr) -> list[sp.Expr]:
    """The terms of a fraction's numerator, each over its denominator."""
    above, below = fraction.as_numer_denom()
    return [term / below for term in sp.Add.make_args(sp.expand(above))]


class ExpectedLogRatio:
    """The divergence as an expectation, D = E[u] with u = ℓ(θ) - ℓ(θ'), by quadrature.

    Between close points E[u] is a small rest of large values. Since E[exp(-u)] = 1, D = E[exp(-u) - 1 + u], too, whose
    integrand is nowhere negative. There u is the integral of a derivative, unless the density has a kink.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __call__(self, evaluate: Evaluate, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The divergences of targets y from points x, shape (m,)."""
        result = evaluate("divergence", self._rule(small=False), [x, y], [(1,)])[:, 0]
        # of points very close, E[u] is no number: nothing but rounding
        close = np.flatnonzero(~(result >= _CLOSE))
        if close.size:
            name = "divergence between close points"
            found = evaluate(name, self._rule(small=True), [x[close], y[close]], [(1,)])[:, 0]
            result[close] = np.where(found < 2.0 * _CLOSE, found, result[close])
        return np.maximum(result, 0.0)

    def _rule(self, small: bool) -> Callable[..., Any]:
        def rule(p: Any, x: Any, y: Any) -> Any:
            point = p.traced_point(x)
            p.require_domain(y)
            return TracedArray.of(p.graph, expected_log_ratio(self._plan, point, list(y.nodes), small))

        return rule
