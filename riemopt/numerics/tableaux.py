"""Explicit Runge–Kutta methods: their coefficients as data, and the order conditions that these meet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError

__all__ = [
    "BOGACKI_SHAMPINE",
    "CLASSICAL",
    "DORMAND_PRINCE_5",
    "DORMAND_PRINCE_853",
    "HEUN",
    "NYSTROM",
    "TSITOURAS",
    "Row",
    "Tableau",
]

Row = Mapping[int, float]
"""The index of a stage to its coefficient; zeros are left out, so that nothing multiplies them."""

_MET = 1e-13
"""What may be left of an order condition, relative to its terms: rounding of the coefficients."""

Tree = tuple[Any, ...]
"""A rooted tree: the trees that hang from its root, in order."""


class Tableau:
    """An explicit Runge–Kutta method for an autonomous equation, as coefficients.

    Parameters
    ----------
    stages : sequence of sequence of float
        The coefficients a_ij of the earlier stages in stages 1, 2, ...; stage 0 is the derivative at the start of the
        step, so the first row has one entry. A row may also map the index of a stage to its coefficient.
    weights : sequence of float
        The coefficients b_i of the stages in the step, a row like the others.
    order : int, optional
        The order that the method is said to have, to be checked. Coefficients should have all their digits: conditions
        must be met to 1e-13.
    errors : sequence of sequence of float, optional
        The coefficients of the stages in estimates of the error.

    Raises
    ------
    ArgumentError
        If a row refers to a stage that is not known yet, a coefficient is not a finite number, or a condition of the
        order is not met.

    References
    ----------
    Butcher, "Coefficients for the study of Runge-Kutta integration processes", 1963: a method is of order p if for each
    rooted tree t of up to p nodes Σ b_i Φ_i(t) = 1/γ(t).

    Examples
    --------
    >>> import riemopt as ro
    >>> ro.integrators.Tableau([[1 / 2], [0, 1 / 2], [0, 0, 1]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]).order
    4
    >>> ro.integrators.Tableau([[1 / 3]], [1 / 2, 1 / 2], order=2)
    Traceback (most recent call last):
    ...
    riemopt.errors.ArgumentError: the tableau is not of order 2: for the tree [•], Σ b Φ is 0.166667 and must be 1/2
    """

    def __init__(
        self, stages: Sequence[Any], weights: Any, order: int | None = None, errors: Sequence[Any] = ()
    ) -> None:
        self.stages = tuple(_row(row, k, f"stage {k}") for k, row in enumerate(stages, start=1))
        count = len(self.stages) + 1
        self.weights = _row(weights, count, "the weights")
        self.errors = tuple(_row(row, count, "an error estimate") for row in errors)
        if order is not None:
            self._require(order)

    def __repr__(self) -> str:
        return f"Tableau(stages={[dict(row) for row in self.stages]}, weights={dict(self.weights)})"

    @cached_property
    def order(self) -> int:
        """The order p: up to trees of p nodes, all conditions are met."""
        order = 0
        # an explicit method has at most as many orders as stages
        while order <= len(self.stages) and self._unmet(order + 1) is None:
            order += 1
        return order

    def _require(self, order: int) -> None:
        for size in range(1, order + 1):
            unmet = self._unmet(size)
            if unmet is not None:
                tree, found = unmet
                raise ArgumentError(
                    f"the tableau is not of order {order}: for the tree {_drawn(tree)}, "
                    f"Σ b Φ is {found:g} and must be {Fraction(1, _density(tree))}"
                )

    def _unmet(self, size: int) -> tuple[Tree, float] | None:
        """The first tree of a size whose condition is not met, and what the sum is instead."""
        stages, weights = self._dense
        for tree in _trees(size):
            terms = weights * self._elementary(tree, stages)
            found = float(terms.sum())
            if not abs(found - 1.0 / _density(tree)) <= _MET * max(1.0, float(np.abs(terms).sum())):
                return tree, found
        return None

    def _elementary(self, tree: Tree, stages: np.ndarray) -> np.ndarray:
        """Φ_i(t), the product over the subtrees of Σ_j a_ij Φ_j."""
        factors = [stages @ self._elementary(subtree, stages) for subtree in tree]
        return np.prod(factors, axis=0) if factors else np.ones(len(stages))

    @property
    def _dense(self) -> tuple[np.ndarray, np.ndarray]:
        count = len(self.stages) + 1
        rows = np.zeros((count + 1, count))
        for i, row in enumerate((*self.stages, self.weights), start=1):
            rows[i, list(row)] = list(row.values())
        return rows[:-1], rows[-1]


def _row(row: Any, known: int, what: str) -> Row:
    """A row of coefficients of the stages known so far, without its zeros."""
    entries = dict(row) if isinstance(row, Mapping) else dict(enumerate(row))
    strangers = [stage for stage, value in entries.items() if value and stage not in range(known)]
    if strangers:
        raise ArgumentError(f"tableau: {what} refers to stage {strangers[0]}, but only {known} are known there")
    for stage, value in entries.items():
        if not math.isfinite(value):
            raise ArgumentError(f"tableau: in {what}, the coefficient of stage {stage} is {value}")
    return {stage: float(value) for stage, value in entries.items() if value}


# -- rooted trees


@cache
def _trees(size: int) -> tuple[Tree, ...]:
    """The rooted trees of some nodes."""
    return tuple(_forests(size - 1, size - 1))


def _forests(size: int, largest: int) -> Iterator[Tree]:
    """The multisets of trees, none larger than a size, that have some nodes in all."""
    if size == 0:
        yield ()
    for first in range(min(size, largest), 0, -1):
        candidates = _trees(first)
        for rest in _forests(size - first, first):
            # in order, so that none comes twice
            last = candidates.index(rest[0]) + 1 if rest and rest[0] in candidates else None
            yield from ((tree, *rest) for tree in candidates[:last])


def _size(tree: Tree) -> int:
    return 1 + sum(map(_size, tree))


def _density(tree: Tree) -> int:
    """γ(t), the product over all nodes of the sizes of the trees that hang from them."""
    return _size(tree) * math.prod(map(_density, tree))


def _drawn(tree: Tree) -> str:
    """A tree as text: a node, or the trees that hang from it in brackets."""
    return f"[{' '.join(map(_drawn, tree))}]" if tree else "•"


# -- methods

HEUN = Tableau([[1.0]], [1 / 2, 1 / 2])
"""Heun's method of order 2: Heun, "Neue Methoden zur approximativen Integration ...", 1900."""

