"""The natural and the mean chart of an exponential family: how its parameters depend on z or on η = E[T].

A parameter is solved for in closed form where that is plain; what is left are preimages, found by Newton's method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp
from sympy.core.relational import Relational

from riemopt.errors import ModelError, UnsupportedError
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain, Image
from riemopt.models.expectation import Expectation, ExponentialFamily, ExponentialForm, ObservationFreeHessian
from riemopt.symbolic.implicit import ImplicitMap, Preimage, is_implicit

if TYPE_CHECKING:
    from riemopt.models.statistical import StatisticalModel

__all__ = ["ImplicitFamily", "dual_chart", "in_chart", "mean_parameters", "natural_form"]

_COUPLED = 5
"""Equations that are divided by one of them."""

Symbols = Sequence[sp.Symbol]
Expressions = tuple[sp.Expr, ...]


class ImplicitFamily(Expectation):
    """Expectations in a chart without a closed form: they are those of the family's own chart, moved.

    Parameters
    ----------
    original : Expectation
        The way of taking expectations in the family's own chart.
    chart : Chart
        The way there.
    """

    def __init__(self, original: Expectation, chart: Chart) -> None:
        self._original, self._chart = original, chart
        self.form = None if original.form is None else _moved(original.form, chart)

    def __str__(self) -> str:
        return f"{self._original}; this chart has no closed form: {self._chart.describe()}"

    @property
    def metric(self) -> sp.ImmutableMatrix:
        """There is none to read."""
        raise self._unsupported("metric")

    @property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """There is none to read."""
        raise self._unsupported("Amari–Chentsov tensor")

    def _unsupported(self, what: str) -> UnsupportedError:
        names = ", ".join(map(str, self._chart.parameters))
        return UnsupportedError(
            f"the {what} has no closed form in the coordinates {names}: a Manifold gives its numbers, and the formula "
            f"in {', '.join(map(str, self._chart.original_parameters))}"
        )


def _moved(form: ExponentialForm, chart: Chart) -> ExponentialForm:
    inner = dict(zip(chart.original_parameters, chart.expressions, strict=True))
    natural = tuple(z.xreplace(inner) for z in form.natural)
    return ExponentialForm(natural, form.statistics, form.log_partition.xreplace(inner), form.log_base)


def natural_form(model: StatisticalModel) -> ExponentialForm:
    """The form of a model whose natural parameters are coordinates, statistics of low degree first.

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
    if form is None or not isinstance(expectation, ExponentialFamily):
        raise ModelError(f"{model.name} has no natural parameters: it is not an exponential family")
    order = _order(form, model.observation)
    natural, statistics = (tuple(values[i] for i in order) for values in (form.natural, form.statistics))
    return ExponentialForm(natural, statistics, form.log_partition, form.log_base)


def mean_parameters(model: StatisticalModel) -> Expressions:
    """E[T] for the statistics of :func:`natural_form`, which must exist."""
    expectation = model.expectation
    if isinstance(expectation, ExponentialFamily):
        mean = tuple(map(_trigonometric, expectation.mean))
        return tuple(mean[i] for i in _order(expectation.form, model.observation))
    assert expectation.form is not None
    return tuple(expectation.form.log_partition.diff(p) for p in model.parameters)


def _order(form: ExponentialForm, observation: Symbols) -> list[int]:
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
    expressions = _inverse(domain, image, symbols)
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
    numbers = [""] if len(image) == 1 else [f"_{i + 1}" for i in range(len(image))]
    names = [f"{letter}{number}" for number in numbers]
    while taken & set(names):
        names = [f"{name}_" for name in names]
    signs = (_sign(domain, e) for e in image)
    return tuple(sp.Symbol(name, **{_ASSUMPTIONS[sign]: True}) for name, sign in zip(names, signs, strict=True))


_ASSUMPTIONS = {1: "positive", -1: "negative", 0: "real"}


def _sign(domain: Domain, e: sp.Expr) -> int:
    """1 or -1 for an expression that is positive or negative in all the domain, else 0."""
    margins = [sp.expand(margin) for margin in domain.margins]
    sign = 1
    for factor in sp.Mul.make_args(sp.factor(e)):
        base, exponent = factor.as_base_exp()
        expanded = sp.expand(base)
        if base.is_positive or factor.is_positive or expanded in margins:
            continue
        if not (exponent.is_odd and (base.is_negative or -expanded in margins)):
            return 0
        sign = -sign
    return sign


def in_chart(form: ExponentialForm, chart: Chart, natural: bool) -> sp.Expr:
    """The log-density in a chart of :func:`dual_chart`; in the natural one it is linear in the coordinates."""
    exchange = dict(zip(chart.original_parameters, chart.expressions, strict=True))
    z = chart.parameters if natural else tuple(e.xreplace(exchange) for e in form.natural)
    linear = sp.Add(*(a * b for a, b in zip(z, form.statistics, strict=True)))
    return linear - _plain(form.log_partition.xreplace(exchange)) + form.log_base


def _plain(e: sp.Expr) -> sp.Expr:
    """A sum whose fractions are one, with logarithms of products: not log(1 - e^z/(1 + e^z)) but -log(1 + e^z)."""
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


# -- inverses


def _inverse(domain: Domain, image: Expressions, symbols: Symbols) -> Expressions:
    """θ as a function of its image: in closed form where one is found, else as preimages."""
    for read, values in _readings(domain, image, symbols):
        solved = _solved(domain, read, values)
        if solved is not None:
            return solved
    # angles need no search
    for read, values in _readings(domain, image, symbols):
        groups = _groups(domain, read)
        if len(groups) > 1:
            parts = [_inverse_of_group(domain, read, values, *group) for group in groups]
            known = {p: value for part in parts for p, value in part.items()}
            return tuple(known[p] for p in domain.parameters)
    return _preimages(domain, image, symbols)


