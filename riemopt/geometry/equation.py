"""An equation on paper: an expression and its name, in text or LaTeX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import pretty_use_unicode

__all__ = ["Equation", "in_usual_notation", "latex_name", "with_denominators_named"]

_LATEX_NAMES = {
    "log p": r"\log p",
    "d log p": r"\partial",
    "Gamma": r"\Gamma",
    "Ric": r"\mathrm{Ric}",
    "sqrt(det g)": r"\sqrt{\det g}",
}
_UNICODE_NAMES = {"Gamma": "Γ", "d log p": "∂", "sqrt(det g)": "√det g"}
_BLANK = "\ue000"  # a character that no formula has
_WORTH_A_NAME = 5
"""Operations from which on a denominator that comes again has a name of its own."""


@dataclass(frozen=True)
class Equation:
    """An expression, and the name of what it is.

    Attributes
    ----------
    value : sympy.Expr, sympy.Matrix or sympy.Eq
        The expression; an equation stands for itself.
    letter : str
        The letter of a tensor, or empty for an equation.
    upper, lower : tuple of sympy.Symbol
        Its indices, as the coordinates they stand for.
    argument : str or tuple of sympy.Symbol
        What follows the name; symbols in parentheses.
    mark : str
        What stands above the letter, in parentheses.
    remark : str
        What is said after the equation.
    """

    value: sp.Basic
    letter: str = ""
    upper: tuple[sp.Symbol, ...] = ()
    lower: tuple[sp.Symbol, ...] = ()
    argument: str | tuple[sp.Symbol, ...] = ""
    mark: str = ""
    remark: str = ""

    def in_text(self, unicode: bool) -> str:
        """The equation as lines of text."""
        value = in_usual_notation(self.value) if unicode else self.value
        name = self._text_name(unicode)
        if name:
            # SymPy would take the indices in the name apart
            value = sp.Eq(sp.Symbol(_BLANK * len(name)), value, evaluate=False)
        lines = [line.rstrip() for line in _Text.of(value, unicode).splitlines()]
        for k, line in enumerate(lines):
            if name and _BLANK in line:
                lines[k] = line.replace(_BLANK * len(name), name, 1) + (self.remark and f"   ({self.remark})")
        return "\n".join(lines)

    def in_latex(self) -> str:
        """The equation, aligned at its equals sign."""
        value = in_usual_notation(self.value)
        if not self.letter:
            return f"{_latex(value.lhs)} &= {_latex(value.rhs)}"
        upper, lower = (" ".join(map(_latex, indices)) for indices in (self.upper, self.lower))
        upper = f"({self.mark})" if self.mark else upper
        indices = (f"^{{{upper}}}" if upper else "") + (f"_{{{lower}}}" if lower else "")
        argument = _argument(self.argument, _latex)
        remark = rf" \quad \text{{({self.remark})}}" if self.remark else ""
        return f"{latex_name(self.letter)}{indices}{argument} &= {_latex(value)}{remark}"

    def _text_name(self, unicode: bool) -> str:
        """The name with its indices, as text."""
        letter = _UNICODE_NAMES.get(self.letter, self.letter) if unicode else self.letter
        upper, lower = (_indices(indices, unicode) for indices in (self.upper, self.lower))
        upper = f"({self.mark})" if self.mark else upper
        argument = _argument(self.argument, lambda symbol: _Text.of(symbol, unicode))
        return letter + (upper and f"^{upper}") + (lower and f"_{lower}") + argument


def with_denominators_named(equations: list[Equation]) -> list[Equation]:
    """The equations with D for a long denominator that occurs more than once, and an equation for D before them."""
    count = Counter(factor for equation in equations for factor in _denominators(equation.value))
    long = [factor for factor, times in count.items() if times > 1 and sp.count_ops(factor) >= _WORTH_A_NAME]
    if not long:
        return equations
    taken = {symbol.name for equation in equations for symbol in equation.value.free_symbols}
    names = ["D"] if len(long) == 1 else [f"D_{k}" for k in range(1, len(long) + 1)]
    while taken & set(names):
        names = [f"{name}'" for name in names]
    exchange = dict(zip(long, map(sp.Symbol, names), strict=True))
    named = [Equation(factor, symbol.name) for factor, symbol in exchange.items()]
    begin = next(k for k, equation in enumerate(equations) if equation.value.has(*long))
    short = [replace(equation, value=equation.value.xreplace(exchange)) for equation in equations]
    return short[:begin] + named + short[begin:]


def _denominators(value: sp.Basic) -> list[sp.Expr]:
    """The sums in denominators, each as often as it occurs."""
    return [
        node.base
        for node in sp.preorder_traversal(value)
        if isinstance(node, sp.Pow) and node.base.is_Add and node.exp.could_extract_minus_sign()
    ]


def _reading_order(terms: Sequence[sp.Expr]) -> list[sp.Expr]:
    """Accelerations first, then what is added, then what is subtracted."""

    def key(term: sp.Expr) -> int:
        if term.is_Symbol and "ddot" in term.name:
            return 0
        return 2 if term.could_extract_minus_sign() else 1

    return sorted(terms, key=key)


class _Text(PrettyPrinter):
    """SymPy's printer for text, with terms in the order of :func:`_reading_order`."""

    def _as_ordered_terms(self, expr: sp.Expr, order: Any = None) -> list[sp.Expr]:
        return _reading_order(super()._as_ordered_terms(expr, order))

    @classmethod
    def of(cls, value: sp.Basic, unicode: bool) -> str:
        """An expression as lines of text, none of them wrapped."""
        before = pretty_use_unicode(unicode)
        try:
            return cls({"wrap_line": False, "use_unicode": unicode}).doprint(value)  # type: ignore[no-any-return]
        finally:
            pretty_use_unicode(before)


class _Latex(LatexPrinter):
    """SymPy's printer for LaTeX, with terms in the same order."""

    def _as_ordered_terms(self, expr: sp.Expr, order: Any = None) -> list[sp.Expr]:
        return _reading_order(super()._as_ordered_terms(expr, order))


def _latex(value: sp.Basic) -> str:
    return _Latex().doprint(value)  # type: ignore[no-any-return]


def in_usual_notation(value: sp.Basic) -> sp.Basic:
    """The same with ψ₁ for ``polygamma(1, ...)``, I₀ for ``besseli(0, ...)`` and log Γ for ``loggamma``."""
    value = value.replace(sp.polygamma, lambda k, x: sp.Function(f"psi_{k}" if k != 0 else "psi")(sp.together(x)))
    value = value.replace(sp.besseli, lambda k, x: sp.Function(f"I_{k}")(x))
    return value.replace(sp.loggamma, lambda x: sp.log(sp.gamma(sp.together(x))))


def _argument(argument: str | tuple[sp.Symbol, ...], write: Callable[[sp.Symbol], str]) -> str:
    """What follows a name: a text as it is, or symbols in parentheses."""
    return argument if isinstance(argument, str) else f"({', '.join(map(write, argument))})"


def _indices(symbols: Sequence[sp.Symbol], unicode: bool) -> str:
    """Indices, with commas where one of them is longer than a letter."""
    names = [_Text.of(symbol, unicode) for symbol in symbols]
    return ("," if any(len(name) > 1 for name in names) else "").join(names)


def latex_name(letter: str) -> str:
    """The letter of a tensor in LaTeX."""
    return _LATEX_NAMES.get(letter, letter)