CLASSICAL = Tableau([[1 / 2], [0, 1 / 2], [0, 0, 1]], [1 / 6, 1 / 3, 1 / 3, 1 / 6])
"""The classical method of order 4: Kutta, "Beitrag zur näherungsweisen Integration totaler Differentialgleichungen",
1901."""

BOGACKI_SHAMPINE = Tableau([[1 / 2], [0, 3 / 4]], [2 / 9, 1 / 3, 4 / 9], errors=[[1 / 4, -3 / 4, 1 / 2]])
"""The method of order 3 of Bogacki and Shampine, "A 3(2) pair of Runge-Kutta formulas", 1989. The error estimate is the
one combination of its three stages that vanishes up to order 2; theirs takes a fourth one."""

NYSTROM = Tableau(
    stages=[
        [1 / 3],
        [4 / 25, 6 / 25],
        [1 / 4, -3, 15 / 4],
        [2 / 27, 10 / 9, -50 / 81, 8 / 81],
        [2 / 25, 12 / 25, 2 / 15, 8 / 75, 0],
    ],
    weights=[23 / 192, 0, 125 / 192, 0, -27 / 64, 125 / 192],
)
"""Kutta's method of order 5 as corrected by Nyström, "Über die numerische Integration von Differentialgleichungen",
1925."""

