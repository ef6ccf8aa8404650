"""Standard spaces: geodesics in closed form, written once in array notation, for numbers and for traced arrays.

Every space has coordinates u of its own, one point a vector; :mod:`riemopt.geometry.closed_forms` finds the ones that a
model is isometric to. Sources: the half-space model of hyperbolic space and the sphere as in M. P. do Carmo,
*Riemannian Geometry*, chapters 3 and 8.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Flat", "HalfSpace", "Simplex", "Space"]


class Space(ABC):
    """A space whose geodesics are known."""

    dimension: int

    @abstractmethod
    def metric(self, u: Any) -> Any:
        """The metric at a point, shape (m, m)."""

    @abstractmethod
    def exp(self, u: Any, w: Any) -> Any:
        """Where the geodesic from u with velocity w is after unit time."""

    @abstractmethod
    def log(self, u: Any, target: Any) -> Any:
        """The velocity of the geodesic from u that reaches a target in unit time."""

    @abstractmethod
    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """The vector z at u, carried parallel to itself along the geodesic to ``exp(u, w)``."""

    def leaving(self, u: Any, w: Any) -> Any:
        """One over the time at which the geodesic leaves the space; 0 if it never does."""
        return 0.0 * w[0]


@dataclass(frozen=True)
class Flat(Space):
    """A box of flat space, its metric the same everywhere.

    Attributes
    ----------
    form : tuple of tuple of float
        The metric.
    lower, upper : tuple of float
        The bounds of each coordinate, which may be infinite.
    """

    form: tuple[tuple[float, ...], ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    @property
    def dimension(self) -> int:  # type: ignore[override]
        """See :class:`Space`."""
        return len(self.lower)

    def metric(self, u: Any) -> Any:
        """See :class:`Space`."""
        return np.array(self.form)

    def exp(self, u: Any, w: Any) -> Any:
        """See :class:`Space`."""
        return u + w

    def log(self, u: Any, target: Any) -> Any:
        """See :class:`Space`."""
        return target - u

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`."""
        return z

    def leaving(self, u: Any, w: Any) -> Any:
        """See :class:`Space`."""
        rate = 0.0 * w[0]
        for i, (low, high) in enumerate(zip(self.lower, self.upper, strict=True)):
            if math.isfinite(low):
                rate = np.maximum(rate, -w[i] / (u[i] - low))
            if math.isfinite(high):
                rate = np.maximum(rate, w[i] / (high - u[i]))
        return rate


