"""What a way of taking expectations under a model offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

import sympy as sp

from riemopt.models.expectation.exponential_form import ExponentialForm

__all__ = ["Expectation"]


class Expectation(ABC):
    """A way of taking expectations under one model.

    ``str()`` says in words which way it is.
    """

    form: ExponentialForm | None
    """The log-density as an exponential family, which reduces samples to mean statistics; None if it is not one."""

    @abstractmethod
    def __str__(self) -> str: ...

    @property
    @abstractmethod
    def metric(self) -> sp.ImmutableMatrix:
        """The Fisher metric g_μν = -E[∂_μ∂_νℓ], shape (n, n); of unevaluated integrals, with quadrature."""

    @property
    @abstractmethod
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """The Amari–Chentsov tensor T_μνκ = E[∂_μℓ ∂_νℓ ∂_κℓ], shape (n, n, n)."""
