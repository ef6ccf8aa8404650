"""Inverses in closed form."""

import numpy as np
import pytest
import sympy as sp

from riemopt.models.chart.elimination import eliminate
from tests.models.chart.cases import CLOSED, NUMERIC, alpha, beta, mu


@pytest.mark.parametrize("name", CLOSED)
def test_the_inverse_is_found_in_closed_form(name: str) -> None:
    chart = CLOSED[name]
    inverse = chart.inverse_expressions
    assert inverse is not None
    assert set().union(*(expression.free_symbols for expression in inverse)) <= set(chart.original_parameters)


@pytest.mark.parametrize(
    ("name", "inverse"),
    [
        ("beta = 1/b", (alpha, 1 / beta)),
        ("squares", (sp.sqrt(alpha), sp.sqrt(beta))),
        ("mean and variance", (alpha / beta, alpha / beta**2)),
        ("exchanged", (beta, 1 / alpha)),
        ("one branch", (1 - sp.sqrt(mu),)),
    ],
)
def test_the_closed_form_is_the_one_on_paper(name: str, inverse: tuple[sp.Expr, ...]) -> None:
    assert CLOSED[name].inverse_expressions == inverse


@pytest.mark.parametrize("name", NUMERIC)
def test_where_there_is_no_closed_form_the_inverse_is_found_in_numbers(name: str) -> None:
    assert NUMERIC[name].inverse_expressions is None


def test_the_branch_is_the_one_through_the_given_points() -> None:
    x, t = sp.symbols("x t", real=True)
    points = np.linspace(0.5, 3.0, 8)[:, None]
    for sign, expected in ((1.0, sp.sqrt(t)), (-1.0, -sp.sqrt(t))):
        assert eliminate([x], [x**2], [t], sign * points, points**2) == {x: expected}


def test_equations_that_are_not_plain_are_left_alone() -> None:
    x, t = sp.symbols("x t", real=True)
    points = np.linspace(0.5, 3.0, 8)[:, None]
    assert eliminate([x], [x + sp.exp(x)], [t], points, points + np.exp(points)) is None
