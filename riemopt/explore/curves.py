"""What happens within a step: the curve of a step in its chart, and a step taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from riemopt.integrators import ExactFlow, GeodesicCorrection, GeodesicSeries, Integrator, RiemannianEuler
from riemopt.manifold import LikelihoodProblem

__all__ = ["SUBSTEPS", "path_curve", "step_parts"]

SUBSTEPS = 8
"""Pieces that the curve of a step is drawn with."""


def path_curve(problem: LikelihoodProblem, rule: Integrator, iterates: np.ndarray, h: float) -> np.ndarray:
    """The curve that a trajectory follows, through its iterates.

    Steps are straight lines in the chart, but for those along geodesics, their approximations, and the flow.

    Parameters
    ----------
    problem : LikelihoodProblem
        The loss in the chart.
    rule : Integrator
    iterates : array, shape (k + 1, n)
        In the chart, all finite.
    h : float
        The step size.

    Returns
    -------
    array, shape (8 k + 1, n)
    """
    if len(iterates) < 2:
        return iterates
    fractions = np.linspace(0.0, 1.0, SUBSTEPS + 1)[:-1, None]
    points = iterates[:-1, None, :]
    curve: Any
    if isinstance(rule, ExactFlow):
        curve = problem.flow(
            np.broadcast_to(points, (*points.shape[:1], SUBSTEPS, points.shape[-1])), h * fractions[:, 0]
        )
    elif isinstance(rule, (GeodesicCorrection, RiemannianEuler, GeodesicSeries)):
        velocity = -problem.natural_gradient(iterates[:-1])
        v = h * fractions * velocity[:, None, :]
        if isinstance(rule, GeodesicCorrection):
            a = problem.acceleration(iterates[:-1], velocity)[:, None, :]
            curve = points + v + 0.5 * (h * fractions) ** 2 * a
        elif isinstance(rule, GeodesicSeries):
            curve = problem.exp_series(np.broadcast_to(points, v.shape), v, rule.order)
        else:
            curve = problem.exp(np.broadcast_to(points, v.shape), v, rule.a)
    else:
        curve = points + fractions * (iterates[1:, None, :] - points)
    return np.concatenate([np.asarray(curve).reshape(-1, iterates.shape[-1]), iterates[-1:]])


def step_parts(problem: LikelihoodProblem, point: np.ndarray, h: float) -> dict[str, np.ndarray]:
    """A natural gradient step taken apart: the straight line, the geodesic with the same velocity, and the correction.

    Parameters
    ----------
    problem : LikelihoodProblem
        The loss in a chart.
    point : array, shape (n,)
        In the chart.
    h : float
        The step size.

    Returns
    -------
    dict of str to array, shape (m, n)
        Points on ``straight``, ``geodesic`` and ``correction``, which leads from the end of the straight step to where
        ``geo`` ends; NaN from where a geodesic leaves the domain.
    """
    times = np.linspace(0.0, h, 2 * SUBSTEPS + 1)[:, None]
    velocity = -problem.natural_gradient(point)
    acceleration = problem.acceleration(point, velocity)
    straight = point + times * velocity
    return {
        "straight": straight,
        "geodesic": np.asarray(problem.exp(np.broadcast_to(point, straight.shape), times * velocity)),
        "correction": straight[-1] + 0.5 * (h * times) * acceleration,
    }
