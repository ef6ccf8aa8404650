"""Expectations as the sums and integrals that SymPy can do: a file that runs as a program of its own.

:mod:`riemopt.models.exact` runs it by path, in a process that it can stop: so it imports SymPy and nothing of riemopt.

Integrals. SymPy knows many integrals over (0, ∞) of products of powers, and few of what a score product looks like. So
an observation is first replaced by one whose density has as few parameters as possible, by shifts, scales, powers,
exponentials and logarithms that are read off the log-density (:func:`_standardized`). What is integrated then is a sum
of products of powers u_i(w)^e_i, of logarithms log(u_i)^j_i and of exp r(w), and one integral with free exponents gives
all of its terms:

    M(a) = ∫ u_1^a_1 ⋯ u_m^a_m e^r dw,    ∫ Π u_i^e_i log(u_i)^j_i e^r dw = (Π ∂^j_i/∂a_i^j_i) M at a = e.

Sums. Σ t^x p(x) gives every moment, x^m being (t d/dt)^m at t = 1.

Conditions of convergence are not looked at, and SymPy's integrals are sometimes wrong: results must be compared with
numbers before they are used.
"""

from __future__ import annotations

import base64
import math
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import sympy as sp

try:
    import resource
except ImportError:  # not a POSIX system
    resource = None  # type: ignore[assignment]

__all__ = ["MARK", "MOST_TERMS", "NotFound", "expectations", "members", "require_closed", "tidied"]

MARK = "riemopt:"
"""What a line of results begins with; anything else on the standard output is noise."""

MOST_TERMS = 256
"""How many terms a sum that is written out may have."""


class NotFound(Exception):
    """No closed form was found; ``str()`` says why in a few words."""


def expectations(
    values: Sequence[sp.Expr], log_density: sp.Expr, observation: Sequence[sp.Symbol], support: Sequence[sp.Set]
) -> list[sp.Expr]:
    """The expectation of each value, in no particular form.

    Real observations are taken first: of the usual densities, those of the others are then easier.

    Raises
    ------
    NotFound
        If SymPy does not find one of them.
    """
    weight, *plain = (e.replace(sp.loggamma, lambda u: sp.log(sp.gamma(u))) for e in (log_density, *values))
    ranges = sorted(zip(observation, support, strict=True), key=lambda r: r[1] == sp.S.Reals)
    results = [_shifted(e) for e in _expectations(plain, weight, ranges)]
    for result in results:
        require_closed(result, observation)
    return results


def members(support: sp.Set) -> float:
    """How many members a set has, as far as they can be listed."""
    return len(support) if support.is_finite_set and support.is_iterable else math.inf


def _expectations(
    values: Sequence[sp.Expr], weight: sp.Expr, ranges: Sequence[tuple[sp.Symbol, sp.Set]]
) -> list[sp.Expr]:
    for i, (x, support) in enumerate(ranges):
        if members(support) <= MOST_TERMS:
            rest = [*ranges[:i], *ranges[i + 1 :]]
            terms = ([e.subs(x, m) for e in (weight, *values)] for m in support)
            return _sums(_expectations(there, here, rest) for here, *there in terms)
    if not ranges:
        density = _exponential(sp.expand_log(weight))
        return [value * density for value in values]
    *outer, (x, support) = ranges
    if not outer:
        return _over(support, values, weight, x)
    # given the other observations, and then over those
    total, *parts = (_shifted(e) for e in _over(support, [sp.S.One, *values], weight, x))
    return _expectations([tidied(part / total) for part in parts], sp.log(total), outer)


def _over(support: sp.Set, values: Sequence[sp.Expr], weight: sp.Expr, x: sp.Symbol) -> list[sp.Expr]:
    """∫ or Σ value · exp(weight) over a set, for each value."""
    if isinstance(support, sp.Interval):
        return _over_interval(_Integral(tuple(values), weight, x, support.start, support.end))
    if support == sp.S.Integers:
        support = sp.Range(-sp.oo, sp.oo)
    if isinstance(support, sp.Range) or support in (sp.S.Naturals, sp.S.Naturals0):
        return _over_range(values, weight, x, support)
    if isinstance(support, sp.Union) and len({isinstance(part, sp.Interval) for part in support.args}) == 1:
        return _sums(_over(part, values, weight, x) for part in support.args)
    raise NotFound(f"no way to integrate over {support}")


