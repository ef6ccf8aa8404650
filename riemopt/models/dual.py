"""The natural and the mean chart of an exponential family: its natural parameters z and η = E[T] as coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from sympy.core.relational import Relational

from riemopt.errors import ModelError
from riemopt.models.chart import Chart
from riemopt.models.density import Density
from riemopt.models.domain import Domain, Image
from riemopt.models.dual_inverse import ASSUMPTIONS, inverse, sign_on
from riemopt.models.expectation import ExponentialFamilyExpectation, ExponentialForm, ObservationFreeHessian
from riemopt.symbolic.implicit import is_implicit

__all__ = ["dual_chart", "log_density_in_chart", "mean_parameters", "natural_form"]


Symbols = Sequence[sp.Symbol]
Expressions = tuple[sp.Expr, ...]


def natural_form(model: Density) -> ExponentialForm:
    """The exponential form of a model whose natural parameters are coordinates, statistics of low degree first.

    Raises
    ------
    ModelError
        If the model is no exponential family, or one with more statistics than parameters.
    """
    form = model.exponential_form
    if form is not None and len(form.statistics) > model.dimension:
        raise ModelError(
            f"{model.name} is a curved exponential family: its {len(form.statistics)} natural parameters are functions "
            f"of {model.dimension}, so they are no coordinates"
        )
    expectation = model.expectation
    form = expectation.form
    if isinstance(expectation, ObservationFreeHessian):
        return expectation.form
    if form is None or not isinstance(expectation, ExponentialFamilyExpectation):
        raise ModelError(f"{model.name} has no natural parameters: it is not an exponential family")
    order = _by_degree(form, model.observation)
    natural, statistics = (tuple(values[i] for i in order) for values in (form.natural, form.statistics))
    return ExponentialForm(natural, statistics, form.log_partition, form.log_base)


def mean_parameters(model: Density) -> Expressions:
    """E[T] for the statistics of :func:`natural_form`, which must exist."""
    expectation = model.expectation
    if isinstance(expectation, ExponentialFamilyExpectation):
        mean = tuple(map(_trigonometric, expectation.mean))
        return tuple(mean[i] for i in _by_degree(expectation.form, model.observation))
    assert expectation.form is not None
    return tuple(expectation.form.log_partition.diff(p) for p in model.parameters)


def _by_degree(form: ExponentialForm, observation: Symbols) -> list[int]:
    """The places of the statistics, those of low degree first."""
    return sorted(range(len(form.statistics)), key=lambda i: _degree(form.statistics[i], observation))


def _degree(statistic: sp.Expr, observation: Symbols) -> tuple[int, list[int]]:
    """The number of factors, and which observation is in each."""
    places: list[int] = []
    for factor in sp.Mul.make_args(statistic):
        base, exponent = factor.as_base_exp()
        first = [i for i, x in enumerate(observation) if base.has_free(x)][:1]
        places += first * (abs(int(exponent)) if exponent.is_Integer else 1)
    return len(places), sorted(places)


def _trigonometric(e: sp.Expr) -> sp.Expr:
    """An expression with sines simplified; without any it stays as it is."""
    return sp.trigsimp(e) if e.has(sp.sin) else e


def dual_chart(domain: Domain, image: Expressions, letter: str, taken: Symbols) -> Chart:
    """The chart whose coordinates are given functions of θ.

    Parameters
    ----------
    domain : Domain
        Where θ lies.
    image : tuple of sympy.Expr
        The new coordinates as functions of θ.
    letter : str
        What they are called: by this letter, with numbers if there are several; with an underscore behind where
        a name is taken.
    taken : sequence of sympy.Symbol
        Symbols that they must not be called like.
    """
    symbols = _symbols(domain, image, letter, {s.name for s in taken})
    expressions = inverse(domain, image, symbols)
    exchange = dict(zip(domain.parameters, expressions, strict=True))
    # all conditions of a preimage are met where there is none: then it is not less than infinity
    free = set(domain.parameters).difference(*(c.free_symbols for c in domain.conditions))
    exists = [sp.StrictLessThan(exchange[p], sp.oo, evaluate=False) for p in free if is_implicit([exchange[p]])]
    moved = (
        condition.func(condition.lhs.xreplace(exchange), condition.rhs.xreplace(exchange), evaluate=False)
        for condition in domain.conditions
    )
    simple = Domain.of(symbols, (c if is_implicit([c]) else _simple(c) for c in moved))
    conditions = (*simple.conditions, *exists)
    within = Image(symbols, conditions, domain, image) if is_implicit(expressions) else Domain(symbols, conditions)
    return Chart(domain.parameters, symbols, expressions, domain, within, validate=False, inverse=image)


def _simple(condition: Relational) -> sp.Basic:
    """A condition without factors of known sign, and with roots and fractions undone: √(u/v²) > 0 is u > 0."""
    low, high = (condition.lhs, condition.rhs) if condition.rel_op.startswith("<") else (condition.rhs, condition.lhs)
    factors, sign = [], 1
    for factor in sp.Mul.make_args(sp.factor(sp.together(high - low))):
        base, exponent = factor.as_base_exp()
        if base.is_negative and (not exponent.is_integer or exponent.is_odd):
            sign = -sign
        elif not base.is_positive and not exponent.is_even:
            factors.append(base)
    rest = sp.expand(sign * sp.Mul(*factors))
    return (sp.GreaterThan if "=" in condition.rel_op else sp.StrictGreaterThan)(rest, 0)


def _symbols(domain: Domain, image: Expressions, letter: str, taken: set[str]) -> tuple[sp.Symbol, ...]:
    """Symbols for the new coordinates, positive or negative where the image is."""
    numbers = [""] if len(image) == 1 else [f"_{i + 1}" for i in range(len(image))]
    names = [f"{letter}{number}" for number in numbers]
    while taken & set(names):
        names = [f"{name}_" for name in names]
    signs = (sign_on(domain, e) for e in image)
    return tuple(sp.Symbol(name, **{ASSUMPTIONS[sign]: True}) for name, sign in zip(names, signs, strict=True))


def log_density_in_chart(form: ExponentialForm, chart: Chart, natural: bool) -> sp.Expr:
    """The log-density in a chart of :func:`dual_chart`; in the natural one it is linear in the coordinates."""
    exchange = dict(zip(chart.original_parameters, chart.expressions, strict=True))
    z = chart.parameters if natural else tuple(e.xreplace(exchange) for e in form.natural)
    linear = sp.Add(*(a * b for a, b in zip(z, form.statistics, strict=True)))
    return linear - _with_plain_logarithms(form.log_partition.xreplace(exchange)) + form.log_base


def _with_plain_logarithms(e: sp.Expr) -> sp.Expr:
    """A sum with its fractions added up and logarithms of products: -log(1 + e^z) for log(1 - e^z/(1 + e^z))."""
    if is_implicit([e]):
        return e
    terms = sp.Add.make_args(e)
    fractions = [term for term in terms if term.free_symbols and term.is_rational_function()]
    rest = [term for term in terms if term not in fractions]
    whole = sp.Add(sp.factor(sp.Add(*fractions)), *rest)
    return whole.replace(lambda s: isinstance(s, sp.log), lambda s: _logarithm(sp.factor(sp.together(s.args[0]))))


def _logarithm(e: sp.Expr) -> sp.Expr:
    """The logarithm of a positive fraction."""
    above, below = e.as_numer_denom()
    sign = -1 if above.is_negative else 1
    if not (sign * above).is_positive:
        return sp.expand_log(sp.log(e))
    return sp.expand_log(sp.log(sign * above)) - sp.expand_log(sp.log(sp.expand(sign * below)))
