"""The parameters of an exponential family as functions of natural or mean parameters.

A parameter is solved for in closed form where that is plain; what is left are preimages, found by Newton's method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import sympy as sp

from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.symbolic.implicit import ImplicitMap, Preimage

__all__ = ["ASSUMPTIONS", "inverse", "sign_on"]

Symbols = Sequence[sp.Symbol]
Expressions = tuple[sp.Expr, ...]

ASSUMPTIONS = {1: "positive", -1: "negative", 0: "real"}
"""What is assumed of a symbol whose sign is known, or is not."""

_COUPLED = 5
"""Equations that are divided by one of them."""


def sign_on(domain: Domain, e: sp.Expr) -> int:
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


def inverse(domain: Domain, image: Expressions, symbols: Symbols) -> Expressions:
    """θ as a function of its image: in closed form where one is found, else as preimages.

    Parameters
    ----------
    domain : Domain
        Where θ lies.
    image : tuple of sympy.Expr
        The image as a function of θ.
    symbols : sequence of sympy.Symbol
        What the coordinates of the image are called.
    """
    for sides, values in _equivalent_equations(domain, image, symbols):
        solved = _closed_form(domain, sides, values)
        if solved is not None:
            return solved
    # what separates is solved by itself: angles, for example, need no search
    for sides, values in _equivalent_equations(domain, image, symbols):
        groups = _groups(domain, sides)
        if len(groups) > 1:
            parts = [_inverse_of_group(domain, sides, values, *group) for group in groups]
            known = {p: value for part in parts for p, value in part.items()}
            return tuple(known[p] for p in domain.parameters)
    return _preimages(domain, image, symbols)


def _inverse_of_group(
    domain: Domain, sides: Expressions, values: Expressions, parameters: Symbols, rows: Sequence[int]
) -> dict[sp.Symbol, sp.Expr]:
    """Some parameters by the equations of some rows, which contain no others."""
    own = Domain(tuple(parameters), tuple(c for c in domain.conditions if c.free_symbols <= set(parameters)))
    some, targets = tuple(sides[i] for i in rows), tuple(values[i] for i in rows)
    solved = _closed_form(own, some, targets)
    if solved is None:
        solved = _preimages(own, some, targets)
    return dict(zip(parameters, solved, strict=True))


def _preimages(domain: Domain, image: Expressions, values: Sequence[sp.Expr]) -> Expressions:
    """The θ that a map of a domain takes to given values; the search starts in the middle of the domain."""
    centre = domain.from_free(np.zeros(domain.dimension))
    inside = centre if domain.contains(centre) else domain.interior_points(1, spread=0.3)[0]
    mapping = ImplicitMap(domain.parameters, image, domain.box, domain.to_free(inside).tolist())
    return tuple(Preimage(mapping, i, *values) for i in range(len(values)))


def _groups(domain: Domain, sides: Expressions) -> list[tuple[list[sp.Symbol], list[int]]]:
    """Parameters that share neither equations nor conditions, each group with the places of its equations."""
    groups: list[tuple[set[sp.Symbol], list[int]]] = []
    ties = [(e.free_symbols, [i]) for i, e in enumerate(sides)] + [(c.free_symbols, []) for c in domain.conditions]
    for symbols, rows in ties:
        touching = [group for group in groups if group[0] & symbols]
        merged = set(symbols).union(*(group[0] for group in touching)), [*rows, *(i for g in touching for i in g[1])]
        groups = [group for group in groups if group not in touching] + [merged]
    return [([p for p in domain.parameters if p in symbols], sorted(rows)) for symbols, rows in groups]


def _closed_form(domain: Domain, sides: Expressions, values: Expressions) -> Expressions | None:
    """The solution θ of the equations e(θ) = values in closed form, or None."""
    signs = [sign_on(domain, e) for e in sides]
    flips = [sign or 1 for sign in signs]
    # of what is positive, SymPy takes roots apart
    sizes = tuple(sp.Dummy(f"w{i}", **{ASSUMPTIONS[abs(sign)]: True}) for i, sign in enumerate(signs))
    positive = tuple(s * e for s, e in zip(flips, sides, strict=True))
    found = _linear(domain.parameters, positive, sizes)
    if found is None:
        found = Chart(sizes, domain.parameters, positive, Domain.of(sizes), domain, validate=False).inverse_expressions
    if found is None:
        return None
    exchange = {size: s * value for size, s, value in zip(sizes, flips, values, strict=True)}
    return tuple(_factor(e).xreplace(exchange) for e in found)


def _linear(parameters: Symbols, sides: Expressions, values: Symbols) -> Expressions | None:
    """The solution of equations that are linear in all parameters at once, as p_i = w_i (1 - Σ p_j)."""
    equations = [sp.fraction(sp.together(e - value))[0] for e, value in zip(sides, values, strict=True)]
    if not all(e.is_polynomial(*parameters) and sp.Poly(e, *parameters).is_linear for e in equations):
        return None
    solutions = list(sp.linsolve(equations, *parameters))
    return tuple(solutions[0]) if solutions and not sp.Tuple(*solutions).has(*parameters) else None


def _factor(e: sp.Expr) -> sp.Expr:
    """A rational function factored; of another expression, what stands under its roots."""
    if e.is_rational_function():
        return sp.factor(e)
    return e.replace(lambda s: s.is_Pow and not s.exp.is_integer, lambda s: sp.factor(s.base) ** s.exp)


def _equivalent_equations(
    domain: Domain, image: Expressions, symbols: Symbols
) -> Iterator[tuple[Expressions, Expressions]]:
    """Equations equivalent to image = symbols that may be easier to solve: their left sides, and their right sides."""
    image, values = _exponentials(image, symbols)
    yield image, values
    polar = _polar(image, values)
    if polar is not None:
        yield polar
    for i, divisor in enumerate(image):
        if 1 < len(image) <= _COUPLED and sign_on(domain, divisor):
            quotients = tuple(sp.cancel(e / divisor) if i != j else e for j, e in enumerate(image))
            if all(q.is_rational_function() for q in quotients):
                yield quotients, tuple(v / values[i] if i != j else v for j, v in enumerate(values))


def _exponentials(image: Expressions, values: Sequence[sp.Expr]) -> tuple[Expressions, Expressions]:
    """Equations e = v with exp(e) = exp(v) instead where e is a sum of logarithms."""
    sides, right = [], []
    for e, value in zip(image, values, strict=True):
        joined = sp.logcombine(e, force=True)
        logarithm = isinstance(joined, sp.log) and isinstance(e, sp.Add)
        sides.append(joined.args[0] if logarithm else e)
        right.append(sp.exp(value) if logarithm else value)
    return tuple(sides), tuple(right)


def _polar(image: Expressions, values: Expressions) -> tuple[Expressions, Expressions] | None:
    """Equations for r and ω where there are two for r cos(ω) and r sin(ω), with r > 0."""
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
