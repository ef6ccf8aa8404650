"""Conditions on coordinates: inequalities between expressions, read off assumptions and relations, and put plainly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from riemopt.errors import ModelError

__all__ = ["as_text", "assumed_conditions", "inequalities", "is_lower", "is_strict", "margin", "require_known"]

_LOWER = (sp.StrictGreaterThan, sp.GreaterThan)
_STRICT = (sp.StrictGreaterThan, sp.StrictLessThan)
_ASSUMPTIONS = (
    ("positive", sp.StrictGreaterThan),
    ("negative", sp.StrictLessThan),
    ("nonnegative", sp.GreaterThan),
    ("nonpositive", sp.LessThan),
)


def require_known(what: str, expression: sp.Basic, parameters: Sequence[sp.Symbol]) -> None:
    """Raise unless an expression has no symbols but the parameters.

    Parameters
    ----------
    what : str
        What the expression is called in the message.
    expression : sympy.Basic
    parameters : sequence of Symbol

    Raises
    ------
    ModelError
        Naming the first foreign symbol.
    """
    foreign = sorted(map(str, expression.free_symbols - set(parameters)))
    if foreign:
        names = list(map(str, parameters))
        twin = "; the parameter of that name has other assumptions" if foreign[0] in names else ""
        raise ModelError(f"{what}: {foreign[0]} is not one of the parameters ({', '.join(names)}){twin}")


def assumed_conditions(symbol: sp.Symbol) -> Iterator[Relational]:
    """The condition that the assumptions of a coordinate make, such as ``alpha > 0``, if they make one.

    Raises
    ------
    ModelError
        If it is no symbol, not known to be real, or an integer.
    """
    if not isinstance(symbol, sp.Symbol):
        raise ModelError(f"parameter {symbol!r} is not a SymPy Symbol")
    if not symbol.is_real:
        raise ModelError(f"parameter {symbol} is not known to be real: declare it with real=True or positive=True")
    if symbol.is_integer:
        raise ModelError(f"parameter {symbol} is an integer: declare it with real=True or positive=True instead")
    for assumption, relation in _ASSUMPTIONS:
        if symbol.assumptions0.get(assumption):
            # evaluated, it would be true, and nothing would be left to compile
            yield relation(symbol, sp.S.Zero, evaluate=False)
            return


def inequalities(relation: Any, parameters: tuple[sp.Symbol, ...]) -> Iterator[Relational]:
    """The inequalities that a relation amounts to, without those that hold by the assumptions.

    One that is linear in a single coordinate is yielded as a bound of it.

    Raises
    ------
    ModelError
        If it can never hold, has a symbol that is no parameter, or is something else than inequalities.
    """
    if isinstance(relation, sp.And):
        for part in relation.args:
            yield from inequalities(part, parameters)
        return
    if isinstance(relation, Relational):
        require_known(f"condition {relation}", relation, parameters)
    decided = _decide(relation)
    if decided is sp.S.true:
        return
    if decided is sp.S.false:
        raise ModelError(f"condition {relation} never holds")
    if not isinstance(decided, (*_LOWER, sp.StrictLessThan, sp.LessThan)):
        raise ModelError(f"condition {relation} is not an inequality between expressions of the parameters")
    yield _as_bound(decided)


def _decide(relation: Any) -> Any:
    """The relation as SymPy evaluates it with the assumptions of its symbols: an inequality, true or false."""
    try:
        return relation.func(*relation.args) if isinstance(relation, Relational) else sp.sympify(relation, strict=True)
    except (TypeError, sp.SympifyError):
        raise ModelError(f"condition {relation} is not an inequality between real expressions") from None


def is_lower(condition: Relational) -> bool:
    """Whether a condition bounds its left side from below."""
    return isinstance(condition, _LOWER)


def is_strict(condition: Relational) -> bool:
    """Whether equality is excluded."""
    return isinstance(condition, _STRICT)


def margin(condition: Relational) -> sp.Expr:
    """The larger side of a condition less the smaller one: positive in the interior."""
    return condition.lhs - condition.rhs if is_lower(condition) else condition.rhs - condition.lhs


def _as_bound(condition: Relational) -> Relational:
    """``2*a + 2 > 0`` as ``a > -1``: a condition linear in a single coordinate becomes a bound of it."""
    if len(condition.free_symbols) != 1:
        return condition
    (symbol,) = condition.free_symbols
    linear = sp.expand(margin(condition))
    slope = linear.diff(symbol)
    if slope.free_symbols or not slope.is_nonzero:
        return condition
    above, below = _STRICT if is_strict(condition) else (sp.GreaterThan, sp.LessThan)
    bound = -linear.xreplace({symbol: sp.S.Zero}) / slope
    return (above if slope.is_positive else below)(symbol, bound, evaluate=False)


def as_text(condition: Relational) -> str:
    """A condition to read: ``"beta < alpha"``."""
    return f"{condition.lhs} {condition.rel_op} {condition.rhs}"
