"""Elements of a field of fractions as expressions to read: factored, short, factors with the sign that is positive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.polys.rings import PolyElement, PolyRing

from riemopt.geometry.field import Field, Fraction

__all__ = ["Writer"]

_DIGITS = 30
_MANY, _TOO_MANY = 12, 40
"""Terms of a polynomial from which on few ways of writing it are tried, and only one."""


class Writer:
    """Writes elements of a field as expressions.

    Parameters
    ----------
    field : Field
        What the elements belong to.
    points : iterable of array, shape (n,)
        Points of the domain. A factor that has one sign at all of them is written with the sign that makes it positive.
    """

    def __init__(self, field: Field, points: Iterable[Any] = ()) -> None:
        self._field = field
        self._points = [dict(zip(field.parameters, map(sp.Float, point), strict=True)) for point in points]
        self._products: dict[PolyElement, tuple[sp.Rational, list[sp.Expr]]] = {}
        self._factors: dict[PolyElement, tuple[sp.Expr, int]] = {}

    def __call__(self, fraction: Fraction) -> sp.Expr:
        """An element as an expression."""
        element = fraction.element
        if not element:
            return sp.S.Zero
        whole = self._quotient(element.numer, element.denom)
        return self._simplify(min(whole, self._split(element.numer, element.denom) or whole, key=_length))

    def root(self, fraction: Fraction) -> sp.Expr:
        """The square root of an element that is positive."""
        inside, outside = sp.S.One, sp.S.One
        for polynomial, direction in ((fraction.element.numer, 1), (fraction.element.denom, -1)):
            number, factors = polynomial.factor_list()
            inside *= sp.Integer(int(number)) ** direction
            for factor, power in factors:
                written, sign = self._factor(factor)
                inside *= sp.Integer(sign) ** power
                size = written if self._signs(factor) in ({1}, {-1}) or power % 2 else sp.Abs(written)
                outside *= size ** sp.Rational(direction * power, 2)
        return self._simplify(sp.sqrt(inside) * outside)

    def _simplify(self, expression: sp.Expr) -> sp.Expr:
        """What SymPy makes of an expression if there are relations that the field does not know."""
        if not self._field.related or expression.is_Atom or expression.has(sp.Integral, sp.Sum):
            return expression
        return min(expression, sp.factor_terms(sp.simplify(expression)), key=_length)

    # -- quotients

    def _quotient(self, numer: PolyElement, denom: PolyElement) -> sp.Expr:
        """Numerator and denominator factored, with the sign in front."""
        number, above = self._product(numer)
        divisor, below = self._product(denom)
        number /= divisor
        differences = [k for k, factor in enumerate(above) if factor.is_Add and _is_difference(factor)]
        if number < 0 and differences:
            longest = max(differences, key=lambda k: sp.count_ops(above[k]))
            above[longest] = sp.Add(*(-term for term in above[longest].args))
            number = -number
        return _multiple(number, sp.Mul(*above) / sp.Mul(*below))

    def _product(self, polynomial: PolyElement) -> tuple[sp.Rational, list[sp.Expr]]:
        """A polynomial as a number and factors."""
        if polynomial not in self._products:
            number, factors = polynomial.factor_list()
            number, written = sp.Integer(int(number)), []
            for factor, power in _join_differences(factors):
                expression, sign = self._factor(factor)
                number *= sp.Integer(sign) ** power
                written.append(expression**power)
            self._products[polynomial] = number, written
        number, written = self._products[polynomial]
        return number, list(written)

    def _split(self, numer: PolyElement, denom: PolyElement) -> sp.Expr | None:
        """A sum of quotients with monomials in functions of the coordinates, if there are several."""
        functions = self._functions
        if len(numer) > _TOO_MANY or len(numer) == 1 or len(_by_monomials(denom, functions)) > 1:
            return None
        ((common, divisor),) = _by_monomials(denom, functions).items()
        quotients: dict[sp.Expr, list[sp.Expr]] = {}
        for monomial, coefficient in _by_monomials(numer, functions).items():
            fraction = self._field.domain(coefficient) / self._field.domain(divisor)
            written = self._quotient(fraction.numer, fraction.denom)
            sign = -1 if written.could_extract_minus_sign() else 1
            quotients.setdefault(sign * written, []).append(sign * self._monomial(monomial) / self._monomial(common))
        if len(quotients) == 1:
            return None
        return sp.Add(*(_multiple(c, sp.Add(*group)) for c, group in quotients.items()))

    # -- factors

    def _factor(self, polynomial: PolyElement) -> tuple[sp.Expr, int]:
        """An irreducible polynomial as an expression, and the sign that belongs before it."""
        if polynomial not in self._factors:
            sign = self._sign(polynomial)
            self._factors[polynomial] = self._shortest(polynomial * sign), sign
        return self._factors[polynomial]

    def _sign(self, polynomial: PolyElement) -> int:
        """A sign that makes all terms positive, else the polynomial at the points, else most of its terms."""
        coefficients = [1 if c > 0 else -1 for _, c in polynomial.terms()]
        signs = self._signs(polynomial)
        if len(set(coefficients)) > 1 and signs in ({1}, {-1}):
            return signs.pop()
        return 1 if (sum(coefficients), coefficients[0]) > (0, 0) else -1

    def _shortest(self, polynomial: PolyElement) -> sp.Expr:
        """The shortest way of writing a polynomial: as a sum, or with variables or coefficients factored out."""
        ways = [self._sum(polynomial)]
        if len(polynomial) > 2:
            ways += self._collect(polynomial)
            ways += self._with_one_minus_euler(polynomial)
        return min(ways, key=_length)

    def _sum(self, polynomial: PolyElement) -> sp.Expr:
        """A polynomial as the sum of its terms."""
        return sp.Add(*(_multiple(sp.Integer(int(c)), self._monomial(m)) for m, c in polynomial.terms()))

    def _monomial(self, monomial: Sequence[int]) -> sp.Expr:
        """A monomial, given by its exponents."""
        return sp.Mul(*(x**k for x, k in zip(self._field.variables, monomial, strict=True) if k))

    def _collect(self, polynomial: PolyElement) -> list[sp.Expr]:
        """By powers of one variable, or by monomials in functions, whichever have a common coefficient together."""
        count = [sum(1 for monomial in polynomial if monomial[k]) for k in range(polynomial.ring.ngens)]
        present = [k for k, number in enumerate(count) if number]
        choices = [[k] for k in present]
        if len(polynomial) > _MANY:
            choices = [[max((k for k in present if count[k] < len(polynomial)), key=lambda k: count[k], default=0)]]
        functions = [k for k in present if k in self._functions]
        if 0 < len(functions) < len(present):
            choices = [functions, *(choices if len(polynomial) <= _MANY else [])]
        ways = []
        for choice in choices:
            parts = _by_monomials(polynomial, choice)
            if 1 < len(parts) < len(polynomial):
                ways.append(self._group(parts, polynomial.ring))
        return ways

    def _group(self, parts: Mapping[tuple[int, ...], PolyElement], ring: PolyRing) -> sp.Expr:
        """A sum over monomials, those together whose coefficients differ by a number only."""
        groups: dict[PolyElement, PolyElement] = {}
        for monomial, coefficient in parts.items():
            content, primitive = coefficient.primitive()
            if primitive.LC < 0:
                content, primitive = -content, -primitive
            groups[primitive] = groups.get(primitive, ring.zero) + ring.term_new(monomial, content)
        terms = []
        for coefficient, total in groups.items():
            number, above = self._product(coefficient)
            content, factors = self._product(total)
            terms.append(_multiple(number * content, sp.Mul(*factors, *above)))
        return sp.Add(*terms)

    def _with_one_minus_euler(self, polynomial: PolyElement) -> list[sp.Expr]:
        """In 1 - γ, the derivative of Γ at 2, instead of Euler's constant."""
        variables = list(self._field.variables)
        if sp.EulerGamma not in variables or not polynomial.degrees()[variables.index(sp.EulerGamma)]:
            return []
        k = variables.index(sp.EulerGamma)
        shifted = polynomial.compose(polynomial.ring.gens[k], 1 - polynomial.ring.gens[k])
        variables[k] = 1 - sp.EulerGamma
        terms = []
        for monomial, c in shifted.terms():
            powers = [x**e for x, e in zip(variables, monomial, strict=True) if e]
            terms.append(_multiple(sp.Integer(int(c)), sp.Mul(*powers)))
        return [sp.Add(*terms)]

    # -- signs and functions

    @cached_property
    def _functions(self) -> list[int]:
        """Which variables are functions of the coordinates or numbers with a name, not powers of coordinates."""
        return [k for k, x in enumerate(self._field.variables) if not (x.is_Symbol or x.is_Pow)]

    @cached_property
    def _values(self) -> list[list[Any]]:
        """The variables at the points, where other symbols are small; None for one that is no real number there."""
        result = []
        for point in self._points:
            variables = [sp.nan if x.has(sp.Integral, sp.Sum) else x for x in self._field.variables]
            others = sorted({y for x in variables for y in x.free_symbols} - set(point), key=str)
            values = {**point, **{y: sp.Float(1) / (k + 7) for k, y in enumerate(others)}}
            numbers = [x.evalf(_DIGITS, subs=values) for x in variables]
            result.append([mp.mpf(x) if x.is_Float or x.is_Rational else None for x in numbers])
        return result

    def _signs(self, polynomial: PolyElement) -> set[int]:
        """The signs of a polynomial at the points; none where they are not known."""
        signs = set()
        for values in self._values:
            total = mp.mpf(0)
            for monomial, c in polynomial.terms():
                powers = [(x, k) for x, k in zip(values, monomial, strict=True) if k]
                if any(x is None for x, _ in powers):
                    return set()
                total += int(c) * mp.fprod(x**k for x, k in powers)
            signs.add(int(mp.sign(total)))
        return signs