def _sums(parts: Any) -> list[sp.Expr]:
    return [sp.Add(*terms) for terms in zip(*parts, strict=True)]


# -- integrals


@dataclass(frozen=True)
class _Integral:
    """∫ value · exp(weight) dw from low to high, for each value; an open end is infinite."""

    values: tuple[sp.Expr, ...]
    weight: sp.Expr
    w: sp.Symbol
    low: sp.Expr
    high: sp.Expr

    @property
    def expressions(self) -> tuple[sp.Expr, ...]:
        return (self.weight, *self.values)

    @property
    def ends(self) -> tuple[sp.Expr, sp.Expr]:
        return self.low, self.high

    def moved(self, old: Callable[[sp.Symbol], sp.Expr], low: sp.Expr, high: sp.Expr) -> _Integral:
        """The same integrals over z, where w = old(z) is monotone."""
        z = sp.Dummy("w", positive=True) if low == 0 else sp.Dummy("w", real=True)
        w = old(z)
        slope = w.diff(z)
        if _negative(slope, z):
            slope = -slope
        weight, *values = (_with_bases(e.subs(self.w, w), lambda u: _expanded(u, z)) for e in self.expressions)
        return _Integral(tuple(values), weight + sp.log(slope), z, low, high)

    @property
    def spread(self) -> sp.Expr:
        """The weight, expanded into a sum with every logarithm taken apart."""
        return sp.expand(_taken_apart(self.weight, self.w), log=False)

    @property
    def difficulty(self) -> tuple[int, int]:
        """How much of the weight moves with w: parameters first, then operations."""
        moving = sp.Add(*(term for term in sp.Add.make_args(self.spread) if term.has_free(self.w)))
        return len(moving.free_symbols), int(moving.count_ops())


def _over_interval(integral: _Integral) -> list[sp.Expr]:
    integral = _standardized(_from_its_end(integral))
    kinks = _kinks(integral)
    if kinks:
        return _sums(_over_interval(_between(integral, *ends)) for ends in pairwise(kinks))
    if integral.ends == (-sp.oo, sp.oo):
        return _direct(integral)
    if integral.high == 1:
        return _attempt(_by_exponents, _unbounded(integral)) or _direct(integral)
    return _attempt(_by_exponents, integral) or _direct(integral)


def _attempt(method: Callable[[_Integral], list[sp.Expr]], integral: _Integral) -> list[sp.Expr] | None:
    try:
        return method(integral)
    except NotFound:
        return None


def _from_its_end(integral: _Integral) -> _Integral:
    """The integral over (0, ∞), (0, 1) or all numbers."""
    low, high = integral.ends
    if low.is_infinite and high.is_infinite:
        return integral.moved(lambda z: z, low, high)
    if low.is_infinite:
        return integral.moved(lambda z: high - z, sp.S.Zero, sp.oo)
    if high.is_infinite:
        return integral.moved(lambda z: low + z, sp.S.Zero, sp.oo)
    return integral.moved(lambda z: low + (high - low) * z, sp.S.Zero, sp.S.One)


def _unbounded(integral: _Integral) -> _Integral:
    """An integral over (0, 1) as one over (0, ∞), of the odds w/(1 - w)."""
    moved = integral.moved(lambda z: z / (1 + z), sp.S.Zero, sp.oo)

    def factored(base: sp.Expr) -> sp.Expr:
        rational = base.is_Add and base.has_free(moved.w) and base.is_rational_function(moved.w)
        return sp.factor(base) if rational else base

    weight, *values = (_with_bases(e, factored) for e in moved.expressions)
    return replace(moved, weight=weight, values=tuple(values))


def _standardized(integral: _Integral) -> _Integral:
    """The integral over another variable, with fewer parameters in its weight."""
    weight, *values = (_without_hyperbolic(e) for e in integral.expressions)
    integral = replace(integral, weight=weight, values=tuple(values))
    # an exponential can undo what a logarithm did, so there is an end to it
    for _ in range(4):
        integral = _with_fewest_parameters(integral)
        other = _without_nesting(integral)
        if other is None:
            return integral
        integral = other
    return _with_fewest_parameters(integral)


