"""The geometry on paper: which equations there are, and how they read."""

from functools import cache

import pytest
import sympy as sp

import riemopt as ro
from riemopt.geometry.printing import in_latex, in_text, parts

models = ro.models


def symbolic(model):
    return ro.Manifold(model, backend="numpy").symbolic


@cache
def known(make):
    return symbolic(make())


def categorical():
    return models.Categorical(4)


def part(make, title):
    return next(part for part in parts(known(make)) if part.title.startswith(title))


def test_a_denominator_that_comes_again_has_a_name():
    text = in_text(part(models.Beta, "Levi-Civita connection, second"))
    assert text.count("D = ") == 1
    assert text.count("2⋅D") == 6
    assert "D" not in in_text(part(models.Gamma, "Levi-Civita connection, second"))


def test_a_letter_that_is_taken_is_not_used():
    a, b = sp.symbols("a b", positive=True)
    gamma = models.Gamma()
    moved = gamma.reparametrize(dict(zip(gamma.parameters, (a, 1 / b), strict=True)), (a, b))
    assert "Γ^(c)_aaa" in in_text(part(lambda: moved, "c-connections"))


def test_constant_curvature_is_said():
    assert "K = -1/2   (the sectional curvature, the same everywhere)" in in_text(part(models.Normal, "Scalar"))
    assert "K = 1/4" in in_text(part(categorical, "Scalar"))
    assert "everywhere" not in in_text(part(models.Gamma, "Scalar"))


def test_only_independent_components_are_written():
    text = in_text(part(models.Dirichlet, "Riemann"))
    assert text.count("R_") == 6
    assert in_text(part(models.Poisson, "Riemann")).endswith("All components vanish.")
    assert "R &= 0" in in_latex(part(models.Poisson, "Riemann"))


@pytest.mark.slow
def test_of_integrals_the_score_and_the_metric_are_written():
    titles = [part.title for part in parts(known(models.NegativeBinomial))]
    assert titles[1:] == ["Score", "Fisher metric, the mean of products of the score"]
    assert "∂_p log p" in in_text(part(models.NegativeBinomial, "Score"))
