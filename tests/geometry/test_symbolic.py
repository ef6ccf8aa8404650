"""Formulas for reading: what they say, how they are written, and the field they are computed in."""

from functools import cache

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.geometry.field import Field
from riemopt.geometry.metric import fisher_metric
from riemopt.geometry.printing import in_latex, in_text, parts
from riemopt.geometry.writing import Writer

models = ro.models
x, y = sp.symbols("x y", positive=True)


def symbolic(model):
    return ro.Manifold(model, backend="numpy").symbolic


@cache
def known(make):
    return symbolic(make())


# -- what they say


def categorical():
    return models.Categorical(4)


SOME = [models.Gamma, models.Dirichlet, models.VonMises, models.MultivariateNormal, categorical]


@pytest.mark.parametrize("make", SOME)
def test_metric_inverse_and_volume_belong_together(make):
    geometry = known(make)
    model = geometry.model
    g, n = fisher_metric(model), model.dimension
    where = dict(zip(model.parameters, map(sp.nsimplify, model.some_points()[0]), strict=True))
    here, inverse, raw = (m.xreplace(where).evalf(30) for m in (geometry.metric, geometry.inverse_metric, g))
    assert (here - raw).norm() < 1e-25 * raw.norm()
    assert (here * inverse - sp.eye(n)).norm() < 1e-24
    volume = geometry.volume_element.xreplace(where).evalf(30)
    assert volume > 0
    assert abs(volume**2 / raw.det() - 1) < 1e-24


def test_sectional_curvature_is_that_of_the_plane():
    geometry = known(models.MultivariateNormal)
    first, second, third, *_ = geometry.model.parameters
    u, v = (1, 0, 2, 0, first), (0, 1, 0, third, 0)
    other = [a + 3 * b for a, b in zip(u, v, strict=True)]
    assert sp.simplify(geometry.sectional_curvature(u, v) - geometry.sectional_curvature(other, v)) == 0
    assert geometry.sectional_curvature(u, v) == geometry.sectional_curvature(v, u)
    along = geometry.sectional_curvature(first, third)
    assert along == geometry.sectional_curvature([1, 0, 0, 0, 0], [0, 0, 1, 0, 0])
    assert geometry.sectional_curvature(first, second) == sp.Rational(1, 4)


def test_sectional_curvature_of_a_surface_needs_no_vectors():
    geometry = known(models.Beta)
    alpha, beta = geometry.model.parameters
    assert geometry.sectional_curvature() == geometry.sectional_curvature(beta, alpha)
    assert sp.simplify(2 * geometry.sectional_curvature() - geometry.scalar_curvature) == 0


@pytest.mark.parametrize(
    ("vectors", "error", "message"),
    [
        ((), ro.errors.ArgumentError, "two vectors"),
        (([1, 0, 0],), ro.errors.ArgumentError, "two vectors"),
        (([1, 0, 0], [2, 0, 0]), ro.errors.ArgumentError, "do not span a plane"),
        (([1, 0], [0, 1, 0]), ro.errors.ShapeError, "u has 2 components"),
        (([1, 0, 0], x), ro.errors.ArgumentError, "x is not a coordinate"),
    ],
)
def test_vectors_that_span_no_plane_are_refused(vectors, error, message):
    with pytest.raises(error, match=message):
        known(categorical).sectional_curvature(*vectors)


def test_a_text_is_no_component():
    with pytest.raises(sp.SympifyError):
        known(models.Beta).sectional_curvature(["1", "0"], [0, 1])


def test_time_is_not_spent_twice():
    """Nothing is derived before it is asked for, and then once."""
    geometry = symbolic(models.Gamma())
    assert geometry.riemann is geometry.riemann
    assert "ricci" not in vars(geometry)


# -- how they are written


def written(model, *names):
    geometry = symbolic(model)
    results = []
    for name in names:
        name, *index = name.split()
        value = getattr(geometry, name)
        results.append(str(value[tuple(map(int, index))] if index else value))
    return results


def test_gamma_as_in_books():
    assert written(models.Gamma(), "volume_element", "christoffel 1 1 1", "riemann_lowered 0 1 0 1") == [
        "sqrt(alpha*polygamma(1, alpha) - 1)/beta",
        "(-2*alpha*polygamma(1, alpha) + 1)/(2*beta*(alpha*polygamma(1, alpha) - 1))",
        "(alpha*polygamma(2, alpha) + polygamma(1, alpha))/(4*beta**2*(alpha*polygamma(1, alpha) - 1))",
    ]


def test_probabilities_are_subtracted_from_one():
    assert written(models.Categorical(3), "metric 0 0", "metric 0 1", "riemann_lowered 0 1 0 1") == [
        "(1 - p_2)/(p_1*(-p_1 - p_2 + 1))",
        "1/(-p_1 - p_2 + 1)",
        "1/(4*p_1*p_2*(-p_1 - p_2 + 1))",
    ]


def test_the_constant_of_euler_comes_as_its_difference_from_one():
    assert written(models.Gumbel(), "metric 1 1", "christoffel 1 0 0", "ricci 1 1") == [
        "(6*(1 - EulerGamma)**2 + pi**2)/(6*beta**2)",
        "6/(pi**2*beta)",
        "-(6*(1 - EulerGamma)**2 + pi**2)/(pi**2*beta**2)",
    ]


