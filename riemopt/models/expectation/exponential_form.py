"""A log-density as that of an exponential family: natural parameters, statistics and log-partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

__all__ = ["ExponentialForm", "Values", "affine_form", "exponential_form"]

Values = Mapping[sp.Symbol, sp.Expr]
"""What symbols stand for."""

_Pairs = list[tuple[sp.Expr, sp.Expr]]
"""Coefficients, which are functions of θ, and their statistics."""


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
    base = [coefficient * statistic for statistic, coefficient in coefficients.items() if _is_constant(coefficient)]
    pairs = [(c, statistic) for statistic, c in coefficients.items() if not _is_constant(c)]
    if len(pairs) > len(parameters):
        pairs, rest = _merge_affine(pairs, parameters)
        base += rest
    # what A holds beyond θ belongs to the base measure, but a constant moves nothing either way
    return ExponentialForm(
        natural=tuple(c for c, _ in pairs),
        statistics=tuple(statistic for _, statistic in pairs),
        log_partition=log_partition,
        log_base=sp.Add(*base),
    )


def _is_constant(coefficient: sp.Expr) -> bool:
    return not coefficient.free_symbols


def _merge_affine(pairs: _Pairs, parameters: Sequence[sp.Symbol]) -> tuple[_Pairs, list[sp.Expr]]:
    """One statistic for those whose coefficients are affine in one another, and the terms that are free of θ then."""
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
    """The derivative of one coefficient by another; a number if the one is affine in the other."""
    moving = next(p for p in parameters if other.has_free(p))
    return sp.cancel(coefficient.diff(moving) / other.diff(moving))


def affine_form(
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
