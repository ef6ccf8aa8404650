"""Generated text as functions that Numba has compiled, in this process or in an earlier one."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from typing import Any

from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from riemopt.kernels import cache

__all__ = ["load_or_compile"]


def load_or_compile(
    jit: Callable[..., Any], signature: Any, name: str, alone: Callable[[], Any], complete: Callable[[], Any]
) -> Any:
    """A function of generated text, compiled for one signature.

    Parameters
    ----------
    jit : callable
        Numba's decorator, with all its options.
    signature : numba.core.typing.Signature
        The types of the arguments.
    name : str
        A name for what the function computes.
    alone, complete : callable
        The function without what it calls, which is enough for one that was compiled before, and with it.
    """
    kept = _Kept(cache.digest(name, str(signature)))
    run = jit(alone())
    found = kept.load_overload(signature, run.targetctx)
    if found is not None:
        run.add_overload(found)
    else:
        run = jit(complete())
        run._cache = kept
        run.compile(signature)
    run.disable_compile()
    return run


class _Kept(NullCache):  # type: ignore[misc]
    """Where Numba looks for compiled code and leaves it: a file of its own for each kernel and processor."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _file(self, codegen: Any) -> str:
        return f"kernel_{cache.digest(self._name, repr(codegen.magic_tuple()))}"

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """What an earlier process has compiled, if it can be had."""
        data = cache.read(self._file(target_context.codegen()))
        if data is None:
            return None
        # all that compiled code needs of the context; to prepare it for compiling takes ten times as long
        rtsys.initialize(target_context)
        with contextlib.suppress(Exception):
            return CompileResult._rebuild(target_context, *pickle.loads(data))
        return None

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        """Leave what was compiled for later processes."""
        cache.write(self._file(data.codegen), dumps(data._reduce()))
