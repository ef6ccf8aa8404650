"""Is it a density? Numbers at a few points of the domain tell, before anything is derived from it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import sympy as sp

from riemopt.errors import ExpectationError, ModelError
from riemopt.models.density import Density
from riemopt.symbolic.functions import array_function

__all__ = ["require_density"]

_CLOSE = 1e-6
"""How far the total probability may be from 1."""

_FLAT = 1e-10
"""An eigenvalue of the metric, scaled to a unit diagonal, below which a direction does not move the density."""

_MOST_MEMBERS = 50_000
"""Members of a finite support that are added up."""


def require_density(model: Density) -> None:
    """Raise unless a model's density integrates to one, and every direction of the domain changes it.

    What cannot be integrated by the means at hand is let pass: more than two observations, or a support that is not a
    product and not finite.

    Raises
    ------
    ModelError
        If the total probability is not 1 or is not to be had, or the Fisher metric is singular at every point that was
        tried, naming the directions.
    """
    points = model.some_points()
    scores = [model.log_density.diff(p) for p in model.parameters]
    n = model.dimension
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    members = _members(model)
    if members is not None:
        found = [_sums(model, scores, members, point) for point in points]
    elif model.constraints:
        return
    else:
        try:
            found = [model.plan.moments(2, point) for point in points]
        except ExpectationError:
            return  # whoever needs the expectation is told
        except (NameError, NotImplementedError) as error:
            derivatives = [str(d) for score in scores for d in score.atoms(sp.Derivative)]
            unknown = getattr(error, "name", None) or min(derivatives, default=str(error).splitlines()[0])
            raise ModelError(f"{model.name}: a function in the density cannot be computed: {unknown}") from None
    _require_mass(model, points, [numbers[0] for numbers in found])
    metrics, finite = [], []
    for point, numbers in zip(points, found, strict=True):
        if np.isfinite(numbers).all():
            finite.append(point)
            metric = np.zeros((n, n))
            for (i, j), number in zip(pairs, numbers[1:], strict=True):
                metric[i, j] = metric[j, i] = number
            metrics.append(metric)
    _require_regular(model, finite, metrics)


def _require_mass(model: Density, points: Sequence[np.ndarray], masses: Sequence[float]) -> None:
    """Raise unless the total probability is 1 wherever it was found, and it was found somewhere."""
    for point, mass in zip(points, masses, strict=True):
        if np.isfinite(mass) and abs(mass - 1.0) > _CLOSE:
            raise ModelError(
                f"{model.name}: the density does not integrate to one: at {_at(model, point)} it gives {mass:.6g}. "
                "Divide it by what it integrates to"
            )
    if not np.isfinite(masses).any():
        raise ModelError(
            f"{model.name}: the density does not integrate to one, or too slowly to tell: at {_at(model, points[0])} "
            "no finite integral was found. If it is a density, pass check=False"
        )


def _require_regular(model: Density, points: Sequence[np.ndarray], metrics: Sequence[np.ndarray]) -> None:
    """Raise if at every point some direction changes nothing."""
    if not metrics:
        return
    total = np.sum([metric / max(float(metric.diagonal().max()), 1e-300) for metric in metrics], axis=0)
    flat, where = _flat(total), ""
    if not flat:
        # the direction may turn from point to point: then the sum over points is regular although none of them is
        each = [_flat(metric) for metric in metrics]
        if not all(each):
            return
        flat, where = each[0], f" at {_at(model, points[0])}"
    directions = " and ".join(_direction(model, v) for v in flat)
    raise ModelError(
        f"{model.name}: the Fisher metric is singular: the density does not change along {directions}{where}. "
        "Use fewer parameters"
    )


def _flat(metric: np.ndarray) -> list[np.ndarray]:
    """The directions in which a metric is nothing but rounding."""
    scale = np.sqrt(np.maximum(metric.diagonal(), 1e-300))
    eigenvalues, vectors = np.linalg.eigh(metric / np.outer(scale, scale))
    return [vectors[:, k] / scale for k in range(len(scale)) if eigenvalues[k] <= _FLAT]


def _direction(model: Density, vector: np.ndarray) -> str:
    """A direction in words: ``"d alpha - 2 d beta"``, by its largest component."""
    vector = vector / vector[int(np.argmax(np.abs(vector)))]
    terms = [(c, p) for c, p in zip(vector, model.parameters, strict=True) if abs(c) > 1e-8]
    signs = ["-" if c < 0 else "+" for c, _ in terms]
    sizes = [f"d{p}" if math.isclose(abs(c), 1.0) else f"{abs(c):.4g} d{p}" for c, p in terms]
    return " ".join(f"{sign} {size}" for sign, size in zip(signs, sizes, strict=True)).removeprefix("+ ")


def _at(model: Density, point: np.ndarray) -> str:
    """A point in words: ``"alpha = 1, beta = 2"``."""
    return ", ".join(f"{p} = {x:.4g}" for p, x in zip(model.parameters, point, strict=True))


def _members(model: Density) -> np.ndarray | None:
    """The members of a finite support that fulfil the constraints, shape (m, d); None if it is not small and finite."""
    if not all(part.is_finite_set for part in model.support):
        return None
    sizes = [len(part) for part in model.support]
    if math.prod(sizes) > _MOST_MEMBERS:
        return None
    every = np.array(list(itertools.product(*([float(x) for x in part] for part in model.support))))
    keep = np.ones(len(every), dtype=bool)
    for relation in model.constraints:
        keep &= model.fulfils(relation, list(every.T))
    return every[keep]


def _sums(model: Density, scores: Sequence[sp.Expr], members: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The mass and the expectations of products of two scores, as sums over the members of the support."""
    values = array_function((*model.observation, *model.parameters), [model.log_density, *scores])
    with np.errstate(all="ignore"):
        density, *slopes = np.moveaxis(
            values(np.concatenate([members, np.tile(point, (len(members), 1))], axis=1)), -1, 0
        )
    weights = np.exp(density)
    n = len(slopes)
    return np.array([weights.sum(), *(np.sum(weights * slopes[i] * slopes[j]) for i in range(n) for j in range(i + 1))])
