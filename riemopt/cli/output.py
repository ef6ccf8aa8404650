"""What a command prints: tables, the files that it wrote, and progress."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from riemopt.experiments.tables import Tables

__all__ = ["progress_bar", "show", "tell_files"]

_PATIENCE = 2.0  # seconds between two lines of progress where there is no terminal


def tell_files(folder: Path, paths: Sequence[Path]) -> None:
    """Say which files lie in a folder now."""
    click.echo(f"\nIn {folder}: {', '.join(path.name for path in paths)}")


def show(tables: Tables) -> None:
    """Print tables: in a terminal as wide as it is."""
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        console.print(tables)
    else:
        click.echo(str(tables))


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None]]:
    """Progress on stderr: a bar that goes away in a terminal, else a line every few seconds."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines_of_progress()
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)


def _lines_of_progress() -> Callable[[int, int, str], None]:
    last = time.monotonic()

    def tell(done: int, total: int, what: str) -> None:
        nonlocal last
        if time.monotonic() - last > _PATIENCE:
            last = time.monotonic()
            click.echo(f"riemopt: {what} ({done / total:.0%} done)", err=True)

    return tell
