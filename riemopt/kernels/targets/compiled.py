"""The way from the text of a kernel to a compiled function, the same for every target that compiles.

A kernel's text defines the functions of its parts, those of its formulas, and ``run``. What it calls beside these is
the *library*: functions of numbers, and a runtime for algorithms and trajectories, both plain Python that is read from
its source, so that each target compiles it in its own way; and functions that the target brings along. Compiled kernels
are found again by a digest of their text and of the library's, in this process or on disk.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from riemopt import status
from riemopt.kernels.functions import elementary, library
from riemopt.kernels.graph.operations import FUNCTIONS
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Part
from riemopt.kernels.store import cache
from riemopt.kernels.targets import instructions, lane_types, lanes, llvm, straight_line_code
from riemopt.kernels.targets.straight_line_code import StraightLineCode, functions_of
from riemopt.kernels.text import stepping
from riemopt.kernels.text.kernel import Text
from riemopt.kernels.text.parts import parts_text
from riemopt.kernels.text.runtime import memory, outcomes, quadpack, step_control
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
"""The numbers that text looks up."""


_RUNTIME = (step_control, outcomes, quadpack)
"""The modules whose functions text calls besides the functions of numbers."""


class Compiler:
    """What compiles texts for one target.

    Parameters
    ----------
    straight : callable
        Compiles a function without loops (``@straight``, and those of the library): takes it, its definition, and
        whether it is to be written out where it is called.
    plain : callable
        Compiles any other function (``@plain``, and those of the library).
    memory : callable
        Gives the function that reads or writes a row of a matrix (``@memory``): takes it as the text defines it.
    functions : mapping of str to object
        The functions that the target brings along.
    texts : sequence of (str, str)
        More of the library, for this target: the text of functions and the name of the module that they belong to.
        Later ones may call earlier ones.
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
            Its body, and the functions of its formulas.
        kernel : callable
            Compiles ``run``, or finds it on disk. Takes a name for what the kernel computes; a function that returns
            ``run`` alone, enough for one that is on disk; and one that returns it with all that it calls.
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
        runtime = [(inspect.getsource(module), module.__name__) for module in _RUNTIME]
        for text, module in [*self._texts, *library.texts(), *runtime]:
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
            if name not in names and StraightLineCode.takes(definition):
                own[name] = self._straight(namespace[name], definition, inline=True)
            elif name not in names:
                own[name] = self._plain(namespace[name])
        namespace.update({**names, **own})
        return own


@functools.lru_cache
def _library_text() -> str:
    """The source of all that a compiled kernel depends on besides its own text and the versions of what compiles it."""
    texts = (*library.MODULES, *_RUNTIME, elementary, memory, quadrature_rule, stepping, tableaux, status)
    modules = (*texts, straight_line_code, instructions, lane_types, llvm, lanes)
    return "\0".join(inspect.getsource(module) for module in modules)
