"""Mathematics typed as text, read into SymPy without ever being evaluated as Python."""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

import sympy as sp
from scipy import special

from riemopt.errors import ExpressionError

__all__ = ["CONSTANTS", "FUNCTIONS", "free_names", "parse", "parse_assignments"]

CONSTANTS: Mapping[str, sp.Expr] = {"pi": sp.pi, "e": sp.E, "E": sp.E}

FUNCTIONS: Mapping[str, tuple[Callable[[sp.Expr], sp.Expr], Callable[[float], float]]] = {
    "exp": (sp.exp, math.exp),
    "log": (sp.log, math.log),
    "sqrt": (sp.sqrt, math.sqrt),
    "sin": (sp.sin, math.sin),
    "cos": (sp.cos, math.cos),
    "tan": (sp.tan, math.tan),
    "sinh": (sp.sinh, math.sinh),
    "cosh": (sp.cosh, math.cosh),
    "tanh": (sp.tanh, math.tanh),
    "asin": (sp.asin, math.asin),
    "acos": (sp.acos, math.acos),
    "atan": (sp.atan, math.atan),
    "asinh": (sp.asinh, math.asinh),
    "acosh": (sp.acosh, math.acosh),
    "atanh": (sp.atanh, math.atanh),
    "abs": (sp.Abs, abs),
    "gamma": (sp.gamma, math.gamma),
    "loggamma": (sp.loggamma, math.lgamma),
    "digamma": (sp.digamma, special.digamma),
    "trigamma": (sp.trigamma, lambda x: special.polygamma(1, x)),
    "erf": (sp.erf, math.erf),
    "erfc": (sp.erfc, math.erfc),
}
"""Each admitted function as SymPy has it, and its floating-point twin, asked first whether a number will do."""

MAX_LENGTH = 1000  # characters in a text
MAX_DEPTH = 100  # levels of nesting
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

_OPERATORS: Mapping[type[ast.operator], str] = {
    ast.BitXor: "'^' is not allowed: write ** for a power",
    ast.FloorDiv: "'//' is not allowed: write / for a quotient",
    ast.Mod: "'%' is not allowed",
    ast.MatMult: "'@' is not allowed",
    ast.LShift: "'<<' is not allowed",
    ast.RShift: "'>>' is not allowed",
    ast.BitOr: "'|' is not allowed",
    ast.BitAnd: "'&' is not allowed",
}
_NODES: Mapping[type[ast.expr], str] = {
    ast.Attribute: "attribute access ('.') is not allowed",
    ast.Subscript: "indexing ('[...]') is not allowed",
    ast.Compare: "a comparison is not allowed",
    ast.NamedExpr: "an assignment (':=') is not allowed",
    ast.Tuple: "a comma is not allowed here",
    ast.Starred: "'*' before an argument is not allowed",
    ast.List: "a list is not allowed",
    ast.Dict: "a dictionary is not allowed",
    ast.Set: "a set is not allowed",
}
_WORD = re.compile(r"[^\W\d]\w*")
_NUMERAL = re.compile(r"(?<![\w.])\.?\d[\w.]*")
_PLAIN_NUMERAL = re.compile(r"[\d.]+([eE]\d*)?")
_INFINITE = (sp.zoo, sp.nan, sp.oo, -sp.oo)


def parse(text: str, symbols: Mapping[str, sp.Symbol], *, where: str = "") -> sp.Expr:
    """Read a formula: numbers, declared symbols, ``+ - * / **``, parentheses and the functions of `FUNCTIONS`.

    Python's own parser makes the tree, which never runs; SymPy objects are built from the admitted nodes alone.

    Parameters
    ----------
    text : str
        The formula, at most 1000 characters. Decimals are exact: ``0.1`` is 1/10.
    symbols : mapping of str to Symbol
        The names that may be used. A declared name takes precedence over a constant of the same name.
    where : str, optional
        What the text is, put before every error message.

    Returns
    -------
    sympy.Expr
        A real, finite expression in the declared symbols.

    Raises
    ------
    ExpressionError
        If the text holds anything else, or a number out of range; one line with what is not allowed and the column.

    Examples
    --------
    >>> b = sp.Symbol("b", positive=True)
    >>> parse("0.5 / b**2", {"b": b})
    1/(2*b**2)
    >>> parse("__import__('os')", {"b": b})
    Traceback (most recent call last):
    riemopt.errors.ExpressionError: "__import__('os')", column 12: a string is not allowed
    """
    source = _Source(text, where)
    tree = source.tree()
    for _ in source.names(tree):
        pass
    try:
        return source.build(tree, symbols)
    except ExpressionError:
        raise
    except RecursionError:
        source.refuse(None, "nested too deeply")
    except Exception as error:  # SymPy's own failures on odd numbers are of many classes
        source.refuse(None, f"SymPy cannot build it ({type(error).__name__})")


