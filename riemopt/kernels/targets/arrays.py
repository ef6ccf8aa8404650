"""Programs on the arrays of a framework: the generated text, bound to the functions that the framework has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from riemopt.errors import UnsupportedError
from riemopt.kernels.graph.nodes import nodes_of
from riemopt.kernels.graph.operations import FUNCTIONS, POLYGAMMA_ORDERS, polygamma_name
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.text.expressions import source

__all__ = ["array_function", "executed", "polygamma"]

_OTHER_NAMES = {"absolute": "abs", "select": "where", "loggamma": "gammaln"}
"""What frameworks call some functions; all others are called as the text has them."""


def array_function(program: Program, arrays: Any, special: Any) -> Callable[..., tuple[Any, ...]]:
    """A program as a function of arrays that broadcast, one for each input; it returns a tuple of arrays or numbers.

    Parameters
    ----------
    program : Program
        Made of functions alone, without a part that takes loops.
    arrays : module
        NumPy, CuPy, ``jax.numpy``, or a namespace of PyTorch's with the same names.
    special : module
        Its special functions, under SciPy's names.

    Raises
    ------
    UnsupportedError
        If the framework lacks a function.
    """
    if program.parts:
        raise UnsupportedError("what takes an integral, a sum or a root is computed by kernels of models only")
    names = {node.op for node in nodes_of(program.outputs, program.inputs)}.intersection(FUNCTIONS)
    return executed(program, {name: _bound(name, arrays, special) for name in sorted(names)})


def executed(program: Program, functions: dict[str, Any]) -> Callable[..., tuple[Any, ...]]:
    """The text of a program as a function of Python, with the functions that it calls."""
    names = {"NAN": math.nan, "INFINITY": math.inf, **functions}
    # the text was generated here and names nothing that a user typed
    exec(compile(source(program, "program"), "<riemopt program>", "exec"), names)
    return names["program"]  # type: ignore[no-any-return]


def _bound(name: str, arrays: Any, special: Any) -> Callable[..., Any]:
    """The function of a framework that text calls by a name."""
    for order in POLYGAMMA_ORDERS:
        if name == polygamma_name(order):
            return polygamma(order, arrays, special)
    older = f"arc{name[1:]}"  # what NumPy called asin and its like before the array API
    for place in (arrays, special):
        for known in (_OTHER_NAMES.get(name, name), older):
            if hasattr(place, known):
                function = getattr(place, known)
                return function if FUNCTIONS[name] == 1 else _of_arrays(function, arrays)
    raise UnsupportedError(f"{name} is not among the functions of {arrays.__name__} and {special.__name__}")


def polygamma(order: int, arrays: Any, special: Any) -> Callable[[Any], Any]:
    """ψ_n(x) for positive x: (-1)^(n+1) n! ζ(n + 1, x), DLMF 25.11.12, which all frameworks compute to rounding."""
    factor = (-1.0) ** (order + 1) * math.factorial(order)
    zeta = _of_arrays(special.zeta, arrays)
    return lambda x: arrays.where(x > 0, factor * zeta(order + 1.0, x), math.nan)


def _of_arrays(function: Callable[..., Any], arrays: Any) -> Callable[..., Any]:
    """A function whose arguments may be numbers, of which a framework may not take some."""

    def call(*arguments: Any) -> Any:
        dtype = next((x.dtype for x in reversed(arguments) if hasattr(x, "dtype")), None)
        return function(*(x if hasattr(x, "dtype") else arrays.asarray(x, dtype=dtype) for x in arguments))

    return call
