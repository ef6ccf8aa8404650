"""The smallest number of steps within a distance, and what a run with as many costs."""

from __future__ import annotations

import numpy as np
import pytest

import riemopt as ro
from riemopt.experiments import Subject
from riemopt.experiments.subject_costs import AdaptiveCosts, SubjectCosts, costs_of
from riemopt.integrators import by_name

SUBJECT = Subject.of(ro.models.Exponential(), [0.5, 0.2, 0.1], start=[1.0], backend="numpy")


def costs(key, most=64):
    return costs_of(by_name(key), SUBJECT, SUBJECT.own.flow(1.0), most)


def test_a_rule_that_chooses_its_steps_is_asked_for_a_tolerance_instead():
    assert type(costs("ng")) is SubjectCosts
    adaptive = costs("ng-adaptive")
    assert type(adaptive) is AdaptiveCosts
    assert adaptive.cost(1e-3).steps == 1 and adaptive.cost(1e-3).achieved <= 1e-3


def test_one_step_fewer_misses_the_distance_or_twice_as_many_do():
    study = costs("ng")
    cost = study.cost(1e-2)
    steps = int(cost.steps)
    assert study.missed(steps) == cost.achieved <= 1e-2 and study.missed(2 * steps) <= 1e-2
    assert max(study.missed(steps - 1), study.missed(2 * steps - 2)) > 1e-2
    assert (cost.solves, cost.gradients, cost.connections) == (steps, steps, 0)


@pytest.mark.slow
def test_beyond_the_most_steps_the_power_law_is_continued():
    cost = costs("mid").cost(1e-7)
    assert cost.extrapolated and np.isnan(cost.achieved)
    measured = costs("mid", most=4096).cost(1e-7)
    assert measured.is_measured and abs(cost.steps / measured.steps - 1.0) < 0.02