def free_names(text: str, *, where: str = "") -> tuple[str, ...]:
    """The names in a formula that are neither functions nor constants, in order of appearance.

    Parameters
    ----------
    text : str
        The formula, of the grammar of `parse`.
    where : str, optional
        What the text is, put before every error message.

    Returns
    -------
    tuple of str

    Raises
    ------
    ExpressionError
        If the text is not of that grammar.

    Examples
    --------
    >>> free_names("m**2 / v + exp(m) * pi")
    ('m', 'v')
    """
    source = _Source(text, where)
    names = dict.fromkeys(source.names(source.tree()))
    return tuple(name for name in names if name not in CONSTANTS and name not in FUNCTIONS)


def parse_assignments(text: str, names: Iterable[str], *, where: str = "") -> dict[str, tuple[str, int]]:
    """Split ``"alpha = a, beta = 1/b"`` into a formula for each name.

    Parameters
    ----------
    text : str
        Assignments with commas between them, at most 1000 characters.
    names : iterable of str
        The names that may be assigned to.
    where : str, optional
        What the text is, put before every error message.

    Returns
    -------
    dict of str to (str, int)
        For each assigned name, in the order of the text: its formula, yet to be parsed, and its offset in `text`.

    Raises
    ------
    ExpressionError
        If an assignment is malformed, repeated, or of an unknown name.

    Examples
    --------
    >>> parse_assignments("alpha = a, beta = 1/b", ["alpha", "beta"])
    {'alpha': ('a', 8), 'beta': ('1/b', 18)}
    """
    source = _Source(text, where)
    source.check_characters()
    known = list(names)
    assignments: dict[str, tuple[str, int]] = {}
    for start, part in source.parts():
        name, equals, formula = part.partition("=")
        column = start + len(part) - len(part.lstrip())
        name = name.strip()
        if not part.strip():
            source.refuse(start, f"an assignment is missing, such as {known[0] if known else 'name'} = ...")
        if not equals:
            source.refuse(column, f"{part.strip()!r} is not an assignment: write name = formula")
        if "=" in formula:
            at = start + part.index("=", part.index("=") + 1)
            source.refuse(at, "a second '=' in one assignment: put a comma between assignments")
        if name not in known:
            source.refuse(column, f"unknown parameter {name!r}: {_nearest(name, known)}known: {', '.join(known)}")
        if name in assignments:
            source.refuse(column, f"{name!r} is assigned twice")
        offset = start + len(part) - len(formula.lstrip())
        if not formula.strip():
            source.refuse(offset, f"nothing after {name} =")
        assignments[name] = (formula.strip(), offset)
    return assignments


def _nearest(name: str, options: Iterable[str]) -> str:
    matches = difflib.get_close_matches(name, list(options), n=1, cutoff=0.6)
    return f"did you mean {matches[0]!r}? " if matches else ""


