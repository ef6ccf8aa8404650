"""WorkerProcess: a worker seen from the server, which can be asked, and ended at any time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["TimeLimitError", "WorkerProcess"]


_starting = threading.Lock()
"""One process is started at a time, by whatever thread."""


class TimeLimitError(Exception):
    """A worker took longer than it may."""


class WorkerProcess:
    """A process with a pipe to it.

    Parameters
    ----------
    function : callable
        What it runs: takes the other end of the pipe and the arguments.
    *arguments : object
        What is handed over.
    """

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        with _starting:
            self._pipe, theirs = _context().Pipe()
            self._process = _context().Process(target=function, args=(theirs, *arguments), daemon=True)
            self._process.start()
            theirs.close()
        self._thread = ThreadPoolExecutor(1)
        self._one_at_a_time = asyncio.Lock()

    async def receive(self, limit: float) -> bytes:
        """What it sends next.

        Raises
        ------
        TimeLimitError
            If that takes longer than so many seconds.
        EOFError
            If it has ended.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._wait, limit)

    async def ask(self, request: Mapping[str, Any], limit: float) -> bytes:
        """The answer to a request; see :meth:`receive`."""
        async with self._one_at_a_time:
            try:
                self._pipe.send(request)
            except OSError:
                raise EOFError from None
            return await self.receive(limit)

    def _wait(self, limit: float) -> bytes:
        try:
            if not self._pipe.poll(limit):
                raise TimeLimitError
            return self._pipe.recv_bytes()
        except OSError:
            raise EOFError from None

    def end(self) -> None:
        """End it, whatever it is doing, and whatever it has started."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg") and self._process.pid and os.getpgid(self._process.pid) == self._process.pid:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._thread.shutdown(wait=False)
        self._pipe.close()

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()


@functools.cache
def _context() -> Any:
    """How processes are started: copies of one that has loaded riemopt, where the system can make them."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["riemopt.explore.worker"])
    # the one that they are copies of is not to find modules in whatever folder the server was started in
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("PYTHONSAFEPATH")
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before
    return context
