"""The expectation of a log-ratio, which is the Kullback–Leibler divergence, as an integral over the support."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from riemopt.formulas.expectation import Integrand, expectation
from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.models.plan import Plan

__all__ = ["expected_log_ratio"]


def expected_log_ratio(plan: Plan, point: TracedPoint, target: Sequence[Node], small: bool) -> list[Node]:
    """The divergence E[u], u = ℓ(θ) - ℓ(θ'), of a target θ' from a point θ; `small`, as E[exp(-u) - 1 + u]."""

    def terms(integrand: Integrand) -> list[Node]:
        ratio = _log_ratio(integrand, small and not plan.moves)
        return [_excess(integrand.graph, ratio) if small else ratio]

    return expectation(plan, point, target, terms)


def _log_ratio(integrand: Integrand, smooth: bool) -> Node:
    """ℓ(θ) - ℓ(θ'), θ' being the integrand's v; of a smooth density by Gauss and Legendre from its derivative."""
    g = integrand.graph

    def moved(node: Node, to: Sequence[Node]) -> Node:
        return g.substitute([node], dict(zip(integrand.theta, to, strict=True)))[0]

    if not smooth:
        return g.sub(integrand.density, moved(integrand.density, integrand.v))
    step = [g.sub(there, here) for here, there in zip(integrand.theta, integrand.v, strict=True)]
    probes = [g.input(f"step {i}") for i in range(len(step))]
    slope = integrand.along(integrand.density, probes)
    total = g.constant(0.0)
    for node, weight in zip(*np.polynomial.legendre.leggauss(6), strict=True):
        time = g.constant(float(node + 1.0) / 2.0)
        between = [g.add(x, g.mul(time, d)) for x, d in zip(integrand.theta, step, strict=True)]
        total = g.sub(total, g.mul(g.constant(float(weight) / 2.0), moved(slope, between)))
    return g.substitute([total], dict(zip(probes, step, strict=True)))[0]


def _excess(g: Graph, u: Node) -> Node:
    """exp(-u) - 1 + u, near 0 by its series."""
    series = g.constant(0.0)
    for k in range(8, 1, -1):
        series = g.sub(g.constant(1.0 / math.factorial(k)), g.mul(u, series))
    near = g.operate("lt", g.call("absolute", u), g.constant(0.05))
    return g.call("select", near, g.mul(g.mul(u, u), series), g.add(g.call("expm1", g.neg(u)), u))