DORMAND_PRINCE_5 = Tableau(
    stages=[
        [1 / 5],
        [3 / 40, 9 / 40],
        [44 / 45, -56 / 15, 32 / 9],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    ],
    weights=[35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
)
"""The method of order 5 of Dormand and Prince, "A family of embedded Runge-Kutta formulae", 1980."""

TSITOURAS = Tableau(
    stages=[
        [0.161],
        [-0.008480655492356989, 0.335480655492357],
        [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
        [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
        [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
    ],
    weights=[
        0.09646076681806523,
        0.01,
        0.4798896504144998,
        1.379008574103742,
        -3.290069515436081,
        2.324710524099774,
    ],
    errors=[
        [
            -0.05893035654980903,
            -0.02625999978899268,
            0.18285973362242963,
            -0.5705912906942652,
            0.7488074967538448,
            -0.27588558334320756,
        ],
        [
            -0.10089420529208933,
            -0.02970620896706676,
            0.2821288888374824,
            -0.5872951680993347,
            -0.2666160188255966,
            0.7023827123466049,
        ],
    ],
)
"""The method of order 5 of Tsitouras, "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying
assumption", 2011. The error estimates are orthonormal and span the combinations of its six stages that vanish up to
order 3; his takes a seventh one."""

DORMAND_PRINCE_853 = Tableau(
    stages=(
        {0: 0.05260015195876773},
        {0: 0.0197250569845379, 1: 0.0591751709536137},
        {0: 0.02958758547680685, 2: 0.08876275643042054},
        {0: 0.2413651341592667, 2: -0.8845494793282861, 3: 0.924834003261792},
        {0: 0.037037037037037035, 3: 0.17082860872947386, 4: 0.12546768756682242},
        {0: 0.037109375, 3: 0.17025221101954405, 4: 0.06021653898045596, 5: -0.017578125},
        {
            0: 0.03709200011850479,
            3: 0.17038392571223998,
            4: 0.10726203044637328,
            5: -0.015319437748624402,
            6: 0.008273789163814023,
        },
        {
            0: 0.6241109587160757,
            3: -3.3608926294469414,
            4: -0.868219346841726,
            5: 27.59209969944671,
            6: 20.154067550477894,
            7: -43.48988418106996,
        },
        {
            0: 0.47766253643826434,
            3: -2.4881146199716677,
            4: -0.590290826836843,
            5: 21.230051448181193,
            6: 15.279233632882423,
            7: -33.28821096898486,
            8: -0.020331201708508627,
        },
        {
            0: -0.9371424300859873,
            3: 5.186372428844064,
            4: 1.0914373489967295,
            5: -8.149787010746927,
            6: -18.52006565999696,
            7: 22.739487099350505,
            8: 2.4936055526796523,
            9: -3.0467644718982196,
        },
        {
            0: 2.273310147516538,
            3: -10.53449546673725,
            4: -2.0008720582248625,
            5: -17.9589318631188,
            6: 27.94888452941996,
            7: -2.8589982771350235,
            8: -8.87285693353063,
            9: 12.360567175794303,
            10: 0.6433927460157636,
        },
    ),
    weights={
        0: 0.054293734116568765,
        5: 4.450312892752409,
        6: 1.8915178993145003,
        7: -5.801203960010585,
        8: 0.3111643669578199,
        9: -0.1521609496625161,
        10: 0.20136540080403034,
        11: 0.04471061572777259,
    },
    errors=(
        {
            0: 0.01312004499419488,
            5: -1.2251564463762044,
            6: -0.4957589496572502,
            7: 1.6643771824549864,
            8: -0.35032884874997366,
            9: 0.3341791187130175,
            10: 0.08192320648511571,
            11: -0.022355307863886294,
        },
        {
            0: -0.18980075407240762,
            5: 4.450312892752409,
            6: 1.8915178993145003,
            7: -5.801203960010585,
            8: -0.4226823213237919,
            9: -0.1521609496625161,
            10: 0.20136540080403034,
            11: 0.02265179219836082,
        },
    ),
)
"""Dormand and Prince's method of order 8(5,3): Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I,
second edition, section II.10. The tests check its order conditions and compare it with SciPy's ``DOP853``."""
