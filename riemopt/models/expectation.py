"""E[·] under a model: by the score identities, by exact sums and integrals, else by quadrature.

The score identity E[∂_μℓ] = 0 holds for every regular model. Two kinds of models need nothing else:

- the second derivatives of ℓ = log p are free of the observation, so that they are their own expectations;
- exponential families in any parametrization, ℓ = z(θ)·T(x) - A(θ) + log h(x): the identity is the linear system
  (∂_μ z_i) E[T_i] = ∂_μ A, and with E[T] known everything below follows by differentiation.

For the others the score products are summed or integrated: exactly where SymPy finds the answer in time, which is then
compared with numbers, because it is not always right; else numerically, at every point anew.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from sympy.polys.matrices import DomainMatrix

from riemopt.errors import ExpectationError
from riemopt.models.exact import exact_expectations, poles
from riemopt.models.integrals import NotFound
from riemopt.models.plan import Plan
from riemopt.models.support import member

__all__ = ["Expectation", "ExponentialForm", "expectation_of", "exponential_form"]


Values = Mapping[sp.Symbol, sp.Expr]


class Expectation(ABC):
    """A way of taking expectations under one model.

    ``str()`` says in words which way it is.
    """

    form: ExponentialForm | None
    """The log-density as an exponential family, which reduces samples to mean statistics; None if it is not one."""

    @abstractmethod
    def __str__(self) -> str: ...

    @property
    @abstractmethod
    def metric(self) -> sp.ImmutableMatrix:
        """The Fisher metric g_μν = -E[∂_μ∂_νℓ], shape (n, n); of integrals that nobody has taken, with quadrature."""

    @property
    @abstractmethod
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """The Amari–Chentsov tensor T_μνκ = E[∂_μℓ ∂_νℓ ∂_κℓ], shape (n, n, n)."""


@dataclass(frozen=True)
class ExponentialForm:
    """A log-density written as z(θ)·T(x) - A(θ) + log h(x).

    Attributes
    ----------
    natural : tuple of sympy.Expr
        The natural parameters z(θ).
    statistics : tuple of sympy.Expr
        The statistics T(x), linearly independent of one another and of 1.
    log_partition : sympy.Expr
        A, as a function of θ.
    log_base : sympy.Expr
        log h(x).
    """

    natural: tuple[sp.Expr, ...]
    statistics: tuple[sp.Expr, ...]
    log_partition: sp.Expr
    log_base: sp.Expr


def exponential_form(
    log_density: sp.Expr, observation: Sequence[sp.Symbol], parameters: Sequence[sp.Symbol]
) -> ExponentialForm | None:
    """Find natural parameters and statistics in a log-density.

    Parameters
    ----------
    log_density : sympy.Expr
        ℓ(x; θ).
    observation, parameters : sequence of sympy.Symbol
        x and θ.

    Returns
    -------
    ExponentialForm or None
        None if the terms of the expanded log-density do not separate into functions of θ times functions of x.

    Examples
    --------
    >>> import sympy as sp
    >>> x, rate = sp.symbols("x rate", positive=True)
    >>> form = exponential_form(sp.log(rate) - rate * x, [x], [rate])
    >>> form.natural, form.statistics, form.log_partition
    ((-rate,), (x,), -log(rate))
    """
    coefficients: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(log_density)):
        coefficient, statistic = term.as_independent(*observation, as_Add=False)
        if statistic.has_free(*parameters):
            return None
        coefficients[statistic] = coefficients.get(statistic, sp.S.Zero) + coefficient
    log_partition = -coefficients.pop(sp.S.One, sp.S.Zero)
    base = [coefficient * statistic for statistic, coefficient in coefficients.items() if _constant(coefficient)]
    pairs = [(c, statistic) for statistic, c in coefficients.items() if not _constant(c)]
    if len(pairs) > len(parameters):
        pairs, rest = _merged(pairs, parameters)
        base += rest
    # what A holds beyond θ belongs to the base measure, but a constant moves nothing either way
    return ExponentialForm(
        natural=tuple(c for c, _ in pairs),
        statistics=tuple(statistic for _, statistic in pairs),
        log_partition=log_partition,
        log_base=sp.Add(*base),
    )


def _constant(coefficient: sp.Expr) -> bool:
    return not coefficient.free_symbols


_Pairs = list[tuple[sp.Expr, sp.Expr]]


def _merged(pairs: _Pairs, parameters: Sequence[sp.Symbol]) -> tuple[_Pairs, list[sp.Expr]]:
    """Statistics whose coefficients are affine in one another, as one statistic; and what is then free of θ."""
    result: _Pairs = []
    free = []
    for coefficient, statistic in pairs:
        for i, (other, kept) in enumerate(result):
            ratio = _slope(coefficient, other, parameters)
            rest = sp.simplify(coefficient - ratio * other) if ratio.is_number and ratio.is_finite else sp.nan
            if rest.is_number and rest.is_finite:
                result[i] = (other, kept + ratio * statistic)
                free.append(rest * statistic)
                break
        else:
            result.append((coefficient, statistic))
    return result, free


def _slope(coefficient: sp.Expr, other: sp.Expr, parameters: Sequence[sp.Symbol]) -> sp.Expr:
    """What the derivative of one coefficient is in units of the other's; a number if they are affine in one another."""
    moving = next(p for p in parameters if other.has_free(p))
    return sp.cancel(coefficient.diff(moving) / other.diff(moving))