def _with_fewest_parameters(integral: _Integral) -> _Integral:
    power = _common_power(integral.spread, integral.w) if integral.low == 0 else sp.S.One
    if power != 1 and (power.is_positive or (power.is_negative and integral.high == sp.oo)):
        return _with_fewest_parameters(integral.moved(lambda z: z ** (1 / power), *integral.ends))
    for candidate in _candidates(integral):
        if candidate.difficulty < integral.difficulty:
            return _with_fewest_parameters(candidate)
    return integral


_HYPERBOLIC = (sp.sinh, sp.cosh, sp.tanh, sp.sech, sp.csch, sp.coth)


def _without_hyperbolic(expression: sp.Expr) -> sp.Expr:
    return expression.replace(lambda e: isinstance(e, _HYPERBOLIC), lambda e: e.rewrite(sp.exp))


def _candidates(integral: _Integral) -> Iterator[_Integral]:
    """Other variables that may do away with parameters."""
    w, ends = integral.w, integral.ends
    if ends == (-sp.oo, sp.oo):
        for shift in _centres(integral.weight, w):
            yield integral.moved(lambda z, shift=shift: z + shift, *ends)  # type: ignore[misc]
    if integral.high == sp.oo:
        for c in _scales(integral.spread, w):
            yield integral.moved(lambda z, c=c: c * z, *ends)  # type: ignore[misc]


def _centres(weight: sp.Expr, w: sp.Symbol) -> list[sp.Expr]:
    """Where the polynomials in w have the mean of their roots."""
    found: dict[sp.Expr, None] = {}
    for e in sp.preorder_traversal(weight):
        if isinstance(e, sp.Add) and e.has_free(w) and e.is_polynomial(w):
            poly = sp.Poly(e, w)
            if poly.degree() < 4:
                centre = sp.cancel(-poly.nth(poly.degree() - 1) / (poly.degree() * poly.LC()))
                if centre != 0:
                    found[centre] = None
    return list(found)


def _common_power(spread: sp.Expr, w: sp.Symbol) -> sp.Expr:
    """The power of w that all others are powers of, but for those that are a factor of the density."""
    exponents = [] if not _bare(spread, w) else [sp.S.One]
    exponents += [e.exp for e in spread.atoms(sp.Pow) if e.base == w and not e.exp.has_free(w)]
    common = (c for c in sorted(exponents, key=sp.default_sort_key) if all((e / c).is_Integer for e in exponents))
    return sp.S.One if 1 in exponents else next(common, sp.S.One)


def _bare(spread: sp.Expr, w: sp.Symbol) -> bool:
    """Whether w occurs other than in a power or as log(w)."""
    return bool(
        spread.replace(
            lambda e: e == sp.log(w) or (isinstance(e, sp.Pow) and e.base == w), lambda _: sp.S.Zero
        ).has_free(w)
    )


def _scales(spread: sp.Expr, w: sp.Symbol) -> list[sp.Expr]:
    """Units in which a coefficient of a power of w becomes one."""
    found: dict[sp.Expr, None] = {}
    for e in sp.preorder_traversal(spread):
        if isinstance(e, sp.Mul) and e.has_free(w):
            coefficient, rest = e.as_independent(w, as_Add=False)
            base, exponent = rest.as_base_exp()
            if base in (w, sp.Abs(w)) and not exponent.has_free(w) and coefficient.free_symbols:
                for c in (coefficient, -coefficient):
                    if _positive(c, w):
                        found[c ** (-1 / exponent)] = None
    return list(found)


