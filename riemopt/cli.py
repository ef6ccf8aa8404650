"""The command line: each command reads its arguments, calls the library, and prints what it returns.

What a command needs is imported inside it, so that ``riemopt --help`` answers at once.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from riemopt.errors import RiemoptError

if TYPE_CHECKING:
    import numpy as np

    from riemopt.experiments.results import Tables
    from riemopt.models import StatisticalModel

__all__ = ["main"]

_PATIENCE = 2.0  # seconds between two lines of progress where there is no terminal


class _Main(click.Group):
    """Commands whose errors are one line: what, and where."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; bad input ends with exit status 2."""
        atexit.register(gc.freeze)  # a last look through all of SymPy for garbage would take half a second
        try:
            return super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            _complain("interrupted", 130)
        except click.ClickException as error:
            _complain(f"error: {error.format_message()}")
        except RiemoptError as error:
            _complain(f"error: {error}")
        except OSError as error:
            place = f" to {str(error.filename)!r}" if error.filename else ""
            _complain(f"error: cannot write{place}: {error.strerror}")


def _complain(message: str, status: int = 2) -> NoReturn:
    click.echo(f"riemopt: {' '.join(message.split())}", err=True)
    sys.exit(status)


class _Numbers(click.ParamType):
    """Numbers with commas between them."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers in a text."""
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 1,1", param, ctx)


class _Names(click.ParamType):
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names in a text."""
        return tuple(filter(None, (part.strip() for part in value.split(","))))


@click.group(cls=_Main, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="riemopt")
@click.pass_context
def main(context: click.Context) -> None:
    """Natural gradient methods, and how much of them survives a change of coordinates."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_chart_option = click.option(
    "--chart",
    "charts",
    multiple=True,
    metavar="TEXT",
    help='Another chart, such as "alpha = a, beta = 1/b". May be given several times.',
)


# -- riemopt invariance


@main.command("invariance")
@click.option("--family", default="gamma", show_default=True, help="The family of distributions.")
@click.option("--data", type=click.Path(), metavar="FILE.csv", help="Observations; without it, 10,000 are drawn.")
@click.option("--column", metavar="NAME", help="The column of the file, by name or number counted from 1.")
@_chart_option
@click.option("--start", type=_Numbers(), help="The start in the family's own chart.  [default: 1 or 0 by domain]")
@click.option("--step-size", type=click.FloatRange(min=0, min_open=True), default=0.5, show_default=True)
@click.option("--steps", type=click.IntRange(1, 100_000), default=10, show_default=True)
@click.option("--integrators", type=_Names(), default="ng,mid,geo,geof,ng-exact,geo-exact", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1234, show_default=True, help="For drawn data.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="riemopt-invariance",
    show_default=True,
    metavar="DIR",
    help="Where the figure (PNG, SVG) and the numbers (CSV) go.",
)
def invariance_command(
    family: str,
    data: str | None,
    column: str | None,
    charts: tuple[str, ...],
    start: tuple[float, ...] | None,
    step_size: float,
    steps: int,
    integrators: tuple[str, ...],
    seed: int,
    output: Path,
) -> None:
    """Fit a family with several integrators in several charts, and see which ones care about the chart.

    Without --chart, three charts beside the family's own are used; for the Gamma family beta = 1/b, beta = b**3, and
    alpha = a**2 with beta = b**2. Drawn data come from Gamma(20, 20) for the Gamma family.
    """
    from riemopt.experiments import invariance
    from riemopt.experiments.results import output_folder
    from riemopt.experiments.settings import default_charts, default_start, typed_chart
    from riemopt.models import family as family_of

    model = family_of(family)
    samples = _samples(model, data, column, seed)
    start = tuple(default_start(model)) if start is None else start
    with output_folder(output), _progress() as progress:
        moved = [(text, typed_chart(model, text)) for text in charts or default_charts(model)]
        settings: dict[str, Any] = {"start": start, "step_size": step_size, "steps": steps, "integrators": integrators}
        result = invariance(model, samples, moved, **settings, progress=progress)
        progress(1, 1, "drawing and saving")
        paths = result.save(output)
    click.echo(f"{model.name}: {len(samples)} observations, start {_listed(start)}, step size {step_size:g}\n")
    _show(result.table())
    click.echo(f"\nIn {output}: {', '.join(path.name for path in paths)}")


