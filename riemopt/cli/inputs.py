"""What a study of a family runs on: what the options say, and the defaults of the library for what they leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    import numpy as np

    from riemopt.models import StatisticalModel

__all__ = ["StudyInputs", "samples_of", "study_inputs"]


class StudyInputs(NamedTuple):
    """What a study of a family runs on."""

    model: StatisticalModel
    samples: np.ndarray
    charts: list[tuple[str, StatisticalModel]]
    start: tuple[float, ...]

    def __str__(self) -> str:
        start = ", ".join(f"{number:g}" for number in self.start)
        return f"{self.model.name}: {len(self.samples)} observations, start {start}"


def study_inputs(
    family: str,
    data: str | None,
    column: str | None,
    charts: tuple[str, ...],
    start: tuple[float, ...] | None,
    seed: int,
) -> StudyInputs:
    """What the options say, and the defaults of the library for what they leave out."""
    from riemopt.experiments.settings import default_charts, default_start, typed_chart
    from riemopt.models import family as family_of

    model = family_of(family)
    samples = samples_of(model, data, column, seed)
    moved = [(text, typed_chart(model, text)) for text in charts or default_charts(model)]
    return StudyInputs(model, samples, moved, tuple(default_start(model)) if start is None else start)


def samples_of(model: StatisticalModel, data: str | None, column: str | None, seed: int) -> np.ndarray:
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
