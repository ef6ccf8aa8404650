"""Rules of traced primitives, evaluated at points: each is compiled at its first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError, UnknownNameError, UnsupportedError
from riemopt.formulas.formulas import Formulas
from riemopt.formulas.traced import pointwise_program
from riemopt.kernels.store.programs import derived_once
from riemopt.kernels.targets.target import Kernel, Target, broadcast
from riemopt.models.conditional import ConditionalModel
from riemopt.models.statistical import StatisticalModel

__all__ = ["Evaluator", "both_tolerances", "target_of"]

_TARGETS = {
    "numpy": ("numpy", "NumpyTarget"),
    "numba": ("numba", "NumbaTarget"),
    "cupy": ("cupy", "CupyTarget"),
}

Tolerances = tuple[float, float]
Arguments = Sequence[tuple[str, tuple[int, ...]]]
Outputs = Sequence[tuple[int, ...]]


def target_of(backend: str) -> Target:
    """What runs the kernels of a backend."""
    if backend not in _TARGETS:
        raise UnknownNameError("backend", backend, _TARGETS)
    module, name = _TARGETS[backend]
    return getattr(importlib.import_module(f"riemopt.kernels.targets.{module}"), name)()  # type: ignore[no-any-return]


def both_tolerances(rtol: float, atol: float | None) -> Tolerances:
    """The relative and the absolute tolerance of an integration."""
    both = rtol, 0.01 * rtol if atol is None else atol
    if not (min(both) >= 0.0 and 0.0 < sum(both) < np.inf):
        raise ArgumentError(f"rtol and atol must be at least 0, and one of them positive, not {both}")
    return both


class Evaluator:
    """Evaluates rules on batches of points and vectors, and keeps their kernels.

    Parameters
    ----------
    model : StatisticalModel or ConditionalModel
        The model. That of a conditional model has no geometry without data, and evaluating anything raises.
    target : Target
        What runs the kernels.
    formulas : callable
        Gives the formulas of the model; called only where a rule has to be derived.
    settings : str
        What the formulas depend on besides the model.
    """

    def __init__(
        self,
        model: StatisticalModel | ConditionalModel,
        target: Target,
        formulas: Callable[[], Formulas],
        settings: str,
    ) -> None:
        self.target = target
        self._model, self._formulas, self._settings = model, formulas, settings
        self._kernels: dict[Any, Kernel] = {}

    def require_geometry(self) -> None:
        """Raise :class:`~riemopt.errors.UnsupportedError` for a model whose geometry is a mean over inputs."""
        if isinstance(self._model, ConditionalModel):
            raise UnsupportedError(
                f"the geometry of {self._model.name} is a mean over inputs: "
                "ask the problem that likelihood(targets, inputs=...) makes"
            )

    def broadcast(self, *given: tuple[str, Any]) -> tuple[tuple[int, ...], list[np.ndarray]]:
        """Points and vectors, each with its name, on the broadcast of their leading axes; see :func:`broadcast`."""
        arguments = [(name, (self._model.dimension,)) for name, _ in given]
        return broadcast([array for _, array in given], arguments, self.target.arrays)

    def __call__(
        self,
        key: Any,
        rule: Callable[..., Any],
        arrays: Sequence[Any],
        outputs: Outputs,
        tolerances: Tolerances | None = None,
    ) -> np.ndarray:
        """The first value of a rule; see :meth:`run`."""
        return self.run(key, rule, arrays, outputs, tolerances, status=False)[0]

    def run(
        self,
        key: Any,
        rule: Callable[..., Any],
        arrays: Sequence[Any],
        outputs: Outputs,
        tolerances: Tolerances | None = None,
        arguments: Arguments | None = None,
        status: bool = True,
    ) -> list[np.ndarray]:
        """The status, if it is wanted, and the values of a rule.

        Parameters
        ----------
        key : hashable
            What tells the rule from others.
        rule : callable
            Takes traced primitives and a traced vector for each array; returns a value, or a tuple of values.
        arrays : sequence of array_like, shape (..., n)
            Points and vectors.
        outputs : sequence of tuple of int
            The trailing axes of each value.
        tolerances : tuple of float, optional
            The relative and the absolute tolerance, of a rule that integrates.
        arguments : sequence of (str, tuple of int), optional
            What the arrays are called and their trailing axes; by default points, and vectors.
        status : bool, optional
            Whether the status comes first.
        """
        self.require_geometry()
        kernel = self._kernels.get(key)
        if kernel is None:
            if arguments is None:
                names = ["points", *(["vectors"] * (len(arrays) - 1))]
                arguments = [(name, (self._model.dimension,)) for name in names]
            sizes = [axes[0] for _, axes in arguments]
            program = derived_once(
                self._identity(key, sizes),
                lambda: pointwise_program(self._formulas(), rule, sizes, tolerances=tolerances is not None),
            )
            kernel = Kernel(self.target, program, arguments, outputs, constants=2 if tolerances else 0, status=status)
            self._kernels[key] = kernel
        return kernel(*arrays, constants=tolerances or ())

    def _identity(self, key: Any, sizes: Sequence[int]) -> str | None:
        """All that the program of a rule depends on."""
        model = None if isinstance(self._model, ConditionalModel) else self._model.identity
        return None if model is None else f"{key} {sizes} {self._settings}\0{model}"
