"""Programs on disk: what was derived for a model in one process is not derived again in the next.

Deriving a program takes SymPy's simplifications, integrals and lowering; reading it takes milliseconds.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import mpmath
import scipy
import sympy

from riemopt.kernels.graph.programs import Program
from riemopt.kernels.store import cache

__all__ = ["derived_once"]


def derived_once(identity: str | None, derive: Callable[[], Program]) -> Program:
    """A program that is the same for everything of one identity.

    Parameters
    ----------
    identity : str, optional
        All that the program depends on besides the source of riemopt and the versions of what derives it; None if that
        cannot be told.
    derive : callable
        Gives the program.
    """
    if identity is None:
        return derive()
    name = f"program_{cache.digest(identity, _sources(), *(m.__version__ for m in (sympy, scipy, mpmath)))}"
    data = cache.read(name)
    if data is None:
        data = pickle.dumps(derive())
        cache.write(name, data)
    # also of one that was just derived, so that the text and with it the name of the kernel is the same
    program: Program = pickle.loads(data)
    return program


_PACKAGE = Path(__file__).parents[2]
"""Where riemopt lies."""


@functools.lru_cache
def _sources() -> str:
    """A digest of all that riemopt consists of."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
