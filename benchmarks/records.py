"""What a comparison found, as tables and bounds: kept as JSON, printed, and shown in the documentation.

The pages of the documentation are built from the kept files, by this module alone: it needs no peer, and not riemopt.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import rich.console
import rich.table

__all__ = ["COMPARISONS", "RESULTS", "Bound", "Record", "Table", "command", "figures", "overview", "show"]

COMPARISONS = (
    "geodesics",
    "trajectories",
    "scaling",
    "growth",
    "start_up",
    "studies",
    "explore",
    "custom_models",
    "adaptive",
    "orders",
    "costs",
    "networks",
)
"""The modules that measure, in the order in which they are run and shown."""

RESULTS = Path(__file__).parent / "results"

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Table:
    """Rows of numbers; the first column says what a row is about."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def markdown(self) -> str:
        """The table as Markdown, under its title."""
        aligned = [":---"] + ["---:"] * (len(self.columns) - 1)
        lines = [self.columns, aligned, *(map(figures, row) for row in self.rows)]
        return "\n".join([f"**{self.title}**", "", *("| " + " | ".join(line) + " |" for line in lines), ""])


@dataclass(frozen=True)
class Bound:
    """What is promised of a number: at least, or at most, so much."""

    what: str
    value: float | None
    """None where it could not be measured."""
    least: float | None = None
    most: float | None = None

    @property
    def promise(self) -> str:
        """The bound in words."""
        return f"at least {figures(self.least)}" if self.least is not None else f"at most {figures(self.most)}"

    @property
    def holds(self) -> bool | None:
        """Whether the number is within the bound; None where there is none."""
        if self.value is None:
            return None
        return self.value >= self.least if self.least is not None else self.value <= self.most  # type: ignore[operator]


@dataclass(frozen=True)
class Record:
    """What one comparison found, where and when."""

    name: str
    machine: dict[str, object]
    tables: list[Table]
    bounds: list[Bound] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Peers that were not installed."""

    def save(self) -> None:
        """Keep it in :data:`RESULTS`."""
        text = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, name: str) -> Record | None:
        """The kept record of a comparison; None if it was not made yet."""
        file = RESULTS / f"{name}.json"
        if not file.exists():
            return None
        entries = json.loads(file.read_text(encoding="utf-8"))
        entries["tables"] = [Table(**table) for table in entries["tables"]]
        entries["bounds"] = [Bound(**bound) for bound in entries["bounds"]]
        return cls(**entries)

    @property
    def circumstances(self) -> str:
        """The date, the machine and the versions in a sentence, and what is missing."""
        place = self.machine
        versions = ", ".join(f"{name} {version}" for name, version in place["versions"].items())  # type: ignore[attr-defined]
        text = f"{place['date']}; {place['processor']}, cores: {place['cores']}, {place['system']}; "
        text += f"Python {place['python']}, {versions}."
        return text + (f" Missing: {', '.join(self.missing)}." if self.missing else "")

    def markdown(self) -> str:
        """The tables, and under them the circumstances."""
        return "\n".join([*(table.markdown() for table in self.tables), f"*{self.circumstances}*"])


def overview(records: Iterable[Record]) -> Table:
    """Every bound, what was measured, and whether it holds."""
    bounds = [bound for record in records for bound in record.bounds]
    rows = [[bound.what, bound.value, bound.promise, bound.holds] for bound in bounds]
    return Table("What is promised", ["", "measured", "promised", "holds"], rows)


def figures(cell: Cell) -> str:
    """An entry of a table as text: a number to three figures."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, str):
        return cell
    if cell != 0.0 and not 1e-3 <= abs(cell) < 1e9:
        return f"{cell:.1e}"
    decimals = 2 - math.floor(math.log10(abs(cell))) if cell else 0
    return f"{cell:,.{max(0, decimals)}f}"


def show(*tables: Table) -> None:
    """Print tables."""
    for table in tables:
        printed = rich.table.Table(title=table.title, title_justify="left")
        for k, column in enumerate(table.columns):
            printed.add_column(column, justify="right" if k else "left")
        for row in table.rows:
            printed.add_row(*map(figures, row))
        rich.console.Console(width=None if sys.stdout.isatty() else 140).print(printed)


def command(measure: Callable[[bool], Record]) -> None:
    """The command line of a comparison: measure, print, keep. The exit status says whether every bound was met."""

    @click.command(help=sys.modules[measure.__module__].__doc__)
    @click.option("--quick", is_flag=True, help="Small sizes, to see that it runs; nothing is kept.")
    def main(quick: bool) -> None:
        record = measure(quick)
        show(*record.tables, overview([record]))
        rich.print(f"[dim]{record.circumstances}[/dim]")
        if not quick:
            record.save()
        sys.exit(any(bound.holds is False for bound in record.bounds))

    main()