@dataclass(frozen=True)
class ObservationFreeHessian(Expectation):
    """Expectations where ∂_μ∂_νℓ does not contain the observation.

    Then E[∂_νℓ ∂_α∂_βℓ] = 0, and differentiating the metric gives T_μνκ = ∂_κ g_μν. The model is an exponential family
    with natural parameters θ, whose form is read off at one point and one observation.
    """

    hessian: sp.ImmutableMatrix
    form: ExponentialForm
    parameters: tuple[sp.Symbol, ...]

    def __str__(self) -> str:
        return "score identity: the second derivatives of the log-density do not contain the observation"

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """See :class:`Expectation`."""
        return sp.ImmutableMatrix(-self.hessian)

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """See :class:`Expectation`."""
        return sp.ImmutableDenseNDimArray([[[g.diff(p) for p in self.parameters] for g in row] for row in self._rows])

    @property
    def _rows(self) -> list[list[sp.Expr]]:
        return self.metric.tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ExponentialFamily(Expectation):
    """Expectations in an exponential family whose natural parameters are coordinates too."""

    form: ExponentialForm
    parameters: tuple[sp.Symbol, ...]
    known_mean: tuple[sp.Expr, ...] | None = None
    """E[T_i], if it is seen at once."""

    def __str__(self) -> str:
        return f"score identity: an exponential family with statistics {', '.join(map(str, self.form.statistics))}"

    @cached_property
    def jacobian(self) -> sp.ImmutableMatrix:
        """∂_μ z_i, shape (i, μ)."""
        return sp.ImmutableMatrix(self.form.natural).jacobian(self.parameters)

    @cached_property
    def mean(self) -> tuple[sp.Expr, ...]:
        """E[T_i], from the score identity unless it is known."""
        if self.known_mean is not None:
            return self.known_mean
        slope = sp.Matrix([self.form.log_partition.diff(p) for p in self.parameters])
        return tuple(_as_fractions(lambda a, b: a.lu_solve(b), self.jacobian.T, slope))

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """g_μν = (∂_μ z_i)(∂_ν E[T_i]); see :class:`Expectation`."""
        slopes = sp.Matrix(self.mean).jacobian(self.parameters)
        # by numbers nothing cancels
        plain = not slopes.free_symbols
        product = (
            self.jacobian.T * slopes
            if plain
            else _as_fractions(lambda a, b: a * b.transpose(), self.jacobian.T, slopes.T)
        )
        n = len(self.parameters)
        # symmetric in exact arithmetic: one triangle says it all
        return sp.ImmutableMatrix(n, n, lambda i, j: product[max(i, j), min(i, j)])

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """T_μνκ = (∂_μ z_i)(∂_ν z_j) ∂_κ Cov[T_i, T_j]; see :class:`Expectation`."""
        # (∂_μ z_i)(∂_ν z_j) ∂_κ H_ij = ∂_κ g_μν - (∂_κ∂_μ z_i) ∂_ν E[T_i] - (∂_κ∂_ν z_j) ∂_μ E[T_j], since g = Jᵀ H J
        slopes = sp.Matrix(self.mean).jacobian(self.parameters)

        def entry(m: int, n: int, k: int) -> sp.Expr:
            p = self.parameters[k]
            bent = [
                self.jacobian[i, m].diff(p) * slopes[i, n] + self.jacobian[i, n].diff(p) * slopes[i, m]
                for i in range(len(self.mean))
            ]
            return self.metric[m, n].diff(p) - sp.Add(*bent)

        count = range(len(self.parameters))
        return sp.ImmutableDenseNDimArray([[[entry(m, n, k) for k in count] for n in count] for m in count])


