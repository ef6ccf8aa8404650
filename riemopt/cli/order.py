"""``riemopt order``: the order of integrators, measured."""

from __future__ import annotations

from pathlib import Path

import click

from riemopt.cli.inputs import study_inputs
from riemopt.cli.options import (
    MOST_STEPS,
    Names,
    Numbers,
    chart_option,
    column_option,
    data_option,
    output_option,
    seed_option,
    start_option,
)
from riemopt.cli.output import progress_bar, show, tell_files

__all__ = ["order_command"]


@click.command("order")
@click.option("--family", "families", type=Names(), default="gamma", show_default=True, help="The family, or several.")
@data_option
@column_option
@chart_option
@start_option
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
    type=Numbers(click.IntRange(1, MOST_STEPS), f"whole numbers from 1 to {MOST_STEPS}, such as 4,8,16"),
    help="In how many steps to go there; a slope takes five numbers.  [default: 24 from 4 to 224]",
)
@click.option("--integrators", type=Names(), help="Their keys.  [default: those of the paper, and others]")
@seed_option
@output_option("riemopt-order")
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
    with output_folder(output), progress_bar() as progress:
        studies = [study_inputs(family, data, column, charts, start, seed) for family in families]
        subjects = [
            Subject.of(each.model, each.samples, each.charts, start=each.start, time=final_time) for each in studies
        ]
        result = order_of_invariance(subjects, steps=counts, integrators=keys, progress=progress)
        progress(1, 1, "drawing and saving")
        paths = result.save(output)
    click.echo("\n".join(map(str, studies)) + "\n")
    show(result.table())
    tell_files(output, paths)
