"""Geodesics of the Gamma model and transport along them against 32 digits by mpmath; see ``gamma_exp.py``."""

import json
from pathlib import Path

import numpy as np
import pytest

import riemopt as ro
from tests import catalogue
from tests.marks import slow

CASES = json.loads(Path(__file__).with_name("gamma_exp.json").read_text())
POINTS, ALONG, VECTORS = (np.array([case[name] for case in CASES]) for name in ("point", "along", "vector"))
ENDS, CARRIED = (np.array([[float(x) for x in case[name]] for case in CASES]) for name in ("end", "carried"))

FINE = {"rtol": 1e-13}

both = pytest.mark.parametrize("backend", ["numba", slow("numpy")])


def manifold(backend: str) -> ro.Manifold:
    return catalogue.manifold("gamma", backend=backend)


def assert_close(values: np.ndarray, reference: np.ndarray, bound: float) -> None:
    """Compare each component with its own size."""
    errors = np.abs(values - reference) / np.abs(reference)
    worst = np.argmax(np.where(np.isnan(errors), np.inf, errors).max(axis=1))
    assert np.all(errors <= bound), f"case {worst}, {CASES[worst]}: off by {errors[worst]}"


def test_shapes_move_tenfold_up_and_down():
    ratios = ENDS[:, 0] / POINTS[:, 0]
    for alpha in np.unique(POINTS[:, 0]):
        assert ratios[POINTS[:, 0] == alpha].min() < 0.1 and ratios[POINTS[:, 0] == alpha].max() > 10


@both
@pytest.mark.slow_for("numpy")
def test_geodesics_end_where_they_should(backend):
    assert_close(manifold(backend).exp(POINTS, ALONG), ENDS, 1e-9)


@both
def test_small_tolerances_give_more_digits(backend):
    assert_close(manifold(backend).exp(POINTS, ALONG, **FINE), ENDS, 1e-12)


@both
@pytest.mark.slow_for("numba")
def test_points_on_the_way_lead_on_to_the_end(backend):
    m = manifold(backend)
    velocities = m.transport(POINTS, 0.5 * ALONG, 0.5 * ALONG, **FINE)
    middles = m.geodesic(POINTS, ALONG, [0.5, 1.0], **FINE)[:, 0]
    assert_close(m.exp(middles, velocities, **FINE), ENDS, 1e-10)


@both
@pytest.mark.slow_for("numpy")
def test_vectors_are_carried_along(backend):
    """In units of their length; a component may be small."""
    m = manifold(backend)
    errors = m.norm(ENDS, m.transport(POINTS, ALONG, VECTORS) - CARRIED) / m.norm(POINTS, VECTORS)
    assert np.all(errors <= 1e-9), errors.max()


@both
def test_every_component_is_carried_along(backend):
    assert_close(manifold(backend).transport(POINTS, ALONG, VECTORS, **FINE), CARRIED, 1e-9)


def test_geodesics_are_found_from_their_ends():
    """The curvature is negative, so there is one geodesic between two points."""
    m = manifold("numba")
    lengths = m.norm(POINTS, ALONG)
    distances = m.distance(POINTS, ENDS)
    np.testing.assert_allclose(distances, lengths, rtol=1e-9)
    errors = m.norm(POINTS, m.log(POINTS, ENDS) - ALONG)
    assert np.all(errors <= 1e-8 * lengths), (errors / lengths).max()