_MOST_OUTCOMES = 1000


def _mean_of_indicators(
    form: ExponentialForm, log_density: sp.Expr, observation: Sequence[sp.Symbol], support: Sequence[sp.Set]
) -> tuple[sp.Expr, ...] | None:
    """E[T_i] = T_i(x_i) p(x_i) where each statistic vanishes at all outcomes but one of finitely many; else None.

    The score identity gives the same by a linear system, which takes long where there are many parameters.
    """
    if len(observation) != 1 or not support[0].is_finite_set or len(support[0]) > _MOST_OUTCOMES:
        return None
    (x,) = observation
    means = []
    for statistic in form.statistics:
        if not statistic.has(sp.Piecewise, sp.KroneckerDelta):
            return None
        found = [(value, outcome) for outcome in support[0] if (value := statistic.subs(x, outcome)) != 0]
        if len(found) != 1:
            return None
        ((value, outcome),) = found
        means.append(value * sp.exp(log_density.subs(x, outcome)))
    return tuple(means)


def _as_fractions(function: Callable[..., DomainMatrix], *matrices: sp.Matrix) -> sp.Matrix:
    """A function of matrices, computed in a field of fractions: all that cancels is cancelled on the way.

    What is not a rational function of the parameters, a logarithm or a polygamma, counts as one more variable.
    """
    names: dict[sp.Expr, sp.Symbol] = {}

    def renamed(e: sp.Expr) -> sp.Expr:
        if isinstance(e, (sp.Add, sp.Mul)):
            return e.func(*map(renamed, e.args))
        if isinstance(e, sp.Pow) and e.exp.is_Integer:
            return renamed(e.base) ** e.exp
        if e.is_Rational:
            return e
        return names.setdefault(e, sp.Dummy())

    plain = [matrix.applyfunc(lambda e: renamed(sp.expand_log(e))) for matrix in matrices]
    stacked = DomainMatrix.from_Matrix(sp.Matrix.hstack(*plain)).to_field()
    ends = list(itertools.accumulate(matrix.cols for matrix in plain))
    blocks = [stacked[:, end - matrix.cols : end] for matrix, end in zip(plain, ends, strict=True)]
    exchange = {name: e for e, name in names.items()}

    def factored(e: sp.Expr) -> sp.Expr:
        above, below = e.as_numer_denom()
        return (sp.factor(above) / sp.factor(below)).xreplace(exchange)

    return function(*blocks).to_Matrix().applyfunc(factored)


def _affine_form(
    log_density: sp.Expr, parameters: Sequence[sp.Symbol], observed: Values, point: Values
) -> ExponentialForm:
    """The form of a log-density whose score is affine in functions of the observation: ℓ = θ·T(x) - A(θ) + log h(x).

    With x₀ and θ₀ given, T(x) is the score at θ₀ less that of x₀, and A(θ) = -ℓ(x₀; θ).
    """
    here = log_density.subs(observed)
    excess = log_density - here
    statistics = tuple(excess.diff(p).subs(point) for p in parameters)
    linear = sp.Add(*(point[p] * statistic for p, statistic in zip(parameters, statistics, strict=True)))
    return ExponentialForm(tuple(parameters), statistics, -here, excess.subs(point) - linear)