def _without_nesting(integral: _Integral) -> _Integral | None:
    """The integral over e^w, log w or |w| where the weight has exponentials, logarithms or a symmetry; else None."""
    w, (low, high), spread = integral.w, integral.ends, integral.spread
    exponents = sorted((e.exp.coeff(w) for e in spread.atoms(sp.exp)), key=sp.default_sort_key)
    rate = next((abs(c) for c in exponents if c.is_positive or c.is_negative), None)
    if rate is not None and low == -sp.oo:
        return integral.moved(lambda z: -sp.log(z) / rate, sp.S.Zero, sp.oo)
    if rate is not None and high == sp.oo:
        return integral.moved(lambda z: -sp.log(z) / rate, sp.S.Zero, sp.S.One)
    if low == -sp.oo and sp.expand(spread.subs(w, -w) - spread) == 0:
        values = tuple(v + v.subs(w, -w) for v in integral.values)
        return replace(integral, values=values, low=sp.S.Zero).moved(lambda z: z, sp.S.Zero, sp.oo)
    if low == 0 and any(term.has(sp.log(w)) and not _linear(term, sp.log(w)) for term in sp.Add.make_args(spread)):
        if high == 1:
            return integral.moved(lambda z: sp.exp(-z), sp.S.Zero, sp.oo)
        return integral.moved(sp.exp, -sp.oo, sp.oo)
    return None


def _linear(term: sp.Expr, logarithm: sp.Expr) -> bool:
    """Whether a term is a multiple of a logarithm."""
    return not (term / logarithm).has_free(*logarithm.free_symbols)


def _positive(expression: sp.Expr, w: sp.Symbol) -> bool:
    """Whether an expression is known to be positive; 1 - w^c is, where it occurs: on (0, 1)."""
    if expression.is_positive:
        return True
    if isinstance(expression, sp.Add) and len(expression.args) == 2:
        power = 1 - expression
        base, exponent = power.as_base_exp()
        return base == w and bool(exponent.is_positive)
    return False


def _negative(expression: sp.Expr, w: sp.Symbol) -> bool:
    return _positive(-expression, w)


# -- weights and values as sums of products


