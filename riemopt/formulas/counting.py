"""What a rule asks for while it is traced."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from riemopt.formulas.traced import TracedPrimitives
from riemopt.kernels.graph.tracing import TracedArray, TracingError
from riemopt.problem.evaluations import COSTS, Evaluations

__all__ = ["CountedPrimitives", "asked_for"]


@dataclass(eq=False)
class CountedPrimitives(TracedPrimitives):
    """Traced primitives that note which of them are asked for, and with what; not what they ask of each other.

    Attributes
    ----------
    asked : dict
        By primitive and arguments, what it counts as: what is asked for twice is computed once.
    """

    asked: dict[Hashable, Evaluations] = field(init=False, default_factory=dict)
    _within: bool = field(init=False, default=False)

    @property
    def count(self) -> NoReturn:  # type: ignore[override]
        """The number of samples, which a program takes as data."""
        raise TracingError("the number of samples is not known while a rule is traced")

    @property
    def variance_factor(self) -> NoReturn:  # type: ignore[override]
        """What goes with it."""
        raise TracingError("the number of samples is not known while a rule is traced")

    def _ask(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> TracedArray:
        compute = getattr(super(), primitive)
        if self._within:
            return compute(theta, *arguments, **options)  # type: ignore[no-any-return]
        key = primitive, *(tuple(self._nodes(array)) for array in (theta, *arguments)), *options.items()
        if primitive == "exp_series":  # each coefficient after the first is a product and a solve
            self.asked[key] = COSTS["acceleration"] * (options["order"] - 1)
        else:
            self.asked[key] = COSTS[primitive]
        self._within = True
        try:
            return compute(theta, *arguments, **options)  # type: ignore[no-any-return]
        finally:
            self._within = False

    def loss(self, theta: Any) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("loss", theta)

    def gradient(self, theta: Any) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("gradient", theta)

    def raise_index(self, theta: Any, covector: Any) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("raise_index", theta, covector)

    def lower_index(self, theta: Any, vector: Any) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("lower_index", theta, vector)

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("connection", theta, vector, a=a)

    def acceleration(self, theta: Any, velocity: Any, a: float = 0.0) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("acceleration", theta, velocity, a=a)

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("exp", theta, vector, a=a)

    def exp_series(self, theta: Any, vector: Any, order: int) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("exp_series", theta, vector, order=order)

    def transport(self, theta: Any, along: Any, vector: Any) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("transport", theta, along, vector)

    def flow(self, theta: Any, time: Any) -> TracedArray:
        """See :class:`~riemopt.Problem`."""
        return self._ask("flow", theta, time)


def asked_for(primitives: CountedPrimitives, but: Collection[Hashable] = ()) -> Evaluations:
    """What has been asked of some primitives, but for what is known already."""
    return sum((cost for key, cost in primitives.asked.items() if key not in but), Evaluations())
