"""Tables that print: plain text for ``print``, colours on a Rich console."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["Tables"]

_WIDTH = 120  # characters of a line where there is no terminal to ask


class Tables:
    """Tables and remarks, one below the other; ``print`` gives plain text, a Rich console colours.

    Parameters
    ----------
    *parts : object
        What Rich can render.
    """

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.parts

    def __str__(self) -> str:
        from rich.console import Console

        text = io.StringIO()
        Console(file=text, width=_WIDTH, color_system=None).print(self)
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    __repr__ = __str__
