"""Geodesics against peers, side by side: ``python -m benchmarks.geodesics``.

Every contender integrates the same geodesics of length 1 to the same tolerances, ``rtol=1e-10``, in turns. Errors are
those of the coordinates of the ends, relative ones: for the Gamma model against riemopt at ``rtol=1e-13``, which the
tests compare with 32 digits, for the normal model against a formula with 32 digits.
"""

from __future__ import annotations

from collections.abc import Mapping

import mpmath
import numpy as np

import riemopt as ro
from benchmarks.machine import description
from benchmarks.measure import cores, in_process, side_by_side
from benchmarks.peers import ATOL, RTOL, Contender, by_diffrax, by_geomstats, by_heyoka, by_scipy, missing
from benchmarks.records import Bound, Record, Table, command
from benchmarks.work import geodesics

RIEMOPT, INTEGRATED, CLOSED = "riemopt", "riemopt, integrated", "riemopt, closed form"
DIFFRAX, HEYOKA = "diffrax, Dopri8, jit(vmap)", "heyoka, taylor_adaptive_batch"
SCIPY, GEOMSTATS = "SciPy, DOP853, one after the other", "geomstats, DOP853, one after the other"

COLUMNS = ["", "times as long", "µs a geodesic", "cores busy", "largest error", "median error"]
Row = list[float | None]


def hyperbolic(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The ends of geodesics of the normal model: (μ/√2, σ) is a half-plane, where i goes up to i eˢ and is turned."""
    ends = []
    with mpmath.workdps(32):
        root = mpmath.sqrt(2)
        for (mu, sigma), (u, v) in zip(points.tolist(), vectors.tolist(), strict=True):
            direction = mpmath.mpc(u / root, v) / sigma
            up = mpmath.mpc(0, mpmath.exp(abs(direction)))
            half = mpmath.atan2(-direction.real, direction.imag) / 2
            c, s = mpmath.cos(half), mpmath.sin(half)
            end = (c * up + s) / (c - s * up)
            ends.append([float(mu + root * sigma * end.real), float(sigma * end.imag)])
    return np.array(ends)


def compare(
    contenders: Mapping[str, tuple[Contender, int]], points: np.ndarray, vectors: np.ndarray, exact: np.ndarray
) -> dict[str, Row]:
    """The entries of every contender in :data:`COLUMNS`; how many geodesics it is given stands beside it.

    The first contender's time is the unit.
    """
    runs = {name: (lambda c=c, n=n: c(points[:n], vectors[:n])) for name, (c, n) in contenders.items()}
    rows: dict[str, Row] = {}
    unit = None
    for name, timing in side_by_side(runs).items():
        count = contenders[name][1]
        errors = np.abs(timing.result / exact[:count] - 1.0)
        time = timing.seconds / count
        unit = unit or time
        rows[name] = [time / unit, 1e6 * time, timing.busy, float(errors.max()), float(np.median(errors))]
    return rows


def gamma(count: int, few: int, slow: bool) -> tuple[dict[str, Row], dict[str, str]]:
    """Geodesics of the Gamma model, and the version of geomstats; ``slow`` for peers that take one after the other."""
    manifold = ro.Manifold(ro.models.Gamma())
    points, vectors = geodesics(manifold, [0.5, 0.5], [5.0, 5.0], count)
    contenders: dict[str, tuple[Contender, int]] = {
        RIEMOPT: (lambda p, v: manifold.exp(p, v, rtol=RTOL, atol=ATOL), count)
    }
    versions = {}
    if not missing("diffrax"):
        contenders[DIFFRAX] = (by_diffrax(), count)
    if slow:
        contenders[SCIPY] = (by_scipy(), few)
        peer = by_geomstats()
        if peer is not None:
            contender, versions["geomstats"] = peer
            contenders[GEOMSTATS] = (contender, few)
    rows = compare(contenders, points, vectors, manifold.exp(points, vectors, rtol=1e-13))
    if GEOMSTATS in rows:
        rows[GEOMSTATS][2] = None  # it works in a process of its own
    return rows, versions


def normal(count: int) -> dict[str, Row]:
    """Geodesics of the normal model."""
    integrated = ro.Manifold(ro.models.Normal(), closed_forms=False)
    closed = ro.Manifold(ro.models.Normal())
    # a coordinate that crosses 0 has no relative error
    points, vectors = geodesics(closed, [20.0, 0.5], [30.0, 2.0], count)
    contenders: dict[str, tuple[Contender, int]] = {
        INTEGRATED: (lambda p, v: integrated.exp(p, v, rtol=RTOL, atol=ATOL), count),
        CLOSED: (closed.exp, count),
    }
    if not missing("heyoka"):
        contenders[HEYOKA] = (by_heyoka(), count)
    return compare(contenders, points, vectors, hyperbolic(points, vectors))


def bounds(gamma: Mapping[str, Row], normal: Mapping[str, Row]) -> list[Bound]:
    """What is promised of the Gamma model on all cores, and of the normal model on one."""

    def ratio(rows: Mapping[str, Row], peer: str, ours: str, column: str) -> float | None:
        k = COLUMNS.index(column) - 1
        return rows[peer][k] / rows[ours][k] if peer in rows else None  # type: ignore[operator]

    time, error = "times as long", "largest error"
    return [
        Bound("Gamma geodesics: diffrax / riemopt, time", ratio(gamma, DIFFRAX, RIEMOPT, time), least=60.0),
        Bound("Gamma geodesics: diffrax / riemopt, largest error", ratio(gamma, DIFFRAX, RIEMOPT, error), least=1.0),
        Bound("Gamma geodesics: geomstats / riemopt, time", ratio(gamma, GEOMSTATS, RIEMOPT, time), least=1500.0),
        Bound(
            "Normal geodesics: heyoka / riemopt, integrated, time", ratio(normal, HEYOKA, INTEGRATED, time), least=1.0
        ),
        Bound("Normal geodesics: heyoka / riemopt, closed form, time", ratio(normal, HEYOKA, CLOSED, time), least=5.0),
    ]


def measure(quick: bool) -> Record:
    """Geodesics of the Gamma model on all cores and on one, of the normal model on one."""
    count, few = (1_000, 5) if quick else (10_000, 50)
    available = cores()
    everywhere, versions = in_process(gamma, count, few, True)
    alone, _ = in_process(gamma, count, few, False, on=available[:1])
    half_plane = in_process(normal, count, on=available[:1])
    machine = description("diffrax", "jax", "heyoka")
    machine["versions"] |= versions  # type: ignore[operator]
    tables = {
        f"Gamma, {count:,} geodesics, cores: {len(available)}": everywhere,
        f"Gamma, {count:,} geodesics, one core": alone,
        f"Normal, {count:,} geodesics, one core": half_plane,
    }
    return Record(
        "geodesics",
        machine,
        [Table(title, COLUMNS, [[name, *row] for name, row in rows.items()]) for title, rows in tables.items()],
        bounds(everywhere, half_plane),
        [*missing("diffrax", "heyoka"), *(() if versions else ("geomstats",))],
    )


if __name__ == "__main__":
    command(measure)
