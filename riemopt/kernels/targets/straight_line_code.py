"""Functions without loops, as their text.

Straight-line text consists of assignments, ``if ...: return ...``, and a return, of numbers and tuples. In lanes, an
early return does not leave: what the lanes that would leave return is chosen at the end.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

__all__ = ["INSTRUCTIONS", "StraightLineCode", "functions_of"]


def functions_of(text: str) -> dict[str, ast.FunctionDef]:
    """The functions that a text defines, by name."""
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


class StraightLineCode:
    """A function without loops.

    Parameters
    ----------
    definition : ast.FunctionDef
        Its text.
    names : mapping of str to object
        The numbers and the functions that it uses besides LLVM's; it may be completed later.
    in_lanes : bool
        Whether ``spread`` puts a number into every lane.
    inline : bool, optional
        Whether to write it out wherever it is called; else LLVM decides.

    Attributes
    ----------
    name : str
        What it is called.
    parameters : list of str
        Its parameters.
    statements : list of ast.stmt
        Its statements, without the docstring.
    """

    def __init__(
        self, definition: ast.FunctionDef, names: Mapping[str, Any], in_lanes: bool, inline: bool = False
    ) -> None:
        self.name = definition.name
        self.parameters = [argument.arg for argument in definition.args.args]
        self.statements = [node for node in definition.body if not _is_docstring(node)]
        self.names, self.in_lanes, self.inline = names, in_lanes, inline

    @staticmethod
    def takes(definition: ast.FunctionDef) -> bool:
        """Whether a function is of this kind."""
        return all(
            _leaves_early(node) if isinstance(node, ast.If) else isinstance(node, _STATEMENTS)
            for node in definition.body
        )


INSTRUCTIONS = """
def spread(value):
    return spread(value)


def every(condition):
    return every(condition)


def select(condition, a, b):
    return select(condition, a, b)


def absolute(value):
    return absolute(value)


def isfinite(value):
    return isfinite(value)
"""
"""What is an instruction, or a few, in straight-line text: here as functions, which loops may call."""

_STATEMENTS = (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)


def _leaves_early(node: ast.If) -> bool:
    return [type(entry) for entry in node.body] == [ast.Return] and not node.orelse


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
