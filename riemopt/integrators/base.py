"""Integrator: one step of a method, written once in array notation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from riemopt.errors import ArgumentError, UnknownNameError

__all__ = ["Integrator", "by_name", "names", "register"]


class Integrator(ABC):
    """A rule that moves a point by combining a problem's primitives.

    A subclass writes :meth:`step` for one trajectory, with points of shape ``(n,)`` and a number `h`, in ordinary NumPy
    notation. What a step hands to the next one goes through `memory`: a state kept on `self` would outlive the
    trajectory and meet the next one of a batch. On a symbolic problem the rule is traced into a compiled kernel; a
    rule that cannot be traced (it branches on a value, or keeps a state of its own) runs as it stands, and so does
    every rule on every other problem.

    Attributes
    ----------
    needs : tuple of str
        The primitives that the rule calls, to tell a user early that a problem does not offer one.

    Examples
    --------
    >>> import riemopt as ro
    >>> class Heun(ro.Integrator):
    ...     def step(self, problem, theta, h, memory):
    ...         v = -problem.natural_gradient(theta)
    ...         w = -problem.natural_gradient(theta + h * v)
    ...         return theta + h / 2 * (v + w), memory
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def init(self, problem: Any, theta: Any, h: Any) -> Any:
        """What the first step finds in its memory: None, an array, or a tuple, list or dictionary of arrays."""
        return None

    @abstractmethod
    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """One step.

        Parameters
        ----------
        problem : Problem
            Where the primitives come from.
        theta : array, shape (n,)
            The point.
        h : float
            The step size.
        memory : object
            What :meth:`init` or the step before returned.

        Returns
        -------
        theta, memory
            The next point, and what the next step is to find in its memory, of the same layout.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


_REGISTRY: dict[str, Callable[[], Integrator]] = {}


def register(key: str) -> Callable[[type[Integrator]], type[Integrator]]:
    """Make an integrator known by a key."""

    def enter(cls: type[Integrator]) -> type[Integrator]:
        _REGISTRY[key] = cls
        return cls

    return enter


def names() -> tuple[str, ...]:
    """The keys that a string may be wherever an integrator is asked for.

    Examples
    --------
    >>> import riemopt as ro
    >>> "geo" in ro.integrators.names()
    True
    """
    return tuple(_REGISTRY)


def by_name(integrator: str | Integrator) -> Integrator:
    """The integrator of a key; an integrator is returned as it is.

    Raises
    ------
    UnknownNameError
        If there is no such key; the nearest ones are suggested.
    """
    if isinstance(integrator, Integrator):
        return integrator
    if isinstance(integrator, type) and issubclass(integrator, Integrator):
        raise ArgumentError(f"give an integrator, not its class: {integrator.__name__}()")
    if not isinstance(integrator, str):
        raise ArgumentError(f"an integrator is a key or an Integrator, not {type(integrator).__name__}")
    if integrator not in _REGISTRY:
        raise UnknownNameError("integrator", integrator, _REGISTRY)
    return _REGISTRY[integrator]()
