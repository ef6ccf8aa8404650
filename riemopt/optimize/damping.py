"""How strongly to damp a metric: more where its quadratic model of the loss fails, less where it holds."""

from __future__ import annotations

from dataclasses import dataclass

from riemopt.errors import ArgumentError

__all__ = ["LevenbergMarquardt"]


@dataclass(frozen=True)
class LevenbergMarquardt:
    """The rule of Levenberg and Marquardt for the damping λ of a metric g + λD.

    It compares the reduction of the loss with the one that a quadratic model promised. The rule keeps no state: whoever
    uses it keeps λ.

    Parameters
    ----------
    initial : float, optional
        λ > 0 for the first step.
    increase, decrease : float, optional
        What λ is multiplied by, more than 1 and at most 1.
    low, high : float, optional
        The ratio of the actual to the predicted reduction under which λ is increased, and over which it is decreased.
    by : {"identity", "diagonal"}, optional
        D: the identity, or the diagonal of g.

    Raises
    ------
    ArgumentError
        If one of them is out of its range.

    References
    ----------
    Martens, "Deep learning via Hessian-free optimization", 2010, section 4.1, for the default values.
    Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear Parameters", 1963.

    Examples
    --------
    >>> import riemopt as ro
    >>> damping = ro.LevenbergMarquardt(initial=9.0)
    >>> damping.next(9.0, ratio=0.1), damping.next(9.0, ratio=0.5), damping.next(9.0, ratio=0.9)
    (13.5, 9.0, 6.0)
    """

    initial: float = 45.0
    increase: float = 3 / 2
    decrease: float = 2 / 3
    low: float = 0.25
    high: float = 0.75
    by: str = "identity"

    def __post_init__(self) -> None:
        if not 0.0 < self.initial < float("inf"):
            raise ArgumentError(f"initial must be positive and finite, not {self.initial!r}")
        if not 1.0 < self.increase < float("inf"):
            raise ArgumentError(f"increase must be more than 1 and finite, not {self.increase!r}")
        if not 0.0 < self.decrease <= 1.0:
            raise ArgumentError(f"decrease must be positive and at most 1, not {self.decrease!r}")
        if not self.low <= self.high:
            raise ArgumentError(f"low must be at most high, not {self.low!r} > {self.high!r}")
        if self.by not in ("identity", "diagonal"):
            raise ArgumentError(f"by must be 'identity' or 'diagonal', not {self.by!r}")

    def next(self, damping: float, ratio: float) -> float:
        """The damping after a step.

        Parameters
        ----------
        damping : float
            λ, as it was for the step.
        ratio : float
            The reduction of the loss, divided by the one predicted; NaN counts as failure.

        Returns
        -------
        float
        """
        if ratio > self.high:
            return damping * self.decrease
        return damping if ratio >= self.low else damping * self.increase
