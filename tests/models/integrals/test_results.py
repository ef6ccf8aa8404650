"""What SymPy's results may look like."""

import pytest
import sympy as sp

from riemopt.models.integrals.results import (
    NotFound,
    add_up,
    in_lowest_terms,
    require_closed,
    require_evaluated,
    with_least_arguments,
)

a, x = sp.symbols("a x", positive=True)


def test_unevaluated_and_infinite_results_are_none():
    for result in (sp.Integral(sp.exp(-x), x), sp.oo, x):
        with pytest.raises(NotFound, match="no closed form"):
            require_evaluated(result, x)
    converging = sp.Piecewise((a, a > 1), (sp.Integral(sp.exp(-x), (x, 0, a)), True))
    assert require_evaluated(converging) == a


def test_functions_that_kernels_lack_are_named():
    with pytest.raises(NotFound, match="contains expint"):
        require_closed(sp.expint(1, a), [x])


def test_gamma_functions_of_shifted_arguments_are_those_of_the_least():
    shifted = with_least_arguments(sp.gamma(a + 2) / sp.gamma(a) + sp.digamma(a + 1))
    assert sp.expand(shifted) == a**2 + a + sp.digamma(a) + 1 / a


def test_coefficients_are_brought_to_lowest_terms():
    log = sp.log(a)
    assert in_lowest_terms((a**2 - 1) / (a - 1) * log - a * log) == log


def test_parts_are_added_value_by_value():
    assert add_up([[a, 1], [x, 2]]) == [a + x, 3]
