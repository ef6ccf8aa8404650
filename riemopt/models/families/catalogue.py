"""Models of the catalogue by their names."""

from __future__ import annotations

from collections.abc import Callable

from riemopt.errors import UnknownNameError
from riemopt.models.families import counts, half_line, real_line, several, unit_interval
from riemopt.models.statistical import StatisticalModel

__all__ = ["family", "names"]

_FAMILIES: dict[str, Callable[[], StatisticalModel]] = {
    name.lower(): getattr(module, name)
    for module in (real_line, half_line, unit_interval, counts, several)
    for name in module.__all__
}
"""The functions of the catalogue by their names in lower case."""


def names() -> tuple[str, ...]:
    """The families that :func:`riemopt.models.family` knows, in alphabetical order.

    Examples
    --------
    >>> names()[:4]
    ('bernoulli', 'beta', 'betaprime', 'binomial')
    """
    return tuple(sorted(_FAMILIES))


def family(name: str) -> StatisticalModel:
    """A model of the catalogue by its name, in any case.

    Parameters
    ----------
    name : str
        One of :func:`riemopt.models.names`. Numbers that a family wants, as of trials, have their defaults.

    Raises
    ------
    UnknownNameError
        If there is no such family; the nearest names are suggested.

    Examples
    --------
    >>> family("gamma")
    Gamma(alpha, beta): alpha > 0, beta > 0
    """
    try:
        return _FAMILIES[name.lower()]()
    except KeyError:
        raise UnknownNameError("family", name, _FAMILIES) from None
