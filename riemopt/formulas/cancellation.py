"""Sums in which polygammas cancel, written so that nothing cancels.

For large x, ψ₁(x) = 1/x + 1/(2x²) + ρ₁(x), and αψ₁(α) - 1 is the small difference of two numbers near 1. Here every
polygamma of a sum is taken apart like this, the leading terms are added exactly, in a field of fractions, and what is
left is a polynomial in the remainders: 1/(2α) + αρ₁(α).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import sympy as sp
from sympy.polys.fields import FracElement
from sympy.polys.rings import PolyElement

from riemopt.geometry import connection
from riemopt.geometry.field import Field, Fraction
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS
from riemopt.kernels.graph.polygamma import PolygammaRemainder, leading_terms

__all__ = [
    "ChristoffelComponent",
    "christoffel_components",
    "factors",
    "without_cancellation",
    "without_cancellation_along",
]

_LARGEST_BLOCK, _MOST = 3, 8
"""Rows of a matrix that is factorized symbolically, and polygammas that are taken apart together.

The terms of a determinant double with every row. Elimination, which is left to larger matrices, loses about as many
digits as the shapes of a Dirichlet model have: its error is 4e-10 where they are up to 1e6.
"""

_FEW = 2
"""Polygammas of a metric whose connection is written out."""


def without_cancellation(expression: sp.Expr) -> sp.Expr:
    """An expression whose sums with polygammas are written in their remainders.

    Parameters
    ----------
    expression : sympy.Expr
        Of anything; where there is no sum with a polygamma, or with very many, it is left as it is.

    Examples
    --------
    >>> alpha = sp.Symbol("alpha", positive=True)
    >>> without_cancellation(1 / (alpha * sp.polygamma(1, alpha) - 1) ** 2)
    (alpha*PolygammaRemainder(1, alpha, 2) + 1/(2*alpha))**(-2)
    """
    known = _polygammas(expression)
    if not known or expression.is_Function:
        return expression
    if isinstance(expression, sp.Add):
        if len(known) > _MOST:
            return expression
        (parts,) = _split([expression])
        field = Field.of((), [parts])
        return _write(field(parts))
    return expression.func(*map(without_cancellation, expression.args))


def without_cancellation_along(expression: sp.Expr, velocity: Sequence[sp.Symbol]) -> sp.Expr:
    """The same of a quadratic form in a velocity, coefficient by coefficient."""
    if not _polygammas(expression):
        return expression
    terms = []
    for u, v in combinations_with_replacement(velocity, 2):
        coefficient = expression.diff(u, v) / (2 if u == v else 1)
        terms.append(without_cancellation(coefficient) * u * v)
    return sp.Add(*terms)


@dataclass(frozen=True)
class ChristoffelComponent:
    """A component of the Levi-Civita connection of a surface, second kind, as a form (A u² + 2B uv + C v²) / D.

    Attributes
    ----------
    first, mixed, second : sympy.Expr
        A, B and C.
    determinant : sympy.Expr
        AC - B², which is what is left of the sum where the rest of it is a square.
    denominator : sympy.Expr
        D.
    """

    first: sp.Expr
    mixed: sp.Expr
    second: sp.Expr
    determinant: sp.Expr
    denominator: sp.Expr


def christoffel_components(metric: sp.Matrix, parameters: Sequence[sp.Symbol]) -> tuple[ChristoffelComponent, ...]:
    """The symbols of the second kind where solving for them, and adding them up, would lose digits.

    Along the directions in which shape and scale of a Gamma model hide each other, the lowered product is a small
    difference, and so is each component of the raised one.

    Parameters
    ----------
    metric : sympy.Matrix
        g, shape (n, n).
    parameters : sequence of sympy.Symbol
        The coordinates.

    Returns
    -------
    tuple of ChristoffelComponent
        One for each component; none unless there are two coordinates, and the polygammas few.
    """
    if len(parameters) != 2 or not 0 < len(_polygammas(metric)) <= _FEW:
        return ()
    adjugate = ((metric[1, 1], -metric[0, 1]), (-metric[0, 1], metric[0, 0]))
    denominator = without_cancellation(sp.expand(metric[0, 0] * metric[1, 1] - metric[0, 1] ** 2))
    lowered = connection.first_kind(metric, parameters)
    result = []
    for row in adjugate:
        a, b, c = (
            sp.expand(sp.Add(*(factor * lowered[nu, i, j] for nu, factor in enumerate(row))))
            for i, j in ((0, 0), (0, 1), (1, 1))
        )
        first, mixed, second, determinant = map(without_cancellation, (a, b, c, sp.expand(a * c - b**2)))
        result.append(ChristoffelComponent(first, mixed, second, determinant, denominator))
    return tuple(result)


def factors(matrix: sp.Matrix) -> dict[tuple[int, int], sp.Expr]:
    """The factors of g = L D Lᵀ, of those blocks of a symmetric matrix that have polygammas and few rows.

    Returns
    -------
    dict
        The entries of L, and the pivots D by their places on the diagonal: quotients of minors of g.
    """
    result = {}
    for block in map(sorted, matrix.connected_components()):
        entries = matrix.extract(block, block)
        if len(block) <= _LARGEST_BLOCK and 0 < len(_polygammas(entries)) <= _MOST:
            result.update({(block[i], block[j]): e for (i, j), e in _factors(entries).items()})
    return result


def _factors(matrix: sp.Matrix) -> dict[tuple[int, int], sp.Expr]:
    n = matrix.rows
    parts = _split(list(matrix))
    field = Field.of((), parts)
    g = [[field(parts[n * max(i, j) + min(i, j)]) for j in range(n)] for i in range(n)]
    result, before = {}, sp.S.One
    for j in range(n):
        pivot, *below = (_write(_determinant([*g[:j], g[i]], range(j + 1))) for i in range(j, n))
        result[j, j] = pivot / before
        result.update({(i, j): minor / pivot for i, minor in enumerate(below, j + 1)})
        before = pivot
    return result


def _determinant(rows: Sequence[Sequence[Fraction]], columns: Sequence[int]) -> Fraction:
    """The determinant of some columns, along the first row."""
    if len(rows) == 1:
        return rows[0][columns[0]]
    terms = [
        rows[0][c] * _determinant(rows[1:], [*columns[:k], *columns[k + 1 :]]) * (-1) ** k
        for k, c in enumerate(columns)
    ]
    return sum(terms[1:], terms[0])


def _polygammas(expression: sp.Expr) -> set[sp.Expr]:
    """The polygammas that have a remainder."""
    found = {e for e in expression.atoms(sp.polygamma) if e.free_symbols and e.args[0].is_Integer}
    return {e for e in found if e.args[0] in POLYGAMMA_ORDERS}


def _split(expressions: Sequence[sp.Expr]) -> list[sp.Expr]:
    """Every polygamma as its leading terms and its remainder.

    Two terms, which cancel twice in Student's t, if all arguments are the same up to constants; else, as the number of
    products grows with that of the arguments, one.
    """
    known = set().union(*map(_polygammas, expressions))
    arguments = [e.args[1] for e in known]
    count = 2 if all((x - arguments[0]).expand().is_number for x in arguments) else 1
    exchange = {}
    for e in known:
        order, x = e.args
        exchange[e] = leading_terms(order, x, count) + PolygammaRemainder(order, x, count)
    return [expression.xreplace(exchange) for expression in expressions]


# -- writing


def _write(fraction: Fraction) -> sp.Expr:
    """A quotient of polynomials in remainders, whose coefficients are quotients of products."""
    field, below, rest = fraction.field, sp.S.One, fraction.field.domain.one
    number, divisors = fraction.element.denom.factor_list()
    for divisor, power in divisors:
        if _is_free(field, divisor):
            rest = rest * divisor**power
        else:
            below *= _collect(field, divisor, field.domain.one) ** power
    return _collect(field, fraction.element.numer, rest * number) / below


def _collect(field: Field, polynomial: PolyElement, divisor: Any) -> sp.Expr:
    """A polynomial over a divisor, by monomials in the remainders."""
    positions = _remainders(field)
    parts: dict[tuple[int, ...], PolyElement] = {}
    for monomial, coefficient in polynomial.terms():
        kept = tuple(0 if k in positions else e for k, e in enumerate(monomial))
        key = tuple(monomial[k] for k in positions)
        parts[key] = parts.get(key, polynomial.ring.zero) + polynomial.ring.term_new(kept, coefficient)
    variables = list(field.variables)
    terms = []
    for key, part in parts.items():
        product = sp.Mul(*(variables[k] ** e for k, e in zip(positions, key, strict=True)))
        terms.append(_factor(field, field.domain(part) / divisor) * product)
    return sp.Add(*terms)


def _factor(field: Field, element: FracElement) -> sp.Expr:
    above, below = (
        sp.Mul(sp.Integer(int(number)), *(factor**power for factor, power in factors))
        for number, factors in (_factors_of(field, element.numer), _factors_of(field, element.denom))
    )
    return above / below


def _factors_of(field: Field, polynomial: PolyElement) -> tuple[Any, list[tuple[sp.Expr, int]]]:
    """The content of a polynomial, and its factors with their powers."""
    if len(polynomial) == 1:  # SymPy's algorithm takes long to see this where there are many variables
        ((monomial, number),) = polynomial.terms()
        return number, [(x, power) for x, power in zip(field.variables, monomial, strict=True) if power]
    number, factors = polynomial.factor_list()
    return number, [(factor.as_expr(*field.variables), power) for factor, power in factors]


def _remainders(field: Field) -> list[int]:
    return [k for k, x in enumerate(field.variables) if isinstance(x, PolygammaRemainder)]


def _is_free(field: Field, polynomial: PolyElement) -> bool:
    degrees = polynomial.degrees()
    return not any(degrees[k] for k in _remainders(field))
