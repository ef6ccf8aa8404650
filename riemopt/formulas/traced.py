"""All primitives on traced arrays: those at a point, and those that go somewhere; rules on them as programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from riemopt.formulas import equations
from riemopt.formulas.formulas import Formulas
from riemopt.formulas.primitives import PointPrimitives
from riemopt.formulas.programs import program_of, traced_inputs
from riemopt.formulas.standard import StandardGeodesics
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.tracing import TracedArray
from riemopt.models.straight_line import StraightLine
from riemopt.problem.protocol import PRIMITIVES
from riemopt.status import Status

__all__ = ["TracedPrimitives", "pointwise_program"]


class TracedPrimitives(PointPrimitives):
    """The primitives of some formulas on traced arrays; its parameters are those of :class:`PointPrimitives`."""

    offers = frozenset(PRIMITIVES)

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> TracedArray:
        """The exponential map of an a-connection, in closed form or by integration; see :class:`Problem`."""
        if a == 0 and self.formulas.isometry() is not None:
            return self._standard(theta, vector).end
        line = self.formulas.straight_line(a)
        if line is not None:
            return self._straight(line, theta, vector)
        state = np.concatenate([theta, vector])
        return self.solve(equations.geodesic(self.formulas, a), state, 1.0)[: self.formulas.dimension]

    def exp_series(self, theta: Any, vector: Any, order: int) -> TracedArray:
        """The exponential map's Taylor polynomial in the vector; see :class:`Problem`.

        The geodesic equation gives the second derivative of a geodesic; each further one is the derivative of the one
        before along the geodesic, on which θ moves with θ̇ and θ̇ with θ̈.
        """
        g, n = self.graph, self.formulas.dimension
        state = traced_inputs(g, "series", 2 * n)
        inner = PointPrimitives(self.formulas, g, self.data)
        derivatives: list[Any] = [state[n:]]
        for k in range(2, order + 1):
            if k == 2:
                derivatives.append(inner.acceleration(state[:n], state[n:]))
            else:
                moving: Any = np.concatenate(derivatives[:2])
                derivatives.append(inner.tangent(derivatives[-1], state, moving))
        terms = [derivative / float(math.factorial(k)) for k, derivative in enumerate(derivatives, start=1)]
        exchange = dict(zip(state.nodes, (*self._coordinates(theta), *self._nodes(vector)), strict=True))
        for condition in inner.conditions:
            self.require(condition.status, g.substitute([condition.holds], exchange)[0])
        displacement = g.substitute(list(reduce(np.add, reversed(terms)).nodes), exchange)
        return TracedArray.of(g, displacement) + theta

    def transport(self, theta: Any, along: Any, vector: Any) -> TracedArray:
        """A vector carried parallel to itself to ``exp(theta, along)``."""
        if self.formulas.isometry() is not None:
            return self._standard(theta, along).carried(vector)
        state = np.concatenate([theta, along, vector])
        return self.solve(equations.transport(self.formulas), state, 1.0)[2 * self.formulas.dimension :]

    def flow(self, theta: Any, time: Any) -> TracedArray:
        """The exact natural gradient flow; see :class:`Problem`."""
        return self.solve(equations.natural_gradient_flow(self.formulas), theta, time)

    # -- where geodesics are closed forms

    def log(self, theta: Any, target: Any) -> TracedArray:
        """The inverse of :meth:`exp`."""
        return self._standard(theta).log(target)

    def leaving(self, theta: Any, vector: Any) -> TracedArray:
        """One over the time at which a geodesic leaves the domain, or 0 if it does not."""
        return self._standard(theta, vector).rate

    def _standard(self, theta: Any, vector: Any = None) -> StandardGeodesics:
        self.require_domain(theta)
        isometry = self.formulas.isometry()
        assert isometry is not None
        return StandardGeodesics(self, isometry, theta, vector)

    def _straight(self, line: StraightLine, theta: Any, vector: Any) -> TracedArray:
        g = self.graph
        coordinates = self.traced_point(theta).coordinates
        environment = dict(zip(line.symbols, (*coordinates, *self._nodes(vector)), strict=True))
        for margin in line.margins:
            self.require(Status.LEFT_DOMAIN, g.operate("gt", g.lower(margin, environment), g.constant(0.0)))
        end = TracedArray.of(g, [g.lower(e, environment) for e in line.end])
        self.require_domain(end)
        return end

    # -- where they are integrated

    def solve(self, ode: Ode, state: Any, duration: Any) -> TracedArray:
        """The state of a differential equation after a time."""
        return self.follow(ode, state, duration)[:-1]

    def follow(self, ode: Ode, state: Any, duration: Any) -> TracedArray:
        """The state of a differential equation after a time, and the time up to which there is a solution."""
        g = self.graph
        rtol = g.constant(self.formulas.rtol) if self.rtol is None else self.rtol
        atol = g.constant(self.formulas.atol) if self.atol is None else self.atol
        time = state.lift(duration)[()]
        status, end = g.use(ode, (*self._nodes(state), *self.data, time, rtol, atol))
        for failure in (Status.LEFT_DOMAIN, Status.SINGULAR_METRIC, Status.NON_FINITE, Status.DIVERGED):
            self.require(failure, g.operate("ne", status, g.constant(float(failure))))
        return TracedArray.of(g, end)


def pointwise_program(
    formulas: Formulas, rule: Callable[..., Any], sizes: Sequence[int], tolerances: bool = False
) -> Program:
    """A function of all primitives and of vectors as a program; see :func:`program_of`."""
    return program_of(TracedPrimitives, formulas, rule, sizes, tolerances)
