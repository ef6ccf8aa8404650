"""Progress: a bar on the terminal, or a function that is told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from riemopt.optimize.state import State

__all__ = ["Progress", "told"]

Progress = Callable[[int, int, str], None]
"""Called with the number of steps taken, their number in all, and where the run is."""


@contextlib.contextmanager
def told(progress: bool | Progress, steps: int) -> Iterator[Callable[[State], None] | None]:
    """What tells of a state: a bar for ``True``, a function of the caller's own, or nothing.

    Parameters
    ----------
    progress : bool or callable
        What the caller asked for.
    steps : int
        The number of steps in all.
    """
    if not progress:
        yield None
        return
    if callable(progress):
        tell = progress
        yield lambda state: tell(state.iteration, steps, _where(state))
        return
    from rich.progress import Progress as Bar  # slow to import

    with Bar(transient=True) as bar:
        task: Any = bar.add_task("", total=steps)
        yield lambda state: bar.update(task, completed=state.iteration, description=_where(state))


def _where(state: State) -> str:
    damping = f", damping {state.damping:.3g}" if state.damping else ""
    return f"step {state.iteration}: loss {state.loss:.6g}{damping}"
