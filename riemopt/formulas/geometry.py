"""Where the numbers of a geometry and of a loss come from: closed forms, integrals over a support, sums over data.

Each class writes the same quantities into a graph: the metric g_μν, the lowered connection product Γ^(a)_ν(v), the
loss and its differential. What is under an integral or a sum is differentiated in the graph.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import sympy as sp

from riemopt.formulas import cancellation
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.parts import Integral, Peak, TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.models.chart import Chart
from riemopt.models.conditional import ConditionalModel
from riemopt.models.plan import Plan, Stretch
from riemopt.status import Status

__all__ = [
    "ClosedForm",
    "ClosedLoss",
    "DataAverage",
    "Deferred",
    "Geometry",
    "Loss",
    "Moved",
    "MovedLoss",
    "OutputLoss",
    "Quadrature",
    "SampleLoss",
]

_MASS = 1e-9
"""How far the total probability may be from 1."""


class Geometry(ABC):
    """A metric and its connections, in a graph."""

    @abstractmethod
    def metric(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """The entries g_μν, row by row, at a point; `p` are the traced primitives that ask."""

    @abstractmethod
    def connection(self, p: Any, theta: Sequence[Node], v: Sequence[Node], a: float) -> list[Node]:
        """The lowered product Γ^(a)_ν(v)."""

    @abstractmethod
    def mixed(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """The lowered product Γ_ναβ u^α v^β of two vectors."""

    def factors(self, p: Any, theta: Sequence[Node]) -> dict[tuple[int, int], Node]:
        """Entries of L, and of D on the diagonal, of g = L D Lᵀ, that elimination would spoil; no others."""
        return {}

    def raised(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node] | None:
        """Γ^μ_αβ u^α v^β where raising the index of the lowered product would spoil it; else None."""
        return None


class Deferred(Geometry):
    """A geometry that is derived when it is first asked for; geodesics in closed form never ask.

    Parameters
    ----------
    derive : callable
        Gives the geometry.
    """

    def __init__(self, derive: Callable[[], Geometry]) -> None:
        self._derive = derive

    @cached_property
    def _geometry(self) -> Geometry:
        return self._derive()

    def metric(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return self._geometry.metric(p, theta)

    def connection(self, p: Any, theta: Sequence[Node], v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`."""
        return self._geometry.connection(p, theta, v, a)

    def mixed(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return self._geometry.mixed(p, theta, u, v)

    def factors(self, p: Any, theta: Sequence[Node]) -> dict[tuple[int, int], Node]:
        """See :class:`Geometry`."""
        return self._geometry.factors(p, theta)

    def raised(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node] | None:
        """See :class:`Geometry`."""
        return self._geometry.raised(p, theta, u, v)


class Loss(ABC):
    """A loss and its differential, in a graph."""

    @abstractmethod
    def value(self, p: Any, theta: Sequence[Node]) -> Node:
        """L at a point."""

    @abstractmethod
    def gradient(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """∂_μ L at a point."""


def _symmetric(n: int, entry: Callable[[int, int], Node]) -> list[Node]:
    """One triangle of entries, row by row."""
    return [entry(i, j) for i in range(n) for j in range(i + 1)]


def _square(n: int, triangle: Sequence[Node]) -> list[Node]:
    """A symmetric matrix from its lower triangle."""
    return [triangle[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)] for i in range(n) for j in range(n)]


# -- closed forms


@dataclass(frozen=True, eq=False)
class ClosedForm(Geometry):
    """A geometry in SymPy expressions; those in which polygammas cancel are rewritten before they become numbers.

    Attributes
    ----------
    parameters, velocity : tuple of sympy.Symbol
        The coordinates of a point, and those of a vector in the other expressions.
    tensor : sympy.Matrix
        g_μν.
    product : tuple of sympy.Expr, optional
        Γ_ν(v); without it the metric is differentiated in the graph.
    skewness : callable
        Gives the contraction T_νακ v^α v^κ of the Amari–Chentsov tensor, as expressions, or as a geometry that has
        it; called only where it is needed.
    """

    parameters: tuple[sp.Symbol, ...]
    velocity: tuple[sp.Symbol, ...]
    tensor: sp.Matrix
    product: tuple[sp.Expr, ...] | None
    skewness: Callable[[], tuple[sp.Expr, ...] | Quadrature]

    def metric(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        environment = dict(zip(self.parameters, theta, strict=True))
        return [p.graph.lower(e, environment) for e in self._metric]

    def factors(self, p: Any, theta: Sequence[Node]) -> dict[tuple[int, int], Node]:
        """See :class:`Geometry`."""
        environment = dict(zip(self.parameters, theta, strict=True))
        return {place: p.graph.lower(e, environment) for place, e in self._factors.items()}

    def connection(self, p: Any, theta: Sequence[Node], v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`."""
        g = p.graph
        environment = dict(zip((*self.parameters, *self.velocity), (*theta, *v), strict=True))
        if self.product is None:
            product = self._differentiated(p, theta, v)
        else:
            product = [g.lower(e, environment) for e in self._product]
        if a:
            skewness = self._skewness
            if isinstance(skewness, Quadrature):
                twist = skewness.skewness(p, theta, v)
            else:
                twist = [g.lower(e, environment) for e in skewness]
            product = [g.sub(x, g.mul(g.constant(a / 2.0), t)) for x, t in zip(product, twist, strict=True)]
        return product

    def _differentiated(self, p: Any, theta: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """Γ_ν(v): the derivative of g_νβ v^β along v less half the differential of g_αβ v^α v^β."""
        g: Graph = p.graph
        probe = [g.input(f"coordinate {i}") for i in range(len(theta))]
        momenta = _lowered(g, self.metric(p, probe), v)
        along = g.tangents(momenta, dict(zip(probe, v, strict=True)))
        down = g.gradients({g.dot(momenta, v): g.constant(0.5)}, probe)
        product = [g.sub(x, y) for x, y in zip(along, down, strict=True)]
        return g.substitute(product, dict(zip(probe, theta, strict=True)))

    def mixed(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`: half the derivative of Γ_ν(u) along v."""
        g = p.graph
        probe = [g.input(f"probe {i}") for i in range(len(u))]
        bilinear = g.tangents(self.connection(p, theta, probe, 0.0), dict(zip(probe, v, strict=True)))
        # linear in the probe: its tangent along u is its value there
        return [g.mul(g.constant(0.5), x) for x in g.tangents(bilinear, dict(zip(probe, u, strict=True)))]

    def raised(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node] | None:
        """See :class:`Geometry`."""
        environment = dict(zip(self.parameters, theta, strict=True))

        def lower(e: sp.Expr) -> Node:
            return p.graph.lower(e, environment)

        return [_bent(p.graph, lower, bend, u, v) for bend in self._bends] or None

    @cached_property
    def _bends(self) -> tuple[cancellation.Bend, ...]:
        return cancellation.bends(self.tensor, self.parameters)

    @cached_property
    def _metric(self) -> sp.Matrix:
        return self.tensor.applyfunc(cache(cancellation.without_cancellation))

    @cached_property
    def _factors(self) -> dict[tuple[int, int], sp.Expr]:
        return cancellation.factors(self.tensor)

    @cached_property
    def _product(self) -> tuple[sp.Expr, ...]:
        return self._coefficientwise(self.product or ())

    @cached_property
    def _skewness(self) -> tuple[sp.Expr, ...] | Quadrature:
        skewness = self.skewness()
        return skewness if isinstance(skewness, Quadrature) else self._coefficientwise(skewness)

    def _coefficientwise(self, forms: Iterable[sp.Expr]) -> tuple[sp.Expr, ...]:
        return tuple(cancellation.without_cancellation_along(e, self.velocity) for e in forms)


def _bent(
    g: Graph, lower: Callable[[sp.Expr], Node], bend: cancellation.Bend, u: Sequence[Node], v: Sequence[Node]
) -> Node:
    """(A u₀v₀ + B (u₀v₁ + u₁v₀) + C u₁v₁) / D, the square completed where the terms might cancel."""
    a, b, c, determinant, below = map(lower, (bend.first, bend.mixed, bend.second, bend.determinant, bend.below))

    def completed(square: Node, first: int) -> Node:
        """(C u₁ + B u₀)(C v₁ + B v₀) + (AC - B²) u₀v₀ over CD, or the same with C and A exchanged."""
        x, y = (g.add(g.mul(square, w[1 - first]), g.mul(b, w[first])) for w in (u, v))
        above = g.add(g.mul(x, y), g.mul(determinant, g.mul(u[first], v[first])))
        return g.div(above, g.mul(square, below))

    if bend.second.is_nonzero:
        return completed(c, 0)
    if bend.first.is_nonzero:
        return completed(a, 1)
    terms = g.mul(a, g.mul(u[0], v[0])), g.mul(c, g.mul(u[1], v[1]))
    crossed = g.mul(b, g.mul(u[0], v[1])), g.mul(b, g.mul(u[1], v[0]))
    sizes = [g.call("absolute", term) for term in (*terms, *crossed)]
    half = g.mul(g.constant(0.5), g.add(sizes[2], sizes[3]))
    plain = g.div(g.add(g.add(*terms), g.add(*crossed)), below)
    about_first = g.call("select", g.operate("gt", sizes[0], half), completed(a, 1), plain)
    is_second = g.operate("and", g.operate("ge", sizes[1], sizes[0]), g.operate("gt", sizes[1], half))
    return g.call("select", is_second, completed(c, 0), about_first)


@dataclass(frozen=True, eq=False)
class ClosedLoss(Loss):
    """A loss in SymPy expressions of the point and of data.

    Attributes
    ----------
    symbols : tuple of sympy.Symbol
        The parameters, then the data.
    expression : sympy.Expr
        L.
    differential : tuple of sympy.Expr
        ∂_μ L.
    """

    symbols: tuple[sp.Symbol, ...]
    expression: sp.Expr
    differential: tuple[sp.Expr, ...]

    def value(self, p: Any, theta: Sequence[Node]) -> Node:
        """See :class:`Loss`."""
        return self._lower(p, theta, [self.expression])[0]

    def gradient(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Loss`."""
        return self._lower(p, theta, self.differential)

    def _lower(self, p: Any, theta: Sequence[Node], expressions: Iterable[sp.Expr]) -> list[Node]:
        environment = dict(zip(self.symbols, (*theta, *p.data), strict=True))
        return [p.graph.lower(e, environment) for e in expressions]


# -- charts without a closed form


class _Transition:
    """A chart θ = φ(ξ) at a point: θ, the columns of J = ∂θ/∂ξ, and what they give for vectors."""

    def __init__(self, graph: Graph, chart: Chart, xi: Sequence[Node]) -> None:
        self.graph = graph
        self._probes = [graph.input(f"coordinate {i}") for i in range(len(xi))]
        self._point = dict(zip(self._probes, xi, strict=True))
        environment = dict(zip(chart.parameters, self._probes, strict=True))
        image = [graph.lower(e, environment) for e in chart.expressions]
        self._columns = [graph.tangents(image, {probe: graph.constant(1.0)}) for probe in self._probes]
        self.theta = graph.substitute(image, self._point)
        self.columns = [graph.substitute(column, self._point) for column in self._columns]

    def push(self, v: Sequence[Node]) -> list[Node]:
        """J v."""
        return self._combined(self.columns, v)

    def pull(self, covector: Sequence[Node]) -> list[Node]:
        """Jᵀ c."""
        return [self.graph.dot(column, covector) for column in self.columns]

    def bend(self, u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """D²φ[u, v]."""
        seeds = dict(zip(self._probes, v, strict=True))
        return self.graph.substitute(self.graph.tangents(self._combined(self._columns, u), seeds), self._point)

    def _combined(self, columns: Sequence[Sequence[Node]], coefficients: Sequence[Node]) -> list[Node]:
        return [self.graph.dot(row, coefficients) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, eq=False)
class Moved(Geometry):
    """A geometry in another chart θ = φ(ξ), which is differentiated in the graph.

    Attributes
    ----------
    chart : Chart
        φ.
    original : Geometry
        The geometry in θ.
    """

    chart: Chart
    original: Geometry

    def metric(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`: Jᵀ g J."""
        phi = _Transition(p.graph, self.chart, theta)
        metric = self.original.metric(p, phi.theta)
        rows = [phi.pull(_lowered(p.graph, metric, column)) for column in phi.columns]
        return _square(len(theta), _symmetric(len(theta), lambda i, j: rows[i][j]))

    def connection(self, p: Any, theta: Sequence[Node], v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`: Jᵀ(Γ^(a)(Jv) + g D²φ[v, v])."""
        phi = _Transition(p.graph, self.chart, theta)
        product = self.original.connection(p, phi.theta, phi.push(v), a)
        return phi.pull(self._bent(p, phi, product, phi.bend(v, v)))

    def mixed(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        phi = _Transition(p.graph, self.chart, theta)
        product = self.original.mixed(p, phi.theta, phi.push(u), phi.push(v))
        return phi.pull(self._bent(p, phi, product, phi.bend(u, v)))

    def _bent(self, p: Any, phi: _Transition, product: Sequence[Node], bend: Sequence[Node]) -> list[Node]:
        lowered = _lowered(p.graph, self.original.metric(p, phi.theta), bend)
        return [p.graph.add(c, b) for c, b in zip(product, lowered, strict=True)]


@dataclass(frozen=True, eq=False)
class MovedLoss(Loss):
    """A loss in another chart."""

    chart: Chart
    original: Loss

    def value(self, p: Any, theta: Sequence[Node]) -> Node:
        """See :class:`Loss`."""
        return self.original.value(p, _Transition(p.graph, self.chart, theta).theta)

    def gradient(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Loss`: Jᵀ ∂L."""
        phi = _Transition(p.graph, self.chart, theta)
        return phi.pull(self.original.gradient(p, phi.theta))


def _lowered(g: Graph, metric: Sequence[Node], vector: Sequence[Node]) -> list[Node]:
    """g v."""
    n = len(vector)
    return [g.dot(metric[n * i : n * (i + 1)], vector) for i in range(n)]


# -- integrals over the support


class _Scope:
    """A density inside an integral: its nodes, and what they are differentiated with respect to."""

    def __init__(self, graph: Graph, plan: Plan, stretches: Sequence[Stretch], inputs: Sequence[Node]) -> None:
        """`inputs` are the variables of the stretches, θ, θ again for the ends of stretches, and up to two vectors."""
        n, d = len(plan.parameters), len(stretches)
        self.graph = graph
        self.theta, self.frozen = inputs[d : d + n], inputs[d + n : d + 2 * n]
        self.u, self.v = inputs[d + 2 * n : d + 3 * n], inputs[-n:]
        symbols = (*(s.variable for s in stretches), *plan.parameters, *plan.frozen)
        environment = dict(zip(symbols, inputs, strict=False))
        density, slope = plan.on(stretches)
        self.density = graph.lower(density, environment)
        # the sum is taken before it is lowered: much of it may cancel
        self.weight = graph.lower(density + slope, environment)

    def scores(self) -> list[Node]:
        """∂_μℓ."""
        return self.graph.gradients({self.density: self.graph.constant(1.0)}, self.theta)

    def along(self, node: Node, direction: Sequence[Node]) -> Node:
        """The derivative along a direction at a fixed observation."""
        return self.graph.tangents([node], dict(zip(self.theta, direction, strict=True)))[0]

    def total(self, node: Node, direction: Sequence[Node]) -> Node:
        """The derivative of ∫ exp(w) f, as an integrand, where the observation moves with the ends of its stretch."""
        seeds = dict(zip((*self.theta, *self.frozen), (*direction, *direction), strict=True))
        change, drift = self.graph.tangents([node, self.weight], seeds)
        return self.graph.add(change, self.graph.mul(node, drift))


_Terms = Callable[[_Scope], list[Node]]


@dataclass(frozen=True, eq=False)
class Quadrature(Geometry):
    """A geometry whose expectations are integrals over the support, or sums, taken numerically at every point."""

    plan: Plan

    @property
    def _dimension(self) -> int:
        return len(self.plan.parameters)

    def metric(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        known = p.metrics.get(tuple(theta))
        return known or self._keep(p, theta, self._expect(p, theta, (), self._squares))

    def _squares(self, scope: _Scope) -> list[Node]:
        """What g_μν = E[∂_μℓ ∂_νℓ] is the expectation of: one triangle."""
        s = scope.scores()
        return _symmetric(len(s), lambda i, j: scope.graph.mul(s[i], s[j]))

    def _keep(self, p: Any, theta: Sequence[Node], triangle: Sequence[Node]) -> list[Node]:
        p.metrics[tuple(theta)] = _square(self._dimension, triangle)
        return p.metrics[tuple(theta)]  # type: ignore[no-any-return]

    def connection(self, p: Any, theta: Sequence[Node], v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(p, theta, v, a)

    def mixed(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(p, theta, (*u, *v), 0.0)

    def _product(self, p: Any, theta: Sequence[Node], vectors: Sequence[Node], a: float) -> list[Node]:
        """Γ^(a)_ν(u, v) = E[∂_νℓ (∂_α∂_βℓ + (1-a)/2 ∂_αℓ ∂_βℓ)] u^α v^β, where u is v if there is but one vector.

        Where a kink moves with the parameters, second derivatives of ℓ are not all there is, and the metric is
        differentiated with the stretches of the support moving: 2 Γ_ν(u, v) = ∂_u g_νβ v^β + ∂_v g_νβ u^β - ∂_ν g_uv.
        """

        def smooth(scope: _Scope) -> list[Node]:
            g = scope.graph
            first, other = (scope.along(scope.density, w) for w in (scope.u, scope.v))
            second = scope.along(first, scope.v)
            bent = g.add(second, g.mul(g.constant((1.0 - a) / 2.0), g.mul(first, other)))
            return [g.mul(s, bent) for s in scope.scores()]

        def moving(scope: _Scope) -> list[Node]:
            g = scope.graph
            scores = scope.scores()
            first, other = (scope.along(scope.density, w) for w in (scope.u, scope.v))
            both = g.mul(first, other)
            result = []
            for k, score in enumerate(scores):
                unit = [g.constant(float(i == k)) for i in range(len(scores))]
                ways = ((scope.u, g.mul(score, other)), (scope.v, g.mul(score, first)), (unit, both))
                across, along, down = (scope.total(product, direction) for direction, product in ways)
                doubled = g.sub(g.sub(g.add(across, along), down), g.mul(g.constant(a), g.mul(score, both)))
                result.append(g.mul(g.constant(0.5), doubled))
            return result

        product = moving if self.plan.moves else smooth
        if tuple(theta) in p.metrics:
            return self._expect(p, theta, vectors, product)
        # whoever asks for a connection goes on to raise its index: one integration serves both
        both = self._expect(p, theta, vectors, lambda scope: [*product(scope), *self._squares(scope)])
        self._keep(p, theta, both[self._dimension :])
        return both[: self._dimension]

    def skewness(self, p: Any, theta: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """T_ν(v, v) = E[∂_νℓ (∂_αℓ v^α)²]."""

        def terms(scope: _Scope) -> list[Node]:
            g = scope.graph
            first = scope.along(scope.density, scope.v)
            square = g.mul(first, first)
            return [g.mul(s, square) for s in scope.scores()]

        return self._expect(p, theta, v, terms)

    def divergence(self, p: Any, theta: Sequence[Node], target: Sequence[Node], small: bool) -> list[Node]:
        """The Kullback–Leibler divergence E[u], u = ℓ(θ) - ℓ(θ'), of a target θ'; `small`, as E[exp(-u) - 1 + u]."""

        def terms(scope: _Scope) -> list[Node]:
            ratio = self._log_ratio(scope, small and not self.plan.moves)
            return [_excess(scope.graph, ratio) if small else ratio]

        return self._expect(p, theta, target, terms)

    def _log_ratio(self, scope: _Scope, smooth: bool) -> Node:
        """ℓ(θ) - ℓ(θ') at a target scope.v; of a smooth density by Gauss and Legendre's integral of its derivative."""
        g = scope.graph

        def moved(node: Node, point: Sequence[Node]) -> Node:
            return g.substitute([node], dict(zip(scope.theta, point, strict=True)))[0]

        if not smooth:
            return g.sub(scope.density, moved(scope.density, scope.v))
        step = [g.sub(there, here) for here, there in zip(scope.theta, scope.v, strict=True)]
        probes = [g.input(f"step {i}") for i in range(len(step))]
        slope = scope.along(scope.density, probes)
        total = g.constant(0.0)
        for node, weight in zip(*np.polynomial.legendre.leggauss(6), strict=True):
            time = g.constant(float(node + 1.0) / 2.0)
            between = [g.add(x, g.mul(time, d)) for x, d in zip(scope.theta, step, strict=True)]
            total = g.sub(total, g.mul(g.constant(float(weight) / 2.0), moved(slope, between)))
        return g.substitute([total], dict(zip(probes, step, strict=True)))[0]

    def _expect(self, p: Any, theta: Sequence[Node], v: Sequence[Node], terms: _Terms) -> list[Node]:
        """E[f] of what `terms` gives, and the condition that the total probability is 1."""
        g: Graph = p.graph
        args = (*theta, *theta, *v)
        outer, *inner = self.plan.stretches
        totals: list[Node] | None = None
        for stretch in outer:
            part = self._integral(stretch, inner, len(args), terms, normalized=len(outer) == 1)
            status, (best, *values) = g.use(part, args)
            p.require(Status.NON_FINITE, g.operate("eq", status, g.constant(0.0)))
            height = g.call("exp", best)
            scaled = [g.mul(height, value) for value in values]
            totals = scaled if totals is None else [g.add(t, x) for t, x in zip(totals, scaled, strict=True)]
        assert totals is not None
        mass, *result = totals
        if len(outer) > 1:
            excess = g.call("absolute", g.sub(mass, g.constant(1.0)))
            p.require(Status.NON_FINITE, g.operate("le", excess, g.constant(_MASS)))
        return result

    def _integral(
        self, stretch: Stretch, inner: Sequence[Sequence[Stretch]], count: int, terms: _Terms, normalized: bool
    ) -> Integral:
        """The integral over a stretch of the first observation; of integrals over the second, if there are two."""
        graph = Graph()
        inputs = [graph.input(f"inside {i}") for i in range(1 + count)]
        if not inner:
            scope = _Scope(graph, self.plan, [stretch], inputs)
            body = Program(tuple(inputs), (scope.weight, graph.constant(1.0), *terms(scope)))
            weight = Program(tuple(inputs), (scope.weight,))
            return Integral(weight, body, stretch.lattice, normalized)
        weights, peaks, heights, values = [], [], [], []
        for second in inner[0]:
            part, top = self._inner(stretch, second, count, terms)
            _, (peak,) = graph.use(top, inputs)
            status, (best, *found) = graph.use(part, inputs)
            good = graph.operate("eq", status, graph.constant(0.0))
            peaks.append(peak)
            heights.append(best)
            values.append([graph.call("select", good, x, graph.constant(float("nan"))) for x in found])
        weights = [_largest(graph, peaks), _largest(graph, heights)]
        factors = [graph.call("exp", graph.sub(height, weights[1])) for height in heights]
        totals = [graph.dot(factors, list(column)) for column in zip(*values, strict=True)]
        return Integral(
            Program(tuple(inputs), (weights[0],)),
            Program(tuple(inputs), (weights[1], *totals)),
            stretch.lattice,
            normalized,
            scaled=True,
        )

    def _inner(self, first: Stretch, second: Stretch, count: int, terms: _Terms) -> tuple[Integral, Peak]:
        graph = Graph()
        y, x, *rest = (graph.input(f"inside {i}") for i in range(2 + count))
        scope = _Scope(graph, self.plan, [first, second], [x, y, *rest])
        values = [graph.constant(1.0), *terms(scope)]
        sizes = [graph.call("absolute", value) for value in values]
        inputs = (y, x, *rest)
        weight = Program(inputs, (scope.weight,))
        body = Program(inputs, (scope.weight, *values, *sizes))
        return Integral(weight, body, second.lattice), Peak(weight, second.lattice)


def _excess(g: Graph, u: Node) -> Node:
    """exp(-u) - 1 + u, near 0 by its series."""
    series = g.constant(0.0)
    for k in range(8, 1, -1):
        series = g.sub(g.constant(1.0 / math.factorial(k)), g.mul(u, series))
    near = g.operate("lt", g.call("absolute", u), g.constant(0.05))
    return g.call("select", near, g.mul(g.mul(u, u), series), g.add(g.call("expm1", g.neg(u)), u))


def _largest(graph: Graph, nodes: Sequence[Node]) -> Node:
    result = nodes[0]
    for node in nodes[1:]:
        result = graph.call("maximum", result, node)
    return result


# -- sums over data


def _table_sum(
    p: Any, columns: int, args: Sequence[Node], terms: Callable[[Graph, list[Node], list[Node]], list[Node]]
) -> list[Node]:
    """Sums over the table's rows of what `terms` gives for a graph, the columns and the arguments inside."""
    graph = Graph()
    row = [graph.input(f"column {i}") for i in range(columns)]
    inside = [graph.input(f"inside {i}") for i in range(len(args))]
    body = Program((*row, *inside), tuple(terms(graph, row, inside)))
    return p.graph.use(TableSum(body, columns), args)[1]  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class SampleLoss(Loss):
    """The mean negative log-likelihood as a sum over samples; the only datum is one over their number."""

    log_density: sp.Expr
    observation: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]

    def value(self, p: Any, theta: Sequence[Node]) -> Node:
        """See :class:`Loss`."""

        def terms(graph: Graph, row: list[Node], inside: list[Node]) -> list[Node]:
            return [self._density(graph, row, inside)]

        return self._mean(p, theta, terms)[0]

    def gradient(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Loss`."""

        def terms(graph: Graph, row: list[Node], inside: list[Node]) -> list[Node]:
            return graph.gradients({self._density(graph, row, inside): graph.constant(1.0)}, inside)

        return self._mean(p, theta, terms)

    def _density(self, graph: Graph, row: list[Node], inside: list[Node]) -> Node:
        symbols = (*self.observation, *self.parameters)
        return graph.lower(self.log_density, dict(zip(symbols, (*row, *inside), strict=True)))

    def _mean(self, p: Any, theta: Sequence[Node], terms: Callable[..., list[Node]]) -> list[Node]:
        sums = _table_sum(p, len(self.observation), theta, terms)
        return [p.graph.neg(p.graph.mul(p.data[0], total)) for total in sums]


class _Outputs:
    """A conditional model in a row of its data: z, the loss of the row, and their derivatives."""

    def __init__(self, model: ConditionalModel, graph: Graph, row: Sequence[Node], inside: Sequence[Node]) -> None:
        self.graph, n = graph, model.dimension
        self.theta, self.u, self.v = list(inside[:n]), list(inside[n : 2 * n]), list(inside[-n:])
        given, targets = row[: len(model.inputs)], row[len(model.inputs) :]
        environment = dict(zip((*model.inputs, *model.parameters), (*given, *self.theta), strict=True))
        self.z = [graph.lower(e, environment) for e in model.outputs]
        # the loss as a function of z alone, so that it can be differentiated with respect to z
        self.free = [graph.input(f"output {k}") for k in range(len(self.z))]
        symbols = (*model.output.symbols, *model.output.targets)
        self.cost = graph.lower(model.output.loss, dict(zip(symbols, (*self.free, *targets), strict=True)))
        self.slope = graph.gradients({self.cost: graph.constant(1.0)}, self.free)

    def at_outputs(self, nodes: Sequence[Node]) -> list[Node]:
        """Functions of free z, at z."""
        return self.graph.substitute(nodes, dict(zip(self.free, self.z, strict=True)))

    def contract(self, coefficients: Sequence[Node]) -> list[Node]:
        """Jᵀc."""
        combined: dict[Node, Node] = {}
        for z, c in zip(self.z, coefficients, strict=True):
            combined[z] = self.graph.add(combined[z], c) if z in combined else c
        return self.graph.gradients(combined, self.theta)

    def along(self, nodes: Sequence[Node], direction: Sequence[Node]) -> list[Node]:
        """Derivatives along a direction."""
        return self.graph.tangents(nodes, dict(zip(self.theta, direction, strict=True)))

    def hessian(self, direction: Sequence[Node]) -> list[Node]:
        """H u, the derivative of the loss's differential with respect to z along u, still a function of free z."""
        return self.graph.tangents(self.slope, dict(zip(self.free, direction, strict=True)))


@dataclass(frozen=True, eq=False)
class DataAverage(Geometry):
    """The geometry of a conditional model, its expectation over the inputs being the mean over a table.

    mathematics: g v = E_x[Jᵀ H Dz], Γ^(a)(v) = E_x[Jᵀ(H D²z + (1-a)/2 A'''[Dz, Dz])]. The only datum is one over the
    number of rows.
    """

    model: ConditionalModel

    def metric(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        n = self.model.dimension

        def terms(outputs: _Outputs) -> list[Node]:
            g, m = outputs.graph, len(outputs.z)
            units = [[g.constant(float(i == k)) for i in range(m)] for k in range(m)]
            jacobian = [outputs.contract(unit) for unit in units]
            hessian = [outputs.at_outputs(outputs.hessian(unit)) for unit in units]
            curved = [[g.dot(hessian[k], [row[j] for row in jacobian]) for j in range(n)] for k in range(m)]
            return _symmetric(n, lambda i, j: g.dot([row[i] for row in jacobian], [row[j] for row in curved]))

        return _square(n, self._mean(p, theta, (), terms))

    def connection(self, p: Any, theta: Sequence[Node], v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(p, theta, v, a)

    def mixed(self, p: Any, theta: Sequence[Node], u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(p, theta, (*u, *v), 0.0)

    def _product(self, p: Any, theta: Sequence[Node], vectors: Sequence[Node], a: float) -> list[Node]:
        """Γ^(a)(u, v), where u is v if there is but one vector."""

        def terms(outputs: _Outputs) -> list[Node]:
            g, m = outputs.graph, len(outputs.z)
            first, other = (outputs.along(outputs.z, w) for w in (outputs.u, outputs.v))
            second = outputs.along(first, outputs.v)
            s, t = ([g.input(f"direction {k} {i}") for k in range(m)] for i in range(2))
            bend = g.tangents(outputs.hessian(s), dict(zip(outputs.free, t, strict=True)))
            curved = [g.mul(g.constant((1.0 - a) / 2.0), b) for b in bend]
            curved = g.substitute(curved, dict(zip((*s, *t), (*first, *other), strict=True)))
            total = [g.add(x, y) for x, y in zip(outputs.hessian(second), curved, strict=True)]
            return outputs.contract(outputs.at_outputs(total))

        return self._mean(p, theta, vectors, terms)

    def _mean(
        self, p: Any, theta: Sequence[Node], v: Sequence[Node], terms: Callable[[_Outputs], list[Node]]
    ) -> list[Node]:
        return _mean_over_rows(self.model, p, theta, v, terms)


@dataclass(frozen=True, eq=False)
class OutputLoss(Loss):
    """The mean negative log-likelihood of targets under a conditional model.

    Attributes
    ----------
    model : ConditionalModel
        The model.
    constant : float
        What the loss of an output leaves out, on average.
    """

    model: ConditionalModel
    constant: float = 0.0

    def value(self, p: Any, theta: Sequence[Node]) -> Node:
        """See :class:`Loss`."""
        model, g = self.model, p.graph
        if not model.output.profiled:
            (mean,) = _mean_over_rows(model, p, theta, (), lambda o: o.at_outputs([o.cost]))
            return g.add(mean, g.constant(self.constant))
        # ½ log(2πe RSS/N), the loss at the best scale
        (cost,) = _sum_over_rows(model, p, theta, (), lambda o: o.at_outputs([o.cost]))
        variance = g.mul(g.mul(g.constant(2.0), cost), p.data[0])
        return g.mul(p.data[1], g.lower(sp.log(2 * sp.pi * sp.E * _VARIANCE) / 2, {_VARIANCE: variance}))

    def gradient(self, p: Any, theta: Sequence[Node]) -> list[Node]:
        """See :class:`Loss`."""
        return _mean_over_rows(self.model, p, theta, (), lambda o: o.contract(o.at_outputs(o.slope)))


_VARIANCE = sp.Symbol("variance", positive=True)


def _sum_over_rows(
    model: ConditionalModel, p: Any, theta: Sequence[Node], v: Sequence[Node], terms: Callable[[_Outputs], list[Node]]
) -> list[Node]:
    columns = len(model.inputs) + len(model.output.targets)
    return _table_sum(p, columns, (*theta, *v), lambda g, row, inside: terms(_Outputs(model, g, row, inside)))


def _mean_over_rows(
    model: ConditionalModel, p: Any, theta: Sequence[Node], v: Sequence[Node], terms: Callable[[_Outputs], list[Node]]
) -> list[Node]:
    """The mean over the rows; with a profiled scale, over the variance that fits best at θ."""
    g = p.graph
    if not model.output.profiled:
        return [g.mul(p.data[0], total) for total in _sum_over_rows(model, p, theta, v, terms)]
    *sums, cost = _sum_over_rows(model, p, theta, v, lambda o: [*terms(o), *o.at_outputs([o.cost])])
    squares = g.mul(g.constant(2.0), cost)
    return [g.mul(p.data[1], g.div(total, squares)) for total in sums]
