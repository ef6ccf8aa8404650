"""Conversation: what one page and its workers say to each other; it owns the workers, and ends them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from riemopt.explore.process import TimeLimitError, WorkerProcess
from riemopt.explore.worker import encoded, work, work_on_formulas

__all__ = ["Conversation", "Limits", "Spare"]

_OPENING = ("family", "charts", "data", "start", "integrators", "step_size", "steps")
_PAUSE = 3.0
"""Seconds without requests before another spare study is opened: it would slow down whoever drags."""

Send = Callable[[bytes], Awaitable[None]]


class Limits:
    """How many seconds things may take.

    Attributes
    ----------
    piece : float
        A piece of an opening: a chart, an integrator in a chart.
    answer : float
        An answer of a study that is open.
    formulas : float
        The geometry of a chart.
    """

    piece: float = 60.0
    answer: float = 20.0
    formulas: float = 60.0


class Spare:
    """A study that is opened ahead of the page which will ask for it: the one that a page begins with.

    Parameters
    ----------
    opening : mapping
        The settings that a page begins with.
    """

    def __init__(self, opening: Mapping[str, Any]) -> None:
        self._opening = {name: opening[name] for name in _OPENING}
        self._worker: WorkerProcess | None = None
        self._ended = False
        self._until = 0.0

    def prepare(self) -> None:
        """Begin to open a study, unless there is one."""
        if self._worker is None and not self._ended:
            self._worker = WorkerProcess(work, {"type": "open", "id": 0, **self._opening})

    def take(self, request: Mapping[str, Any]) -> WorkerProcess | None:
        """The study, if it is the one that a request is for; another one will be opened in its place."""
        worker = self._worker
        if worker is None or not worker.is_alive or any(request[name] != self._opening[name] for name in _OPENING):
            return None
        self._worker = None
        self.wait()
        self._prepare_when_idle()
        return worker

    def wait(self) -> None:
        """Open nothing for a while: somebody wants answers."""
        self._until = time.monotonic() + _PAUSE

    def _prepare_when_idle(self) -> None:
        loop = asyncio.get_running_loop()
        if (left := self._until - time.monotonic()) > 0:
            loop.call_later(left, self._prepare_when_idle)
        else:
            loop.run_in_executor(None, self.prepare)

    def end(self) -> None:
        """End it."""
        self._ended = True
        if self._worker is not None:
            self._worker.end()


class Conversation:
    """One page: a study that answers, and perhaps another that is being opened to take its place.

    Parameters
    ----------
    send : callable
        Sends an answer to the page.
    limits : Limits, optional
    spare : Spare, optional
        What may have opened a study already.
    """

    def __init__(self, send: Send, limits: Limits | None = None, spare: Spare | None = None) -> None:
        self._send = send
        self._spare = spare
        self._limits = limits or Limits()
        self._study: WorkerProcess | None = None
        self._next: WorkerProcess | None = None
        self._deriving: WorkerProcess | None = None
        self._opening: Mapping[str, Any] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, request: Mapping[str, Any]) -> None:
        """Answer a request; those that take long are answered later, and others meanwhile."""
        kind = request["type"]
        if self._spare is not None:
            self._spare.wait()
        if kind == "open":
            self._end("_next")
            self._later(self._open(request))
        elif kind == "cancel":
            self._end("_next")
        elif kind == "formulas":
            self._end("_deriving")
            self._later(self._derive(request))
        else:
            await self._ask(request)

    def end(self) -> None:
        """End all workers and give back what they held."""
        for name in ("_study", "_next", "_deriving"):
            self._end(name)
        for task in self._tasks:
            task.cancel()

    # -- opening

    async def _open(self, request: Mapping[str, Any]) -> None:
        """Open a study beside the one that answers; a chart that takes too long is left out."""
        slow: dict[str, str] = {}
        while True:
            charts = [text for text in request["charts"] if text not in slow]
            ready = self._spare.take(request) if self._spare and not slow else None
            worker = self._next = ready or WorkerProcess(work, {**request, "charts": charts})
            piece: Mapping[str, Any] = {}
            try:
                while True:
                    message = await worker.receive(self._limits.piece)
                    piece = json.loads(message)
                    if piece["type"] != "progress":
                        break
                    await self._send(message)
            except TimeLimitError:
                worker.end()
                if (chart := piece.get("chart")) is None:
                    return await self._refuse(request, f"{piece.get('what', 'this')}: {_too_long(self._limits.piece)}")
                slow[chart] = f"{chart}: {_too_long(self._limits.piece)}"
                continue
            except EOFError:
                if self._next is worker:  # nobody ended it
                    self._end("_next")
                    await self._refuse(request, "the process that derives and compiles ended unexpectedly")
                return None
            if self._next is not worker:
                return worker.end()
            self._next = None
            if piece["type"] == "opened":
                self._end("_study")
                self._study, self._opening = worker, {**request, "charts": charts}
                await self._send(encoded({**piece, "id": request["id"], "refused": {**piece["refused"], **slow}}))
            else:
                worker.end()
                await self._send(encoded({**piece, "id": request["id"]}))
            return None

    # -- answers

    async def _ask(self, request: Mapping[str, Any]) -> None:
        study = self._study
        if study is None:
            return await self._refuse(request, "there is no study yet")
        try:
            await self._send(await study.ask(request, self._limits.answer))
        except TimeLimitError:
            await self._refuse(request, f"this {_too_long(self._limits.answer)}; the study is opened again")
            await self._open_again()
        except EOFError:
            if self._study is study:
                await self._refuse(request, "the process that computes has ended; the study is opened again")
                await self._open_again()

    async def _open_again(self) -> None:
        self._end("_study")
        if self._opening is not None:
            self._later(self._open(self._opening))

    async def _derive(self, request: Mapping[str, Any]) -> None:
        opening = self._opening
        if opening is None:
            return await self._refuse(request, "there is no study yet")
        worker = self._deriving = WorkerProcess(work_on_formulas, opening, request["chart"], request["id"])
        try:
            await self._send(await worker.receive(self._limits.formulas))
        except TimeLimitError:
            await self._refuse(request, f"the formulas in {request['chart']}: {_too_long(self._limits.formulas)}")
        except EOFError:
            return None
        if self._deriving is worker:
            self._end("_deriving")
        return None

    # -- what both need

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, name: str) -> None:
        worker: WorkerProcess | None = getattr(self, name)
        setattr(self, name, None)
        if worker is not None:
            worker.end()

    async def _refuse(self, request: Mapping[str, Any], reason: str) -> None:
        await self._send(encoded({"type": "refused", "id": request["id"], "of": request["type"], "reason": reason}))


def _too_long(seconds: float) -> str:
    return f"took longer than {seconds:g} seconds and was ended"
