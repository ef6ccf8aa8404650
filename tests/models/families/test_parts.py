"""What several densities of the catalogue are made of."""

import math

import numpy as np
import pytest
import sympy as sp

from riemopt.errors import ArgumentError
from riemopt.models.families.parts import HALF_LINE, UNIT, as_integer, inside, log_beta, log_factorial, with_last


def test_draws_on_an_open_end_are_moved_inside():
    np.testing.assert_array_equal(inside(UNIT, np.array([0.0, 0.5, 1.0])) > 0, True)
    assert inside(UNIT, np.array([1.0]))[0] < 1.0
    assert inside(HALF_LINE, np.array([0.0]))[0] == np.finfo(float).tiny


def test_factorials_are_exact_or_do_not_overflow():
    assert log_factorial(5) == sp.log(120)
    assert float(log_factorial(500)) == math.lgamma(501)


def test_the_beta_function_is_that_of_gamma_functions():
    assert float(sp.exp(log_beta(sp.Integer(2), sp.Integer(3)))) == pytest.approx(1 / 12)


def test_probabilities_add_up_to_one_with_the_last():
    np.testing.assert_allclose(with_last(np.array([0.25, 0.5])), [0.25, 0.5, 0.25])


@pytest.mark.parametrize("value", [0, 1.5, True, "2"])
def test_what_is_no_number_of_trials_is_refused(value):
    with pytest.raises(ArgumentError, match="trials must be an integer of at least 1"):
        as_integer("trials", value, 1)
