"""What a notebook calls: an explorer of a model, or of a result that is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from riemopt.errors import BackendError
from riemopt.experiments import InvarianceResult, InvarianceStudy
from riemopt.experiments.charts import Charts
from riemopt.experiments.rules import rules_of
from riemopt.experiments.settings import default_start
from riemopt.models import StatisticalModel

if TYPE_CHECKING:
    from riemopt.explore.widget import ExplorerWidget

__all__ = ["explore", "explore_result"]

_INTEGRATORS = ("ng", "mid", "geo", "geof", "ng-exact", "geo-exact")


def explore(
    model: StatisticalModel,
    samples: Any,
    charts: Charts = (),
    *,
    start: Any = None,
    integrators: Any = _INTEGRATORS,
    step_size: float = 0.5,
    steps: int = 10,
) -> ExplorerWidget:
    """Show the invariance experiment in a notebook: drag the start, and see which methods care about the chart.

    Parameters
    ----------
    model : StatisticalModel
        The model; its own chart is the first.
    samples : array_like, shape (N,), or (N, d) for d > 1 observations
        What to fit it to.
    charts : mapping of str to StatisticalModel, or iterable of pairs, optional
        The other charts: reparametrizations of the model, by label. More can be typed.
    start : array_like, shape (n,), optional
        Where to start, in the model's own chart; by default positive parameters are 1, real ones 0.
    integrators : iterable of str, Integrator or callable, or mapping of str to these, optional
        As in :func:`riemopt.experiments.invariance`.
    step_size : float, optional
        The step size h > 0.
    steps : int, optional
        How many steps to take.

    Returns
    -------
    ExplorerWidget
        A widget, whose `start`, `step_size`, `steps`, `integrators`, `view`, `charts` and `plane` are traitlets: to be
        read, set and observed. ``widget.result`` is the result as it stands, ``widget.save("page.html")`` a file of it.

    Raises
    ------
    BackendError
        If what the extra ``explore`` installs is missing.
    ModelError, DataError, DomainError, ArgumentError
        See :class:`riemopt.experiments.InvarianceStudy` and its ``run``.

    Examples
    --------
    >>> import riemopt as ro
    >>> model = ro.models.Exponential()
    >>> widget = ro.explore(model, model.sample([5.0], 100), {"mean": model.mean_chart()}, start=[1.0])
    >>> widget.steps = 5
    >>> widget.result.gap["ng"].shape
    (6,)
    """
    try:
        from riemopt.explore.widget import ExplorerWidget
    except ImportError as error:
        raise missing(error) from None
    study = InvarianceStudy(model, samples, charts)
    point = default_start(model) if start is None else start
    return ExplorerWidget(study, rules_of(integrators), start=point, step_size=step_size, steps=steps)


def explore_result(result: InvarianceResult) -> ExplorerWidget:
    """Show a result in a notebook, and go on from it; see :func:`explore`."""
    rules: Mapping[str, Any] = result.rules
    own, *others = result.charts.items()
    start = result.points[own[0]][next(iter(rules))][0]
    steps = len(next(iter(result.gap.values()))) - 1
    charts: Iterable[tuple[str, StatisticalModel]] = others
    return explore(
        result.model, result.samples, charts, start=start, integrators=rules, step_size=result.step_size, steps=steps
    )


def missing(error: ImportError) -> BackendError:
    """The error for what the extra would have installed."""
    return BackendError(f"the explorer needs what pip install 'riemopt[explore]' installs ({error})")
