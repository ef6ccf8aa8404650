"""Progress: a bar on the terminal, or a function that is told."""

from __future__ import annotations

import contextlib
import math
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
    parts = [f"step {state.iteration}: loss {state.loss:.6g}"]
    if state.damping:
        parts.append(f"damping {state.damping:.3g}")
    if state.solver_iterations:
        parts.append(f"{state.solver_iterations} solver iterations")
    if state.rate not in (0.0, 1.0) and not math.isnan(state.rate):
        parts.append(f"rate {state.rate:.2g}")
    if state.rate == 0.0:
        parts.append("refused")
    if state.seconds >= 1.0:
        parts.append(f"{state.seconds:.0f} s")
    return ", ".join(parts)
