"""Worker: a process that opens a study and answers for it, until it is closed or ended."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from riemopt.errors import RiemoptError
from riemopt.explore.opening import open_explorer, open_formulas

__all__ = ["encoded", "work", "work_on_formulas"]


def encoded(answer: Mapping[str, Any]) -> bytes:
    """An answer as JSON; numbers keep all their digits."""
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode()


def work(pipe: Connection, request: Mapping[str, Any]) -> None:
    """Open a study, then answer request after request; the first answer but reports of progress says how it went."""
    _alone()

    def tell(piece: Mapping[str, Any]) -> None:
        pipe.send_bytes(encoded({"type": "progress", "id": request["id"], **piece}))

    try:
        try:
            explorer, opened = open_explorer(request, tell)
        except RiemoptError as error:
            pipe.send_bytes(encoded({"type": "refused", "id": request["id"], "of": "open", "reason": str(error)}))
            return
        pipe.send_bytes(encoded(opened))
        while True:
            pipe.send_bytes(encoded(explorer.answer(pipe.recv())))
    except (EOFError, OSError):  # nobody is at the other end any more
        return


def work_on_formulas(pipe: Connection, request: Mapping[str, Any], chart: str, number: int) -> None:
    """Derive the geometry of one chart."""
    _alone()
    try:
        answer = open_formulas(request, chart)
    except RiemoptError as error:
        answer = {"type": "refused", "of": "formulas", "reason": str(error)}
    pipe.send_bytes(encoded({**answer, "id": number, "chart": chart}))


def _alone() -> None:
    """A group of its own: what it starts ends with it, and an interruption from the keyboard is for the server."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    warnings.simplefilter("ignore")  # about numbers: answers say where they are not finite
