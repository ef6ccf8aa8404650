"""Equations as text and as LaTeX."""

import sympy as sp

from riemopt.geometry.equation import Equation, with_denominators_named

a, b = sp.symbols("alpha beta", positive=True)


def test_a_name_has_its_indices_and_its_argument():
    equation = Equation(sp.Integer(1), "Gamma", upper=(a,), lower=(a, b), argument="(v)")
    assert equation.in_text(unicode=True) == "Γ^α_αβ(v) = 1"
    assert equation.in_text(unicode=False) == "Gamma^alpha_alpha,beta(v) = 1"
    assert equation.in_latex() == r"\Gamma^{\alpha}_{\alpha \beta}(v) &= 1"


def test_polygamma_functions_are_written_as_in_books():
    assert Equation(sp.polygamma(1, a), "g").in_text(unicode=True) == "g = ψ₁(α)"


def test_a_long_denominator_that_occurs_twice_is_named_once():
    long = a * sp.polygamma(1, a) ** 2 - b**2 - 1
    first, second = Equation(a / long, "x"), Equation(b / long, "y")
    named, *others = with_denominators_named([first, second])
    assert (named.letter, named.value) == ("D", long)
    assert [other.value for other in others] == [a / sp.Symbol("D"), b / sp.Symbol("D")]
    assert with_denominators_named([first]) == [first]
