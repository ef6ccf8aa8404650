"""Generated text compiled by Numba, for the processor or a GPU: what it may call, and where compiled code is kept."""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numba

from riemopt.kernels import cache, elementary, lanes, loops, reductions, scalar, special, stepping, straight, tableaux
from riemopt.kernels.loops import OUTCOMES, Text, parts_text
from riemopt.kernels.lowering import FUNCTIONS, Ode, Part
from riemopt.kernels.reductions import KRONROD, PANEL_ERROR
from riemopt.kernels.statements import indented
from riemopt.kernels.stepping import STEP_CONTROL, library_source
from riemopt.kernels.straight import Straight, functions_of

__all__ = ["MATH", "Compiler"]

_MATH_NAMES = {"loggamma": "lgamma"}

MATH: dict[str, Any] = {
    name: getattr(math, ours)
    for name, ours in ((name, _MATH_NAMES.get(name, name)) for name in FUNCTIONS)
    if hasattr(math, ours)
}
"""The functions that text may call and Numba compiles from those of :mod:`math`; all others are our own."""


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

    def load(self, head: str, text: Text, kernel: Callable[..., Any], parts: Sequence[Part]) -> Any:
        """The compiled function ``run`` of a text, with the parts that it uses.

        Parameters
        ----------
        head : str
            The line that begins ``run``.
        text : Text
            What it consists of.
        kernel : callable
            Compiles it; takes ``cache``, whether to keep the compiled code on disk.
        parts : sequence of Part
            The parts.
        """
        known, functions = parts_text(parts)
        names = {**self.library, "plain": self._plain, "memory": self._memory}
        for dimension in {part.dimension for part in known if isinstance(part, Ode)}:
            names.update(self._solver(dimension))
        whole = "\n\n".join([functions, *text.functions, "\n".join(["@kernel", head, *indented(text.body, 1), ""])])
        definitions = functions_of(whole)
        names["straight"] = lambda f: self._straight(f, definitions[f.__name__], inline=False)
        try:
            with _cache_beside_the_source():
                return cache.load(whole, {**names, "kernel": kernel(cache=True)}, _library_text()).run
        except OSError as error:
            return cache.load_unsaved(whole, {**names, "kernel": kernel(cache=False)}, _library_text(), error).run

    @functools.cached_property
    def library(self) -> dict[str, Any]:
        """Every function that any text may call, compiled on first use."""
        names: dict[str, Any] = {"NAN": math.nan, "INFINITY": math.inf, **KRONROD, **self._functions}
        own = [(inspect.getsource(module), module.__name__) for module in (scalar, special)]
        texts = [(STEP_CONTROL, stepping.__name__), (PANEL_ERROR, reductions.__name__), (OUTCOMES, loops.__name__)]
        for text, module in [*self._texts, *own, *texts]:
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
    modules = (scalar, special, elementary, straight, lanes, loops, stepping, tableaux, reductions)
    return "\0".join(inspect.getsource(module) for module in modules)


@contextlib.contextmanager
def _cache_beside_the_source() -> Iterator[None]:
    """Keep compiled code in the directory of kernels, which was checked, wherever ``NUMBA_CACHE_DIR`` points."""
    with _cache_lock:
        elsewhere, numba.config.CACHE_DIR = numba.config.CACHE_DIR, ""
        try:
            yield
        finally:
            numba.config.CACHE_DIR = elsewhere


_cache_lock = threading.RLock()