def _taken_apart(expression: sp.Expr, w: sp.Symbol) -> sp.Expr:
    """The same with logarithms of products as sums, and with sums that begin with one in logarithms and powers."""

    def power(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
        scale, base = _scaled(base, w)
        return scale**exponent * base**exponent

    def logarithm(argument: sp.Expr) -> sp.Expr:
        result, unknown = sp.S.Zero, sp.S.One
        for factor in sp.Mul.make_args(sp.factor_terms(argument)):
            base, exponent = factor.as_base_exp()
            if isinstance(factor, sp.exp):
                result += factor.exp
            elif base.is_Mul and base.is_positive:
                result += exponent * logarithm(base)
            elif _positive(base, w):
                scale, base = _scaled(base, w)
                result += exponent * (sp.log(base) + (logarithm(scale) if scale != 1 else sp.S.Zero))
            else:
                unknown *= factor
        return result + sp.log(unknown)

    def sum_in_power(e: sp.Basic) -> bool:
        return isinstance(e, sp.Pow) and isinstance(e.base, sp.Add) and e.has_free(w)

    apart = expression.replace(sum_in_power, lambda e: power(e.base, e.exp))
    return apart.replace(sp.log, logarithm)


def _with_bases(expression: sp.Expr, change: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    """An expression with what it takes logarithms and powers of in another form."""
    changed = expression.replace(sp.log, lambda u: sp.log(change(u)))
    return sp.expand_power_base(changed.replace(sp.Pow, lambda u, c: change(u) ** c))


def _expanded(base: sp.Expr, w: sp.Symbol) -> sp.Expr:
    """A polynomial in w multiplied out, so that what cancels does."""
    return sp.expand(base) if base.is_Add and base.has_free(w) and base.is_polynomial(w) else base


def _scaled(base: sp.Expr, w: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """A sum as a positive factor, and a sum whose lowest term has the coefficient one or minus one."""
    if not isinstance(base, sp.Add) or not base.has_free(w):
        return sp.S.One, base
    terms = [term.as_independent(w, as_Add=False) for term in sp.Add.make_args(_expanded(base, w))]
    powers = [moving.as_coeff_exponent(w)[1] for _, moving in terms]
    lowest = min(powers) if all(e.is_Rational for e in powers) else sp.S.Zero
    scale = sp.factor_terms(sp.Add(*(c for (c, _), e in zip(terms, powers, strict=True) if e == lowest)))
    scale = (scale if scale.is_positive else -scale if scale.is_negative else sp.S.One) * w**lowest
    return scale, sp.Add(*(c * moving / scale for c, moving in terms))


def _products(expression: sp.Expr, moving: Sequence[sp.Expr]) -> list[sp.Expr]:
    """The terms of an expression, multiplied out but for its denominators, its roots and what does not move."""
    names: dict[sp.Expr, sp.Symbol] = {}

    def named(base: sp.Expr) -> sp.Symbol:
        return names.setdefault(base, sp.Dummy("u", real=True, positive=base.is_positive))

    def fixed(e: sp.Basic) -> bool:
        return isinstance(e, sp.Add) and not e.has(*moving)

    def divides(e: sp.Basic) -> bool:
        return isinstance(e, sp.Pow) and e.base.is_Add and not (e.exp.is_Integer and e.exp > 0)

    hidden = expression.replace(fixed, named).replace(divides, lambda e: named(e.base) ** e.exp)
    bases = {u: base for base, u in names.items()}
    while any(base.has_free(*bases) for base in bases.values()):
        bases = {u: base.xreplace(bases) for u, base in bases.items()}
    terms = sp.Add.make_args(sp.expand(hidden, log=False))
    return [product.xreplace(bases) for product in terms if product != 0]


@dataclass(frozen=True)
class _Term:
    """A product: coefficient · Π u^powers[u] · Π log(u)^logs[u] · exp(exponent) · rest, all but the first moving."""

    coefficient: sp.Expr
    powers: dict[sp.Expr, sp.Expr]
    logs: dict[sp.Expr, int]
    exponent: sp.Expr
    rest: sp.Expr


def _term(product: sp.Expr, w: sp.Symbol) -> _Term:
    coefficient, moving = product.as_independent(w, as_Add=False)
    powers: dict[sp.Expr, sp.Expr] = {}
    logs: dict[sp.Expr, int] = {}
    exponent, rest = sp.S.Zero, sp.S.One
    for factor in sp.Mul.make_args(moving):
        base, e = factor.as_base_exp()
        if isinstance(factor, sp.exp):
            exponent += factor.exp
        elif isinstance(base, sp.log) and e.is_Integer and e > 0:
            logs[base.args[0]] = logs.get(base.args[0], 0) + int(e)
        elif not e.has_free(w) and (base == w or base.is_Add):
            powers[base] = powers.get(base, sp.S.Zero) + e
        else:
            rest *= factor
    return _Term(coefficient, powers, logs, exponent, rest)


def _by_exponents(integral: _Integral) -> list[sp.Expr]:
    """The integrals over (0, ∞) as derivatives of integrals with free exponents."""
    w = integral.w
    fixed, moving = integral.spread.as_independent(w, as_Add=True)
    density = _exponential(moving)
    expanded = (_products(_taken_apart(value, w), [w]) for value in integral.values)
    sums = [[_term(product * density, w) for product in products] for products in expanded]
    groups: dict[tuple[sp.Expr, sp.Expr], list[_Term]] = {}
    for term in (term for terms in sums for term in terms):
        groups.setdefault((term.exponent, term.rest), []).append(term)
    transforms = {key: _Transform.of(terms, w) for key, terms in groups.items()}
    results = []
    for terms in sums:
        coefficients: dict[sp.Expr, sp.Expr] = {}
        for term in terms:
            part = transforms[term.exponent, term.rest](term)
            coefficients[part] = coefficients.get(part, sp.S.Zero) + term.coefficient
        results.append(_exponential(fixed) * sp.Add(*(sp.cancel(c) * part for part, c in coefficients.items())))
    return results


def _exponential(total: sp.Expr) -> sp.Expr:
    """The exponential of a sum, its multiples of logarithms as powers."""
    factors = []
    for term in sp.Add.make_args(total):
        logs = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log)]
        factors.append(logs[0].args[0] ** (term / logs[0]) if logs else sp.exp(term))
    return sp.Mul(*factors)


@dataclass(frozen=True)
class _Transform:
    """∫ Π u^a_u · exp(exponent) · rest dw over (0, ∞), as a function of free exponents a."""

    w: sp.Symbol
    free: dict[sp.Expr, sp.Symbol]
    integral: sp.Expr
    known: dict[Any, sp.Expr] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: Sequence[_Term], w: sp.Symbol) -> _Transform:
        """The transform that gives all of some terms; they agree in their exponent and their rest."""
        bases = sorted({u for t in terms for u in (*t.powers, *t.logs)} | {w}, key=sp.default_sort_key)
        free = {}
        integrand = sp.exp(terms[0].exponent) * terms[0].rest
        for u in bases:
            powers = {t.powers.get(u, sp.S.Zero) for t in terms}
            if u == w or len(powers) > 1 or any(u in t.logs for t in terms):
                free[u] = sp.Dummy("a", positive=True)
                # exponents as the tables have them: w^(a - 1) and (1 + w)^-a
                integrand *= w ** (free[u] - 1) if u == w else u ** -free[u]
            else:
                integrand *= u ** powers.pop()
        result = sp.integrate(integrand, (w, 0, sp.oo), conds="none", meijerg=True)
        return cls(w, free, _found(result, w))

    def __call__(self, term: _Term) -> sp.Expr:
        """The integral of a term, but for its coefficient."""
        orders = tuple(term.logs.get(u, 0) for u in self.free)
        exponents = tuple(term.powers.get(u, sp.S.Zero) for u in self.free)
        if (orders, exponents) not in self.known:
            if orders not in self.known:
                symbols = zip(self.free.values(), orders, strict=True)
                derivative = self.integral.diff(*symbols) if any(orders) else self.integral
                self.known[orders] = derivative * (-1) ** (sum(orders) - orders[list(self.free).index(self.w)])
            at = {a: e + 1 if u == self.w else -e for (u, a), e in zip(self.free.items(), exponents, strict=True)}
            self.known[orders, exponents] = _found(self.known[orders].xreplace(at))
        return self.known[orders, exponents]


