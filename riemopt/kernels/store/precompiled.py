"""Generated text as functions that Numba has compiled, in this process or in an earlier one."""

from __future__ import annotations

import contextlib
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from riemopt.kernels.store import cache

__all__ = ["ForGpu", "ForProcessor", "Precompiled"]


class Precompiled(ABC):
    """Functions of generated text, a file of its own for each of them and each kind of device.

    Parameters
    ----------
    jit : callable
        Numba's decorator, with all its options.
    """

    def __init__(self, jit: Callable[..., Any]) -> None:
        self._jit = jit

    def load(self, signature: Any, name: str, alone: Callable[[], Any], complete: Callable[[], Any]) -> Any:
        """A function, compiled for one signature.

        Parameters
        ----------
        signature : numba.core.typing.Signature or str
            The types of the arguments.
        name : str
            A name for what the function computes.
        alone, complete : callable
            The function without what it calls, which is enough for one that was compiled before, and with it.
        """
        run = self._jit(alone())
        device = run.targetctx.codegen().magic_tuple()
        file = f"kernel_{cache.digest(name, str(signature), repr(device))}"
        data = cache.read(file)
        if data is not None:
            with contextlib.suppress(Exception):
                self._restore(run, data)
        if not run.overloads:
            run = self._jit(complete())
            run.compile(signature)
            (compiled,) = run.overloads.values()
            cache.write(file, self._dumped(compiled))
        run.disable_compile()
        return run

    @abstractmethod
    def _dumped(self, compiled: Any) -> bytes:
        """What was compiled, for later processes."""

    @abstractmethod
    def _restore(self, run: Any, data: bytes) -> None:
        """Give a function what an earlier process has compiled."""


class ForProcessor(Precompiled):
    """Functions for the processor."""

    def _dumped(self, compiled: Any) -> bytes:
        return dumps(compiled._reduce())  # type: ignore[no-any-return]

    def _restore(self, run: Any, data: bytes) -> None:
        # all that compiled code needs of the context; to prepare it for compiling takes ten times as long
        rtsys.initialize(run.targetctx)
        run.add_overload(CompileResult._rebuild(run.targetctx, *pickle.loads(data)))


class ForGpu(Precompiled):
    """Kernels for a GPU."""

    def load(self, signature: Any, name: str, alone: Callable[[], Any], complete: Callable[[], Any]) -> Any:
        """A kernel that is launched without a look at the types of its arguments; see :meth:`Precompiled.load`."""
        run = super().load(signature, name, alone, complete)
        # as numba-cuda's decorator leaves what it compiles for one signature
        run._specialized = True
        return run

    def _dumped(self, compiled: Any) -> bytes:
        return pickle.dumps(compiled)

    def _restore(self, run: Any, data: bytes) -> None:
        kernel = pickle.loads(data)
        run.add_overload(kernel, kernel.argument_types)