def _length(expression: sp.Expr) -> tuple[int, int]:
    """How long an expression is to read: its operations, then its characters."""
    return sp.count_ops(expression), len(str(expression))


def _join_differences(factors: Sequence[tuple[PolyElement, int]]) -> list[tuple[PolyElement, int]]:
    """The same factors, but x² - y² for (x - y)(x + y)."""
    result: list[tuple[PolyElement, int]] = []
    for factor, power in factors:
        for k, (other, count) in enumerate(result):
            if count == power and len(factor) == len(other) == len(factor * other) == 2:
                result[k] = factor * other, power
                break
        else:
            result.append((factor, power))
    return result


def _is_difference(total: sp.Add) -> bool:
    """Whether a sum has terms of both signs."""
    return len({term.could_extract_minus_sign() for term in total.args}) == 2


def _multiple(number: sp.Expr, expression: sp.Expr) -> sp.Expr:
    """A number times a sum, not multiplied out."""
    if number == 1:
        return expression
    if expression.is_Add and number.is_Rational:
        return sp.Mul(number, expression, evaluate=False)
    return number * expression


def _by_monomials(polynomial: PolyElement, chosen: Sequence[int]) -> dict[tuple[int, ...], PolyElement]:
    """The coefficients of the monomials in some variables, polynomials in the others."""
    kept = set(chosen)
    result: dict[tuple[int, ...], PolyElement] = {}
    for monomial, c in polynomial.terms():
        key = tuple(e if k in kept else 0 for k, e in enumerate(monomial))
        rest = tuple(0 if k in kept else e for k, e in enumerate(monomial))
        result.setdefault(key, polynomial.ring.zero.copy())[rest] = c
    return result