def _direct(integral: _Integral) -> list[sp.Expr]:
    """The integrals as SymPy finds them."""
    density = _exponential(integral.spread)
    found: dict[sp.Expr, sp.Expr] = {}
    for value in integral.values:
        if value not in found:
            result = sp.integrate(sp.powsimp(value * density), (integral.w, *integral.ends), conds="none")
            found[value] = _found(result, integral.w)
    return [found[value] for value in integral.values]


def _found(result: sp.Expr, *gone: sp.Symbol) -> sp.Expr:
    """A result, if it is one."""

    def first(*cases: sp.Tuple) -> sp.Expr:
        # the last case is what was asked, where it may not converge
        return cases[0][0] if cases[-1][0].has(sp.Integral, sp.Sum) else sp.Piecewise(*cases)

    result = result.replace(sp.Piecewise, first)
    unfinished = (sp.Integral, sp.Sum, sp.Limit, sp.Piecewise, sp.Derivative, sp.Subs, sp.hyper, sp.meijerg)
    if result.has(sp.nan, sp.zoo, sp.oo, -sp.oo, *unfinished) or result.has_free(*gone):
        raise NotFound("SymPy finds no closed form")
    return result


# -- corners


def _kinks(integral: _Integral) -> list[sp.Expr]:
    """The ends and the corners between them, in order; empty if there are none."""
    corners = _corners(integral.expressions, integral.w)
    if not corners:
        return []
    low, high = integral.ends
    return [low, *(c for c in corners if low < c < high), high]


def _corners(expressions: Sequence[sp.Expr], w: sp.Symbol) -> list[sp.Expr]:
    """Where expressions change their form: numbers."""
    zeros: set[sp.Expr] = set()
    for e in (e for expression in expressions for e in sp.preorder_traversal(expression)):
        sides: tuple[sp.Expr, ...] = ()
        if isinstance(e, (sp.Abs, sp.sign, sp.Heaviside)):
            sides = (e.args[0],)
        elif isinstance(e, sp.core.relational.Relational):
            sides = (e.lhs - e.rhs,)
        for side in sides:
            if side.has_free(w):
                slope, offset = side.diff(w), side.subs(w, 0)
                if slope.has_free(w) or not (-offset / slope).is_number:
                    raise NotFound("the corners of the density move with the parameters")
                zeros.add(-offset / slope)
    return sorted(zeros)


def _between(integral: _Integral, low: sp.Expr, high: sp.Expr) -> _Integral:
    """The integral over a part of its range without corners."""
    inside = (low + high) / 2 if (high - low).is_finite else low + 1 if low.is_finite else high - 1
    weight, *values = (_branch(e, integral.w, inside) for e in integral.expressions)
    return _Integral(tuple(values), weight, integral.w, low, high)


