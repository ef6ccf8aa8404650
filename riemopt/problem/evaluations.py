"""How often a method asks a problem for its primitives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["COSTS", "Evaluations"]


@dataclass(frozen=True)
class Evaluations:
    """What a trajectory has asked of a problem: numbers, or arrays of them for a batch.

    What is asked for again at the same point is remembered, and counts once.

    Attributes
    ----------
    losses : int
        Losses.
    gradients : int
        Differentials of the loss.
    products : int
        Products with the metric and the connection, those inside an iterative solve not among them.
    solves : int
        Linear solves with the metric.
    integrations : int
        Exponential maps, parallel transports and flows, whatever they ask for on their way.

    Examples
    --------
    >>> import riemopt as ro
    >>> problem = ro.OperatorProblem(lambda x: x @ x / 2, lambda x: x, lambda x, v: 2.0 * v)
    >>> ro.minimize(problem, "mid", start=[1.0, 1.0], step_size=0.5, steps=3).evaluations
    Evaluations(losses=4, gradients=6, products=0, solves=6, integrations=0)
    """

    losses: Any = 0
    gradients: Any = 0
    products: Any = 0
    solves: Any = 0
    integrations: Any = 0

    def __iter__(self) -> Iterator[Any]:
        return iter((self.losses, self.gradients, self.products, self.solves, self.integrations))

    def __add__(self, other: Evaluations) -> Evaluations:
        return Evaluations(*(_added(a, b) for a, b in zip(self, other, strict=True)))

    def __mul__(self, times: Any) -> Evaluations:
        # of what nobody asked for no array is made
        return Evaluations(*(0 if isinstance(a, int) and a == 0 else a * times for a in self))

    def reshaped(self, batch: tuple[int, ...], arrays: Any = np) -> Evaluations:
        """Counts of a flat batch, or one for all of it, as those of a batch with axes; as numbers if it has none."""

        def shaped(count: Any) -> Any:
            count = arrays.asarray(count)
            if not batch:
                return int(count.reshape(()))
            return arrays.broadcast_to(count.reshape(()), batch) if count.size == 1 else count.reshape(batch)

        return Evaluations(*map(shaped, self))

    @classmethod
    def stacked(cls, members: Sequence[Evaluations], arrays: Any = np) -> Evaluations:
        """The counts of a flat batch from those of its members, as arrays of a module."""
        table = np.array([tuple(member) for member in members], dtype=np.int64).reshape(-1, 5)
        return cls(*(arrays.asarray(column) for column in table.T))


def _added(a: Any, b: Any) -> Any:
    """The sum of counts, of which one is often 0."""
    if isinstance(a, int) and a == 0:
        return b
    return a if isinstance(b, int) and b == 0 else a + b


COSTS = {
    "loss": Evaluations(losses=1),
    "gradient": Evaluations(gradients=1),
    "connection": Evaluations(products=1),
    "lower_index": Evaluations(products=1),
    "raise_index": Evaluations(solves=1),
    "acceleration": Evaluations(products=1, solves=1),
    "exp": Evaluations(integrations=1),
    "transport": Evaluations(integrations=1),
    "flow": Evaluations(integrations=1),
}
"""What each primitive counts as."""
