"""The tensors of a model as arrays over a field of fractions, where whatever cancels is cancelled on the way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement, permutations, product
from typing import Any

import numpy as np
import sympy as sp

from riemopt.geometry import connection, curvature
from riemopt.geometry.field import Field, Fraction
from riemopt.geometry.writing import Writer
from riemopt.models.density import Density

__all__ = ["FieldTensors"]


@dataclass(frozen=True, eq=False)
class FieldTensors:
    """The tensors of a model as arrays over a field of fractions.

    Attributes
    ----------
    model : StatisticalModel
        The model.
    entries : sympy.Matrix
        The metric as expressions.
    given_skewness : sympy.Array, optional
        The Amari–Chentsov tensor as expressions; for the α-connections.
    others : tuple of sympy.Expr
        What the field has to hold besides.
    """

    model: Density
    entries: sp.Matrix
    given_skewness: sp.NDimArray | None
    others: tuple[sp.Expr, ...]

    @cached_property
    def field(self) -> Field:
        """The field: it holds the functions in the tensors and in their derivatives."""
        # twice differentiated, the metric has no other functions in it than the skewness differentiated once
        skewness = [] if self.given_skewness is None else sp.flatten(self.given_skewness)
        return Field.of(self.model.parameters, [*self.entries, *skewness, *self.others], order=2)

    @cached_property
    def write(self) -> Writer:
        """What writes elements as expressions."""
        return Writer(self.field, self.model.some_points())

    def array(self, entries: np.ndarray) -> sp.ImmutableDenseNDimArray:
        """Elements as expressions; those that are equal, up to the sign, are written once."""
        written: dict[Any, sp.Expr] = {}

        def expression(fraction: Fraction) -> sp.Expr:
            if fraction.element not in written:
                written[fraction.element] = self.write(fraction)
            return written[fraction.element]

        return sp.ImmutableDenseNDimArray([expression(x) for x in entries.flat], entries.shape)

    @cached_property
    def metric(self) -> np.ndarray:
        """g_μν."""
        n = self.model.dimension
        lower = {(i, j): self.field(self.entries[i, j]) for i in range(n) for j in range(i + 1)}
        result = np.empty((n, n), dtype=object)
        for i, j in product(range(n), repeat=2):
            result[i, j] = lower[max(i, j), min(i, j)]
        return result

    @cached_property
    def _inverse_and_determinant(self) -> tuple[np.ndarray, Fraction]:
        inverse, determinant = self.field.inverse(self.metric.tolist())
        return np.array(inverse, dtype=object), determinant

    @property
    def inverse(self) -> np.ndarray:
        """g^μν."""
        return self._inverse_and_determinant[0]

    @property
    def determinant(self) -> Fraction:
        """det g."""
        return self._inverse_and_determinant[1]

    @cached_property
    def first(self) -> np.ndarray:
        """Γ_ναβ of the Levi-Civita connection."""
        return connection.first_kind(self.metric, self.model.parameters)

    @cached_property
    def second(self) -> np.ndarray:
        """Γ^μ_αβ of the Levi-Civita connection."""
        return connection.second_kind(self.inverse, self.first)

    @cached_property
    def skewness(self) -> np.ndarray:
        """T_μνκ."""
        assert self.given_skewness is not None
        n = self.model.dimension
        result = np.empty((n, n, n), dtype=object)
        for index in combinations_with_replacement(range(n), 3):
            entry = self.field(self.given_skewness[index])
            for place in permutations(index):
                result[place] = entry
        return result

    def alpha_first(self, a: Any) -> np.ndarray:
        """Γ^(a)_ναβ; `a` is a number or a symbol of the field."""
        return connection.alpha_first_kind(self.first, self.skewness, self.field(a))

    @cached_property
    def riemann(self) -> np.ndarray:
        """R_ρσμν."""
        return curvature.lowered_riemann(self.inverse, self.first, self.model.parameters)

    def alpha_riemann(self, a: Any) -> np.ndarray:
        """R^(a)_ρσμν."""
        plus, minus = self.alpha_first(a), self.alpha_first(-sp.sympify(a))
        return curvature.lowered_riemann(self.inverse, plus, self.model.parameters, dual=minus)

    @cached_property
    def ricci(self) -> np.ndarray:
        """R_σν."""
        return curvature.ricci(self.inverse, self.riemann)

    @cached_property
    def scalar(self) -> Fraction:
        """g^σν R_σν."""
        return curvature.scalar_curvature(self.inverse, self.ricci)
