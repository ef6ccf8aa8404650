"""Geodesics of a model on batches of points: where they lead, what is carried along them, and which reach a target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from riemopt.formulas import equations
from riemopt.manifold.evaluation import Evaluator, Tolerances, both_tolerances
from riemopt.manifold.info import GeodesicInfo, LogInfo, searched
from riemopt.manifold.shooting import Norm, shoot
from riemopt.models.domain import Domain
from riemopt.numerics.ode import RTOL
from riemopt.status import Status

__all__ = ["Geodesics"]


class Geodesics:
    """Geodesics in closed form where that is known, else by integration.

    Parameters
    ----------
    evaluate : Evaluator
        What evaluates rules of traced primitives.
    domain : Domain
        Where points may lie.
    closed : callable
        Tells whether Levi-Civita geodesics are closed forms.
    norm : callable
        The Riemannian norms of vectors at points.
    """

    def __init__(self, evaluate: Evaluator, domain: Domain, closed: Callable[[], bool], norm: Norm) -> None:
        self._evaluate, self._domain, self._closed, self._norm = evaluate, domain, closed, norm
        self._dimension = len(domain.parameters)

    def exp(self, points: Any, vectors: Any, rtol: float, atol: float | None, a: float = 0.0) -> np.ndarray:
        """Where geodesics of an a-connection are after unit time, shape (..., n)."""

        def rule(p: Any, x: Any, v: Any) -> Any:
            return p.exp(x, v, a)

        tolerances = both_tolerances(rtol, atol)
        return self._evaluate(("exp", a), rule, [points, vectors], [(self._dimension,)], tolerances)

    def transport(self, points: Any, along: Any, vectors: Any, rtol: float, atol: float | None) -> np.ndarray:
        """Vectors carried parallel to themselves to the end of a geodesic, shape (..., n)."""

        def rule(p: Any, x: Any, u: Any, v: Any) -> Any:
            return p.transport(x, u, v)

        tolerances = both_tolerances(rtol, atol)
        return self._evaluate("transport", rule, [points, along, vectors], [(self._dimension,)], tolerances)

    # -- points on geodesics

    def curves(
        self, x: np.ndarray, v: np.ndarray, times: np.ndarray, rtol: float, atol: float | None
    ) -> tuple[np.ndarray, GeodesicInfo]:
        """Points on geodesics from x along v, shape (batch, m, n), at m times."""
        if self._closed():
            return self._known_curves(x, v, times)
        return self._integrated_curves(x, v, times, both_tolerances(rtol, atol))

    def _known_curves(self, x: np.ndarray, v: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, GeodesicInfo]:
        moved = np.asarray(times, like=x)[:, None] * v[:, None, :]
        curves = self.exp(x[:, None, :], moved, RTOL, None)

        def rule(p: Any, x: Any, v: Any) -> Any:
            return np.stack([p.leaving(x, v), p.leaving(x, -v)])

        rates = self._evaluate("leaving", rule, [x, v], [(2,)])
        with np.errstate(divide="ignore"):
            exits, entries = 1.0 / np.abs(rates[:, 0]), -1.0 / np.abs(rates[:, 1])
        left = ~((entries < float(times.min(initial=0.0))) & (exits > float(times.max(initial=0.0))))
        status = np.zeros(len(x), dtype=np.int64, like=x)
        status[left] = int(Status.LEFT_DOMAIN)
        return curves, GeodesicInfo(status, entries, exits)

    def _integrated_curves(
        self, x: np.ndarray, v: np.ndarray, times: np.ndarray, tolerances: Tolerances
    ) -> tuple[np.ndarray, GeodesicInfo]:
        """By integration from each time to the next, on either side of 0."""
        n, count = self._dimension, len(x)
        curves = np.full_like(x, np.nan, shape=(count, len(times), n))
        status = np.zeros(count, dtype=np.int64, like=x)
        ends = np.full_like(x, np.inf, shape=(2, count))
        for side, sign in enumerate((-1.0, 1.0)):
            order = np.argsort(sign * times, kind="stable")
            point, velocity, now = x, v, 0.0
            alive = np.arange(count, like=x)
            for place in order[sign * times[order] >= 0.0].tolist():
                found, end, speed, reached = self._followed(point, velocity, times[place] - now, tolerances)
                lost = found != 0
                status[alive[lost]] = found[lost].astype(np.int64)
                ends[side, alive[lost]] = sign * (now + reached[lost])
                alive, point, velocity = alive[~lost], end[~lost], speed[~lost]
                now = times[place]
                curves[alive, place] = point
        outside = ~self._domain.contains(x)
        ends[:, outside] = np.nan
        status[outside] = int(Status.LEFT_DOMAIN)
        return curves, GeodesicInfo(status, -ends[0], ends[1])

    def _followed(self, x: np.ndarray, v: np.ndarray, duration: float, tolerances: Tolerances) -> list[np.ndarray]:
        """The status, point and velocity after a time, and the time up to which there is a geodesic."""
        n = self._dimension

        def rule(p: Any, x: Any, v: Any, t: Any) -> Any:
            state = p.follow(equations.geodesic(p.formulas), np.concatenate([x, v]), t[0])
            p.note(state[2 * n])
            return state[:n], state[n : 2 * n]

        arguments = [("points", (n,)), ("vectors", (n,)), ("times", (1,))]
        arrays = [x, v, np.full((1, 1), duration)]
        return self._evaluate.run("follow", rule, arrays, [(n,), (n,), ()], tolerances, arguments)

    # -- geodesics to targets

    def log(self, x: np.ndarray, y: np.ndarray, rtol: float, atol: float | None) -> tuple[np.ndarray, LogInfo]:
        """The velocities of geodesics from x that reach y in unit time, shape (batch, n)."""
        tolerances = both_tolerances(rtol, atol)
        if not self._closed():
            return shoot(self._exp_and_slope, self._norm, self._domain, x, y, *tolerances)
        v = self._evaluate("log", lambda p, x, y: p.log(x, y), [x, y], [(self._dimension,)], tolerances)
        found = np.isfinite(v).all(axis=-1)
        inside = self._domain.contains(x) & self._domain.contains(y)
        error = np.zeros(len(x), like=x)
        error[~found] = np.nan
        return v, LogInfo(searched(found, inside), error)

    def _exp_and_slope(self, x: np.ndarray, v: np.ndarray, rtol: float, atol: float) -> tuple[np.ndarray, np.ndarray]:
        """exp(x, v) and its derivative with respect to v, shape (..., n, n)."""
        n = self._dimension

        def rule(p: Any, x: Any, v: Any) -> Any:
            units = [np.concatenate([np.zeros(n), unit]) for unit in np.eye(n)]
            end = p.solve(equations.jacobi(p.formulas), np.concatenate([x, v, *units]), 1.0)
            columns = [end[2 * n * (k + 1) : 2 * n * (k + 1) + n] for k in range(n)]
            return end[:n], np.stack(columns, axis=1)

        # the derivatives begin at 0 and need no digits beyond those of the end
        tolerances = rtol, max(atol, 1e-3 * rtol)
        _, end, slope = self._evaluate.run("jacobi", rule, [x, v], [(n,), (n, n)], tolerances)
        return end, slope
