"""Checkpoints: a run written to disk as it goes, and read again by the run that goes on with it."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from riemopt.errors import ArgumentError
from riemopt.numerics.arrays import on_host
from riemopt.optimize.state import State

__all__ = ["Checkpoint"]

_INTERVAL = 1.0
"""Seconds from one writing to the next; the end of a run is written in any case."""

_SHARE = 100.0
"""A writing is followed by at least so many times its own duration without one."""


class Recorded(Protocol):
    """What is written beside a state."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays by name."""
        ...


class Checkpoint:
    """The file of a run; a hook of the driver, and a context that writes the last state however the run ends.

    The file is one of NumPy's ``.npz``: arrays, and the layout of what is made of them as JSON. Nothing in it is run
    when it is read. It is replaced as a whole, so that what is there is always one state or the other.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist.
    run : dict
        What identifies the run, numbers and text: a file of another run is refused.
    """

    def __init__(self, path: str | os.PathLike[str], run: dict[str, Any]) -> None:
        self.path, self.run = Path(path), run
        self._written, self._pause = -np.inf, _INTERVAL
        self._iteration: int | None = None
        self._unwritten: tuple[State, Recorded] | None = None

    def read(self, like: Any) -> tuple[State, dict[str, np.ndarray]] | None:
        """The state of the file and what was recorded with it, or None if there is no file yet.

        Parameters
        ----------
        like : array
            An array of the kind that the run computes with.

        Raises
        ------
        ArgumentError
            If the file is of another run, or is none of ours.
        """
        if not self.path.exists():
            return None
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            content = json.loads(bytes(arrays.pop("layout")).decode())
            run, layout = content["run"], content["state"]
            self._iteration = layout["iteration"]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ArgumentError(f"checkpoint {self.path} cannot be read: {error}") from None
        if run != json.loads(json.dumps(self.run)):
            different = ", ".join(sorted(key for key in {*run, *self.run} if run.get(key) != self.run.get(key)))
            raise ArgumentError(
                f"checkpoint {self.path} is of another run, of other {different}: delete it or name another file"
            )
        convert = _converter(like)
        state = {name: _unpacked(layout[name], arrays, convert) for name in layout}
        recorded = {name.removeprefix("record "): array for name, array in arrays.items() if name.startswith("record ")}
        return State(**state), recorded

    def write(self, state: State, recorded: Recorded) -> None:
        """Write a state and what goes with it, if the last writing is some time ago."""
        self._unwritten = state, recorded
        if time.monotonic() - self._written >= self._pause:
            self.flush()

    def flush(self) -> None:
        """Write the last state, unless it has been written."""
        if self._unwritten is None:
            return
        began = time.monotonic()
        state, recorded = self._unwritten
        arrays = {f"record {name}": array for name, array in recorded.arrays().items()}
        layout = {f.name: _packed(getattr(state, f.name), arrays) for f in dataclasses.fields(state)}
        text = json.dumps({"run": self.run, "state": layout}).encode()
        buffer = io.BytesIO()
        np.savez(buffer, layout=np.frombuffer(text, dtype=np.uint8), **arrays)  # type: ignore[arg-type]
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._unwritten = None
        try:
            unfinished.write_bytes(buffer.getbuffer())
            os.replace(unfinished, self.path)
        except OSError as error:
            last = f"; iteration {self._iteration} is still there" if self._iteration is not None else ""
            raise ArgumentError(f"checkpoint {self.path} cannot be written: {error}{last}") from None
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
        self._iteration, self._written = state.iteration, time.monotonic()
        self._pause = max(_INTERVAL, _SHARE * (self._written - began))

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.flush()


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The layout of a value, its arrays added to others: numbers as they are, the rest as ``[kind, content]``."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return ["dict", [[key, _packed(item, arrays)] for key, item in value.items()]]
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return [type(value).__name__, [_packed(item, arrays) for item in value]]
    array = np.asarray(None if isinstance(value, tuple) else on_host(value))
    if array.dtype.kind not in "fiub":
        raise ArgumentError(f"a rule with a {type(value).__name__} in its memory cannot be written to a checkpoint")
    name = f"array {len(arrays)}"
    arrays[name] = array
    return ["array", name]


def _unpacked(layout: Any, arrays: dict[str, np.ndarray], convert: Any) -> Any:
    """The value of a layout."""
    if not isinstance(layout, list):
        return layout
    kind, content = layout
    if kind == "dict":
        return {key: _unpacked(item, arrays, convert) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_unpacked(item, arrays, convert) for item in content]
        return items if kind == "list" else tuple(items)
    return convert(arrays[content])


def _converter(like: Any) -> Any:
    """What makes a NumPy array one of the same framework, device and precision as another array."""
    if hasattr(like, "new_tensor"):
        return like.new_tensor
    if hasattr(like, "__array_namespace__"):
        return like.__array_namespace__().asarray
    return np.asarray
