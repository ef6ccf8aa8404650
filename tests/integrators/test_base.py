"""Integrators by their keys, and what a rule inherits."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.integrators.base import PathIntegrator
from riemopt.integrators.path import Path


class Halves(ro.Integrator):
    """A rule that halves the point."""

    def step(self, problem, theta, h, memory):
        return theta / 2, (memory or 0) + 1


class Falls(PathIntegrator):
    """A rule by its path."""

    def path(self, problem, theta, h, memory):
        return Path(theta, -theta, 2 * theta), memory


def test_every_key_names_an_integrator_of_its_own():
    assert len(set(ro.integrators.names())) == len(ro.integrators.names())
    for key in ro.integrators.names():
        first, second = ro.integrators.by_name(key), ro.integrators.by_name(key)
        assert first is not second and repr(first) == repr(second)
        assert first.orders is not None or key.endswith("adaptive")


def test_an_integrator_stands_for_itself_and_nothing_else_does():
    rule = Halves()
    assert ro.integrators.by_name(rule) is rule
    with pytest.raises(ArgumentError, match=r"not its class: Halves\(\)"):
        ro.integrators.by_name(Halves)
    with pytest.raises(ArgumentError, match="not int"):
        ro.integrators.by_name(1)
    with pytest.raises(UnknownNameError, match="did you mean 'mid'"):
        ro.integrators.by_name("midd")


def test_the_path_of_a_rule_is_the_straight_line_to_its_end():
    theta = np.array([4.0, -2.0])
    path, memory = Halves().path(None, theta, 0.5, 3)
    assert memory == 4
    np.testing.assert_array_equal(path.at(0.5), theta / 2)
    np.testing.assert_array_equal(path.at(0.25), 0.75 * theta)


def test_a_rule_given_by_its_path_goes_to_its_end():
    theta, memory = Falls().step(None, np.array([4.0]), 0.5, "kept")
    assert memory == "kept"
    np.testing.assert_array_equal(theta, [4.0 - 0.5 * 4.0 + 0.125 * 8.0])


def test_a_rule_without_a_memory_begins_with_none_and_keeps_what_it_has():
    rule = Halves()
    assert rule.init(None, np.ones(2), 0.1) is None
    assert rule.remember(Path(np.ones(2), np.ones(2)), 0.0, 0.1, "kept") == "kept"
