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

from riemopt.kernels import cache, reductions, scalar, special, stepping, tableaux
from riemopt.kernels.loops import parts_text
from riemopt.kernels.lowering import FUNCTIONS, Ode, Part
from riemopt.kernels.reductions import KRONROD, PANEL_ERROR
from riemopt.kernels.stepping import STEP_CONTROL, library_source

__all__ = ["MATH", "Compiler"]

_MATH_NAMES = {"absolute": None, "select": None, "sign": None, "minimum": None, "maximum": None, "loggamma": "lgamma"}

MATH: dict[str, Any] = {
    name: getattr(math, ours)
    for name, ours in ((name, _MATH_NAMES.get(name, name)) for name in FUNCTIONS)
    if ours is not None and hasattr(math, ours)
}
"""The functions that text may call and Numba compiles from those of :mod:`math`; all others are our own."""


class Compiler:
    """How a target compiles the text that it generates.

    Parameters
    ----------
    inner : callable
        Compiles a function that is to vanish where it is called.
    plain : callable
        Compiles a function that is too long for that.
    functions : mapping of str to callable, optional
        What the text calls for the names of :data:`MATH`.
    """

    def __init__(
        self, inner: Callable[..., Any], plain: Callable[..., Any], functions: Mapping[str, Any] = MATH
    ) -> None:
        self._inner, self._plain, self._functions = inner, plain, functions
        self._solvers: dict[int, dict[str, Any]] = {}

    def load(self, lines: Sequence[str], kernel: Callable[..., Any], parts: Sequence[Part]) -> Any:
        """The compiled function ``run`` of a text, with the parts that it uses.

        Parameters
        ----------
        lines : sequence of str
            The text, in which ``@kernel`` stands above ``run``.
        kernel : callable
            Compiles it; takes ``cache``, whether to keep the compiled code on disk.
        parts : sequence of Part
            The parts.
        """
        known, text = parts_text(parts)
        names = {**self._library, "inner": self._inner, "plain": self._plain}
        for dimension in {part.dimension for part in known if isinstance(part, Ode)}:
            names.update(self._solver(dimension))
        whole = "\n".join([text, *lines, ""])
        try:
            with _cache_beside_the_source():
                return cache.load(whole, {**names, "kernel": kernel(cache=True)}, _library_text()).run
        except OSError as error:
            return cache.load_unsaved(whole, {**names, "kernel": kernel(cache=False)}, _library_text(), error).run

    @functools.cached_property
    def _library(self) -> dict[str, Any]:
        """Every function that any text may call, compiled on first use."""
        names: dict[str, Any] = {"NAN": math.nan, "INFINITY": math.inf, **self._functions}
        for library in (scalar, special):
            names.update(self._defined(inspect.getsource(library), {"__name__": library.__name__}))
        names.update(self._defined(STEP_CONTROL, {**names, "__name__": stepping.__name__}))
        names.update(self._defined(PANEL_ERROR, {**names, "__name__": reductions.__name__}))
        return {**names, **KRONROD}

    def _solver(self, dimension: int) -> dict[str, Any]:
        """The functions that the solvers of a dimension call."""
        if dimension not in self._solvers:
            names = {**self._library, "__name__": stepping.__name__}
            text, smaller = library_source(dimension)
            for size in smaller:
                names.update(self._solver(size))
            self._solvers[dimension] = self._defined(text, names)
        return self._solvers[dimension]

    def _defined(self, text: str, namespace: dict[str, Any]) -> dict[str, Any]:
        """The functions that a text of plain scalar Python defines, compiled, calling one another's compiled forms.

        The namespace's ``__name__`` must be that of a module that can be imported: compiled functions are pickled with
        it.
        """
        before = set(namespace)
        exec(compile(text, "<riemopt library>", "exec"), namespace)
        functions = {name: f for name, f in namespace.items() if name not in before and inspect.isfunction(f)}
        # loops over a batch run fastest where the calls in them vanish
        compiled = {name: self._inner(f) for name, f in functions.items()}
        namespace.update(compiled)
        return compiled


@functools.lru_cache
def _library_text() -> str:
    """All that compiled text depends on besides itself and the versions."""
    return "\0".join(inspect.getsource(module) for module in (scalar, special, stepping, tableaux, reductions))


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
