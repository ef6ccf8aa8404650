"""Generated text as functions that Numba has compiled, in this process or in an earlier one."""

from __future__ import annotations

import contextlib
import pickle
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from riemopt.kernels import cache

__all__ = ["load_or_compile"]

_done: dict[str, Any] = {}


def load_or_compile(
    text: str, bindings: Mapping[str, Any], jit: Callable[..., Any], signature: Any, depends: str = ""
) -> Any:
    """The function ``run`` of a text, compiled for one signature.

    Parameters
    ----------
    text : str
        A module's source. It must have been generated here: it is run.
    bindings : mapping of str to object
        Names that the text uses and does not define.
    jit : callable
        Numba's decorator, with all its options.
    signature : numba.core.typing.Signature
        The types of the arguments.
    depends : str, optional
        Any other text that the compiled function depends on, such as the source of what `bindings` holds.
    """
    name = cache.digest(text, depends, str(signature))
    if name not in _done:
        module = ModuleType(f"riemopt_kernel_{name}")
        # compiled functions find their module again by its name
        sys.modules[module.__name__] = module
        vars(module).update(bindings)
        exec(compile(text, f"<riemopt kernel {name}>", "exec"), vars(module))
        run = jit(module.run)
        run._cache = _Kept(name)
        run.compile(signature)
        run.disable_compile()
        _done[name] = run
    return _done[name]


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