def _branch(expression: sp.Expr, w: sp.Symbol, inside: sp.Expr) -> sp.Expr:
    """An expression as it is around a number, between two corners."""

    def sign(argument: sp.Expr, *_: sp.Expr) -> sp.Expr:
        return sp.sign(argument.subs(w, inside)) if argument.has_free(w) else sp.sign(argument)

    def case(*cases: sp.Tuple) -> sp.Expr:
        for value, condition in cases:
            holds = condition.subs(w, inside)
            if holds == sp.true:
                return value
            if holds != sp.false:
                raise NotFound("the corners of the density move with the parameters")
        return sp.nan

    chosen = expression.replace(sp.Abs, lambda u: u * sign(u)).replace(sp.sign, sign)
    return chosen.replace(sp.Heaviside, lambda u, _: (1 + sign(u)) / 2).replace(sp.Piecewise, case)


# -- sums


def _over_range(values: Sequence[sp.Expr], weight: sp.Expr, x: sp.Symbol, support: sp.Set) -> list[sp.Expr]:
    """Sums over integers in arithmetic progression, cut at corners."""
    low, high = support.inf, support.sup
    step = support.step if isinstance(support, sp.Range) else sp.S.One
    if step != 1 and step != -1:
        n = sp.Dummy("n", integer=True, nonnegative=True)
        start, count = support.start, (high - low) / abs(step)
        if not start.is_finite:
            raise NotFound(f"no way to sum over {support}")
        exchanged = [e.subs(x, start + step * n) for e in (weight, *values)]
        return _over_range(exchanged[1:], exchanged[0], n, sp.Range(0, count + 1))
    # a corner is a part of its own; each other part is counted from a finite end
    corners = [c for c in _corners([weight, *values], x) if c.is_integer and low <= c <= high]
    if not corners and low.is_infinite and high.is_infinite:
        corners = [sp.S.Zero]
    edges = [low - 1, *corners, high + 1]
    parts = [(c, c) for c in corners] + [(a + 1, b - 1) for a, b in pairwise(edges) if b - a > 1]
    return _sums(_over_part(values, weight, x, *part) for part in parts)


def _over_part(values: Sequence[sp.Expr], weight: sp.Expr, x: sp.Symbol, low: sp.Expr, high: sp.Expr) -> list[sp.Expr]:
    """Sums over consecutive integers without corners between them."""
    inside = low if low.is_finite else high
    weight, *values = (_branch(e, x, inside) for e in (weight, *values))
    if low == high:
        return [sp.powsimp((v * sp.exp(weight)).subs(x, low)) for v in values]
    n = sp.Dummy("n", integer=True, nonnegative=True)
    weight, *values = (e.subs(x, low + n if low.is_finite else high - n) for e in (weight, *values))
    density = _exponential(sp.expand(_taken_apart(weight, n), log=False))
    # a polynomial factor of the density is no trouble as a part of the values
    polynomial = sp.Mul(*(part for part in sp.Mul.make_args(density) if part.is_polynomial(n)))
    density /= polynomial
    t = sp.Dummy("t", positive=True)
    moments: dict[sp.Expr, list[sp.Expr]] = {}

    def moment(factor: sp.Expr, order: int) -> sp.Expr:
        if factor not in moments:
            total = sp.summation(sp.powsimp(t**n * factor * density), (n, 0, high - low))
            moments[factor] = [_found(total, n)]
        known = moments[factor]
        while len(known) <= order:
            known.append(t * known[-1].diff(t))
        return sp.factor(_found(known[order].subs(t, 1)))

    sums = []
    for value in values:
        terms = []
        for product in sp.Add.make_args(sp.expand(value * polynomial)):
            coefficient, moving = product.as_independent(n, as_Add=False)
            order, factor = 0, sp.S.One
            for part in sp.Mul.make_args(moving):
                base, e = part.as_base_exp()
                if base == n and e.is_Integer and e > 0:
                    order += int(e)
                else:
                    factor *= part
            terms.append(coefficient * moment(factor, order))
        sums.append(sp.Add(*terms))
    return sums


# -- results


