"""Functions with some arguments fixed: their text with loops over these unrolled and decisions on them made.

Formulas of a family are written once, as Python that runs as it stands: what tells the members apart, an order and
coefficients, are keyword arguments. What is compiled is a function of numbers for each member, without loops.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["unrolled"]

_FUNCTIONS: Mapping[str, Any] = {"factorial": math.factorial, "float": float, "range": range}
"""Functions whose values are computed where those of their arguments are known."""


def unrolled(function: Callable[..., float], name: str, constants: Mapping[str, Any]) -> str:
    """The text of a function whose keyword-only arguments are fixed.

    Whatever follows from these alone is computed, and a factor of 1 is left out, so that compilers contract the same
    products and sums as in a function written out by hand. The rest is done in the same order as in the function.

    Parameters
    ----------
    function : callable
        Assignments to single names, loops, decisions and returns.
    name : str
        What it is called in the text.
    constants : mapping of str to object
        The values of all keyword-only arguments.
    """
    definition = _definition(function)
    assert {argument.arg for argument in definition.args.kwonlyargs} == set(constants)
    body = _Unrolling(constants).statements(definition.body)
    lines = [f"    {line}" for statement in body for line in ast.unparse(statement).split("\n")]
    return "\n".join([f"def {name}({', '.join(argument.arg for argument in definition.args.args)}):", *lines])


@functools.cache
def _definition(function: Callable[..., float]) -> ast.FunctionDef:
    (definition,) = ast.parse(inspect.getsource(function)).body
    assert isinstance(definition, ast.FunctionDef)
    return definition


class _Unrolling(ast.NodeTransformer):
    """Statements and expressions with the values of some names put in.

    Attributes
    ----------
    known : dict
        The values by name. An assignment may add a name, or remove one.
    """

    def __init__(self, constants: Mapping[str, Any]) -> None:
        self.known = dict(constants)

    def statements(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """What is left of a sequence of statements."""
        return [left for statement in body for left in self._left(statement)]

    def _left(self, statement: ast.stmt) -> list[ast.stmt]:
        """What is left of one statement."""
        if isinstance(statement, ast.For):
            return self._loop(statement)
        if isinstance(statement, ast.If):
            test = self.visit(statement.test)
            if isinstance(test, ast.Constant):
                return self.statements(statement.body if test.value else statement.orelse)
            assert isinstance(statement.body[0], ast.Return) and not statement.orelse, "only an early return may depend"
            return [ast.If(test, self.statements(statement.body), [])]
        if isinstance(statement, ast.Assign):
            return self._assignment(statement)
        if isinstance(statement, ast.Return):
            assert statement.value is not None
            return [ast.Return(self.visit(statement.value))]
        assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant), "no docstring"
        return []

    def _loop(self, statement: ast.For) -> list[ast.stmt]:
        """The body for each value of a loop in turn."""
        values = self.visit(statement.iter)
        assert isinstance(values, ast.Constant), f"{ast.unparse(values)} is not known when the text is written"
        assert isinstance(statement.target, ast.Name)
        result = []
        for value in values.value:  # type: ignore[union-attr]
            self.known[statement.target.id] = value
            result += self.statements(statement.body)
        return result

    def _assignment(self, statement: ast.Assign) -> list[ast.stmt]:
        """An assignment; none if the value is known, which is put in where it is used."""
        (target,) = statement.targets
        assert isinstance(target, ast.Name)
        value = self.visit(statement.value)
        self.known.pop(target.id, None)
        if isinstance(value, ast.Constant):
            self.known[target.id] = value.value
            return []
        return [ast.Assign([target], value, lineno=0)]

    # -- expressions

    def visit(self, node: ast.AST) -> Any:
        """An expression with all that is known computed."""
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant):
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            if names <= self.known.keys() | _FUNCTIONS.keys() and not names <= _FUNCTIONS.keys():
                text = compile(ast.Expression(node), "<a constant>", "eval")
                return ast.Constant(eval(text, {"__builtins__": {}, **_FUNCTIONS}, self.known))
        return super().visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """A copy, with all that is in it visited: a statement in a loop is visited again."""
        return type(node)(**{name: self._field(value) for name, value in ast.iter_fields(node)})

    def _field(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.visit(part) for part in value]
        return self.visit(value) if isinstance(value, ast.AST) else value

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        """One of two expressions, if it is known which."""
        test = self.visit(node.test)
        if isinstance(test, ast.Constant):
            return self.visit(node.body if test.value else node.orelse)
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A product without a factor of 1; a sum with a negative number as a difference."""
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Mult) and 1.0 in (_number(left), _number(right)):
            return right if _number(left) == 1.0 else left  # type: ignore[no-any-return]
        number = _number(right)
        if isinstance(node.op, ast.Add) and number is not None and number < 0.0:
            return ast.BinOp(left, ast.Sub(), ast.Constant(-number))
        return ast.BinOp(left, node.op, right)


def _number(node: ast.expr) -> float | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) else None