@dataclass(frozen=True)
class HalfSpace(Space):
    """Hyperbolic space as the half-space y > 0 with metric R² (|dx|² + dy²) / y²; the last coordinate is y.

    Attributes
    ----------
    dimension : int
        The number of coordinates.
    radius : float
        R.
    lower, upper : float, optional
        Bounds of x in the half-plane: what is left of it if the model goes no further.
    """

    dimension: int
    radius: float = 1.0
    lower: float = -math.inf
    upper: float = math.inf

    def metric(self, u: Any) -> Any:
        """See :class:`Space`."""
        return np.eye(self.dimension) * (self.radius / u[-1]) ** 2

    def exp(self, u: Any, w: Any) -> Any:
        """See :class:`Space`; a half-circle about a point of the edge, or a vertical line."""
        speed, sines, _, rest = _direction(u, w)
        fall = np.exp(-speed) + rest * np.sinh(speed)
        across = u[:-1] + u[-1] * sines * np.sinh(speed) / fall
        return np.concatenate([across, np.stack([u[-1] / fall])])

    def log(self, u: Any, target: Any) -> Any:
        """See :class:`Space`."""
        across, rise = target[:-1] - u[:-1], target[-1] - u[-1]
        width = (across * across).sum()
        square = (width + rise * rise) / (4.0 * u[-1] * target[-1])
        root = np.sqrt(square)
        # d / sinh d, the distance being d = 2 asinh √q
        ratio = np.where(square > 0.0, np.arcsinh(root) / np.where(square > 0.0, root, 1.0), 1.0)
        shrink = ratio / np.sqrt(1.0 + square)
        up = (width + rise * (target[-1] + u[-1])) / (2.0 * target[-1])
        return shrink * np.concatenate([across * u[-1] / target[-1], np.stack([up])])

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`; in the plane of the geodesic, angles to it are kept, and all lengths in units of y."""
        speed, sines, cosine, rest = _direction(u, w)
        fall = np.exp(-speed) + rest * np.sinh(speed)
        sine = np.sqrt((sines * sines).sum())
        forward = np.where(sine > 0.0, sines / np.where(sine > 0.0, sine, 1.0), 0.0)
        sine_there, cosine_there = sine / fall, (np.exp(-speed) - rest * np.cosh(speed)) / fall
        # of the angle by which the direction has turned
        turn_cosine = cosine * cosine_there + sine * sine_there
        turn_sine = sine_there * cosine - cosine_there * sine
        along = (forward * z[:-1]).sum()
        turned = z[-1] * turn_sine + along * turn_cosine
        up = z[-1] * turn_cosine - along * turn_sine
        return np.concatenate([z[:-1] + (turned - along) * forward, np.stack([up])]) / fall

    def leaving(self, u: Any, w: Any) -> Any:
        """See :class:`Space`."""
        rate = 0.0 * w[0]
        if not (math.isfinite(self.lower) or math.isfinite(self.upper)):
            return rate
        speed, sines, cosine, _ = _direction(u, w)
        for bound in (self.lower, self.upper):
            if math.isfinite(bound):
                ratio = (bound - u[0]) / (u[-1] * sines[0])
                reached = (ratio > 0.0) & (ratio < 1.0 + ratio * cosine)
                way = np.arctanh(np.where(reached, ratio / (1.0 + ratio * cosine), 0.5))
                rate = np.where(reached, np.maximum(rate, speed / way), rate)
        return rate


def _direction(u: Any, w: Any) -> tuple[Any, Any, Any, Any]:
    """Of a velocity in the half-space: its length s in units of y, its direction (sines, cosine), and 1 - cosine."""
    length = np.sqrt((w * w).sum())
    safe = np.where(length > 0.0, length, 1.0)
    sines, cosine = w[:-1] / safe, np.where(length > 0.0, w[-1] / safe, 1.0)
    rest = np.where(cosine > 0.0, (sines * sines).sum() / (1.0 + cosine), 1.0 - cosine)
    return length / u[-1], sines, cosine, rest


@dataclass(frozen=True)
class Simplex(Space):
    """The probabilities of n + 1 outcomes, the last one left out: a part of a sphere, the square roots on it.

    Attributes
    ----------
    dimension : int
        n.
    scale : float
        The metric is this number times that of one categorical observation.
    """

    dimension: int
    scale: float = 1.0

    def metric(self, u: Any) -> Any:
        """See :class:`Space`."""
        return self.scale * (np.eye(self.dimension) / u + 1.0 / (1.0 - u.sum()))

    def exp(self, u: Any, w: Any) -> Any:
        """See :class:`Space`; a great circle."""
        roots, speed, _, across = self._circle(u, w)
        return (roots * np.cos(speed) + across * np.sin(speed))[:-1] ** 2

    def log(self, u: Any, target: Any) -> Any:
        """See :class:`Space`."""
        start, end = _outcomes(u), _outcomes(target)
        roots = np.sqrt(start)
        step = _with_last(target - u) / (np.sqrt(end) + roots)
        chord = (step * step).sum()
        angle = 2.0 * np.arcsin(0.5 * np.sqrt(chord))
        stretch = np.where(angle > 0.0, angle / np.where(angle > 0.0, np.sin(angle), 1.0), 1.0)
        return (2.0 * roots * stretch * (step + 0.5 * chord * roots))[:-1]

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`; what is across the great circle stays as it is."""
        roots, speed, _, across = self._circle(u, w)
        carried = 0.5 * _with_last(z) / roots
        along = (carried * across).sum()
        turned = carried - along * (2.0 * np.sin(0.5 * speed) ** 2 * across + np.sin(speed) * roots)
        return (2.0 * (roots * np.cos(speed) + across * np.sin(speed)) * turned)[:-1]

    def leaving(self, u: Any, w: Any) -> Any:
        """See :class:`Space`; where the first of the roots reaches 0."""
        roots, speed, _, across = self._circle(u, w)
        return speed / np.min(np.arctan2(roots, -across))

    def _circle(self, u: Any, w: Any) -> tuple[Any, Any, Any, Any]:
        """The square roots, and their velocity: its length, itself and its direction."""
        roots = np.sqrt(_outcomes(u))
        velocity = 0.5 * _with_last(w) / roots
        speed = np.sqrt((velocity * velocity).sum())
        return roots, speed, velocity, velocity / np.where(speed > 0.0, speed, 1.0)


def _outcomes(u: Any) -> Any:
    """All probabilities, the last one included."""
    return np.concatenate([u, np.stack([1.0 - u.sum()])])


def _with_last(w: Any) -> Any:
    """A vector with the component of the last probability."""
    return np.concatenate([w, np.stack([-w.sum()])])
