"""The geometry of a model to read: each tensor derived, and written as text or LaTeX."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from riemopt.manifold import SymbolicGeometry
from riemopt.models import StatisticalModel

__all__ = ["Equation", "in_latex", "in_text", "parts"]

_LETTERS = {"log p": ("log p", r"\log p"), "Gamma": ("Γ", r"\Gamma"), "Ric": ("Ric", r"\mathrm{Ric}")}
_BLANK = "\ue000"  # a character that no formula has


@dataclass(frozen=True)
class Equation:
    """An expression and the name of what it is.

    Attributes
    ----------
    value : sympy.Expr, sympy.Matrix or sympy.Eq
        The expression; an equation stands for itself.
    letter : str
        The letter of a tensor; empty for an equation.
    upper, lower : tuple of sympy.Symbol
        Its indices, by the names of the coordinates.
    argument : str
        What follows the name, in parentheses.
    """

    value: sp.Basic
    letter: str = ""
    upper: tuple[sp.Symbol, ...] = ()
    lower: tuple[sp.Symbol, ...] = ()
    argument: str = ""

    def text(self, unicode: bool) -> str:
        """Several lines of text."""
        pretty = {"use_unicode": unicode, "wrap_line": False}
        value = _short_names(self.value) if unicode else self.value
        if not self.letter:
            return str(sp.pretty(value, **pretty))
        name = (_LETTERS.get(self.letter, self.letter)[0] if unicode else self.letter) + self.argument
        for sign, indices in (("_", self.lower), ("^", self.upper)):
            names = [sp.pretty(index, use_unicode=unicode) for index in indices]
            between = "," if any(len(index) > 1 for index in names) else ""
            name = name.replace(self.argument or "\0", "") + (sign + between.join(names) if names else "")
        return name


def parts(model: StatisticalModel) -> list[tuple[str, Callable[[], Iterator[Equation]]]]:
    pass
