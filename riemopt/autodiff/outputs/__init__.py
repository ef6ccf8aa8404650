"""Outputs of networks: the distribution of targets given natural parameters, by name or by a log-partition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from riemopt.autodiff.outputs.base import NetworkOutput
from riemopt.autodiff.outputs.families import Bernoulli, Categorical, Doubled, Gaussian, Poisson, Residuals
from riemopt.autodiff.outputs.log_partition import FormulaOutput, FunctionOutput
from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.models import ExponentialFamily

__all__ = [
    "NAMES",
    "Bernoulli",
    "Categorical",
    "Doubled",
    "FormulaOutput",
    "Framework",
    "FunctionOutput",
    "Gaussian",
    "NetworkOutput",
    "Poisson",
    "Residuals",
    "output_of",
]

NAMES = ("gaussian", "bernoulli", "categorical", "poisson")


class Framework(NamedTuple):
    """What outputs are computed with.

    Attributes
    ----------
    arrays : module
        NumPy, CuPy, ``jax.numpy``, or a namespace of PyTorch's with the same names.
    special : module
        Its special functions, under SciPy's names.
    gradient : callable or None
        Makes of a function of an array with one number as its value its gradient, if there is such a thing.
    """

    arrays: Any
    special: Any
    gradient: Callable[[Callable[[Any], Any]], Any] | None = None


def output_of(output: Any, framework: Framework, scale: float | None = 1.0) -> NetworkOutput:
    """The output that a user named or defined.

    Parameters
    ----------
    output : str, ExponentialFamily, callable or NetworkOutput
        A name; a log-partition, as a formula or as a function of the framework; or an output already made.
    framework : Framework
        What it is computed with.
    scale : float, optional
        The standard deviation of a gaussian output; None if it is not known.

    Raises
    ------
    UnknownNameError
        If there is no such name.
    ArgumentError
        If a function is given that nothing can differentiate.
    """
    arrays, special, gradient = framework
    if isinstance(output, NetworkOutput):
        return output
    if isinstance(output, ExponentialFamily):
        return FormulaOutput(output, arrays, special)
    if callable(output):
        if gradient is None:
            raise ArgumentError("a log-partition of plain arrays must be a riemopt.ExponentialFamily, not a function")
        return FunctionOutput(output, arrays, gradient)
    if output == "gaussian":
        return Residuals(arrays) if scale is None else Gaussian(arrays, scale)
    if output == "bernoulli":
        return Bernoulli(arrays)
    if output == "categorical":
        return Categorical(arrays)
    if output == "poisson":
        return Poisson(arrays, special)
    raise UnknownNameError("output", output, NAMES)
