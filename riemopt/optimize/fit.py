"""fit: maximum likelihood, with what a statistician wants to know about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from riemopt.errors import ArgumentError, DataError, DomainError, ShapeError
from riemopt.integrators import GeodesicCorrection
from riemopt.manifold import Manifold
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.models.expectation import QuadratureExpectation
from riemopt.optimize.damping import LevenbergMarquardt
from riemopt.optimize.descent import DAMPING, LINE_SEARCH, SINGULAR, Descent, FitStatus, descend
from riemopt.optimize.line_search import Backtracking
from riemopt.optimize.minimize import require_primitives
from riemopt.optimize.progress import Progress
from riemopt.optimize.start import search
from riemopt.optimize.trajectory import Trajectory
from riemopt.problem import DenseMetric, Problem
from riemopt.status import Status

__all__ = ["Fit", "fit"]

_LEVEL = 0.95  # of the confidence intervals in a summary
_COMPILED_FROM = 100_000  # numbers among the samples that are worth a compiler
_INTEGRATED = 3  # parameters of a model with integrals up to which it is not worth one
_PROBED = 1000  # samples that are enough to find a start
_TRIED = 3  # starts, until one leads to an optimum
_FAR = 25.0  # a free coordinate, a logarithm, that has gone so far is on its way to the edge
_BOUNDLESS = 1e12  # a standard error of so many units tells that nothing determines the parameter
_GOING = 1e-6  # a relative step with which a coordinate is still on its way
_STATUS = {
    FitStatus.CONVERGED: Status.CONVERGED,
    FitStatus.AT_ROUNDING: Status.CONVERGED,
    FitStatus.STEP_LIMIT: Status.COMPLETED,
    FitStatus.STALLED: Status.COMPLETED,
    FitStatus.SINGULAR_METRIC: Status.SINGULAR_METRIC,
    FitStatus.AT_EDGE: Status.LEFT_DOMAIN,
    FitStatus.NON_FINITE: Status.NON_FINITE,
}


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A model fitted to samples by maximum likelihood, or a problem whose loss is as small as can be.

    Attributes
    ----------
    model : StatisticalModel, ConditionalModel or Problem
        What was fitted.
    trajectory : Trajectory
        The points on the way, the start first, and the mean negative log-likelihoods there.
    covariance : array, shape (n, n)
        The covariance of the estimates, from the Fisher metric at the estimate; NaN if the metric is singular, or the
        number of samples is not known.
    count : int or None
        The number of samples, N; None for a problem that does not tell.
    freedom : int or None
        The degrees of freedom of a scale that was estimated with the parameters; None without one.
    status : FitStatus
        Why the fit ended.
    message : str
        The same in words.
    """

    model: StatisticalModel | ConditionalModel | Problem
    trajectory: Trajectory
    covariance: np.ndarray
    count: int | None
    freedom: int | None
    status: FitStatus
    message: str

    @property
    def x(self) -> np.ndarray:
        """The estimate, shape (n,)."""
        return self.trajectory.points[-1]

    @property
    def parameters(self) -> dict[str, float]:
        """The estimates by name; the coordinates of a problem are called theta_1, theta_2 and so on."""
        return dict(zip(_names(self.model, len(self.x)), map(float, self.x), strict=True))

    @property
    def success(self) -> bool:
        """Whether the estimate can be trusted to be an optimum."""
        return self.status.success

    @property
    def standard_errors(self) -> np.ndarray:
        """The standard errors of the estimates, shape (n,)."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood of the samples, in nats; NaN where their number is not known."""
        return -(np.nan if self.count is None else self.count) * float(self.trajectory.losses[-1])

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2.0 * self._estimated - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """The Bayesian information criterion of Schwarz."""
        return float(np.log(np.nan if self.count is None else self.count)) * self._estimated - 2.0 * self.log_likelihood

    @property
    def _estimated(self) -> int:
        """The number of parameters, that scale among them."""
        return len(self.x) + (self.freedom is not None)

    def confidence_intervals(self, level: float = _LEVEL) -> np.ndarray:
        """Intervals that hold the true parameters with a probability, by the normal approximation.

        Parameters
        ----------
        level : float, optional
            The probability, for each parameter on its own.

        Returns
        -------
        array, shape (n, 2)
            Student's t takes the place of the normal distribution where a scale was estimated, too.
        """
        if not 0.0 < level < 1.0:
            raise ArgumentError(f"level must lie between 0 and 1, not {level!r}")
        tail = 0.5 * (1.0 + level)
        quantile = ndtri(tail) if self.freedom is None else stdtrit(self.freedom, tail)
        width = float(quantile) * self.standard_errors
        return np.stack([self.x - width, self.x + width], axis=-1)

    def summary(self) -> str:
        """A table to ``print``: the estimates, their standard errors and confidence intervals, and the criteria."""
        count = "not known" if self.count is None else str(self.count)
        facts = [
            (
                "observations",
                count,
                "log-likelihood",
                f"{self.log_likelihood:.6f}",
            ),
            ("parameters", str(self._estimated), "AIC", f"{self.aic:.6f}"),
            ("steps", str(len(self.trajectory.points) - 1), "BIC", f"{self.bic:.6f}"),
        ]
        statistic = "z" if self.freedom is None else "t"
        table = [["", "estimate", "std. error", statistic, "95 % confidence", "interval"]]
        intervals = self.confidence_intervals()
        for name, x, error, interval in zip(self.parameters, self.x, self.standard_errors, intervals, strict=True):
            low, estimate, high = (_shown(value, error) for value in (interval[0], x, interval[1]))
            ratio = f"{x / error:.4g}" if error else "inf"
            table.append([name, estimate, f"{error:.4g}", ratio, low, high])
        ended = f"{'Ended' if self.success else 'NOT TO BE TRUSTED'}: {self.message}."
        head, rows = _aligned(facts, "<><>"), _aligned(table, "<>>>>>")
        rows.insert(1, "-" * len(rows[0]))
        return "\n".join([f"{_title(self.model)}, fitted by maximum likelihood", *head, "", *rows, "", ended])

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.6g}" for name, value in self.parameters.items())
        return f"Fit({_title(self.model)}: {values}; {self.message})"


