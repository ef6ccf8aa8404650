"""Geodesics in closed form: from a point's coordinates to those of the standard spaces, along, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, reduce
from typing import Any

import numpy as np
import sympy as sp

from riemopt.formulas.primitives import PointPrimitives
from riemopt.geometry.isometry import Isometry
from riemopt.kernels.graph.tracing import TracedArray
from riemopt.status import Status

__all__ = ["StandardGeodesics"]


class StandardGeodesics:
    """The geodesic from a point with a velocity, on traced arrays.

    Parameters
    ----------
    p : PointPrimitives
        The primitives, in whose graph the operations are.
    isometry : Isometry
        The coordinates of the standard spaces.
    theta, velocity : TracedArray
        The point, and the velocity there.
    """

    def __init__(self, p: PointPrimitives, isometry: Isometry, theta: Any, velocity: Any = None) -> None:
        self.p, self.isometry, self.theta, self.velocity = p, isometry, theta, velocity

    @cached_property
    def end(self) -> TracedArray:
        """Where the geodesic is after unit time, provided that it has not left the domain before."""
        stays = self.rate < 1.0
        self.p.require(Status.LEFT_DOMAIN, stays.nodes[()])
        end = self._map(self._original, self._end)
        self.p.require_domain(end)
        return end

    @cached_property
    def rate(self) -> TracedArray:
        """One over the time at which the geodesic leaves the domain; 0 if it never does."""
        rates = [space.leaving(u, w) for space, u, w in self._each(self._start, self._speed)]
        return reduce(np.maximum, rates)

    def carried(self, vector: Any) -> TracedArray:
        """A vector at the point, carried parallel to itself to the end."""
        z = self._push(self._standard, self.theta, vector)
        moved = [space.transport(u, w, z) for space, u, w, z in self._each(self._start, self._speed, z)]
        _ = self.end
        return self._push(self._original, self._end, np.concatenate(moved))

    def log(self, target: Any) -> TracedArray:
        """The velocity of the geodesic that reaches a target in unit time."""
        self.p.require_domain(target)
        there = self._map(self._standard, target)
        found = [space.log(u, v) for space, u, v in self._each(self._start, there)]
        return self._push(self._original, self._start, np.concatenate(found))

    # -- between the two kinds of coordinates

    @cached_property
    def _start(self) -> TracedArray:
        return self._map(self._standard, self.theta)

    @cached_property
    def _speed(self) -> TracedArray:
        return self._push(self._standard, self.theta, self.velocity)

    @cached_property
    def _end(self) -> TracedArray:
        return np.concatenate([space.exp(u, w) for space, u, w in self._each(self._start, self._speed)])  # type: ignore[return-value]

    def _each(self, *arrays: Any) -> Iterator[tuple[Any, ...]]:
        """The factors, each with its part of some arrays."""
        start = 0
        for space in self.isometry.spaces:
            yield (space, *(array[start : start + space.dimension] for array in arrays))
            start += space.dimension

    @cached_property
    def _standard(self) -> tuple[TracedArray, TracedArray]:
        return self._function(self.p.formulas.parameters, self.isometry.forward)

    @cached_property
    def _original(self) -> tuple[TracedArray, TracedArray]:
        return self._function(self.isometry.symbols, self.isometry.backward)

    def _function(
        self, symbols: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]
    ) -> tuple[TracedArray, TracedArray]:
        """Expressions of inputs that stand for the symbols, and those inputs."""
        g = self.p.graph
        inputs = [g.input(f"free {symbol.name}") for symbol in symbols]
        environment = dict(zip(symbols, inputs, strict=True))
        return TracedArray.of(g, [g.lower(e, environment) for e in expressions]), TracedArray.of(g, inputs)

    def _map(self, function: tuple[TracedArray, TracedArray], at: Any) -> TracedArray:
        values, inputs = function
        return self._at(values, inputs, at)

    def _push(self, function: tuple[TracedArray, TracedArray], at: Any, vector: Any) -> TracedArray:
        """A vector at a point, pushed forward by a change of coordinates."""
        values, inputs = function
        g = self.p.graph
        probe = TracedArray.of(g, [g.input(f"along {i}") for i in range(len(inputs))])
        slopes = self.p.tangent(values, inputs, probe)
        joined = np.concatenate([inputs, probe])
        return self._at(slopes, joined, np.concatenate([at, vector]))

    def _at(self, values: TracedArray, inputs: Any, at: Any) -> TracedArray:
        """Functions of inputs, at a point."""
        g = self.p.graph
        exchange = dict(zip(inputs.nodes, inputs.lift(at), strict=True))
        return TracedArray.of(g, g.substitute(list(values.nodes), exchange))
