"""E[·] under a model, without integrals where the score identities give it.

The score identity E[∂_μℓ] = 0 holds for every regular model. Two kinds of models need nothing else:

- the second derivatives of ℓ = log p are free of the observation, so that they are their own expectations;
- exponential families in any parametrization, ℓ = z(θ)·T(x) - A(θ) + log h(x): the identity is the linear system
  (∂_μ z_i) E[T_i] = ∂_μ A, and with E[T] known everything below follows by differentiation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from riemopt.errors import ExpectationError

__all__ = ["Expectation", "ExponentialForm", "expectation_of", "exponential_form"]


Values = Mapping[sp.Symbol, sp.Expr]


class Expectation(ABC):
    """A way of taking expectations under one model.

    ``str()`` says in words which way it is.
    """

    form: ExponentialForm
    """The log-density as an exponential family, which reduces samples to mean statistics."""

    @abstractmethod
    def __str__(self) -> str: ...

    @property
    @abstractmethod
    def metric(self) -> sp.ImmutableMatrix:
        """The Fisher metric g_μν = -E[∂_μ∂_νℓ], shape (n, n)."""

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

    def __str__(self) -> str:
        return f"score identity: an exponential family with statistics {', '.join(map(str, self.form.statistics))}"

    @cached_property
    def jacobian(self) -> sp.ImmutableMatrix:
        """∂_μ z_i, shape (i, μ)."""
        return sp.ImmutableMatrix(self.form.natural).jacobian(self.parameters)

    @cached_property
    def mean(self) -> tuple[sp.Expr, ...]:
        """E[T_i], from the score identity."""
        slope = sp.Matrix([self.form.log_partition.diff(p) for p in self.parameters])
        return tuple(_tidy(e) for e in self.jacobian.T.LUsolve(slope))

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """g_μν = (∂_μ z_i)(∂_ν E[T_i]); see :class:`Expectation`."""
        slopes = sp.Matrix(self.mean).jacobian(self.parameters)
        product = self.jacobian.T * slopes
        n = len(self.parameters)
        # symmetric in exact arithmetic: one triangle says it all
        return sp.ImmutableMatrix(n, n, lambda i, j: _tidy(product[max(i, j), min(i, j)]))

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


def _tidy(expression: sp.Expr) -> sp.Expr:
    """Cheap cancellations only: the expression is compiled, not read."""
    return sp.cancel(sp.expand_log(expression)) if expression.free_symbols else expression


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


def expectation_of(
    log_density: sp.Expr,
    observation: Sequence[sp.Symbol],
    parameters: tuple[sp.Symbol, ...],
    form: ExponentialForm | None,
    reference: Callable[[], tuple[Values, Values]],
) -> Expectation:
    """The first way of taking expectations that a log-density admits.

    Parameters
    ----------
    log_density : sympy.Expr
        ℓ(x; θ).
    observation, parameters : sequence of sympy.Symbol
        x and θ.
    form : ExponentialForm or None
        What :func:`exponential_form` found.
    reference : callable
        Gives some observation of the support and some point of the domain, as values of their symbols.

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
        family = ExponentialFamily(form, parameters)
        if not sp.simplify(family.jacobian.det()).is_zero:
            return family
        tried.append("exponential family (its natural parameters depend on one another)")
    hessian = sp.hessian(log_density, parameters).applyfunc(sp.simplify)
    if not hessian.free_symbols & set(observation):
        form = _affine_form(log_density, parameters, *reference())
        return ObservationFreeHessian(sp.ImmutableMatrix(hessian), form, parameters)
    tried.append("second derivatives of the log-density (they contain the observation)")
    raise ExpectationError(f"no way was found to take expectations; tried {'; '.join(tried)}")