def _inverse_of_group(
    domain: Domain, read: Expressions, values: Expressions, parameters: Symbols, rows: Sequence[int]
) -> dict[sp.Symbol, sp.Expr]:
    own = Domain(tuple(parameters), tuple(c for c in domain.conditions if c.free_symbols <= set(parameters)))
    some, targets = tuple(read[i] for i in rows), tuple(values[i] for i in rows)
    solved = _solved(own, some, targets)
    if solved is None:
        solved = _preimages(own, some, targets)
    return dict(zip(parameters, solved, strict=True))


def _preimages(domain: Domain, image: Expressions, values: Sequence[sp.Expr]) -> Expressions:
    """The θ that a map of a domain takes to given values; the search starts in the middle of the domain."""
    centre = domain.from_free(np.zeros(domain.dimension))
    inside = centre if domain.contains(centre) else domain.interior_points(1, spread=0.3)[0]
    mapping = ImplicitMap(domain.parameters, image, domain.box, domain.to_free(inside).tolist())
    return tuple(Preimage(mapping, i, *values) for i in range(len(values)))


def _groups(domain: Domain, read: Expressions) -> list[tuple[list[sp.Symbol], list[int]]]:
    """Parameters that share neither equations nor conditions, each group with the places of its equations."""
    groups: list[tuple[set[sp.Symbol], list[int]]] = []
    ties = [(e.free_symbols, [i]) for i, e in enumerate(read)] + [(c.free_symbols, []) for c in domain.conditions]
    for symbols, rows in ties:
        touching = [group for group in groups if group[0] & symbols]
        merged = set(symbols).union(*(group[0] for group in touching)), [*rows, *(i for g in touching for i in g[1])]
        groups = [group for group in groups if group not in touching] + [merged]
    return [([p for p in domain.parameters if p in symbols], sorted(rows)) for symbols, rows in groups]


def _solved(domain: Domain, read: Expressions, values: Expressions) -> Expressions | None:
    signs = [_sign(domain, e) for e in read]
    flips = [sign or 1 for sign in signs]
    # of what is positive, SymPy takes roots apart
    sizes = tuple(sp.Dummy(f"w{i}", **{_ASSUMPTIONS[abs(sign)]: True}) for i, sign in enumerate(signs))
    positive = tuple(s * e for s, e in zip(flips, read, strict=True))
    found = _linear(domain.parameters, positive, sizes)
    if found is None:
        found = Chart(sizes, domain.parameters, positive, Domain.of(sizes), domain, validate=False).inverse_expressions
    if found is None:
        return None
    exchange = {size: s * value for size, s, value in zip(sizes, flips, values, strict=True)}
    return tuple(_tidy(e).xreplace(exchange) for e in found)


def _linear(parameters: Symbols, read: Expressions, values: Symbols) -> Expressions | None:
    """The solution of equations that are linear in all parameters at once, as p_i = w_i (1 - Σ p_j)."""
    equations = [sp.fraction(sp.together(e - value))[0] for e, value in zip(read, values, strict=True)]
    if not all(e.is_polynomial(*parameters) and sp.Poly(e, *parameters).is_linear for e in equations):
        return None
    solutions = list(sp.linsolve(equations, *parameters))
    return tuple(solutions[0]) if solutions and not sp.Tuple(*solutions).has(*parameters) else None


def _tidy(e: sp.Expr) -> sp.Expr:
    if e.is_rational_function():
        return sp.factor(e)
    return e.replace(lambda s: s.is_Pow and not s.exp.is_integer, lambda s: sp.factor(s.base) ** s.exp)


def _readings(domain: Domain, image: Expressions, symbols: Symbols) -> Iterator[tuple[Expressions, Expressions]]:
    """Equations that say the same as image = symbols, and are easier to solve: left sides, and right sides."""
    image, values = _exponentials(image, symbols)
    yield image, values
    polar = _polar(image, values)
    if polar is not None:
        yield polar
    for i, divisor in enumerate(image):
        if 1 < len(image) <= _COUPLED and _sign(domain, divisor):
            quotients = tuple(sp.cancel(e / divisor) if i != j else e for j, e in enumerate(image))
            if all(q.is_rational_function() for q in quotients):
                yield quotients, tuple(v / values[i] if i != j else v for j, v in enumerate(values))


def _exponentials(image: Expressions, values: Sequence[sp.Expr]) -> tuple[Expressions, Expressions]:
    """exp(u) for a u that is a sum of logarithms."""
    read, right = [], []
    for e, value in zip(image, values, strict=True):
        joined = sp.logcombine(e, force=True)
        logarithm = isinstance(joined, sp.log) and isinstance(e, sp.Add)
        read.append(joined.args[0] if logarithm else e)
        right.append(sp.exp(value) if logarithm else value)
    return tuple(read), tuple(right)


def _polar(image: Expressions, values: Expressions) -> tuple[Expressions, Expressions] | None:
    """r and ω where two equations give r cos(ω) and r sin(ω) with r > 0."""
    if len(image) != 2:
        return None
    for (i, across), (j, up) in (((0, image[0]), (1, image[1])), ((1, image[1]), (0, image[0]))):
        for cosine in across.atoms(sp.cos):
            angle = cosine.args[0]
            radius = sp.cancel(across / cosine)
            if not radius.has(angle) and sp.simplify(up / sp.sin(angle) - radius) == 0:
                length = sp.sqrt(values[i] ** 2 + values[j] ** 2)
                return (radius, angle), (length, sp.atan2(values[j], values[i]))
    return None