@dataclass(frozen=True, eq=False)
class ExactExpectation(Expectation):
    """Expectations by sums and integrals that SymPy has found.

    The metric is at hand; the Amari–Chentsov tensor, which fewer people need, is looked for when it is asked for.
    """

    how: str
    density: Plan
    support: tuple[sp.Set, ...]
    entries: tuple[sp.Expr, ...]
    points: tuple[np.ndarray, ...]
    form: ExponentialForm | None

    def __str__(self) -> str:
        return self.how

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """See :class:`Expectation`."""
        return _from_triangle(self.entries, len(self.density.parameters))

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """See :class:`Expectation`; of integrals that nobody has taken, if SymPy finds none in time."""
        products = self.density.products(3)
        plan = self.density
        try:
            values = exact_expectations(
                products, plan.log_density, plan.observation, self.support, plan.parameters, _TIME_LIMIT
            )
            closed = _agree(plan, 3, values, self.points)
        except NotFound:
            closed = False
        if not closed:
            values = tuple(plan.unevaluated(e, self.support) for e in products)
        return _from_simplex(values, plan)

    @property
    def skewness_is_closed(self) -> bool:
        """Whether `skewness` is free of integrals."""
        return not any(entry.has(sp.Integral, sp.Sum) for entry in sp.flatten(self.skewness))


@dataclass(frozen=True, eq=False)
class QuadratureExpectation(Expectation):
    """Expectations by quadrature: a plan for the kernels, and integrals to be read."""

    plan: Plan
    support: tuple[sp.Set, ...]
    form: ExponentialForm | None

    def __str__(self) -> str:
        return str(self.plan)

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """See :class:`Expectation`."""
        values = [self.plan.unevaluated(e, self.support) for e in self.plan.products(2)]
        return _from_triangle(values, len(self.plan.parameters))

    @cached_property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """See :class:`Expectation`."""
        values = [self.plan.unevaluated(e, self.support) for e in self.plan.products(3)]
        return _from_simplex(values, self.plan)


def _from_triangle(values: Sequence[sp.Expr], n: int) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix(sp.Matrix(n, n, lambda i, j: values[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)]))


def _from_simplex(values: Sequence[sp.Expr], plan: Plan) -> sp.ImmutableDenseNDimArray:
    places = {index: k for k, index in enumerate(plan.indices(3))}
    count = range(len(plan.parameters))

    def entry(*index: int) -> sp.Expr:
        return values[places[tuple(sorted(index, reverse=True))]]

    return sp.ImmutableDenseNDimArray([[[entry(m, n, k) for k in count] for n in count] for m in count])


def _regular_somewhere(jacobian: sp.Matrix, parameters: Sequence[sp.Symbol], points: Sequence[np.ndarray]) -> bool:
    """Whether a square matrix of functions has full rank at one of some points."""
    for point in points:
        exact = {p: sp.Rational(x) for p, x in zip(parameters, point, strict=True)}
        # enough digits to tell what is zero from what is small
        matrix = jacobian.subs(exact).evalf(60)
        if abs(matrix.det()) > 1e-40 * sp.Mul(*(matrix.row(i).norm() for i in range(matrix.rows))):
            return True
    return False


def _observation_free(
    hessian: sp.Matrix,
    observation: Sequence[sp.Symbol],
    support: Sequence[sp.Set],
    points: Callable[[], Sequence[np.ndarray]],
) -> sp.Matrix | None:
    """Second derivatives without the observation, or None if they contain it."""
    parameters = tuple(hessian.free_symbols - set(observation))
    # numbers first: simplifying what does contain it may take very long
    at = {p: sp.Rational(k + 3, 2 * k + 5) for k, p in enumerate(sorted(parameters, key=str))}
    here, there = ({x: member(s) + shift for x, s in zip(observation, support, strict=True)} for shift in (0, 1))
    change = (hessian.subs(at).subs(there) - hessian.subs(at).subs(here)).applyfunc(lambda e: e.evalf(20))
    if any(e.is_number and not abs(e) < 1e-9 for e in change):
        return None
    simple = hessian.applyfunc(sp.simplify)
    return None if simple.free_symbols & set(observation) else simple


_TIME_LIMIT = 3.0
"""Seconds that SymPy may look for integrals."""


def _trusted(moments: np.ndarray) -> bool:
    """Whether all integrals converge, the first of them to 1."""
    return bool(np.isfinite(moments).all() and abs(moments[0] - 1.0) <= _AGREE)


_AGREE = 1e-7
"""How well an exact expectation must agree with quadrature, relative to the scale of its factors."""


