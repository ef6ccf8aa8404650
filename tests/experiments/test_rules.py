"""Integrators of a study by label."""

from __future__ import annotations

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError, UnknownNameError, UnsupportedError
from riemopt.experiments.rules import rules_for, rules_of
from riemopt.integrators import GeodesicSeries, Midpoint, NaturalGradient, OptimizerStep


def sgd(theta, gradient):
    return theta - 0.1 * gradient


def test_a_label_is_the_one_given_the_key_or_what_the_integrator_is_called():
    assert list(rules_of(["ng", NaturalGradient(), sgd])) == ["ng", "NaturalGradient", "sgd"]
    rules = rules_of({"mine": "mid", "series": GeodesicSeries(order=4), "step": sgd})
    assert list(rules) == ["mine", "series", "step"]
    assert isinstance(rules["mine"], Midpoint) and isinstance(rules["step"], OptimizerStep)
    assert list(rules_of("geo")) == ["geo"]


def test_a_label_is_given_once_and_there_is_one():
    with pytest.raises(ArgumentError, match="the integrator 'ng' is named twice"):
        rules_of(["ng", "ng"])
    with pytest.raises(ArgumentError, match="there are no integrators"):
        rules_of([])
    with pytest.raises(UnknownNameError, match="did you mean 'geo'"):
        rules_of(["geoo"])


def test_what_a_problem_does_not_offer_is_left_out_or_refused():
    problem = ro.OperatorProblem(
        loss=lambda x: 0.5 * float(x @ x), gradient=lambda x: x, fisher_product=lambda x, v: np.asarray(v)
    )
    assert list(rules_for([problem], None, ("ng", "geo", "mid"))) == ["ng", "mid"]
    with pytest.raises(UnsupportedError, match="connection"):
        rules_for([problem], ["geo"], ())
