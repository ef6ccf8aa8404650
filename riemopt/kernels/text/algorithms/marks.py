"""Marks of algorithms: how the text of a function is made, where it is not one more function with loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["inlined", "straight"]

F = TypeVar("F", bound=Callable[..., Any])


def inlined(function: F) -> F:
    """Mark a function, or a generator, whose statements are put where it is called."""
    function.__dict__["inlined"] = True
    return function


def straight(function: F) -> F:
    """Mark a function without loops, of which targets make instructions; see :mod:`riemopt.kernels.targets.llvm`."""
    function.__dict__["straight"] = True
    return function
