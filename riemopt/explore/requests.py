"""Requests: what a page may ask for, read from JSON and bounded; whatever else arrives is refused with a reason."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

__all__ = ["MOST_CHARACTERS", "MOST_CHARTS", "MOST_STEPS", "FrameError", "read"]

MOST_CHARACTERS = 4_000_000
"""Of a frame: room for a file of half a million numbers."""
MOST_STEPS = 200
MOST_CHARTS = 8
MOST_INTEGRATORS = 12
MOST_SAMPLES = 200_000
_TEXT = 400
_COORDINATES = 40

Field = Callable[[str, Any], Any]


class FrameError(ValueError):
    """A frame that is no request; the message says why, in a line."""


def read(frame: str | bytes) -> dict[str, Any]:
    """A request from a frame.

    Parameters
    ----------
    frame : str or bytes
        A JSON object with ``type``, ``id`` and what that type of request asks for.

    Returns
    -------
    dict
        The request, with these entries and no others.

    Raises
    ------
    FrameError
        If the frame is anything else.

    Examples
    --------
    >>> read('{"type": "check", "id": 1, "formulas": ["1/b"]}')
    {'type': 'check', 'id': 1, 'formulas': ['1/b']}
    """
    if len(frame) > MOST_CHARACTERS:
        raise FrameError(f"a frame may have at most {MOST_CHARACTERS} characters")
    try:
        request = json.loads(frame, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise FrameError("a frame must be a JSON object") from None
    return checked(request)


def checked(request: Any) -> dict[str, Any]:
    """The same for what was a JSON object already, as a notebook hands it over."""
    if not isinstance(request, dict) or not isinstance(request.get("type"), str):
        raise FrameError("a request must be an object with a type")
    fields = _REQUESTS.get(request["type"])
    if fields is None:
        raise FrameError(f"there is no request of the type {request['type']!r:.40}")
    for name in (*fields, "id"):
        if name not in request:
            raise FrameError(f"{request['type']}: {name} is missing")
    for name in request:
        if name not in fields and name not in ("type", "id"):
            raise FrameError(f"{request['type']}: {name!r:.40} is not known")
    number = _whole(0, 2**53)("id", request["id"])
    return {"type": request["type"], "id": number, **{name: read(name, request[name]) for name, read in fields.items()}}


# -- what an entry may be


def _no_number(text: str) -> float:
    raise ValueError(text)


def _text(most: int = _TEXT) -> Field:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise FrameError(f"{name} must be a text of at most {most} characters")
        return value

    return read


def _whole(least: int, most: int) -> Field:
    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise FrameError(f"{name} must be a whole number from {least} to {most}")
        return value

    return read


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise FrameError(f"{name} must be a finite number")
    return float(value)


def _positive(name: str, value: Any) -> float:
    number = _number(name, value)
    if not 1e-12 <= number <= 1e6:
        raise FrameError(f"{name} must lie between 1e-12 and 1e6")
    return number


def _listed(each: Field, least: int, most: int) -> Field:
    def read(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise FrameError(f"{name} must be a list of {least} to {most} entries")
        return [each(name, entry) for entry in value]

    return read


def _optional(field: Field) -> Field:
    return lambda name, value: None if value is None else field(name, value)


def _data(name: str, value: Any) -> dict[str, Any]:
    kinds: dict[str, dict[str, Field]] = {
        "drawn": {"point": _optional(_point), "size": _whole(2, MOST_SAMPLES), "seed": _whole(0, 2**32 - 1)},
        "file": {"name": _text(), "text": _text(MOST_CHARACTERS), "column": _optional(_text())},
    }
    fields = kinds.get(value.get("kind", "")) if isinstance(value, dict) else None
    if fields is None or value.keys() != {"kind", *fields}:
        raise FrameError(f"{name} must be drawn (point, size, seed) or a file (name, text, column)")
    return {"kind": value["kind"], **{key: read(f"{name}.{key}", value[key]) for key, read in fields.items()}}


_point = _listed(_number, 1, _COORDINATES)
_plane = _listed(_whole(0, _COORDINATES - 1), 1, 2)
_window = _listed(_listed(_number, 2, 2), 1, 2)
_run: dict[str, Field] = {
    "start": _point,
    "integrators": _listed(_text(), 1, MOST_INTEGRATORS),
    "step_size": _positive,
    "steps": _whole(1, MOST_STEPS),
}
_REQUESTS: dict[str, dict[str, Field]] = {
    "open": {
        "family": _text(),
        "charts": _listed(_text(), 0, MOST_CHARTS),
        "data": _data,
        **_run,
        "start": _optional(_point),
    },
    "run": _run,
    "bend": {**_run, "chart": _text(), "plane": _plane, "window": _window},
    "landscape": {"start": _point, "plane": _plane, "window": _optional(_window)},
    "shapes": {"start": _point, "plane": _plane, "window": _window, "chart": _text()},
    "anatomy": {"chart": _text(), "point": _point, "step_size": _positive, "plane": _plane},
    "check": {"formulas": _listed(_text(), 1, _COORDINATES)},
    "formulas": {"chart": _text()},
    "cancel": {},
}
"""What belongs to each type of request."""
