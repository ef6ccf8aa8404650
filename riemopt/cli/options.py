"""Options that several commands have, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

__all__ = [
    "MOST_STEPS",
    "Names",
    "Numbers",
    "chart_option",
    "column_option",
    "data_option",
    "output_option",
    "seed_option",
    "start_option",
]

MOST_STEPS = 100_000


class Numbers(click.ParamType):
    """Numbers with commas between them."""

    name = "numbers"

    def __init__(self, each: click.ParamType = click.FLOAT, kind: str = "numbers such as 1,1") -> None:
        self.each, self.kind = each, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """The numbers in a text."""
        try:
            return tuple(self.each.convert(part, param, ctx) for part in value.split(","))
        except click.BadParameter:
            self.fail(f"{value!r} is not a list of {self.kind}", param, ctx)


class Names(click.ParamType):
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names in a text."""
        return tuple(filter(None, (part.strip() for part in value.split(","))))


data_option = click.option(
    "--data", type=click.Path(), metavar="FILE.csv", help="Observations; without it, 10,000 are drawn."
)
column_option = click.option(
    "--column", metavar="NAME", help="The column of the file, by name or number counted from 1."
)
chart_option = click.option(
    "--chart",
    "charts",
    multiple=True,
    metavar="TEXT",
    help='Another chart, such as "alpha = a, beta = 1/b". May be given several times.',
)
start_option = click.option(
    "--start", type=Numbers(), help="The start in the family's own chart.  [default: 1 or 0 by domain]"
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=1234, show_default=True, help="For drawn data."
)


def output_option(folder: str, numbers: str = "the numbers") -> Callable[[Any], Any]:
    """Where the figure and the numbers go, with the folder that they go to by default."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path),
        default=folder,
        show_default=True,
        metavar="DIR",
        help=f"Where the figure (PNG, SVG) and {numbers} (CSV) go.",
    )
