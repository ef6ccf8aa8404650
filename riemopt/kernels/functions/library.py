"""All functions of numbers that generated text calls and no target has of its own, as one text.

Numba and CUDA have no special functions, and a pointer into SciPy's compiled code can be neither cached on disk nor run
on a GPU. So they are plain scalar Python over ``math`` and ``select``, and one text serves the interpreter,
``numba.njit`` and ``numba.cuda``. The log-gamma function is not among them: ``math.lgamma`` compiles on every target.
"""

from __future__ import annotations

import functools
import inspect

from riemopt.kernels.functions import bessel, coefficients, digamma, polygamma, scalar, unrolling

__all__ = ["MODULES", "texts"]

_WRITTEN = (scalar, digamma, bessel)

MODULES = (*_WRITTEN, polygamma, coefficients, unrolling)
"""All that these functions depend on."""


@functools.cache
def texts() -> tuple[tuple[str, str], ...]:
    """The text of each module of functions with the module's name; functions call those of earlier modules."""
    written = [(inspect.getsource(module), module.__name__) for module in _WRITTEN]
    return (*written, (polygamma.source(), polygamma.__name__))