def fit(
    model: StatisticalModel | ConditionalModel | Problem,
    samples: Any = None,
    inputs: Any = None,
    start: Any = None,
    *,
    backend: str | None = None,
    tolerance: float = 1e-12,
    max_steps: int = 2000,
    damping: LevenbergMarquardt = DAMPING,
    line_search: Backtracking = LINE_SEARCH,
    progress: Progress | None = None,
) -> Fit:
    """Fit a model to samples by maximum likelihood, or find the minimum of a problem's loss.

    The way to the optimum is the natural gradient's, with geodesic corrections, damped where the model is far from
    being quadratic.

    Parameters
    ----------
    model : StatisticalModel, ConditionalModel or Problem
        What to fit. A problem has its samples already; it offers `loss`, `gradient`, `connection` and a metric.
    samples : array_like, shape (N,), or (N, d) for d > 1 observations
        The observations; for a ConditionalModel the targets; for a problem none.
    inputs : array_like, optional
        For a ConditionalModel, the inputs.
    start : array_like, shape (n,), optional
        Where to start; if it is not given, the domain is searched for a start. A problem needs one, unless it has one
        itself, as `start`.
    backend : str, optional
        What runs the kernels, see :class:`riemopt.Manifold`; not ``"cupy"``. By default ``"numba"`` where compiling
        pays: with many samples, or with integrals in many parameters; else ``"numpy"``.
    tolerance : float, optional
        The Riemannian norm of the gradient of the mean negative log-likelihood at which to stop, √(∂L·g⁻¹∂L). It does
        not depend on the chart. A fit that meets the rounding of the likelihood before stops there.
    max_steps : int, optional
        How many steps to take at most.
    damping : LevenbergMarquardt, optional
        How the damping follows the success of the steps.
    line_search : Backtracking, optional
        How often a step is shortened before the damping is increased.
    progress : callable, optional
        Called as ``progress(done, total, what)`` after each step.

    Returns
    -------
    Fit
        Its `success` says whether it can be trusted, and its `message` why it ended.

    Raises
    ------
    DataError
        If there is no sample, one lies outside the support, the samples do not determine an optimum because they are
        all equal, or no start is found.
    DomainError
        If the start lies outside the domain, or the likelihood is zero or infinite there.
    ShapeError
        If the axes do not fit.
    ArgumentError
        If the tolerance is negative, or `max_steps` is.

    Examples
    --------
    >>> import riemopt as ro
    >>> gamma = ro.models.Gamma()
    >>> fitted = ro.fit(gamma, gamma.sample([20.0, 20.0], 10_000))
    >>> {name: round(value, 3) for name, value in fitted.parameters.items()}
    {'alpha': 20.045, 'beta': 19.992}
    >>> print(fitted.summary())
    Gamma, fitted by maximum likelihood
    observations  10000  log-likelihood    942.290089
    ...
    """
    if not (np.ndim(tolerance) == 0 and np.isreal(tolerance) and tolerance >= 0):
        raise ArgumentError(f"tolerance must be at least 0, not {tolerance!r}")
    if not (isinstance(max_steps, (int, np.integer)) and max_steps >= 0):
        raise ArgumentError(f"max_steps must be a whole number of at least 0, not {max_steps!r}")
    if backend == "cupy":
        raise ArgumentError("a fit moves a point at a time, on the processor: backend must be 'numba' or 'numpy'")

    def tell(step: int, loss: float) -> None:
        if progress is not None:
            progress(step, max_steps, f"step {step}: mean negative log-likelihood {loss:.6g}")

    settings: dict[str, Any] = {"tolerance": tolerance, "max_steps": int(max_steps), "tell": tell}
    settings |= {"damping": damping, "line_search": line_search}
    if isinstance(model, Problem):
        if samples is not None or inputs is not None:
            raise ArgumentError("a problem has its samples already: fit(problem, start=...)")
        problem = model.for_fit()
        return _result(problem, problem, descend(problem, _problem_start(problem, start), **settings))
    if samples is None:
        raise ArgumentError(f"there are no samples to fit {model.name} to: fit(model, samples)")
    manifold = Manifold(model, backend=backend or _backend(model, samples))
    problem = _likelihood(manifold, samples, inputs)
    samples = np.atleast_1d(np.asarray(samples, dtype=np.float64))
    constant = inputs is None and bool(np.all(samples == samples[:1]))
    starts = _starts(manifold, problem, samples, inputs) if start is None else [_start(problem, start)]
    descents: list[Descent] = []
    for theta in starts[: 1 if constant else _TRIED]:
        descents.append(descend(problem, theta, **settings))
        if descents[-1].status.success:
            break
    best = min(descents, key=lambda descent: (not descent.status.success, descent.losses[-1]))
    if constant and not best.status.success:
        value = ", ".join(f"{x:g}" for x in np.ravel(samples[0]))
        raise DataError(f"every sample is {value}: the likelihood of {model.name} has no maximum inside the domain")
    return _result(model, problem, best)


