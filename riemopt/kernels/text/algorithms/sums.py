"""Sums over the rows of a table, in blocks, so that rounding grows with the number of blocks and not of rows."""

from __future__ import annotations

from collections.abc import Callable

from riemopt.kernels.text.algorithms.marks import straight

__all__ = ["BLOCK", "sum_of_rows"]

BLOCK = 1024
"""Rows that are added up before their sum joins the others."""


def sum_of_rows(terms_of: Callable[[int], tuple[float, ...]], start: int, stop: int, terms: int) -> tuple[float, ...]:
    """The sums of some terms over the rows from `start` to `stop` - 1."""
    whole = (*[0.0] * terms,)
    for first in range(start, stop, BLOCK):
        block = (*[0.0] * terms,)
        for row in range(first, min(first + BLOCK, stop)):
            block = plus(block, terms_of(row), terms)
        whole = plus(whole, block, terms)
    return whole


@straight
def plus(a: tuple[float, ...], b: tuple[float, ...], terms: int) -> tuple[float, ...]:
    """a + b, entry by entry."""
    return tuple(a[j] + b[j] for j in range(terms))