def test_fractions_are_taken_apart_where_that_is_shorter():
    assert written(models.StudentT(), "metric 0 0", "metric 0 2") == [
        "(polygamma(1, nu/2) - polygamma(1, nu/2 + 1/2))/4 - (nu + 5)/(2*nu*(nu + 1)*(nu + 3))",
        "-2/(sigma*(nu + 1)*(nu + 3))",
    ]


def test_bessel_functions_are_those_of_order_zero_and_one():
    geometry = known(models.VonMises)
    kappa = geometry.model.parameters[1]
    ratio = sp.besseli(1, kappa) / sp.besseli(0, kappa)
    assert geometry.metric[1, 1] == 1 - ratio**2 - ratio / kappa
    orders = {f.order for e in sp.flatten(geometry.riemann) for f in e.atoms(sp.besseli)}
    assert orders == {0, 1}


def test_relations_that_the_field_does_not_know_are_found():
    t = sp.Symbol("t", positive=True)
    model = models.Exponential().reparametrize({models.Exponential().parameters[0]: sp.sinh(t)}, (t,))
    assert symbolic(model).metric[0, 0] in (sp.coth(t) ** 2, sp.tanh(t) ** -2)


# -- equations in text and LaTeX


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


def test_of_integrals_the_score_and_the_metric_are_written():
    titles = [part.title for part in parts(known(models.NegativeBinomial))]
    assert titles[1:] == ["Score", "Fisher metric, the mean of products of the score"]
    assert "∂_p log p" in in_text(part(models.NegativeBinomial, "Score"))


def test_a_notebook_shows_formulas():
    manifold = ro.Manifold(models.Normal(), backend="numpy")
    shown = manifold.symbolic._repr_latex_()
    assert shown.startswith("$$\\begin{aligned}")
    assert all(piece in shown for piece in (r"g &= ", r"\Gamma^{\sigma}_{\mu \mu} &= \frac{1}{2 \sigma}", "R &= -1"))
    assert r"\log p(x) &= " in manifold._repr_latex_()
    conditional = ro.ConditionalModel([x * y], output="poisson", inputs=(x,), parameters=(y,))
    assert ro.Manifold(conditional)._repr_latex_() is None
    assert ro.Manifold(conditional).symbolic._repr_latex_() is None


# -- the field


EXPRESSIONS = [
    sp.sqrt(x) * sp.exp(-2 * y) + sp.polygamma(1, x + y) / sp.log(2 * x),
    sp.besseli(1, x) / sp.besseli(0, x) + x ** (y / 3) + sp.exp(y / 2 + x),
    (1 - x - y) ** -3 + sp.sqrt(1 + x**2) * y - sp.pi * sp.EulerGamma,
    sp.Rational(2, 3) * x**2 - sp.zeta(3) / (x + sp.sqrt(2)),
]


@pytest.mark.parametrize("k", range(len(EXPRESSIONS)))
def test_derivatives_in_the_field_are_those_of_expressions(k):
    expression = EXPRESSIONS[k]
    field = Field.of((x, y), [expression], order=2)
    write = Writer(field)
    values = {x: sp.Rational(2, 7), y: sp.Rational(3, 5)}
    for along in ((), (x,), (x, y)):
        element, expected = field(expression), expression
        for symbol in along:
            element, expected = element.diff(symbol), expected.diff(symbol)
        assert abs((write(element) - expected).evalf(30, subs=values)) < 1e-25


@pytest.mark.parametrize(
    "zero",
    [
        sp.sqrt(x) ** 2 - x,
        sp.exp(2 * x) * sp.exp(-x) - sp.exp(x),
        sp.log(2 * x * y) - sp.log(2) - sp.log(x) - sp.log(y),
        sp.besseli(2, x) - sp.besseli(0, x) + 2 * sp.besseli(1, x) / x,
        x ** (y + 1) - x * x ** (y / 2) * x ** (y / 2),
        1 / (x + y) - (x - y) / (x**2 - y**2),
        sp.Float(0.1) * x - x / 10,
    ],
)
def test_what_is_zero_is_zero_in_the_field(zero):
    terms = sp.Add.make_args(zero)
    field = Field.of((x, y), terms)
    total = field(0)
    for term in terms:
        total = total + field(term)
    assert not total


coefficient = st.integers(-3, 3)


@given(
    st.lists(st.tuples(coefficient, st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5), st.integers(1, 5)
)
def test_writing_changes_nothing(terms, k):
    above = sum((c * x**i * sp.polygamma(1, y) ** j for c, i, j in terms), sp.S.Zero)
    expression = above / (x * (1 - x) ** 2 * sp.polygamma(1, y) ** (k % 2) * k)
    field = Field.of((x, y), [expression])
    result = Writer(field, [(0.25, 0.5)])(field(expression))
    assert field(result).element == field(expression).element
    assert sp.count_ops(result) <= sp.count_ops(sp.factor(expression)) + 1