@dataclass(frozen=True)
class _Source:
    """A text and the way to speak about places in it; `at` is a character offset or a node of its tree."""

    text: str
    where: str = ""

    def refuse(self, at: ast.AST | int | None, problem: str) -> NoReturn:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        place = repr(shown) if at is None else f"{shown!r}, column {self.column(at)}"
        raise ExpressionError(f"{self.where}: {place}: {problem}" if self.where else f"{place}: {problem}")

    def column(self, at: ast.AST | int) -> int:
        if isinstance(at, int):
            return at + 1
        # ast counts bytes of UTF-8, people count characters
        before = self.text.encode()[: getattr(at, "col_offset", 0) + self.indent]
        return len(before.decode(errors="replace")) + 1

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip())

    def check_characters(self) -> None:
        if len(self.text) > MAX_LENGTH:
            self.refuse(None, f"{len(self.text)} characters are too many: at most {MAX_LENGTH}")
        for offset, character in enumerate(self.text):
            if character in "'\"":
                self.refuse(offset, "a string is not allowed")
            if character in "#\\" or not (character.isprintable() or character == "\t"):
                self.refuse(offset, f"the character {character!r} is not allowed")
        if not self.text.strip():
            self.refuse(None, "the text is empty")

    def check_words(self) -> None:
        """Refuse Python's keywords and its other numerals; the parser would take ``1if`` apart, and warn on stderr."""
        for match in _WORD.finditer(self.text):
            if keyword.iskeyword(match.group()):
                self.refuse(match.start(), f"{match.group()!r} is not allowed")
        for match in _NUMERAL.finditer(self.text):
            if not _PLAIN_NUMERAL.fullmatch(match.group()):
                self.refuse(match.start(), f"{match.group()!r} is not a number: write * for a product")

    def parts(self) -> Iterator[tuple[int, str]]:
        """The pieces between the commas that stand outside parentheses, each with its offset."""
        opened: list[int] = []
        start = 0
        for offset, character in enumerate(self.text):
            if character == "(":
                opened.append(offset)
            elif character == ")":
                if not opened:
                    self.refuse(offset, "')' without '('")
                opened.pop()
            elif character == "," and not opened:
                yield start, self.text[start:offset]
                start = offset + 1
        if opened:
            self.refuse(opened[-1], "'(' is never closed")
        yield start, self.text[start:]

    def tree(self) -> ast.expr:
        self.check_characters()
        self.check_words()
        try:
            return ast.parse(self.text.strip(), mode="eval").body
        except SyntaxError as error:
            self._explain(error)
        except (RecursionError, MemoryError):
            self.refuse(None, "nested too deeply")

    def _explain(self, error: SyntaxError) -> NoReturn:
        for offset, character in enumerate(self.text):
            if character == "=":
                self.refuse(offset, "an assignment or comparison ('=') is not allowed")
            if not (character in "+-*/^()., \t" or f"_{character}".isidentifier()):
                self.refuse(offset, f"{character!r} is not allowed")
        offset = self.indent + max((error.offset or 1) - 1, 0)
        self.refuse(min(offset, len(self.text)), f"not a formula ({str(error.msg).split('.')[0]})")

    def names(self, node: ast.expr, depth: int = 0) -> Iterator[str]:
        """Admit every node or refuse it, and yield the names that stand for numbers, in order of appearance."""
        if depth > MAX_DEPTH:
            self.refuse(node, f"nested too deeply: at most {MAX_DEPTH} levels")
        match node:
            case ast.Constant(value=value):
                if type(value) not in (int, float):
                    self.refuse(node, f"{value!r} is not allowed")
            case ast.Name(id=name):
                yield name
            case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
                yield from self.names(operand, depth + 1)
            case ast.BinOp(op=operator, left=left, right=right):
                if type(operator) in _OPERATORS:
                    self.refuse(self.between(left, right), _OPERATORS[type(operator)])
                yield from self.names(left, depth + 1)
                yield from self.names(right, depth + 1)
            case ast.Call():
                yield from self.names(self.argument(node), depth + 1)
            case _:
                self.refuse(node, _NODES.get(type(node), f"{self.segment(node)!r} is not allowed"))

    def between(self, left: ast.expr, right: ast.expr) -> int:
        """The offset of the operator between two operands, which the tree does not keep."""
        offset = self.column(right) - 2
        while self.text[offset] in " \t(":
            offset -= 1
        return offset - (self.text[offset - 1] == self.text[offset])

    def argument(self, call: ast.Call) -> ast.expr:
        if not isinstance(call.func, ast.Name):
            self.refuse(call.func, "only functions may be called: write * for a product")
        name = call.func.id
        if name not in FUNCTIONS:
            hint = _nearest(name, FUNCTIONS) or "write * for a product; "
            self.refuse(call.func, f"unknown function {name!r}: {hint}known: {', '.join(FUNCTIONS)}")
        if call.keywords:
            self.refuse(call.keywords[0], f"{name} takes no keyword arguments")
        for argument in call.args:
            if isinstance(argument, ast.Starred):
                self.refuse(argument, _NODES[ast.Starred])
        if len(call.args) != 1:
            self.refuse(call, f"{name} takes one argument, not {len(call.args)}")
        return call.args[0]

    def segment(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text.strip(), node) or ""

    def build(self, node: ast.expr, symbols: Mapping[str, sp.Symbol]) -> sp.Expr:
        """The SymPy expression of an admitted node; each number on the way is checked before and after it is made."""
        match node:
            case ast.Constant():
                built = self.number(node)
            case ast.Name():
                return self.symbol(node, symbols)
            case ast.UnaryOp(op=operator, operand=operand):
                built = self.build(operand, symbols)
                return -built if isinstance(operator, ast.USub) else built
            case ast.BinOp(op=operator, left=left, right=right):
                built = self.combine(node, operator, self.build(left, symbols), self.build(right, symbols))
            case ast.Call(func=ast.Name(id=name)):
                built = self.apply(node, name, self.build(self.argument(node), symbols))
            case _:
                self.refuse(node, "not allowed")
        self.check(node, built)
        return built

    def number(self, node: ast.Constant) -> sp.Expr:
        if isinstance(node.value, int):
            return sp.Integer(node.value)
        exact = Decimal(self.segment(node))
        # an exponent of a thousand million would be written out in digits below
        if not math.isfinite(float(exact)) or (exact and not float(exact)):
            self.refuse(node, "a number out of range")
        return sp.Rational(*Fraction(exact).as_integer_ratio())

    def symbol(self, node: ast.Name, symbols: Mapping[str, sp.Symbol]) -> sp.Expr:
        if node.id in symbols:
            return symbols[node.id]
        if node.id in CONSTANTS:
            return CONSTANTS[node.id]
        if node.id in FUNCTIONS:
            self.refuse(node, f"{node.id} is a function: write {node.id}(...)")
        declared = ", ".join(symbols) or "none"
        self.refuse(node, f"unknown symbol {node.id!r}: {_nearest(node.id, symbols)}declared: {declared}")

    def combine(self, node: ast.expr, operator: ast.operator, left: sp.Expr, right: sp.Expr) -> sp.Expr:
        match operator:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                if right == 0:
                    self.refuse(node, "division by zero")
                return left / right
        self.check_exponent(node, right)
        if not left.free_symbols and not right.free_symbols:
            self.check_float(node, lambda: _value(left) ** _value(right))
        return left**right

    def apply(self, node: ast.expr, name: str, argument: sp.Expr) -> sp.Expr:
        function, twin = FUNCTIONS[name]
        if name == "exp" and argument.has(sp.log):
            self.check_exponent(node, argument)
        if not argument.free_symbols:
            value = _value(argument)
            if "gamma" in name and abs(value) > MAX_GAMMA:
                self.refuse(node, f"{name} of a number beyond {MAX_GAMMA} is not allowed")
            self.check_float(node, lambda: twin(value))
        return function(argument)

    def check_exponent(self, node: ast.expr, exponent: sp.Expr) -> None:
        numbers = exponent.atoms(sp.Rational) if exponent.free_symbols else {_value(exponent)}
        if any(abs(number) > MAX_NUMBER_POWER for number in numbers):
            self.refuse(node, f"an exponent beyond {MAX_NUMBER_POWER} is not allowed")
        if any(number.q > MAX_ROOT for number in exponent.atoms(sp.Rational)):
            self.refuse(node, "an exponent with so many digits is not allowed: write a simple fraction, such as 1/3")

    def check_float(self, node: ast.expr, compute: Callable[[], float | complex]) -> None:
        try:
            value = compute()
        except OverflowError:
            self.refuse(node, "the number is too large")
        except ZeroDivisionError:
            self.refuse(node, "division by zero")
        except ValueError:
            self.refuse(node, "the value is not a real number")
        if isinstance(value, complex):
            self.refuse(node, "the value is not a real number")
        if not math.isfinite(value):
            self.refuse(node, "the value is infinite or undefined")

    def check(self, node: ast.expr, built: sp.Expr) -> None:
        """Refuse what is not real and finite, or what SymPy could only handle with unbounded work."""
        if built.has(*_INFINITE):
            self.refuse(node, "division by zero, or an infinite value")
        numbers = built.atoms(sp.Rational)
        bits = max((max(abs(n.p).bit_length(), n.q.bit_length()) for n in numbers), default=0)
        if bits > MAX_BITS:
            self.refuse(node, "the number is too large to be held exactly")
        if bits > MAX_BITS_BESIDE or any(abs(n) > MAX_BESIDE for n in numbers):
            irrational = built.atoms(sp.NumberSymbol, sp.Function, sp.Pow)
            if any(atom.is_number for atom in irrational):
                self.refuse(node, "so large or long a number beside an irrational one is not allowed")
        self.check_powers(node, [power for power in built.atoms(sp.Pow) if power.exp.is_Rational])
        if built.has(sp.I):  # not is_real: to answer, SymPy may expand a power into a thousand terms
            self.refuse(node, "the value is not a real number")
        if not built.free_symbols and not built.is_Rational:
            self.check_float(node, lambda: _value(built))
            if not _value(built):
                self.refuse(node, "the number is too small to be told from zero")

    def check_powers(self, node: ast.expr, powers: Sequence[sp.Pow]) -> None:
        if math.prod(power.exp.q for power in powers if not power.free_symbols) > MAX_DEGREE:
            self.refuse(node, "roots of numbers of so high a degree are not allowed")
        for power in powers:
            if power.free_symbols and power.exp.q > MAX_ROOT:
                self.refuse(node, f"a root beyond {MAX_ROOT} is not allowed")
            limit = MAX_SUM_POWER if power.base.is_Add else MAX_SYMBOL_POWER
            if abs(power.exp) > limit:
                kind = "power of a sum" if power.base.is_Add else "power"
                self.refuse(node, f"a {kind} beyond {limit} is not allowed")


def _value(number: sp.Expr) -> float:
    if number.is_Rational:
        return int(number.p) / int(number.q)
    value = number.evalf(15)
    if not value.is_Float:
        raise ValueError(f"{number} is not a real number")
    return float(value)
