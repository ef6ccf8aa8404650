"""The differential equations of some formulas: geodesics, what is carried along them, natural gradient flows."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp

from riemopt.formulas.factorization import ROUNDING
from riemopt.formulas.formulas import Formulas
from riemopt.formulas.primitives import PointPrimitives
from riemopt.formulas.programs import program_of
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Program

__all__ = ["geodesic", "jacobi", "natural_gradient_flow", "transport"]


def geodesic(formulas: Formulas, a: float = 0.0) -> Ode:
    """The geodesic equation θ̈ = -g⁻¹Γ^(a)(θ̇) of an a-connection, as a first-order system in (θ, θ̇)."""
    n = formulas.dimension

    def derivative(p: PointPrimitives, y: Any) -> Any:
        return np.concatenate([y[n:], p.acceleration(y[:n], y[n:], a)])

    return _ode(formulas, ("geodesic", a), 2 * n, derivative, along_geodesic=True)


def natural_gradient_flow(formulas: Formulas) -> Ode:
    """The natural gradient flow θ̇ = -g⁻¹∂L."""
    return _ode(formulas, ("natural gradient flow",), formulas.dimension, lambda p, y: -p.natural_gradient(y))


def transport(formulas: Formulas) -> Ode:
    """A geodesic and a vector carried along it, ẇ = -g⁻¹Γ(θ̇, w), as a system in (θ, θ̇, w)."""
    n = formulas.dimension

    def derivative(p: PointPrimitives, y: Any) -> Any:
        point, velocity, carried = y[:n], y[n : 2 * n], y[2 * n :]
        turned = p.raised_connection(point, velocity, carried)
        return np.concatenate([velocity, p.acceleration(point, velocity), -turned])

    return _ode(formulas, ("transport",), 3 * n, derivative, along_geodesic=True)


def jacobi(formulas: Formulas) -> Ode:
    """A geodesic and its derivatives along the n directions of its initial velocity.

    The system in (θ, θ̇) and n pairs (δθ, δθ̇), each of them the tangent of the geodesic equation: the Jacobi equation.
    """
    n = formulas.dimension

    def derivative(p: PointPrimitives, y: Any) -> Any:
        state = y[: 2 * n]
        velocity: Any = np.concatenate([state[n:], p.acceleration(state[:n], state[n:])])
        parts: list[Any] = [velocity]
        for k in range(n):
            variation = y[2 * n * (k + 1) : 2 * n * (k + 2)]
            parts.append(p.tangent(velocity, state, variation))
        return np.concatenate(parts)

    return _ode(formulas, ("jacobi",), 2 * n * (n + 1), derivative, along_geodesic=True)


def _ode(
    formulas: Formulas,
    name: tuple[Any, ...],
    dimension: int,
    derivative: Callable[[PointPrimitives, Any], Any],
    along_geodesic: bool = False,
) -> Ode:
    """The equation y' = f(y) of a right-hand side, derived once for some formulas."""
    if name not in formulas.odes:
        field = program_of(PointPrimitives, formulas, derivative, [dimension])
        formulas.odes[name] = Ode(field, dimension, _approach(formulas, dimension) if along_geodesic else None)
    return formulas.odes[name]


def _approach(formulas: Formulas, dimension: int) -> Program | None:
    """How fast a geodesic, whose state begins with (θ, θ̇), closes in on the edge: the largest -ṁ/m and ṁ/m.

    By mean, a geodesic of the Poisson model is a parabola that touches 0 and comes back. At a bound that is not 0,
    what rounding leaves of m is the edge.
    """
    graph, n = Graph(), formulas.dimension
    state = [graph.input(f"state {i}") for i in range(dimension)]
    environment = dict(zip(formulas.parameters, state[:n], strict=True))
    margins = [graph.lower(margin, environment) for margin in formulas.margins]
    slopes = graph.tangents(margins, dict(zip(state[:n], state[n : 2 * n], strict=True)))
    rates = []
    for margin, slope, expression in zip(margins, slopes, formulas.margins, strict=True):
        terms = [graph.call("absolute", graph.lower(term, environment)) for term in sp.Add.make_args(expression)]
        rates.append(graph.div(slope, _distance(graph, margin, terms)))
    if not rates:
        return None
    backward = reduce(lambda a, b: graph.call("maximum", a, b), rates)
    forward = reduce(lambda a, b: graph.call("maximum", a, b), [graph.neg(rate) for rate in rates])
    data = [graph.input(f"datum {i}") for i in range(formulas.data)]
    return Program((*state, *data), (forward, backward))


def _distance(graph: Graph, margin: Node, terms: list[Node]) -> Node:
    """A margin, which is the sum of terms of these sizes, less what rounding may have added to it."""
    if len(terms) < 2:
        return margin
    lost = graph.mul(graph.constant(ROUNDING), reduce(graph.add, terms))
    return graph.call("maximum", graph.sub(margin, lost), graph.constant(0.0))
