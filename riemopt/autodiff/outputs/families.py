"""Outputs with a name: the distribution of targets given natural parameters z, on arrays of any framework.

They are written so that they keep their digits where an output saturates: a probability p is known together with 1 - p.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from riemopt.autodiff.outputs.base import NetworkOutput
from riemopt.errors import ArgumentError, DataError, ModelError, ShapeError

__all__ = ["Bernoulli", "Categorical", "Doubled", "Gaussian", "Poisson", "Residuals"]


class Gaussian(NetworkOutput):
    """Independent normal distributions about the outputs: half the squared residuals over the variance.

    Parameters
    ----------
    arrays : module
        See :class:`NetworkOutput`.
    scale : float
        The standard deviation.
    """

    name = "gaussian"

    def __init__(self, arrays: Any, scale: float = 1.0) -> None:
        super().__init__(arrays)
        if not (isinstance(scale, (int, float)) and math.isfinite(scale) and scale > 0):
            raise ArgumentError(f"scale must be a positive number, not {scale!r}")
        self.scale = float(scale)

    def __repr__(self) -> str:
        return f"{self.name} of scale {self.scale}"

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        residuals = (z - t) / self.scale
        width = math.prod(z.shape[1:])
        return self._total(0.5 * residuals * residuals) + 0.5 * width * math.log(2.0 * math.pi * self.scale**2)

    def slope(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return (z - t) / self.scale**2

    def hessian(self, z: Any, u: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return u / self.scale**2

    def third(self, z: Any, u: Any, w: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return 0.0 * u

    def factors(self, z: Any) -> Iterator[Any]:
        """See :class:`NetworkOutput`."""
        return self._units(z, self.arrays.ones_like(z) / self.scale)


class Residuals(Gaussian):
    """Normal distributions of a common scale that is not known: the losses are half the squared residuals.

    What profiles the scale out divides by the variance that fits best: see ``NetworkPoint``.
    """

    def __repr__(self) -> str:
        return f"{self.name} of a scale that is not known"

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._total(0.5 * (z - t) * (z - t))


class Doubled(Gaussian):
    """Normal distributions with losses of twice their size, the squared residuals over the variance.

    The code published with the paper has these for linear outputs; slopes and products are those of the halves.
    """

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        residuals = (z - t) / self.scale
        return self._total(residuals * residuals)


class Bernoulli(NetworkOutput):
    """Independent probabilities with logits z; targets are 0, 1, or probabilities."""

    name = "bernoulli"

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`; log(1 + e^z) - t z."""
        size = self.arrays.abs(z)
        missed = self.arrays.where(z > 0, 1.0 - t, t)
        return self._total(self.arrays.log1p(self.arrays.exp(-size)) + size * missed)

    def slope(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        rare, _ = self._rarer(z)
        return self.arrays.where(z > 0, (1.0 - t) - rare, rare - t)

    def hessian(self, z: Any, u: Any) -> Any:
        """See :class:`NetworkOutput`; y(1 - y) u."""
        rare, frequent = self._rarer(z)
        return rare * frequent * u

    def third(self, z: Any, u: Any, w: Any) -> Any:
        """See :class:`NetworkOutput`; y(1 - y)(1 - 2y) u w."""
        return -self.arrays.tanh(0.5 * z) * self.hessian(z, u * w)

    def factors(self, z: Any) -> Iterator[Any]:
        """See :class:`NetworkOutput`."""
        rare, frequent = self._rarer(z)
        return self._units(z, self.arrays.sqrt(rare * frequent))

    def _wrong(self, t: Any) -> tuple[Any, str]:
        return ~((t >= 0) & (t <= 1)), "is not between 0 and 1"

    def _rarer(self, z: Any) -> tuple[Any, Any]:
        """The probabilities of the rarer and of the more frequent value."""
        odds = self.arrays.exp(-self.arrays.abs(z))
        return odds / (1.0 + odds), 1.0 / (1.0 + odds)


class Categorical(NetworkOutput):
    """Categories along the last axis with logits z; targets are labels 0, 1, ..., or rows of probabilities."""

    name = "categorical"

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`; log Σ e^z - z·t."""
        a = self.arrays
        peak, others, _ = self._peaked(z)
        below = peak[..., None] - z
        missed = a.where(self._one_hot(t, z) > 0, self._one_hot(t, z) * below, 0.0 * below).sum(-1)
        terms = a.log1p(others.sum(-1)) + missed
        return self._total(terms)

    def slope(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        _, others, top = self._peaked(z)
        total = others.sum(-1)[..., None]
        chosen = self._one_hot(t, z)
        return self.arrays.where(top, (1.0 - chosen) - total / (1.0 + total), others / (1.0 + total) - chosen)

    def hessian(self, z: Any, u: Any) -> Any:
        """See :class:`NetworkOutput`; y∘(u - y·u)."""
        y, _, top = self._probabilities(z)
        return y * self._centred(y, top, u)

    def third(self, z: Any, u: Any, w: Any) -> Any:
        """See :class:`NetworkOutput`; the third cumulant under y, y∘(c d - y·(c d)) for centred c and d."""
        y, rest, top = self._probabilities(z)
        products = self._centred(y, top, u) * self._centred(y, top, w)
        a = self.arrays
        # at the top 1 - y is known better than y
        others = a.where(top, 0.0 * y, y * products).sum(-1)[..., None]
        highest = a.where(top, products, 0.0 * products).sum(-1)[..., None]
        mean = others + highest * a.where(top, y, 0.0 * y).sum(-1)[..., None]
        return y * a.where(top, rest * products - others, products - mean)

    def factors(self, z: Any) -> Iterator[Any]:
        """See :class:`NetworkOutput`; √y_k (e_k - y)."""
        y, rest, top = self._probabilities(z)
        places = self._places(z)
        for k in range(z.shape[-1]):
            own = self.arrays.where(places == k, 0.0 * y + 1.0, 0.0 * y)
            away = self.arrays.where((places == k) & top, rest, own - y)
            yield self.arrays.sqrt(y[..., k : k + 1]) * away

    def targets(self, t: Any, z: Any) -> Any:
        """See :class:`NetworkOutput`; labels, or rows of probabilities that add up to 1."""
        a, width = self.arrays, z.shape[-1]
        if width < 2:
            raise ModelError("a categorical output needs at least two outputs, one a category")
        given = a.asarray(t)
        if tuple(given.shape) == tuple(z.shape):
            given = a.asarray(given, dtype=z.dtype)
            fits = (given >= 0).all(-1) & (a.abs(given.sum(-1) - 1.0) < 1e-5)
            if not bool(fits.all()):
                raise DataError("targets of a categorical output are labels, or rows of probabilities that add up to 1")
            return given
        if tuple(given.shape) != tuple(z.shape[:-1]):
            wanted = tuple(z.shape[:-1])
            raise ShapeError(f"targets has shape {tuple(given.shape)}, but labels of these outputs have shape {wanted}")
        labels = a.asarray(given, dtype=a.int32)
        self._require(
            (labels == given) & (labels >= 0) & (labels < width), given, f"is not a label 0, ..., {width - 1}"
        )
        return labels

    def _one_hot(self, t: Any, z: Any) -> Any:
        """Targets as probabilities."""
        if t.ndim == z.ndim:
            return t
        hit = t[..., None] == self._places(z)
        return self.arrays.where(hit, self.arrays.ones_like(z), self.arrays.zeros_like(z))

    def _peaked(self, z: Any) -> tuple[Any, Any, Any]:
        """The largest logit, e^z over its own for all others (0 for itself), and which it is."""
        a = self.arrays
        place = a.argmax(z, -1)
        top = place[..., None] == self._places(z)
        peak = a.where(top, z, a.zeros_like(z)).sum(-1)
        return peak, a.where(top, a.zeros_like(z), a.exp(z - peak[..., None])), top

    def _probabilities(self, z: Any) -> tuple[Any, Any, Any]:
        """y, 1 - y of the largest, and which that is."""
        _, others, top = self._peaked(z)
        total = others.sum(-1)[..., None]
        return self.arrays.where(top, 1.0 / (1.0 + total), others / (1.0 + total)), total / (1.0 + total), top

    def _centred(self, y: Any, top: Any, u: Any) -> Any:
        """u - y·u, where the mean is that of differences from the entry at the top."""
        a = self.arrays
        away = u - a.where(top, u, a.zeros_like(u)).sum(-1)[..., None]
        return away - (y * away).sum(-1)[..., None]


class Poisson(NetworkOutput):
    """Independent counts whose means have the logarithms z."""

    name = "poisson"

    def __init__(self, arrays: Any, special: Any) -> None:
        super().__init__(arrays)
        self._special = special

    def losses(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self._total(self.arrays.exp(z) - t * z + self._special.gammaln(t + 1.0))

    def slope(self, z: Any, t: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self.arrays.exp(z) - t

    def hessian(self, z: Any, u: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self.arrays.exp(z) * u

    def third(self, z: Any, u: Any, w: Any) -> Any:
        """See :class:`NetworkOutput`."""
        return self.arrays.exp(z) * u * w

    def factors(self, z: Any) -> Iterator[Any]:
        """See :class:`NetworkOutput`."""
        return self._units(z, self.arrays.exp(0.5 * z))

    def _wrong(self, t: Any) -> tuple[Any, str]:
        a = self.arrays
        return ~((t >= 0) & (t == a.floor(t)) & a.isfinite(t)), "is not a count 0, 1, 2, ..."
