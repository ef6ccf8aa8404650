"""A text for a SymPy expression that is the same in every process: the key under which kernels are stored."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

__all__ = ["identity"]


def identity(expressions: Iterable[sp.Basic]) -> str | None:
    """A text that is equal for two lists of expressions only if these are equal, assumptions included.

    None where an expression has a part that is not determined by its arguments, such as a user's own function class or
    a dummy symbol.

    Examples
    --------
    >>> x = sp.Symbol("x", positive=True)
    >>> identity([x + 1]) == identity([1 + x])
    True
    >>> identity([x]) == identity([sp.Symbol("x")])
    False
    """
    places: dict[sp.Basic, int] = {}
    lines: list[str] = []

    def place(e: sp.Basic) -> int:
        if e not in places:
            kind = type(e)
            if not (kind.__module__ or "").startswith("sympy.") or isinstance(e, sp.Dummy):
                raise _NoIdentity
            content = " ".join(str(place(arg)) for arg in e.args) if e.args else sp.srepr(e)
            lines.append(f"{kind.__module__}.{kind.__qualname__} {content}")
            places[e] = len(places)
        return places[e]

    try:
        ends = [place(e) for e in expressions]
    except _NoIdentity:
        return None
    return "\n".join([*lines, str(ends)])


class _NoIdentity(Exception):
    """An expression is not determined by its arguments."""