def _agree(plan: Plan, order: int, values: Sequence[sp.Expr], points: Sequence[np.ndarray]) -> bool:
    """Whether expectations of score products are what quadrature gives at some points where it converges."""
    compared = 0
    for point in points:
        mass, *squares = plan.moments(2, point)
        if not abs(mass - 1.0) <= _AGREE:
            continue
        scales = np.sqrt([x for x, (i, j) in zip(squares, plan.indices(2), strict=True) if i == j])
        at = dict(zip(plan.parameters, point, strict=True))
        _, *numbers = plan.moments(order, point)
        for value, number, index in zip(values, numbers, plan.indices(order), strict=True):
            if not abs(complex(value.evalf(subs=at)) - number) <= _AGREE * np.prod(scales[list(index)]):
                return False
        compared += 1
    return compared > 0


def expectation_of(
    log_density: sp.Expr,
    observation: Sequence[sp.Symbol],
    support: Sequence[sp.Set],
    constraints: Sequence[sp.Basic],
    parameters: tuple[sp.Symbol, ...],
    form: ExponentialForm | None,
    reference: Callable[[], tuple[Values, Values]],
    points: Callable[[], Sequence[np.ndarray]],
    quadrature: Callable[[], Plan],
) -> Expectation:
    """The first way of taking expectations that a log-density admits.

    Parameters
    ----------
    log_density : sympy.Expr
        ℓ(x; θ).
    observation, parameters : sequence of sympy.Symbol
        x and θ.
    support : sequence of sympy.Set
        Where each x lies.
    constraints : sequence of relation
        What they fulfil besides.
    form : ExponentialForm or None
        What :func:`exponential_form` found.
    reference : callable
        Gives some observation of the support and some point of the domain, as values of their symbols.
    points : callable
        Gives some points of the domain at which exact integrals are compared with numbers.
    quadrature : callable
        Gives the plan of a quadrature, or raises :class:`~riemopt.errors.ExpectationError`.

    Raises
    ------
    ExpectationError
        If there is none, naming what was tried.
    """
    n = len(parameters)
    tried = []
    if form is None:
        tried.append("exponential family (the terms of the log-density do not separate)")
    elif len(form.statistics) != n:
        tried.append(
            f"exponential family ({len(form.statistics)} statistics for {n} parameters: the system is not square)"
        )
    else:
        family = ExponentialFamily(form, parameters, _mean_of_indicators(form, log_density, observation, support))
        if _regular_somewhere(family.jacobian, parameters, points()):
            return family
        tried.append("exponential family (its natural parameters depend on one another)")
    hessian = _observation_free(sp.hessian(log_density, parameters), observation, support, points)
    if hessian is not None:
        form = _affine_form(log_density, parameters, *reference())
        return ObservationFreeHessian(sp.ImmutableMatrix(hessian), form, parameters)
    tried.append("second derivatives of the log-density (they contain the observation)")
    if constraints:
        tried.append("quadrature (the support is not a product)")
        raise ExpectationError(f"no way was found to take expectations; tried {'; '.join(tried)}")
    support = tuple(support)
    try:
        plan = quadrature()
    except ExpectationError as error:
        raise ExpectationError(
            f"no way was found to take expectations; tried {'; '.join([*tried, str(error)])}"
        ) from None
    some = tuple(points())
    if len(observation) == 1 and not any(_trusted(plan.moments(2, point)) for point in some):
        tried.append("quadrature (the density's integral is not 1, or those of score products do not converge)")
        raise ExpectationError(f"no way was found to take expectations; tried {'; '.join(tried)}")
    products = plan.products(2)
    try:
        entries = exact_expectations(products, log_density, observation, support, parameters, _TIME_LIMIT)
    except NotFound:
        return QuadratureExpectation(plan, support, form)
    finite = all(part.is_finite_set for part in support)
    # a closed form that is 0/0 somewhere loses digits all around
    if poles(entries) or not _agree(plan, 2, entries, some):
        return QuadratureExpectation(plan, support, form)
    how = "exact sums" if finite or all(s.lattice for part in plan.stretches for s in part) else "exact integrals"
    return ExactExpectation(f"{how} over {', '.join(map(str, observation))}", plan, support, entries, some, form)
