"""A field of fractions that tensors are computed in: whatever cancels is cancelled on the way.

What is not a rational function of the coordinates, a polygamma or an exponential, counts as one more variable, whose
derivatives are known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import sympy as sp
from sympy.polys.fields import FracElement, FracField
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement

__all__ = ["Field", "Fraction"]

_NUMBERS = (sp.NumberSymbol, sp.zeta)
_KNOWN = (sp.Symbol, sp.polygamma, sp.log, sp.besseli, *_NUMBERS)
"""Variables between which SymPy knows no relation that could shorten anything."""

Powers = dict[tuple[sp.Expr, sp.Expr], int]


class Fraction:
    """An element of a field, with the arithmetic of expressions."""

    __slots__ = ("element", "field")

    def __init__(self, field: Field, element: FracElement) -> None:
        self.field = field
        self.element = element

    def __add__(self, other: Any) -> Fraction:
        return Fraction(self.field, self.element + _plain(other))

    def __sub__(self, other: Any) -> Fraction:
        return Fraction(self.field, self.element - _plain(other))

    def __mul__(self, other: Any) -> Fraction:
        return Fraction(self.field, self.element * _plain(other))

    def __truediv__(self, other: Any) -> Fraction:
        return Fraction(self.field, self.element / _plain(other))

    def __neg__(self) -> Fraction:
        return Fraction(self.field, -self.element)

    __radd__ = __add__
    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return bool(self.element)

    def diff(self, symbol: sp.Symbol) -> Fraction:
        """The derivative by a coordinate, also of the functions of it."""
        return self.field.derivative(self, symbol)


def _plain(other: Any) -> Any:
    return other.element if isinstance(other, Fraction) else other


@dataclass(frozen=True, eq=False)
class Field:
    """Fractions of polynomials in coordinates and in functions of them.

    Attributes
    ----------
    parameters : tuple of sympy.Symbol
        The coordinates.
    roots : dict
        The denominators of the exponents with which a base and an exponent occur.
    variables : dict
        The expressions that count as variables, and the elements that they are.
    slopes : dict
        The derivatives of variables by coordinates, of those in the expressions and in all but their last derivatives.
    domain : sympy.polys.fields.FracField
        SymPy's own field.
    """

    parameters: tuple[sp.Symbol, ...]
    roots: Powers
    variables: dict[sp.Expr, FracElement]
    slopes: dict[tuple[sp.Expr, sp.Symbol], FracElement]
    domain: FracField

    @classmethod
    def of(cls, parameters: Sequence[sp.Symbol], expressions: Iterable[sp.Expr], order: int = 0) -> Field:
        """The field of some expressions and of their derivatives up to an order."""
        roots: Powers = {}
        given = [_normal(e) for e in expressions]
        for _ in range(2):  # a root that only a derivative has is a variable from the start
            found, slopes = _close(given, parameters, roots, order)
        domain = FracField([sp.Dummy() for _ in found], sp.ZZ)
        field = cls(tuple(parameters), roots, dict(zip(found, domain.gens, strict=True)), {}, domain)
        field.slopes.update({pair: field._element(slope) for pair, slope in slopes.items()})
        return field

    def __call__(self, expression: sp.Expr) -> Fraction:
        """An expression as an element."""
        return Fraction(self, self._element(_normal(sp.sympify(expression))))

    @property
    def related(self) -> bool:
        """Whether there may be relations between variables that the field does not know, such as sin² + cos² = 1."""
        return not all(isinstance(x, _KNOWN) or _is_simple_power(x) for x in self.variables)

    def derivative(self, fraction: Fraction, symbol: sp.Symbol) -> Fraction:
        """The derivative of an element by a coordinate."""
        result = self.domain.zero
        present = _degrees(fraction.element.numer), _degrees(fraction.element.denom)
        for k, (x, variable) in enumerate(self.variables.items()):
            if (present[0][k] or present[1][k]) and x.has_free(symbol):
                result += fraction.element.diff(variable) * self.slopes[x, symbol]
        return Fraction(self, result)

    def inverse(self, matrix: Sequence[Sequence[Fraction]]) -> tuple[list[list[Fraction]], Fraction]:
        """The inverse of a matrix, and its determinant; without pivots, which might vanish by unknown relations."""
        n = len(matrix)
        domain = self.domain.to_domain()
        adjugate, det = DomainMatrix([[x.element for x in row] for row in matrix], (n, n), domain).adj_det()
        rows = adjugate.to_dense().rep.to_ddm()
        return [[Fraction(self, x / det) for x in row] for row in rows], Fraction(self, det)

    def _element(self, e: sp.Expr) -> FracElement:
        """An expression, already in normal form, as an element of the domain."""
        if isinstance(e, (sp.Add, sp.Mul)):
            parts = [self._element(x) for x in e.args]
            total = self.domain.zero if isinstance(e, sp.Add) else self.domain.one
            for part in parts:
                total = total + part if isinstance(e, sp.Add) else total * part
            return total
        if e.is_Rational:
            return self.domain.ground_new(sp.ZZ(e.p)) / self.domain.ground_new(sp.ZZ(e.q))
        powers = _powers(e)
        if powers is None:
            return self._power(e, sp.S.One, sp.S.One)
        result = self.domain.one
        for base, unit, c in powers:
            result = result * self._power(base, unit, c)
        return result

    def _power(self, base: sp.Expr, unit: sp.Expr, c: sp.Rational) -> FracElement:
        """The element of base^(unit·c)."""
        root = self.roots.get((base, unit), 1)
        if _is_compound(base, unit, root):
            return self._element(base) ** int(c)
        return self.variables[base ** (unit / root)] ** int(c * root)


def _is_compound(base: sp.Expr, unit: sp.Expr, root: int) -> bool:
    """Whether a power is that of a sum or product without a root: it is computed, and no variable."""
    return isinstance(base, (sp.Add, sp.Mul)) and unit == 1 and root == 1


def _is_simple_power(x: sp.Expr) -> bool:
    """Whether x is an exponential or a power whose relations the field knows."""
    return isinstance(x, (sp.exp, sp.Pow)) and (x.as_base_exp()[0] is sp.E or x.as_base_exp()[0].is_Symbol)


def _powers(e: sp.Expr) -> list[tuple[sp.Expr, sp.Expr, sp.Rational]] | None:
    """A power as a product of bᵘ to rational powers c, with triples (b, u, c); None if it is not one."""
    if not isinstance(e, (sp.Pow, sp.exp)):
        return None
    base, exponent = e.as_base_exp()
    result = []
    for term in sp.Add.make_args(sp.expand(exponent)):
        c, unit = term.as_coeff_Mul(rational=True)
        result.append((base, unit, c))
    return result


def _leaves(e: sp.Expr) -> Iterable[tuple[sp.Expr, sp.Expr, sp.Rational]]:
    """What an expression is a rational function of, as powers."""
    if isinstance(e, (sp.Add, sp.Mul)):
        for x in e.args:
            yield from _leaves(x)
    elif not e.is_Rational:
        for base, unit, c in _powers(e) or [(e, sp.S.One, sp.S.One)]:
            yield base, unit, c
            if isinstance(base, (sp.Add, sp.Mul)) and unit == 1 and c.is_Integer:
                yield from _leaves(base)


def _close(
    given: Sequence[sp.Expr], parameters: Sequence[sp.Symbol], roots: Powers, order: int
) -> tuple[dict[sp.Expr, None], dict[tuple[sp.Expr, sp.Symbol], sp.Expr]]:
    """The variables in expressions and in their derivatives up to an order, and the derivatives of variables."""
    found: dict[sp.Expr, None] = dict.fromkeys(parameters)
    slopes: dict[tuple[sp.Expr, sp.Symbol], sp.Expr] = {}
    seen: set[sp.Expr] = set()
    for step in range(order + 1):
        leaves = list(dict.fromkeys(leaf for e in given for leaf in _leaves(e)))
        for base, unit, c in leaves:
            roots[base, unit] = math.lcm(roots.get((base, unit), 1), int(c.q))
        for base, unit, _ in leaves:
            if not _is_compound(base, unit, roots[base, unit]):
                found[base ** (unit / roots[base, unit])] = None
        if step < order:
            new = [x for x in found if x not in seen]
            seen.update(new)
            pairs = [(x, p) for x, p in product(new, parameters) if x.has_free(p)]
            given = [_normal(x.diff(p)) for x, p in pairs]
            slopes.update(zip(pairs, given, strict=True))
    return found, slopes


def _degrees(polynomial: PolyElement) -> tuple[int, ...]:
    """The degree in each variable."""
    return polynomial.degrees() if polynomial else (0,) * polynomial.ring.ngens


def _normal(e: sp.Expr) -> sp.Expr:
    """The same with logarithms expanded, and Bessel functions by the two of lowest order."""
    e = sp.expand_log(sp.nsimplify(e, rational=True) if e.has(sp.Float) else e)
    return e.replace(sp.besseli, _by_recurrence) if e.has(sp.besseli) else e


def _by_recurrence(order: sp.Expr, x: sp.Expr) -> sp.Expr:
    """I_k = I_(k-2) - 2 (k - 1) I_(k-1)/x, https://dlmf.nist.gov/10.29.E1."""
    if order.is_Integer and order < 0:
        return _by_recurrence(-order, x)
    if order.is_Integer and order > 1:
        return _by_recurrence(order - 2, x) - 2 * (order - 1) * _by_recurrence(order - 1, x) / x
    return sp.besseli(order, x)
