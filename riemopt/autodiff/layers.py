"""Fully connected layers at a point: the paper's Algorithms 1, 2 and 3 on the cases of a batch, as matrix products.

A layer turns what comes in, a, into s = a Wᵀ + b and goes out as φ(s); a case is a row. R and S are first and second
derivatives along a direction v of the parameters, D the derivative of a number that is pulled back. None of it is
divided by what may vanish, so saturated units do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

__all__ = ["ACTIVATIONS", "Activation", "ForwardPass", "Layer"]


class Layer(NamedTuple):
    """The parameters of a layer, or a direction or covector of that shape.

    Attributes
    ----------
    weights : array, shape (outputs, inputs)
        W.
    biases : array, shape (outputs,)
        b.
    """

    weights: Any
    biases: Any


@dataclass(frozen=True)
class Activation:
    """What units do with their sum s; each function takes the module of the arrays first.

    Attributes
    ----------
    value : callable
        s ↦ φ(s).
    slope : callable
        (s, φ) ↦ φ'(s), with its digits where a unit saturates.
    bend : callable
        (φ, φ') ↦ φ''.
    """

    value: Callable[[Any, Any], Any]
    slope: Callable[[Any, Any, Any], Any]
    bend: Callable[[Any, Any, Any], Any]


def _logistic(arrays: Any, s: Any) -> Any:
    """1/(1 + e^-s), whose exponential never overflows."""
    small = arrays.exp(-arrays.abs(s))
    return arrays.where(s >= 0, 1.0, small) / (1.0 + small)


def _logistic_slope(arrays: Any, s: Any) -> Any:
    """e^-|s| / (1 + e^-|s|)², which keeps its digits where y(1 - y) has none."""
    small = arrays.exp(-arrays.abs(s))
    return small / (1.0 + small) ** 2


ACTIVATIONS = {
    "tanh": Activation(
        lambda arrays, s: arrays.tanh(s),
        lambda arrays, s, a: 4.0 * _logistic_slope(arrays, 2.0 * s),
        lambda arrays, a, slope: -2.0 * a * slope,
    ),
    "logistic": Activation(
        _logistic,
        lambda arrays, s, a: _logistic_slope(arrays, s),
        lambda arrays, a, slope: (1.0 - 2.0 * a) * slope,
    ),
    # 1 - φ' = e^-φ
    "softplus": Activation(
        lambda arrays, s: arrays.maximum(s, 0.0) + arrays.log1p(arrays.exp(-arrays.abs(s))),
        lambda arrays, s, a: _logistic(arrays, s),
        lambda arrays, a, slope: slope * arrays.exp(-a),
    ),
    "relu": Activation(
        lambda arrays, s: arrays.maximum(s, 0.0),
        lambda arrays, s, a: arrays.asarray(s > 0, dtype=s.dtype),
        lambda arrays, a, slope: 0.0,
    ),
    "linear": Activation(
        lambda arrays, s: s,
        lambda arrays, s, a: 1.0,
        lambda arrays, a, slope: 0.0,
    ),
}
"""What hidden units may do, by name. That of ``"relu"`` has no curvature anywhere, and at its kink the slope 0."""


class ForwardPass:
    """Some cases in a network at a point, and what derivatives need of them.

    Parameters
    ----------
    arrays : module
        NumPy or CuPy.
    layers : sequence of Layer
        The parameters.
    activations : sequence of Activation
        Of all layers but the last, which is linear.
    inputs : array, shape (N, inputs)
        The cases.

    Attributes
    ----------
    z : array, shape (N, outputs)
        The outputs.
    """

    def __init__(self, arrays: Any, layers: Sequence[Layer], activations: Sequence[Activation], inputs: Any) -> None:
        self.arrays, self.layers, self._activations = arrays, layers, activations
        self._inputs, self._slopes = [inputs], []
        for layer, activation in zip(layers, activations, strict=False):
            s = self._inputs[-1] @ layer.weights.T + layer.biases
            a = activation.value(arrays, s)
            self._inputs.append(a)
            self._slopes.append(activation.slope(arrays, s, a))
        self.z = self._inputs[-1] @ layers[-1].weights.T + layers[-1].biases

    @cached_property
    def _bends(self) -> list[Any]:
        """φ'' of all hidden layers."""
        units = zip(self._activations, self._inputs[1:], self._slopes, strict=True)
        return [activation.bend(self.arrays, a, slope) for activation, a, slope in units]

    def push(self, direction: Sequence[Layer]) -> Any:
        """R z, the derivative of the outputs along a direction."""
        return self._rates(direction)[1][-1]

    def push_twice(self, direction: Sequence[Layer]) -> tuple[Any, Any]:
        """R z and S z, first and second derivatives of the outputs along a direction: Algorithms 1 and 2, upwards."""
        through, sums = self._rates(direction)
        second: Any = 0.0
        for k in range(1, len(self.layers)):
            # S a = φ'' (R s)² + φ' S s;  S s = 2 R W R a + W S a
            curved = self._bends[k - 1] * sums[k - 1] ** 2 + self._slopes[k - 1] * second
            second = 2.0 * through[k] @ direction[k].weights.T + curved @ self.layers[k].weights.T
        return sums[-1], second + self.arrays.zeros_like(self.z)

    def _rates(self, direction: Sequence[Layer]) -> tuple[list[Any], list[Any]]:
        """R a of what comes into every layer, of the first 0, and R s of its sums."""
        through: list[Any] = [0.0]
        sums = [self._inputs[0] @ direction[0].weights.T + direction[0].biases]
        for k in range(1, len(self.layers)):
            through.append(self._slopes[k - 1] * sums[-1])
            own = self._inputs[k] @ direction[k].weights.T + direction[k].biases
            sums.append(own + through[k] @ self.layers[k].weights.T)
        return through, sums

    def pull(self, covector: Any) -> list[Layer]:
        """Jᵀ of a covector of the outputs, summed over cases."""
        return [Layer(d.T @ a, d.sum(0)) for d, a in zip(self._errors(covector), self._inputs, strict=True)]

    def pull_squares(self, covector: Any) -> list[Layer]:
        """The squares of every case's Jᵀ of a covector, summed over cases.

        What a case gives to a weight is the product δ a of two numbers, so no case needs a matrix of its own.
        """
        squares = ((d * d, a * a) for d, a in zip(self._errors(covector), self._inputs, strict=True))
        return [Layer(d.T @ a, d.sum(0)) for d, a in squares]

    def _errors(self, covector: Any) -> list[Any]:
        """D s of every layer."""
        errors = [covector]
        for k in range(len(self.layers) - 1, 0, -1):
            errors.append(errors[-1] @ self.layers[k].weights * self._slopes[k - 1])
        return errors[::-1]

    def pull_rate(self, direction: Sequence[Layer], covector: Any) -> list[Layer]:
        """R of :meth:`pull` for a covector that stays as it is: Algorithm 3, downwards."""
        through, sums = self._rates(direction)
        errors = self._errors(covector)
        rate: Any = 0.0 * covector
        found = []
        for k in range(len(self.layers) - 1, -1, -1):
            weights = rate.T @ self._inputs[k]
            if k:
                weights = weights + errors[k].T @ through[k]
            found.append(Layer(weights, rate.sum(0)))
            if k:
                # R(D s) = R(D a) φ' + D a φ'' R s;  R(D a) = R Wᵀ D s + Wᵀ R(D s)
                below = rate @ self.layers[k].weights + errors[k] @ direction[k].weights
                bent = errors[k] @ self.layers[k].weights * self._bends[k - 1] * sums[k - 1]
                rate = below * self._slopes[k - 1] + bent
        return found[::-1]
