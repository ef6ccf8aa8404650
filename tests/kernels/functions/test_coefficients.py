"""The coefficients: of every order that is compiled, and as exact as they say."""

from types import SimpleNamespace

import mpmath
import numpy as np
import pytest

from riemopt.kernels.functions.coefficients import POLYGAMMAS, REMAINDERS
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS
from tests.kernels.functions.psi import worst_relative_error


def test_every_compiled_order_has_coefficients():
    assert list(POLYGAMMAS) == list(REMAINDERS) == list(POLYGAMMA_ORDERS)


def test_denominators_end_with_one():
    assert all(fit.denominator[-1] == 1.0 for table in (POLYGAMMAS, REMAINDERS) for fit in table.values())


@pytest.mark.parametrize("order", POLYGAMMA_ORDERS)
def test_numerators_begin_as_the_expansion_does(order):
    # f_n(0) = -(n+1)!/24 for the polygammas, and the next term of DLMF 5.15.8 and 5.15.9 for the remainders
    assert POLYGAMMAS[order].numerator[-1] == pytest.approx(-float(mpmath.factorial(order + 1)) / 24, rel=1e-10)
    assert REMAINDERS[order].numerator[-1] == pytest.approx(-float(mpmath.factorial(order + 3)) / 720, rel=1e-10)


@pytest.mark.parametrize("order", POLYGAMMA_ORDERS)
@pytest.mark.slow_for("4", "5")
def test_error_of_a_polygamma_is_within_its_bound(target: SimpleNamespace, order):
    points = np.geomspace(1e-6, 1e8, 500)
    error, x = worst_relative_error(getattr(target, f"polygamma_{order}"), order, points)
    assert error < POLYGAMMAS[order].bound, x