def _samples(model: StatisticalModel, data: str | None, column: str | None, seed: int) -> np.ndarray:
    """The observations of a file, or drawn ones."""
    from riemopt.datasets import read_numbered_column
    from riemopt.experiments.settings import example_samples

    if data is None:
        if column is not None:
            raise click.UsageError("--column needs --data")
        return example_samples(model, seed)
    samples, where = read_numbered_column(data, column)
    model.require_samples(samples, where)
    return samples


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _show(tables: Tables) -> None:
    """Print tables: in a terminal as wide as it is."""
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        console.print(tables)
    else:
        click.echo(str(tables))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
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


# -- riemopt fit


@main.command("fit")
@click.argument("family")
@click.argument("data", type=click.Path(), metavar="FILE.csv")
@click.option("--column", metavar="NAME", help="The column of the file, by name or number counted from 1.")
@click.option("--chart", metavar="TEXT", help='Fit in another chart, such as "alpha = a, beta = 1/b".')
@click.option("--start", type=_Numbers(), help="Where to start, in that chart.  [default: found by a search]")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="riemopt-fit",
    show_default=True,
    metavar="DIR",
    help="Where the figure (PNG, SVG) and the estimates (CSV) go.",
)
def fit_command(
    family: str, data: str, column: str | None, chart: str | None, start: tuple[float, ...] | None, output: Path
) -> None:
    """Fit a family to the numbers in a file by maximum likelihood.

    An estimate that cannot be trusted is printed and kept all the same; the exit status is then 1.
    """
    from riemopt.experiments.fitting import save_fit
    from riemopt.experiments.results import output_folder
    from riemopt.experiments.settings import typed_chart
    from riemopt.models import family as family_of
    from riemopt.optimize import fit

    model = family_of(family)
    samples = _samples(model, data, column, seed=0)
    with output_folder(output), _progress() as progress:
        moved = typed_chart(model, chart) if chart else model
        # a closed form is evaluated before it would be compiled
        result = fit(moved, samples, start=start, progress=progress)
        progress(1, 1, "drawing and saving")
        paths = save_fit(result, samples, output)
    click.echo(result.summary())
    click.echo(f"\nIn {output}: {', '.join(path.name for path in paths)}")
    if not result.success:
        _complain(f"warning: {result.message}", 1)


# -- riemopt cache


@main.command("cache")
@click.option("--clear", is_flag=True, help="Delete the kernels.")
def cache_command(clear: bool) -> None:
    """Show where compiled kernels are kept, how many there are, and how much room they take.

    They are used again by every process, and found by what they compute: clearing them costs time and nothing else. The
    variable RIEMOPT_CACHE names another directory.
    """
    from riemopt.kernels import cache

    files = cache.contents()
    kernels = sum(file.name.startswith("kernel_") for file in files)
    size = sum(file.stat().st_size for file in files) / 1e6
    click.echo(f"{cache.directory()}\n{kernels} kernels, {size:.1f} MB{', cleared' if clear else ''}")
    if clear:
        cache.clear()


# -- riemopt derive


@main.command()
@click.argument("family")
@_chart_option
@click.option("--latex", is_flag=True, help="Print LaTeX instead.")
def derive(family: str, charts: tuple[str, ...], latex: bool) -> None:
    """Derive the geometry of a family: metric, connections, curvature, geodesic equations.

    With --chart it is derived in those charts instead of the family's own.
    """
    from riemopt.experiments.settings import typed_chart
    from riemopt.geometry.printing import in_latex, in_text, parts
    from riemopt.geometry.symbolic import SymbolicGeometry
    from riemopt.models import family as family_of

    model = family_of(family)
    models = [typed_chart(model, text) for text in charts] or [model]
    work = [part for chart in models for part in parts(SymbolicGeometry(chart))]
    texts = []
    with _progress() as progress:
        for done, part in enumerate(work):
            progress(done, len(work), part.title)
            texts.append(in_latex(part) if latex else in_text(part, _can_print("Γ²α̇⎡─√∂–")))
    click.echo("\n\n".join(texts))


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


if __name__ == "__main__":
    main()
