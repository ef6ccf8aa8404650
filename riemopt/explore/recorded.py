"""A file that shows an explorer without Python: the page with the answers that it asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from riemopt.explore import page
from riemopt.explore.explorer import Explorer

__all__ = ["NO_DATA", "recording"]

NO_DATA = {"kind": "drawn", "point": None, "size": 2, "seed": 0}
"""Where the data are what somebody gave."""


def recording(explorer: Explorer, settings: Mapping[str, Any], keys: Sequence[str]) -> str:
    """An HTML page with everything in it: the run, and the picture bent to each chart.

    Parameters
    ----------
    explorer : Explorer
    settings : mapping
        ``start``, ``integrators``, ``step_size``, ``steps``, ``charts``, ``view`` and ``plane``.
    keys : sequence of str
        Integrators beside those of the library.
    """
    run = {name: settings[name] for name in ("start", "integrators", "step_size", "steps")}
    explorer.run(*run.values())
    opened = explorer.opened({**run, "id": 0, "family": ""}, {}, settings["plane"])
    bent = {}
    if len(settings["plane"]) == 2:
        where = {"plane": settings["plane"], "window": opened["landscape"]["window"], "id": 0, "type": "bend"}
        bent = {label: explorer.answer({**run, **where, "chart": label}) for label in explorer.study.charts}
    known = page.known("file", keys, families=[], presets=[], opening={**settings, "family": "", "data": NO_DATA})
    record = {"hello": known, "opened": opened, "bent": bent}
    return page.document(json.dumps(record, allow_nan=False))
