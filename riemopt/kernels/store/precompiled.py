"""Functions that Numba compiles from generated text, and what it has compiled on disk for later processes."""

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
    """Compiles functions for one signature each, or loads what an earlier process has compiled.

    Each function has a file for each kind of device.

    Parameters
    ----------
    jit : callable
        Numba's decorator, with all its options.
    """

    def __init__(self, jit: Callable[..., Any]) -> None:
        self._jit = jit

    def load(self, signature: Any, name: str, alone: Callable[[], Any], complete: Callable[[], Any]) -> Any:
        """A function, compiled for one signature and for no other.

        Parameters
        ----------
        signature : numba.core.typing.Signature or str
            The types of the arguments.
        name : str
            The digest of what the function computes.
        alone : callable
            Gives the function without the functions that it calls: enough for one that was compiled before.
        complete : callable
            Gives the function with all that it calls. To make this is what takes time.
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
        """What was compiled, as bytes that :meth:`_restore` takes."""

    @abstractmethod
    def _restore(self, run: Any, data: bytes) -> None:
        """Give a function what was compiled for it; whatever is raised means that it is compiled anew."""


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