def _backend(model: Any, samples: Any) -> str:
    """What has finished first: kernels take seconds to compile, NumPy takes milliseconds for a step and no less."""
    if np.size(samples) > _COMPILED_FROM:
        return "numba"
    integrated = isinstance(model, StatisticalModel) and isinstance(model.expectation, QuadratureExpectation)
    return "numba" if integrated and model.dimension > _INTEGRATED else "numpy"


def _likelihood(manifold: Manifold, samples: Any, inputs: Any) -> Any:
    return manifold.likelihood(samples) if inputs is None else manifold.likelihood(samples, inputs=inputs)


def _start(problem: Any, start: Any) -> np.ndarray:
    """A user's start, checked."""
    problem.require_inside(start, "start")
    theta = np.asarray(start, dtype=np.float64)
    if theta.ndim != 1:
        raise ShapeError(f"start has shape {theta.shape}, but must be one point, of shape ({problem.dimension},)")
    if not np.isfinite(problem.loss(theta)):
        raise DomainError(f"start: the likelihood at {theta.tolist()} is zero, infinite or not a number")
    return theta


def _problem_start(problem: Problem, start: Any) -> np.ndarray:
    """A start of a problem, the problem's own if none is given; what a fit needs of the problem is checked, too."""
    require_primitives(problem, GeodesicCorrection())
    given = getattr(problem, "start", None) if start is None else start
    if given is None:
        raise ArgumentError(f"{type(problem).__name__} has no domain to search for a start: give start=")
    return _start(problem, given)


def _names(model: Any, dimension: int) -> list[str]:
    """What the coordinates of a model or a problem are called."""
    parameters = getattr(model, "parameters", None) or [f"theta_{i + 1}" for i in range(dimension)]
    return [str(parameter) for parameter in parameters]


def _title(model: Any) -> str:
    """What a model or a problem is called."""
    return str(getattr(model, "name", type(model).__name__))


