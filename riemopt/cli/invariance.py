"""``riemopt invariance``: integrators in several charts, and which of them care about the chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from riemopt.cli.inputs import study_inputs
from riemopt.cli.options import (
    MOST_STEPS,
    Names,
    chart_option,
    column_option,
    data_option,
    output_option,
    seed_option,
    start_option,
)
from riemopt.cli.output import progress_bar, show, tell_files

__all__ = ["invariance_command"]


@click.command("invariance")
@click.option("--family", default="gamma", show_default=True, help="The family of distributions.")
@data_option
@column_option
@chart_option
@start_option
@click.option("--step-size", type=click.FloatRange(min=0, min_open=True), default=0.5, show_default=True)
@click.option("--steps", type=click.IntRange(1, MOST_STEPS), default=10, show_default=True)
@click.option("--integrators", type=Names(), default="ng,mid,geo,geof,ng-exact,geo-exact", show_default=True)
@seed_option
@output_option("riemopt-invariance")
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

    with output_folder(output), progress_bar() as progress:
        study = study_inputs(family, data, column, charts, start, seed)
        settings: dict[str, Any] = {"step_size": step_size, "steps": steps, "integrators": integrators}
        result = invariance(study.model, study.samples, study.charts, start=study.start, **settings, progress=progress)
        progress(1, 1, "drawing and saving")
        paths = result.save(output)
    click.echo(f"{study}, step size {step_size:g}\n")
    show(result.table())
    tell_files(output, paths)
