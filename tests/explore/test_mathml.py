"""Mathematics as MathML: markup that parses, and nothing else gets into it."""

import xml.etree.ElementTree as ET

import pytest
import sympy as sp

from riemopt.explore.mathml import chart_mathml, equation_mathml, mathml, words_mathml
from riemopt.geometry.printing import parts
from riemopt.manifold import Manifold
from riemopt.models import family

b = sp.Symbol("b", positive=True)


@pytest.mark.parametrize("expression", [1 / b, sp.exp(b) + sp.sqrt(b), sp.polygamma(1, b), sp.Symbol("<script>")])
def test_an_expression_is_one_math_element(expression):
    element = ET.fromstring(mathml(expression))
    assert element.tag == "math" and element.find(".//script") is None


def test_velocities_have_dots_over_them():
    assert "<mover" in mathml(sp.Symbol("alphadot")) and "<mover" in mathml(sp.Symbol("muddot"))


@pytest.mark.parametrize("name", ["gamma", "normal", "vonmises"])
def test_all_of_a_geometry_can_be_typeset(name):
    for part in parts(Manifold(family(name), backend="numpy").symbolic):
        for equation in part.equations():
            text = equation_mathml(equation)
            assert ET.fromstring(text).get("display") == "block"
            assert "polygamma" not in text and "dot</mi>" not in text


def test_a_chart_is_its_equations_or_its_names():
    alpha = sp.Symbol("alpha")
    assert ET.fromstring(chart_mathml([(alpha, 1 / b)])).find(".//mfrac") is not None
    assert "&#945;" in chart_mathml([], [alpha])


def test_words_stay_words():
    assert ET.fromstring(words_mathml("<b> & more")).find("mtext").text == "<b> & more"
