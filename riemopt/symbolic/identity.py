"""What a SymPy expression says, as text that is the same in every process."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

__all__ = ["identity"]


def identity(expressions: Iterable[sp.Basic]) -> str | None:
    """The content of some expressions: two texts are equal only if the expressions are, assumptions included.

    None where an expression holds what is not wholly given by its arguments, such as a user's own function class or a
    dummy symbol.

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
                raise _NotGiven
            said = " ".join(str(place(arg)) for arg in e.args) if e.args else sp.srepr(e)
            lines.append(f"{kind.__module__}.{kind.__qualname__} {said}")
            places[e] = len(places)
        return places[e]

    try:
        ends = [place(e) for e in expressions]
    except _NotGiven:
        return None
    return "\n".join([*lines, str(ends)])


class _NotGiven(Exception):
    """The arguments of an expression are not all there is to it."""
