"""Rules of traced primitives on arrays, compiled at their first use."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, UnknownNameError, UnsupportedError
from riemopt.formulas.model_geometry import formulas_of
from riemopt.manifold.evaluation import Evaluator, both_tolerances, target_of


def evaluator(model, derived=None):
    derived = [] if derived is None else derived
    return Evaluator(model, target_of("numpy"), lambda: derived.append(1) or formulas_of(model, True), "True")


def test_a_rule_is_derived_at_its_first_use_only():
    u, x = sp.symbols("u x", positive=True)
    # a constant that no program on disk has
    model = ro.StatisticalModel(sp.log(17 * u) - 17 * u * x, x, sp.Interval.open(0, sp.oo), (u,), "Seventeen")
    derived = []
    evaluate = evaluator(model, derived)
    first, again = (evaluate("norm", lambda p, x, v: p.inner(x, v, v), [[2.0], [3.0]], [()]) for _ in range(2))
    assert first == again == 9.0 / 4.0
    assert len(derived) <= 1


def test_arrays_broadcast_and_values_have_their_axes():
    points, vectors = np.ones((4, 1, 2)), np.ones((3, 2))
    rule = lambda p, x, v: (p.metric(x), p.connection(x, v))  # noqa: E731
    status, metric, product = evaluator(ro.models.Gamma()).run("both", rule, [points, vectors], [(2, 2), (2,)])
    assert (status.shape, metric.shape, product.shape) == ((4, 3), (4, 3, 2, 2), (4, 3, 2))
    assert not status.any()


def test_a_conditional_model_has_nothing_to_evaluate():
    u, w = sp.symbols("u w", real=True)
    with pytest.raises(UnsupportedError, match="mean over inputs"):
        evaluator(ro.ConditionalModel((w * u,), "poisson", (u,), (w,)))("metric", None, [[1.0]], [(1, 1)])


def test_an_unknown_backend_is_named():
    with pytest.raises(UnknownNameError, match="numby"):
        target_of("numby")


def test_the_absolute_tolerance_is_a_hundredth_of_the_relative_one_unless_it_is_given():
    assert both_tolerances(1e-6, None) == (1e-6, 1e-8)
    assert both_tolerances(0.0, 1e-3) == (0.0, 1e-3)
    for wrong in ((0.0, 0.0), (-1.0, 1.0), (np.inf, None), (np.nan, None)):
        with pytest.raises(ArgumentError, match="rtol and atol"):
            both_tolerances(*wrong)
