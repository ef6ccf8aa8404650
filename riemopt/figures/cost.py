"""The figure of costs: linear solves against the distance to the flow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from riemopt.figures.drawing import LOOK, add_legend, typeset, with_room
from riemopt.figures.styles import styles

__all__ = ["cost_figure"]


def cost_figure(wanted: Sequence[float], costs: Mapping[str, Mapping[str, Sequence[Any]]]) -> Figure:
    """Linear solves against the distance to the flow on logarithmic scales, a panel for each subject.

    Numbers that are extrapolated have hollow markers.

    Parameters
    ----------
    wanted : sequence of float
        The distances.
    costs : mapping of str to mapping of str to sequence of Cost
        By subject and integrator, one for each distance.

    Returns
    -------
    matplotlib.figure.Figure
    """
    keys = list(dict.fromkeys(key for rows in costs.values() for key in rows))
    look = styles(keys)
    across = min(len(costs), 3)
    down = math.ceil(len(costs) / across)
    distances, legend = np.array(wanted), 3 if across > 2 else 2
    with mpl.rc_context(LOOK):
        figure = with_room(max(across, 2), down, len(keys) / legend)
        panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
        for axes in panels[len(costs) :]:
            axes.set_axis_off()
        for axes, (name, rows) in zip(panels, costs.items(), strict=False):
            axes.set(xscale="log", yscale="log", xlabel="Fisher-Rao distance", title=typeset(name))
            for key, row in rows.items():
                solves = np.array([cost.solves for cost in row])
                measured = np.array([not cost.extrapolated for cost in row])
                style = look[key]
                axes.plot(distances, solves, color=style.colour, linestyle=style.line)
                axes.plot(distances[measured], solves[measured], **style.marks)
                axes.plot(distances[~measured], solves[~measured], **style.marks, markerfacecolor="white")
        panels[0].xaxis.set_inverted(True)
        for axes in panels[::across]:
            axes.set_ylabel("linear solves")
        add_legend(figure, look, legend)
    return figure
