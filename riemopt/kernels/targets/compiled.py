"""Generated text compiled by Numba, for the processor or a GPU, with what it may call."""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from riemopt.kernels.functions import elementary, scalar, special
from riemopt.kernels.graph.operations import FUNCTIONS
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Part
from riemopt.kernels.store import cache
from riemopt.kernels.targets import lanes, llvm
from riemopt.kernels.targets.llvm import Straight, functions_of
from riemopt.kernels.text import stepping
from riemopt.kernels.text.library import memory, outcomes, quadpack, step_control
from riemopt.kernels.text.loops import Text, parts_text
from riemopt.kernels.text.statements import indented
from riemopt.kernels.text.stepping import library_source
from riemopt.numerics import quadrature_rule, tableaux

__all__ = ["MATH", "Compiler"]

_MATH_NAMES = {"loggamma": "lgamma"}

MATH: dict[str, Any] = {
    name: getattr(math, ours)
    for name, ours in ((name, _MATH_NAMES.get(name, name)) for name in FUNCTIONS)
    if hasattr(math, ours)
}
"""The functions that text may call and Numba compiles from those of :mod:`math`; all others are our own."""


_TABLES = {name: getattr(quadrature_rule, name) for name in ("KRONROD_NODES", "KRONROD_WEIGHTS", "GAUSS_WEIGHTS")}
"""The tables that text looks at."""


_LIBRARY = (scalar, special, step_control, outcomes, quadpack)
"""The modules whose functions any text may call."""


class Compiler:
    """How a target compiles the text that it generates.

    Parameters
    ----------
    straight : callable
        Compiles a function without loops: takes it, its definition, and whether it is to be written out where it is
        called.
    plain : callable
        Compiles any other function.
    memory : callable
        Gives the function that reads or writes a row of a matrix: takes it as plain text defines it.
    functions : mapping of str to object
        What text calls that the target has.
    texts : sequence of (str, str)
        The text of more functions that text calls, with the module that they belong to; in order.
    """

    def __init__(
        self,
        straight: Callable[..., Any],
        plain: Callable[..., Any],
        memory: Callable[..., Any],
        functions: Mapping[str, Any],
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._straight, self._plain, self._memory = straight, plain, memory
        self._functions, self._texts = functions, texts
        self._solvers: dict[int, dict[str, Any]] = {}
        self._loaded: dict[str, Any] = {}

    def load(self, head: str, text: Text, kernel: Callable[..., Any], parts: Sequence[Part]) -> Any:
        """The compiled function ``run`` of a text, with the parts that it uses.

        Parameters
        ----------
        head : str
            The line that begins ``run``.
        text : Text
            What it consists of.
        kernel : callable
            Compiles it: takes a name for what it computes; what gives ``run`` alone, which is enough for one that was
            compiled before; and what gives it with all that it calls.
        parts : sequence of Part
            The parts.
        """
        known, functions = parts_text(parts)
        run = "\n".join([head, *indented(text.body, 1), ""])
        whole = "\n\n".join([functions, *text.functions, run])
        name = cache.digest(whole, _library_text())
        if name not in self._loaded:
            self._loaded[name] = kernel(
                name, lambda: self._module(name, run, {}), lambda: self._module(name, whole, self._names(whole, known))
            )
        return self._loaded[name]

    def _module(self, name: str, text: str, names: Mapping[str, Any]) -> Any:
        """The function ``run`` of a text, not yet compiled."""
        module = ModuleType(f"riemopt_kernel_{name}")
        # compiled functions find their module again by its name
        sys.modules[module.__name__] = module
        vars(module).update(names)
        exec(compile(text, f"<riemopt kernel {name}>", "exec"), vars(module))
        return module.run

    def _names(self, text: str, parts: Iterable[Part]) -> dict[str, Any]:
        """What a text uses and does not define."""
        names = {**self.library, "plain": self._plain, "memory": self._memory}
        for dimension in {part.dimension for part in parts if isinstance(part, Ode)}:
            names |= self._solver(dimension)
        definitions = functions_of(text)
        return names | {"straight": lambda f: self._straight(f, definitions[f.__name__], inline=False)}

    @functools.cached_property
    def library(self) -> dict[str, Any]:
        """Every function that any text may call, compiled on first use."""
        names: dict[str, Any] = {"NAN": math.nan, "INFINITY": math.inf, **_TABLES, **self._functions}
        own = [(inspect.getsource(module), module.__name__) for module in _LIBRARY]
        for text, module in [*self._texts, *own]:
            names |= self._defined(text, module, names)
        return names

    def _solver(self, dimension: int) -> dict[str, Any]:
        """The functions that the solvers of a dimension call."""
        if dimension not in self._solvers:
            text, smaller = library_source(dimension)
            names = dict(self.library)
            for size in smaller:
                names |= self._solver(size)
            self._solvers[dimension] = self._defined(text, stepping.__name__, names)
        return self._solvers[dimension]

    def _defined(self, text: str, module: str, names: Mapping[str, Any]) -> dict[str, Any]:
        """The functions that a text defines beside those that are known by their names, which they may call.

        The module's name must be that of one that can be imported: compiled functions are pickled with it.
        """
        namespace: dict[str, Any] = {"__name__": module}
        exec(compile(text, "<riemopt library>", "exec"), namespace)
        own = {}
        for name, definition in functions_of(text).items():
            if name not in names and Straight.takes(definition):
                own[name] = self._straight(namespace[name], definition, inline=True)
            elif name not in names:
                own[name] = self._plain(namespace[name])
        namespace.update({**names, **own})
        return own


@functools.lru_cache
def _library_text() -> str:
    """All that compiled text depends on besides itself and the versions."""
    modules = (*_LIBRARY, elementary, memory, quadrature_rule, llvm, lanes, stepping, tableaux)
    return "\0".join(inspect.getsource(module) for module in modules)