def _shifted(expression: sp.Expr) -> sp.Expr:
    """The same with gamma and polygamma functions of u + m, m whole, in terms of those of u (DLMF 5.5.1, 5.15.5)."""

    def split(argument: sp.Expr) -> tuple[sp.Expr, int]:
        """The argument to use, and how far it is from the one that there is."""
        offset, rest = argument.as_coeff_Add()
        if not offset.is_Rational:
            return argument, 0
        steps = int(sp.floor(offset) if rest and not rest.could_extract_minus_sign() else sp.ceiling(offset) - 1)
        return argument - steps, steps

    def gamma(argument: sp.Expr) -> sp.Expr:
        base, steps = split(sp.expand(argument))
        return sp.gamma(base) * _rising(base, steps)

    def polygamma(order: sp.Expr, argument: sp.Expr) -> sp.Expr:
        base, steps = split(sp.expand(argument))
        terms = (base + k for k in range(steps)) if steps > 0 else (base - k for k in range(1, 1 - steps))
        rest = sp.Add(*(u ** (-order - 1) for u in terms))
        return sp.polygamma(order, base) + (-1) ** order * sp.factorial(order) * (rest if steps > 0 else -rest)

    plain = expression.rewrite(sp.gamma).replace(sp.gamma, gamma)
    for function in (sp.sin, sp.cos):
        plain = plain.replace(function, lambda u, function=function: function(sp.expand(u)))
    return plain.replace(sp.polygamma, polygamma)


def _rising(base: sp.Expr, steps: int) -> sp.Expr:
    """gamma(base + steps) / gamma(base)."""
    if steps < 0:
        return 1 / _rising(base + steps, -steps)
    return sp.Mul(*(base + k for k in range(steps)))


_CLOSED = (
    *(sp.exp, sp.log, sp.sin, sp.cos, sp.tan, sp.sinh, sp.cosh, sp.tanh, sp.cot, sp.sec, sp.csc, sp.Abs, sp.sign),
    *(sp.asin, sp.acos, sp.atan, sp.asinh, sp.acosh, sp.atanh, sp.gamma, sp.polygamma, sp.loggamma, sp.erf, sp.erfc),
    *(sp.besseli, sp.factorial, sp.zeta),
)


def require_closed(result: sp.Expr, observation: Sequence[sp.Symbol]) -> None:
    """Raise unless a result is made of functions that can be compiled."""
    _found(result, *observation)
    strange = {e.func for e in result.atoms(sp.Function) if not isinstance(e, _CLOSED)}
    if strange:
        raise NotFound(f"SymPy's result contains {min(f.__name__ for f in strange)}")


def tidied(expression: sp.Expr) -> sp.Expr:
    """A polynomial in transcendental functions, its coefficients in lowest terms."""
    functions = {f for f in expression.atoms(sp.Function) if not isinstance(f, sp.exp)}
    names = {f: sp.Dummy("f", real=True) for f in functions | expression.atoms(sp.NumberSymbol)}
    coefficients: dict[sp.Expr, sp.Expr] = {}
    for term in _products(expression.xreplace(names), list(names.values()) or [sp.nan]):
        coefficient, product = term.as_independent(*names.values(), as_Add=False)
        coefficients[product] = coefficients.get(product, sp.S.Zero) + coefficient
    total = sp.Add(*(sp.factor(c) * product for product, c in coefficients.items()))
    best = min(total, sp.factor_terms(total), sp.factor(total), key=lambda e: e.count_ops())
    return best.xreplace({name: f for f, name in names.items()})


def main() -> None:
    """Answer the question on the standard input: first with what is found, then with the same in a better form."""
    answers, sys.stdout = sys.stdout, sys.stderr
    if resource is not None and len(sys.argv) > 1:
        limit = int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))

    def answer(found: list[sp.Expr] | str) -> None:
        print("", MARK + base64.b64encode(pickle.dumps(found)).decode() + ";", sep="\n", file=answers, flush=True)

    try:
        results = expectations(*pickle.load(sys.stdin.buffer))
        answer(results)
        for i, result in enumerate(results):
            results[i] = tidied(result)
            answer(results)
    except NotFound as reason:
        answer(str(reason))
    except Exception as error:
        answer(f"SymPy fails with {type(error).__name__}")


if __name__ == "__main__":
    main()
