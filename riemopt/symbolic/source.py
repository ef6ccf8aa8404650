"""The text of typed mathematics: its characters, its syntax tree, and the nodes that are admitted."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from riemopt.errors import ExpressionError
from riemopt.symbolic.vocabulary import FUNCTIONS, suggestion

__all__ = ["Source"]

MAX_LENGTH = 1000  # characters in a text
MAX_DEPTH = 100  # levels of nesting

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


@dataclass(frozen=True)
class Source:
    """A text that a user typed, what is admitted of it, and the error where something is not.

    A place in it, `at`, is a character offset or a node of its tree.

    Attributes
    ----------
    text : str
        The text.
    where : str
        What it is, put before every error message.
    """

    text: str
    where: str = ""

    def refuse(self, at: ast.AST | int | None, problem: str) -> NoReturn:
        """Raise the error for a problem at a place, with the column."""
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        place = repr(shown) if at is None else f"{shown!r}, column {self.column(at)}"
        raise ExpressionError(f"{self.where}: {place}: {problem}" if self.where else f"{place}: {problem}")

    def column(self, at: ast.AST | int) -> int:
        """The column of a place, counted from 1."""
        if isinstance(at, int):
            return at + 1
        # ast counts bytes of UTF-8, people count characters
        before = self.text.encode()[: getattr(at, "col_offset", 0) + self.indent]
        return len(before.decode(errors="replace")) + 1

    @property
    def indent(self) -> int:
        """How many blanks the text begins with: its tree is that of the stripped text."""
        return len(self.text) - len(self.text.lstrip())

    def check_characters(self) -> None:
        """Refuse characters that no formula has."""
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
        """The syntax tree of the text, by Python's own parser; it never runs."""
        self.check_characters()
        self.check_words()
        try:
            return ast.parse(self.text.strip(), mode="eval").body
        except SyntaxError as error:
            self._explain(error)
        except (RecursionError, MemoryError):
            self.refuse(None, "nested too deeply")

    def _explain(self, error: SyntaxError) -> NoReturn:
        """Refuse the character or the place at which Python's parser stops."""
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
        """The one argument of a call of an admitted function."""
        if not isinstance(call.func, ast.Name):
            self.refuse(call.func, "only functions may be called: write * for a product")
        name = call.func.id
        if name not in FUNCTIONS:
            hint = suggestion(name, FUNCTIONS) or "write * for a product; "
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
        """The text of a node."""
        return ast.get_source_segment(self.text.strip(), node) or ""
