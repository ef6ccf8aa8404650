"""``riemopt fit``: a family fitted to the numbers in a file."""

from __future__ import annotations

from pathlib import Path

import click

from riemopt.cli.errors import complain
from riemopt.cli.inputs import samples_of
from riemopt.cli.options import Numbers, column_option, output_option
from riemopt.cli.output import progress_bar, tell_files

__all__ = ["fit_command"]


@click.command("fit")
@click.argument("family")
@click.argument("data", type=click.Path(), metavar="FILE.csv")
@column_option
@click.option("--chart", metavar="TEXT", help='Fit in another chart, such as "alpha = a, beta = 1/b".')
@click.option("--start", type=Numbers(), help="Where to start, in that chart.  [default: found by a search]")
@output_option("riemopt-fit", "the estimates")
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
    samples = samples_of(model, data, column, seed=0)
    with output_folder(output), progress_bar() as progress:
        moved = typed_chart(model, chart) if chart else model
        # a closed form is evaluated before it would be compiled
        result = fit(moved, samples, start=start, progress=progress)
        progress(1, 1, "drawing and saving")
        paths = save_fit(result, samples, output)
    click.echo(result.summary())
    tell_files(output, paths)
    if not result.success:
        complain(f"warning: {result.message}", 1)
