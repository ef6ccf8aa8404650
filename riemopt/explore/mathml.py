"""Mathematics as MathML, which browsers typeset by themselves."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

import sympy as sp
from sympy.printing.mathml import MathMLPresentationPrinter

from riemopt.geometry.equation import Equation, in_usual_notation

__all__ = ["chart_mathml", "equation_mathml", "mathml", "words_mathml"]

_BLOCK = ' display="block"'
_NAMED = re.compile(r"&(?!lt;|gt;|amp;|quot;|apos;|#)\w+;")
"""Names of characters that HTML knows, and XML does not."""


def mathml(expression: sp.Basic) -> str:
    """An expression as a ``<math>`` element.

    Examples
    --------
    >>> mathml(sp.Symbol("alpha"))
    '<math><mi>&#945;</mi></math>'
    """
    return _math(_printed(expression))


def chart_mathml(pairs: Iterable[tuple[sp.Symbol, sp.Expr]], names: Iterable[sp.Symbol] = ()) -> str:
    """Equations of a chart, with commas between them: parameters, and what they are in new coordinates; or names."""
    rows = [f"{_printed(symbol)}<mo>=</mo>{_printed(expression)}" for symbol, expression in pairs]
    return _math('<mo separator="true">,</mo><mspace width="0.4em"/>'.join([*rows, *map(_printed, names)]))


def words_mathml(words: str) -> str:
    """Words where mathematics is expected."""
    return _math(f"<mtext>{html.escape(words)}</mtext>")


def equation_mathml(equation: Equation) -> str:
    """An equation of a geometry as a ``<math>`` element on lines of its own."""
    value = in_usual_notation(equation.value)
    if not equation.letter:
        return _math(f"{_printed(value.lhs)}<mo>=</mo>{_printed(value.rhs)}", block=True)
    name = f"<mi>{_NAMES.get(equation.letter, equation.letter)}</mi>"
    upper = f"<mo>(</mo><mi>{equation.mark}</mi><mo>)</mo>" if equation.mark else _row(equation.upper)
    name = f"<msubsup>{name}<mrow>{_row(equation.lower)}</mrow><mrow>{upper}</mrow></msubsup>"
    argument = equation.argument
    if not isinstance(argument, str):
        argument = ", ".join(map(str, argument)).join("()")
    remark = f'<mspace width="1.5em"/><mtext>({equation.remark})</mtext>' if equation.remark else ""
    return _math(f"{name}<mtext>{argument}</mtext><mo>=</mo>{_printed(value)}{remark}", block=True)


_NAMES = {
    "Gamma": "&#915;",
    "log p": "log p",
    "d log p": "&#8706;",
    "sqrt(det g)": "&#8730;det g",
}
"""What the names of tensors look like."""


def _row(symbols: Iterable[sp.Symbol]) -> str:
    return "".join(map(_printed, symbols))


def _math(inner: str, block: bool = False) -> str:
    return f"<math{_BLOCK * block}>{inner}</math>"


def _printed(expression: sp.Basic) -> str:
    """The inside of the element, in ASCII with references for other characters."""
    text: str = _Printer({"root_notation": True}).doprint(expression).replace("&ExponentialE;", "e")
    text = _NAMED.sub(lambda name: html.unescape(name[0]), text)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


class _Printer(MathMLPresentationPrinter):
    """SymPy's printer, with dots over velocities, and subscripts of functions such as the polygammas."""

    def _print_Symbol(self, symbol: sp.Symbol, style: str = "plain") -> Any:
        if (escaped := html.escape(symbol.name)) != symbol.name:  # SymPy lets markup in a name through
            return self._leaf("mi", escaped)
        for ending, dots in (("ddot", "\u00a8"), ("dot", "\u02d9")):
            base, found, index = symbol.name.partition(ending)
            if found and base and (not index or index.startswith("_")):
                over = self.dom.createElement("mover")
                over.setAttribute("accent", "true")
                over.appendChild(super()._print_Symbol(sp.Symbol(base + index), style))
                over.appendChild(self._leaf("mo", dots))
                return over
        return super()._print_Symbol(symbol, style)

    def _print_Function(self, expression: sp.Function) -> Any:
        name, underscore, index = expression.func.__name__.partition("_")
        if name not in _FUNCTIONS:
            return super()._print_Function(expression)
        letter = self._leaf("mi", _FUNCTIONS[name])
        if underscore:
            with_index = self.dom.createElement("msub")
            with_index.appendChild(letter)
            with_index.appendChild(self._leaf("mn", index))
            letter = with_index
        row = self.dom.createElement("mrow")
        row.appendChild(letter)
        row.appendChild(self._leaf("mo", "("))
        for argument in expression.args:
            row.appendChild(self._print(argument))
        row.appendChild(self._leaf("mo", ")"))
        return row

    def _leaf(self, tag: str, text: str) -> Any:
        element = self.dom.createElement(tag)
        element.appendChild(self.dom.createTextNode(text))
        return element


_FUNCTIONS = {"psi": "\u03c8", "I": "I", "log": "\u2009log", "exp": "exp"}
"""Functions that are written otherwise than SymPy does."""