def _starts(manifold: Manifold, problem: Any, samples: np.ndarray, inputs: Any) -> list[np.ndarray]:
    """Points found by a search, on some of the samples if there are many."""
    inputs = None if inputs is None else np.asarray(inputs, dtype=np.float64)
    if len(samples) > _PROBED:
        # the order statistics of one observation stand for the rest
        order = np.argsort(samples) if samples.ndim == 1 and inputs is None else np.arange(len(samples))
        some = order[np.linspace(0, len(samples) - 1, _PROBED).astype(int)]
        samples, inputs = samples[some], None if inputs is None else inputs[some]
        problem = _likelihood(manifold, samples, inputs)
    return search(problem, manifold.model.domain, _columns(samples), [] if inputs is None else _columns(inputs))


def _columns(array: np.ndarray) -> list[np.ndarray]:
    return list(array.reshape(len(array), -1).T)


def _result(model: StatisticalModel | ConditionalModel | Problem, problem: Any, descent: Descent) -> Fit:
    status, detail = descent.status, f"norm {descent.norm:.1e}"
    gone = [] if isinstance(model, Problem) else _gone(model, descent)
    if gone and not status.success:
        status, detail = FitStatus.AT_EDGE, ", ".join(gone)
    end, names = descent.points[-1], _names(model, len(descent.points[-1]))
    factor = problem.variance_factor  # M / (M - n), of M residuals
    covariance = np.full((len(end), len(end)), np.nan)
    with np.errstate(all="ignore"):
        if isinstance(descent.metric, DenseMetric) and np.isfinite(descent.metric.dense()).all():
            values, directions = descent.metric.factorization.spectrum
            lost = directions[:, values <= SINGULAR].T
            if status is FitStatus.SINGULAR_METRIC:
                metric = descent.metric.dense()
                detail = "nothing changes along " + ", ".join(_combination(names, metric, v) for v in lost)
            if not len(lost) and status is not FitStatus.AT_EDGE and problem.count is not None:
                covariance = factor / problem.count * (directions / values) @ directions.T
        far = np.sqrt(np.diagonal(covariance)) > _BOUNDLESS * np.maximum(1.0, np.abs(end))
        if status.success and far.any():
            # where nothing changes any more, every gradient is small
            status, covariance = FitStatus.AT_EDGE, np.full_like(covariance, np.nan)
            detail = ", ".join(f"{name} is not determined" for name, lost_ in zip(names, far, strict=True) if lost_)
    return Fit(
        model=model,
        trajectory=Trajectory(descent.points, descent.losses, _STATUS[status], descent.evaluations),
        covariance=covariance,
        count=problem.count,
        freedom=None if factor == 1.0 else round(len(end) / (factor - 1.0)),
        status=status,
        message=f"{status.meaning} ({detail})",
    )


def _gone(model: StatisticalModel | ConditionalModel, descent: Descent) -> list[str]:
    """The parameters on their way to the edge of the domain or to infinity, and how far they have come."""
    domain, end = model.domain, descent.points[-1]
    with np.errstate(all="ignore"):
        pace = np.abs(descent.natural_gradient) / np.abs(end)
        bounded = np.isfinite(domain.bounds).any(axis=0)
        away = bounded & ~(np.abs(domain.to_free(end)) < _FAR)
        if descent.status is FitStatus.AT_EDGE:
            away |= pace > _GOING
        elif descent.status is FitStatus.STALLED:
            away |= bounded & (pace > 1.0)
    return [f"{symbol} = {value:.6g}" for symbol, value, far in zip(model.parameters, end, away, strict=True) if far]


def _combination(names: Sequence[str], metric: np.ndarray, direction: np.ndarray) -> str:
    """A direction as a combination of the parameters that take part in it, such as ``a - 0.5 b``."""
    share = np.abs(direction) * np.sqrt(np.diagonal(metric))
    part = [i for i in range(len(direction)) if not share[i] < 1e-6 * np.max(share)]
    weights = direction[part] / direction[part[0]]
    terms = [f"{'-' if w < 0 else '+'} {abs(w):.4g} {names[i]}" for i, w in zip(part, weights, strict=True)]
    return " ".join(terms).replace(" 1 ", " ").removeprefix("+ ")


def _shown(value: float, error: float) -> str:
    """A number with four digits more than its error lets one know."""
    digits = 8
    if 0.0 < error < np.inf:
        digits = int(np.clip(np.log10(max(abs(value), error)) - np.log10(error) + 4.0, 4, 15))
    return f"{value:.{digits}g}"


def _aligned(rows: Sequence[Sequence[str]], alignment: str) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, alignment, widths, strict=True)).rstrip()
        for row in rows
    ]
