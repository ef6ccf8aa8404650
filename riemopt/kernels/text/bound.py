"""Expressions of Python functions some of whose names are bound: rewritten, and decided where they can be."""

from __future__ import annotations

import ast
import functools
import inspect
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

__all__ = ["Bound", "Definition", "Expressions", "Given", "Static", "definition", "is_bool", "is_name", "statements_of"]

Static = int | float | bool
"""A bound number."""


@dataclass(frozen=True)
class Given:
    """What text has for a function that an algorithm evaluates.

    Attributes
    ----------
    name : str
        What the function is called in the text; empty if `value` is written there instead of a call.
    knows : tuple of str
        The variables that it takes behind its arguments.
    results : int
        How many numbers it returns, if it returns several.
    value : str
        The expression to write in place of a call.
    lines : tuple of str
        The statements to write before the one with the call. They and the expression use the names of the variables
        that are the call's arguments.
    """

    name: str = ""
    knows: tuple[str, ...] = ()
    results: int = 0
    value: str = ""
    lines: tuple[str, ...] = ()


Bound = Mapping[str, Static | Given]
"""What is known of a function's arguments, by name."""


class Definition:
    """A function as it stands in its module.

    Attributes
    ----------
    parameters : list of str
        Its parameters.
    body : list of ast.stmt
        Its statements, without the docstring.
    stored : set of str
        The variables that are assigned in it, parameters or not.
    counters : list of (str, ast.expr)
        The variables of loops and of comprehensions, and what they run over; the outer ones first.
    """

    def __init__(self, node: ast.FunctionDef) -> None:
        self.parameters = [argument.arg for argument in node.args.args]
        self.body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        parts = list(ast.walk(node))
        self.stored = {p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
        loops = [p for p in parts if isinstance(p, ast.For | ast.comprehension)]
        self.counters = [(p.target.id, p.iter) for p in loops if isinstance(p.target, ast.Name)]


@functools.lru_cache
def _module(name: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


@functools.lru_cache
def definition(function: Callable[..., Any]) -> Definition:
    """The definition of a function of a module."""
    return Definition(_module(function.__module__)[function.__name__])


class Expressions(ABC):
    """The expressions of one function.

    Parameters
    ----------
    function : callable
        The function.
    bound : mapping
        What is known of its arguments.
    lists : dict of str to int
        The lists of bound length, and their lengths; those of its own are added.

    Attributes
    ----------
    waiting : list of ast.stmt
        What is to be written before the statement whose expressions are being rewritten.
    """

    def __init__(self, function: Callable[..., Any], bound: Bound, lists: dict[str, int]) -> None:
        self.of, self.lists = function, lists
        self.definition = definition(function)
        self.given = {name: value for name, value in bound.items() if isinstance(value, Given)}
        self.static: dict[str, Static] = {name: v for name, v in bound.items() if not isinstance(v, Given)}
        # a loop that is written out leaves no variable
        known = set(self.static)
        for name, over in self.definition.counters:
            if _is_call(over, "range") and _names(over.args) and _names(over.args) <= known:
                known.add(name)
        self.locals = (self.definition.stored - known) | set(self.definition.parameters)
        self.waiting: list[ast.stmt] = []

    @abstractmethod
    def instance(self, function: Callable[..., Any], bound: Bound) -> str:
        """The name of another algorithm in the text, for the same bound arguments."""

    def __call__(self, node: ast.expr) -> ast.expr:
        """An expression, rewritten."""
        own = getattr(self, f"_{type(node).__name__}", None)
        return own(node) if own is not None else self.parts(node)  # type: ignore[no-any-return]

    def parts(self, node: Any) -> Any:
        """A node whose expressions are rewritten."""
        parts = []
        for field in node._fields:
            value = getattr(node, field)
            if isinstance(value, ast.expr):
                value = self(value)
            elif isinstance(value, list):
                value = [self(v) if isinstance(v, ast.expr) else v for v in value]
            parts.append(value)
        return type(node)(*parts)

    def left(self, names: Iterable[str]) -> list[str]:
        """What is left of some arguments: nothing of a bound number, of a bound function what it knows."""
        left: list[str] = []
        for name in names:
            if name in self.given:
                left += self.given[name].knows
            elif name not in self.static:
                left.append(name)
        return left

    def handed(self, function: Callable[..., Any], call: ast.Call) -> dict[str, Static | Given]:
        """What is bound among the arguments of a call, by what it is called in the function."""
        known = {**self.given, **self.static}
        pairs = zip(definition(function).parameters, call.args, strict=True)
        return {name: known[node.id] for name, node in pairs if isinstance(node, ast.Name) and node.id in known}

    def range(self, node: ast.expr) -> range | None:
        """The range of a loop, if it is bound."""
        if not _is_call(node, "range") or not _names(node.args) <= self.static.keys() or not _names(node.args):
            return None
        return range(*(self.whole(end) or 0 for end in node.args))

    def whole(self, node: ast.expr) -> int | None:
        """The value of an expression of bound whole numbers."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, int) else None
        if isinstance(node, ast.Name):
            value = self.static.get(node.id)
            return value if isinstance(value, int) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
            a, b = self.whole(node.left), self.whole(node.right)
            if a is not None and b is not None:
                return a + b if isinstance(node.op, ast.Add) else a * b
        return None

    def repeated(self, node: ast.expr) -> list[ast.expr] | None:
        """The entries of ``[value] * count``."""
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.left, ast.List)):
            return None
        count = self.whole(node.right)
        assert count is not None
        return [self(node.left.elts[0])] * count

    # -- kinds of expressions

    def _Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.static:
            return _number(self.static[node.id])
        if node.id not in self.locals:
            value = self.of.__globals__.get(node.id)
            if isinstance(value, int | float):
                return _number(value)
        return node

    def _Subscript(self, node: ast.Subscript) -> ast.expr:
        index = self.whole(node.slice)
        if index is None:
            return self.parts(node)  # type: ignore[no-any-return]
        if isinstance(node.value, ast.Name) and node.value.id in self.lists:
            return ast.Name(f"{node.value.id}_{index}", node.ctx)
        return ast.Subscript(self(node.value), ast.Constant(index), node.ctx)

    def _Tuple(self, node: ast.Tuple) -> ast.expr:
        elements: list[ast.expr] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                repeated = self.repeated(element.value)
                elements += self._entries(element.value) if repeated is None else repeated
            else:
                elements.append(self(element))
        return ast.Tuple(elements, node.ctx)

    def _entries(self, node: ast.expr) -> list[ast.expr]:
        assert isinstance(node, ast.Name)
        return [ast.Name(f"{node.id}_{j}", ast.Load()) for j in range(self.lists[node.id])]

    def _Compare(self, node: ast.Compare) -> ast.expr:
        if isinstance(node.ops[0], ast.NotEq):
            a, b = self.whole(node.left), self.whole(node.comparators[0])
            if a is not None and b is not None:
                return ast.Constant(a != b)
        return self.parts(node)  # type: ignore[no-any-return]

    def _BoolOp(self, node: ast.BoolOp) -> ast.expr:
        decisive = isinstance(node.op, ast.Or)
        values: list[ast.expr] = []
        for value in map(self, node.values):
            if not is_bool(value):
                values.append(value)
            elif value.value == decisive:
                values.append(value)
                break
        if not values:
            return ast.Constant(not decisive)
        return values[0] if len(values) == 1 else ast.BoolOp(node.op, values)

    def _UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        value = self(node.operand)
        return ast.Constant(not value.value) if is_bool(value) else ast.UnaryOp(node.op, value)

    def _IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self(node.test)
        if is_bool(test):
            return self(node.body if test.value else node.orelse)
        return ast.IfExp(test, self(node.body), self(node.orelse))

    def _Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in self.given:
            return self._given(self.given[name], node)
        if name in ("all", "sum", "tuple"):
            return _joined(name, self._generated(node.args[0]))
        function = self.of.__globals__.get(name)
        handed = self.handed(function, node) if _is_algorithm(function) else {}
        if function is None or not handed:
            return ast.Call(node.func, [self(argument) for argument in node.args], [])
        arguments: list[ast.expr] = []
        for argument in node.args:
            if isinstance(argument, ast.Name) and (argument.id in self.given or argument.id in self.static):
                arguments += [ast.Name(known, ast.Load()) for known in self.left([argument.id])]
            else:
                arguments.append(self(argument))
        return ast.Call(ast.Name(self.instance(function, handed), ast.Load()), arguments, [])

    def _given(self, given: Given, node: ast.Call) -> ast.expr:
        if not given.name:
            self.waiting += statements_of(given.lines)
            return ast.parse(given.value, mode="eval").body
        known = [ast.Name(name, ast.Load()) for name in given.knows]
        return ast.Call(ast.Name(given.name, ast.Load()), [*map(self, node.args), *known], [])

    def _generated(self, node: ast.expr) -> list[ast.expr]:
        """The entries of a list, or of what is generated by loops over bound ranges."""
        if not isinstance(node, ast.GeneratorExp):
            return self._entries(node)
        entries: list[ast.expr] = []

        def add(loops: Sequence[ast.comprehension]) -> None:
            if not loops:
                entries.append(self(node.elt))
                return
            target, over = loops[0].target, self.range(loops[0].iter)
            assert over is not None and isinstance(target, ast.Name)
            for j in over:
                self.static[target.id] = j
                add(loops[1:])
            self.static.pop(target.id, None)

        add(node.generators)
        return entries


def _joined(name: str, entries: list[ast.expr]) -> ast.expr:
    """All entries as a tuple, as a sum from the left, or whether all of them hold."""
    if name == "tuple":
        return ast.Tuple(entries, ast.Load())
    if name == "sum":
        return functools.reduce(lambda a, b: ast.BinOp(a, ast.Add(), b), entries)
    return entries[0] if len(entries) == 1 else ast.BoolOp(ast.And(), entries)


def statements_of(lines: Iterable[str]) -> list[ast.stmt]:
    """The parsed statements of a text."""
    return ast.parse("\n".join(lines)).body


def is_name(node: ast.expr, name: str) -> bool:
    """Whether an expression is a name."""
    return isinstance(node, ast.Name) and node.id == name


def is_bool(node: ast.expr) -> TypeGuard[ast.Constant]:
    """Whether an expression is decided."""
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _number(value: Static) -> ast.expr:
    """The text of a number, which has names for those that are not finite."""
    if math.isnan(value):
        return ast.Name("NAN", ast.Load())
    if math.isinf(value):
        infinity = ast.Name("INFINITY", ast.Load())
        return infinity if value > 0 else ast.UnaryOp(ast.USub(), infinity)
    return ast.Constant(value)


def _names(nodes: Iterable[ast.expr]) -> set[str]:
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def _is_call(node: ast.expr, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and is_name(node.func, name)


def _is_algorithm(function: Any) -> TypeGuard[Callable[..., Any]]:
    return inspect.isfunction(function) and function.__module__.startswith(f"{__package__}.algorithms.")
