"""Integrator: one step of a method, written once in array notation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.integrators.path import Path

__all__ = ["Integrator", "Orders", "PathIntegrator", "by_name", "names", "register"]


class Orders(NamedTuple):
    """The powers of the step size h with which a method approaches three things at a fixed final time.

    Attributes
    ----------
    flow : float
        The natural gradient flow; infinite for the flow itself, 0 for a method that goes elsewhere.
    riemannian_euler : float
        The Riemannian Euler method of the same step size.
    invariance : float
        Itself in another chart, measured by the Fisher–Rao distance; infinite where it does not care about the chart.
    """

    flow: float
    riemannian_euler: float
    invariance: float


class Integrator(ABC):
    """A rule that moves a point by combining a problem's primitives.

    A subclass writes :meth:`step` for one trajectory, with points of shape ``(n,)`` and a number `h`, in ordinary NumPy
    notation. What a step hands to the next one goes through `memory`: a state kept on `self` would outlive the
    trajectory and meet the next one of a batch. On a symbolic problem the rule is traced into a compiled kernel; a
    rule that cannot be traced (it branches on a value, or keeps a state of its own) runs as it stands, and so does
    every rule on every other problem. Traced with numbers it never sees, a rule that has side effects should say
    ``traceable = False``.

    Attributes
    ----------
    needs : tuple of str
        The primitives that the rule calls, to tell a user early that a problem does not offer one.
    traceable : bool
        Whether to try to trace it.
    recovers : bool
        Whether the rule copes with primitives that are not finite, by trying something else. Only a point that is not
        finite then ends a trajectory, for the last reason that a primitive gave.
    orders : Orders or None
        Its orders according to theory, where they are known.

    Examples
    --------
    >>> import riemopt as ro
    >>> class Heun(ro.Integrator):
    ...     def step(self, problem, theta, h, memory):
    ...         v = -problem.natural_gradient(theta)
    ...         w = -problem.natural_gradient(theta + h * v)
    ...         return theta + h / 2 * (v + w), memory
    """

    needs: tuple[str, ...] = ()
    traceable: bool = True
    recovers: bool = False
    orders: Orders | None = None

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

    def path(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Path, Any]:
        """The way of one step, for a driver that may go a part of it only; here the straight line to its end.

        Takes what :meth:`step` takes.

        Returns
        -------
        path : Path
            Leads to the next point in the time h; it has a `velocity`, and ``path.at(t)``.
        memory : object
            As from :meth:`step`.
        """
        end, memory = self.step(problem, theta, h, memory)
        return Path(theta, (end - theta) / h), memory

    def remember(self, path: Path, t: Any, h: Any, memory: Any) -> Any:
        """What the next step finds in its memory if a driver has gone along a path for a time other than h.

        Parameters
        ----------
        path : Path
            Where the step led, without the correction if the driver left it out.
        t : float
            How far it was followed; 0 for a step that was refused.
        h : float
            The step size.
        memory : object
            What the step returned.
        """
        return memory

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PathIntegrator(Integrator):
    """A rule that follows a path for the time h; a subclass writes :meth:`path`."""

    @abstractmethod
    def path(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Path, Any]:
        """See :class:`riemopt.Integrator`."""

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        path, memory = self.path(problem, theta, h, memory)
        return path.at(h), memory


_REGISTRY: dict[str, Callable[[], Integrator]] = {}


def register(key: str, **arguments: Any) -> Callable[[type[Integrator]], type[Integrator]]:
    """Make an integrator with some arguments known by a key."""

    def enter(cls: type[Integrator]) -> type[Integrator]:
        _REGISTRY[key] = partial(cls, **arguments)
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

    Parameters
    ----------
    integrator : str or Integrator
        A key of :func:`names`, or an integrator.

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
