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
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from riemopt.errors import RiemoptError

if TYPE_CHECKING:
    import numpy as np

    from riemopt.experiments.tables import Tables
    from riemopt.models import StatisticalModel

__all__ = ["main"]

_MOST_STEPS = 100_000
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

    def __init__(self, each: click.ParamType = click.FLOAT, kind: str = "numbers such as 1,1") -> None:
        self.each, self.kind = each, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """The numbers in a text."""
        try:
            return tuple(self.each.convert(part, param, ctx) for part in value.split(","))
        except click.BadParameter:
            self.fail(f"{value!r} is not a list of {self.kind}", param, ctx)


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


# -- options that several commands have

_data_option = click.option(
    "--data", type=click.Path(), metavar="FILE.csv", help="Observations; without it, 10,000 are drawn."
)
_column_option = click.option(
    "--column", metavar="NAME", help="The column of the file, by name or number counted from 1."
)
_chart_option = click.option(
    "--chart",
    "charts",
    multiple=True,
    metavar="TEXT",
    help='Another chart, such as "alpha = a, beta = 1/b". May be given several times.',
)
_start_option = click.option(
    "--start", type=_Numbers(), help="The start in the family's own chart.  [default: 1 or 0 by domain]"
)
_seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=1234, show_default=True, help="For drawn data."
)


def _output_option(folder: str, numbers: str = "the numbers") -> Callable[[Any], Any]:
    return click.option(
        "--output",
        type=click.Path(path_type=Path),
        default=folder,
        show_default=True,
        metavar="DIR",
        help=f"Where the figure (PNG, SVG) and {numbers} (CSV) go.",
    )


# -- riemopt invariance


@main.command("invariance")
@click.option("--family", default="gamma", show_default=True, help="The family of distributions.")
@_data_option
@_column_option
@_chart_option
@_start_option
@click.option("--step-size", type=click.FloatRange(min=0, min_open=True), default=0.5, show_default=True)
@click.option("--steps", type=click.IntRange(1, _MOST_STEPS), default=10, show_default=True)
@click.option("--integrators", type=_Names(), default="ng,mid,geo,geof,ng-exact,geo-exact", show_default=True)
@_seed_option
@_output_option("riemopt-invariance")
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
    from riemopt.experiments.files import output_folder

    with output_folder(output), _progress() as progress:
        given = _given(family, data, column, charts, start, seed)
        settings: dict[str, Any] = {"step_size": step_size, "steps": steps, "integrators": integrators}
        result = invariance(given.model, given.samples, given.charts, start=given.start, **settings, progress=progress)
        progress(1, 1, "drawing and saving")
        paths = result.save(output)
    click.echo(f"{given}, step size {step_size:g}\n")
    _show(result.table())
    _tell_files(output, paths)


class _Given(NamedTuple):
    """What a study of a family runs on."""

    model: StatisticalModel
    samples: np.ndarray
    charts: list[tuple[str, StatisticalModel]]
    start: tuple[float, ...]

    def __str__(self) -> str:
        start = ", ".join(f"{number:g}" for number in self.start)
        return f"{self.model.name}: {len(self.samples)} observations, start {start}"


def _given(
    family: str,
    data: str | None,
    column: str | None,
    charts: tuple[str, ...],
    start: tuple[float, ...] | None,
    seed: int,
) -> _Given:
    """What the options say, and the defaults of the library for what they leave out."""
    from riemopt.experiments.settings import default_charts, default_start, typed_chart
    from riemopt.models import family as family_of

    model = family_of(family)
    samples = _samples(model, data, column, seed)
    moved = [(text, typed_chart(model, text)) for text in charts or default_charts(model)]
    return _Given(model, samples, moved, tuple(default_start(model)) if start is None else start)


def _samples(model: StatisticalModel, data: str | None, column: str | None, seed: int) -> np.ndarray:
    """The observations of a file, or drawn ones."""
    from riemopt.experiments.datasets import read_numbered_column
    from riemopt.experiments.settings import example_samples

    if data is None:
        if column is not None:
            raise click.UsageError("--column needs --data")
        return example_samples(model, seed)
    samples, where = read_numbered_column(data, column)
    model.require_samples(samples, where)
    return samples


def _tell_files(folder: Path, paths: Sequence[Path]) -> None:
    click.echo(f"\nIn {folder}: {', '.join(path.name for path in paths)}")


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


# -- riemopt order


@main.command("order")
@click.option("--family", "families", type=_Names(), default="gamma", show_default=True, help="The family, or several.")
@_data_option
@_column_option
@_chart_option
@_start_option
@click.option(
    "--time",
    "final_time",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Where all runs end.",
)
@click.option(
    "--steps",
    type=_Numbers(click.IntRange(1, _MOST_STEPS), f"whole numbers from 1 to {_MOST_STEPS}, such as 4,8,16"),
    help="In how many steps to go there; a slope takes five numbers.  [default: 24 from 4 to 224]",
)
@click.option("--integrators", type=_Names(), help="Their keys.  [default: those of the paper, and others]")
@_seed_option
@_output_option("riemopt-order")
def order_command(
    families: tuple[str, ...],
    data: str | None,
    column: str | None,
    charts: tuple[str, ...],
    start: tuple[float, ...] | None,
    final_time: float,
    steps: tuple[int, ...] | None,
    integrators: tuple[str, ...] | None,
    seed: int,
    output: Path,
) -> None:
    """Measure the order of integrators: how fast they approach the flow, and themselves in other charts.

    All run from one distribution to the same time, in more and more steps. The slope of a distance there against the
    step size is printed beside what theory says. --data, --column, --chart and --start go with one family.
    """
    from riemopt.experiments import Subject, order_of_invariance
    from riemopt.experiments.files import output_folder
    from riemopt.experiments.order import INTEGRATORS, STEPS

    if len(set(families)) != len(families) or not families:
        raise click.UsageError("--family takes families with commas between them, each once")
    for option, value in {"--data": data, "--column": column, "--chart": charts, "--start": start}.items():
        if value and len(families) != 1:
            raise click.UsageError(f"{option} goes with one family, not {len(families)}")
    counts, keys = STEPS if steps is None else steps, INTEGRATORS if integrators is None else integrators
    with output_folder(output), _progress() as progress:
        given = [_given(family, data, column, charts, start, seed) for family in families]
        subjects = [
            Subject.of(each.model, each.samples, each.charts, start=each.start, time=final_time) for each in given
        ]
        result = order_of_invariance(subjects, steps=counts, integrators=keys, progress=progress)
        progress(1, 1, "drawing and saving")
        paths = result.save(output)
    click.echo("\n".join(map(str, given)) + "\n")
    _show(result.table())
    _tell_files(output, paths)


# -- riemopt fit


@main.command("fit")
@click.argument("family")
@click.argument("data", type=click.Path(), metavar="FILE.csv")
@_column_option
@click.option("--chart", metavar="TEXT", help='Fit in another chart, such as "alpha = a, beta = 1/b".')
@click.option("--start", type=_Numbers(), help="Where to start, in that chart.  [default: found by a search]")
@_output_option("riemopt-fit", "the estimates")
def fit_command(
    family: str, data: str, column: str | None, chart: str | None, start: tuple[float, ...] | None, output: Path
) -> None:
    """Fit a family to the numbers in a file by maximum likelihood.

    An estimate that cannot be trusted is printed and kept all the same; the exit status is then 1.
    """
    from riemopt.experiments.files import output_folder
    from riemopt.experiments.fitting import save_fit
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
    _tell_files(output, paths)
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
    from riemopt.kernels.store import cache

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
