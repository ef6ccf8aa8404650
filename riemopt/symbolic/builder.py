"""SymPy expressions built from the admitted nodes of a text, within bounds on the work that SymPy has with them."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sympy as sp

from riemopt.symbolic.source import Source
from riemopt.symbolic.vocabulary import CONSTANTS, FUNCTIONS, suggestion

__all__ = ["Builder"]

# SymPy writes powers and gammas of numbers out in digits, expands powers to decide a sign, and seeks the minimal
# polynomial of a sum of roots: unbounded work for a few typed characters, so these are bounded here.
MAX_BITS = 1100  # of the numerator and denominator of an exact number: the range of a double
MAX_NUMBER_POWER = 1000  # the exponent of a number, in magnitude
MAX_SYMBOL_POWER = 100  # the exponent of anything else, in magnitude
MAX_ROOT = 1000  # the denominator of an exponent
MAX_DEGREE = 64  # the product of the degrees of all roots of numbers
MAX_GAMMA = 170  # a number given to the gamma family
MAX_SUM_POWER = 20  # the exponent of a sum, in magnitude
MAX_BITS_BESIDE = 128  # of a rational number beside an irrational one
MAX_BESIDE = 10**6  # a rational number beside an irrational one

_INFINITE = (sp.zoo, sp.nan, sp.oo, -sp.oo)


@dataclass(frozen=True)
class Builder:
    """Builds expressions from the nodes of a source.

    Attributes
    ----------
    source : Source
        The text, all of whose nodes are admitted.
    symbols : mapping of str to Symbol
        The names that may be used.
    """

    source: Source
    symbols: Mapping[str, sp.Symbol]

    def build(self, node: ast.expr) -> sp.Expr:
        """The SymPy expression of an admitted node; each number on the way is checked before and after it is made."""
        match node:
            case ast.Constant():
                built = self._number(node)
            case ast.Name():
                return self._symbol(node)
            case ast.UnaryOp(op=operator, operand=operand):
                built = self.build(operand)
                return -built if isinstance(operator, ast.USub) else built
            case ast.BinOp(op=operator, left=left, right=right):
                built = self._combine(node, operator, self.build(left), self.build(right))
            case ast.Call(func=ast.Name(id=name)):
                built = self._apply(node, name, self.build(self.source.argument(node)))
            case _:
                self.source.refuse(node, "not allowed")
        self._check(node, built)
        return built

    def _number(self, node: ast.Constant) -> sp.Expr:
        """A typed number, exactly."""
        if isinstance(node.value, int):
            return sp.Integer(node.value)
        exact = Decimal(self.source.segment(node))
        # an exponent of a thousand million would be written out in digits below
        if not math.isfinite(float(exact)) or (exact and not float(exact)):
            self.source.refuse(node, "a number out of range")
        return sp.Rational(*Fraction(exact).as_integer_ratio())

    def _symbol(self, node: ast.Name) -> sp.Expr:
        """A declared symbol, or a constant."""
        if node.id in self.symbols:
            return self.symbols[node.id]
        if node.id in CONSTANTS:
            return CONSTANTS[node.id]
        if node.id in FUNCTIONS:
            self.source.refuse(node, f"{node.id} is a function: write {node.id}(...)")
        declared = ", ".join(self.symbols) or "none"
        self.source.refuse(node, f"unknown symbol {node.id!r}: {suggestion(node.id, self.symbols)}declared: {declared}")

    def _combine(self, node: ast.expr, operator: ast.operator, left: sp.Expr, right: sp.Expr) -> sp.Expr:
        """A sum, difference, product, quotient or power."""
        match operator:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                if right == 0:
                    self.source.refuse(node, "division by zero")
                return left / right
        self._check_exponent(node, right)
        if not left.free_symbols and not right.free_symbols:
            self._check_float(node, lambda: _value(left) ** _value(right))
        return left**right

    def _apply(self, node: ast.expr, name: str, argument: sp.Expr) -> sp.Expr:
        """A function of an argument, its floating-point twin asked first."""
        function, twin = FUNCTIONS[name]
        if name == "exp" and argument.has(sp.log):
            self._check_exponent(node, argument)
        if not argument.free_symbols:
            value = _value(argument)
            if "gamma" in name and abs(value) > MAX_GAMMA:
                self.source.refuse(node, f"{name} of a number beyond {MAX_GAMMA} is not allowed")
            self._check_float(node, lambda: twin(value))
        return function(argument)

    def _check_exponent(self, node: ast.expr, exponent: sp.Expr) -> None:
        """Refuse exponents that would be written out."""
        numbers = exponent.atoms(sp.Rational) if exponent.free_symbols else {_value(exponent)}
        if any(abs(number) > MAX_NUMBER_POWER for number in numbers):
            self.source.refuse(node, f"an exponent beyond {MAX_NUMBER_POWER} is not allowed")
        if any(number.q > MAX_ROOT for number in exponent.atoms(sp.Rational)):
            self.source.refuse(
                node, "an exponent with so many digits is not allowed: write a simple fraction, such as 1/3"
            )

    def _check_float(self, node: ast.expr, compute: Callable[[], float | complex]) -> None:
        """Refuse a number that is not real and finite in floating point."""
        try:
            value = compute()
        except OverflowError:
            self.source.refuse(node, "the number is too large")
        except ZeroDivisionError:
            self.source.refuse(node, "division by zero")
        except ValueError:
            self.source.refuse(node, "the value is not a real number")
        if isinstance(value, complex):
            self.source.refuse(node, "the value is not a real number")
        if not math.isfinite(value):
            self.source.refuse(node, "the value is infinite or undefined")

    def _check(self, node: ast.expr, built: sp.Expr) -> None:
        """Refuse what is not real and finite, or what SymPy could only handle with unbounded work."""
        if built.has(*_INFINITE):
            self.source.refuse(node, "division by zero, or an infinite value")
        numbers = built.atoms(sp.Rational)
        bits = max((max(abs(n.p).bit_length(), n.q.bit_length()) for n in numbers), default=0)
        if bits > MAX_BITS:
            self.source.refuse(node, "the number is too large to be held exactly")
        if bits > MAX_BITS_BESIDE or any(abs(n) > MAX_BESIDE for n in numbers):
            irrational = built.atoms(sp.NumberSymbol, sp.Function, sp.Pow)
            if any(atom.is_number for atom in irrational):
                self.source.refuse(node, "so large or long a number beside an irrational one is not allowed")
        self._check_powers(node, [power for power in built.atoms(sp.Pow) if power.exp.is_Rational])
        if built.has(sp.I):  # not is_real: to answer, SymPy may expand a power into a thousand terms
            self.source.refuse(node, "the value is not a real number")
        if not built.free_symbols and not built.is_Rational:
            self._check_float(node, lambda: _value(built))
            if not _value(built):
                self.source.refuse(node, "the number is too small to be told from zero")

    def _check_powers(self, node: ast.expr, powers: Sequence[sp.Pow]) -> None:
        """Refuse powers and roots of high degree."""
        if math.prod(power.exp.q for power in powers if not power.free_symbols) > MAX_DEGREE:
            self.source.refuse(node, "roots of numbers of so high a degree are not allowed")
        for power in powers:
            if power.free_symbols and power.exp.q > MAX_ROOT:
                self.source.refuse(node, f"a root beyond {MAX_ROOT} is not allowed")
            limit = MAX_SUM_POWER if power.base.is_Add else MAX_SYMBOL_POWER
            if abs(power.exp) > limit:
                kind = "power of a sum" if power.base.is_Add else "power"
                self.source.refuse(node, f"a {kind} beyond {limit} is not allowed")


def _value(number: sp.Expr) -> float:
    """A number as a float; raises ValueError if it is not real."""
    if number.is_Rational:
        return int(number.p) / int(number.q)
    value = number.evalf(15)
    if not value.is_Float:
        raise ValueError(f"{number} is not a real number")
    return float(value)
