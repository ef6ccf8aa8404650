"""Modules of PyTorch as functions of one flat vector: the free parameters in order, all else as it is."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from riemopt.errors import ModelError, ShapeError

try:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    attention_by_parts = functools.partial(sdpa_kernel, SDPBackend.MATH)
except ImportError:  # PyTorch 2.1 and 2.2
    attention_by_parts = functools.partial(
        torch.backends.cuda.sdp_kernel, enable_flash=False, enable_mem_efficient=False
    )

__all__ = [
    "Data",
    "ModuleFunction",
    "as_tensor",
    "close",
    "is_finite",
    "leaves_of",
    "placed",
    "require_cases",
    "rows_of",
    "sliced",
]

Data = Any
"""What a module is given: a tensor, a tuple of its arguments, or a dictionary of them, cases along the first axis."""


def leaves_of(data: Data) -> list[Any]:
    """The tensors of data."""
    if isinstance(data, dict):
        return list(data.values())
    return list(data) if isinstance(data, tuple) else [data]


def as_tensor(array: Any, **options: Any) -> Any:
    """A tensor without a history; of what is none, a copy, for whoever has that may change it."""
    if isinstance(array, torch.Tensor):
        return array.detach().to(**options)
    return torch.tensor(np.asarray(array), **options)


def placed(data: Data, dtype: Any, device: Any) -> Data:
    """Data on a device, numbers that are not whole in a precision."""

    def there(leaf: Any) -> Any:
        tensor = as_tensor(leaf, device=device)
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    if isinstance(data, dict):
        return {name: there(leaf) for name, leaf in data.items()}
    return tuple(there(leaf) for leaf in data) if isinstance(data, tuple) else there(data)


def drawn_like(tensor: Any, generator: Any) -> Any:
    """Normal random numbers of the shape, precision and place of a tensor, the same wherever that is."""
    numbers = torch.randn(tensor.shape, generator=generator, dtype=torch.float64, device="cpu")
    return numbers.to(dtype=tensor.dtype, device=tensor.device)


def rows_of(data: Data) -> int:
    """The number of cases.

    Raises
    ------
    ShapeError
        If there are none, or not as many in all tensors.
    """
    rows = {leaf.shape[0] if leaf.ndim else 0 for leaf in leaves_of(data)}
    if len(rows) != 1 or 0 in rows:
        raise ShapeError(f"inputs must be tensors of as many rows as there are cases, not of {sorted(rows)} rows")
    return int(rows.pop())


def is_finite(data: Data) -> bool:
    """Whether all numbers are finite."""
    return all(bool(torch.isfinite(leaf).all()) for leaf in leaves_of(data))


def sliced(data: Data, rows: slice) -> Data:
    """Some of the cases."""
    if isinstance(data, dict):
        return {name: leaf[rows] for name, leaf in data.items()}
    return tuple(leaf[rows] for leaf in data) if isinstance(data, tuple) else data[rows]


class ModuleFunction:
    """A module as a function of its free parameters; the module itself is left as it is.

    Parameters
    ----------
    module : torch.nn.Module
        The module. Parameters that require a gradient are free, one that occurs twice once.

    Attributes
    ----------
    names : tuple of str
        Of the free parameters, as in ``module.named_parameters()``.
    shapes : tuple of torch.Size
        Their shapes.
    start : tensor, shape (n,)
        Their values, one after the other.

    Raises
    ------
    ModelError
        If no parameter is free, they differ in precision or device, one is not finite, or the module's outputs would be
        random or depend on what other cases there are.
    """

    def __init__(self, module: Any) -> None:
        if not isinstance(module, nn.Module):
            raise ModelError(f"module must be a torch.nn.Module, not {module!r:.80}")
        _require_repeatable(module)
        free = {name: p for name, p in module.named_parameters() if p.requires_grad}
        if not free:
            raise ModelError("the module has no parameter that requires a gradient")
        kinds = {(p.dtype, p.device) for p in free.values()}
        if len(kinds) > 1 or not next(iter(kinds))[0].is_floating_point:
            listed = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ModelError(f"the free parameters must be real, of one precision and on one device, not {listed}")
        ((self.dtype, self.device),) = kinds
        self.names, self.shapes = tuple(free), tuple(p.shape for p in free.values())
        self.start = self.flat([p.detach() for p in free.values()])
        if not bool(torch.isfinite(self.start).all()):
            raise ModelError("a parameter of the module is not finite")
        self._module = module
        # copies, for a module that counts or averages as it is called
        self._buffers = {name: buffer.detach().clone() for name, buffer in module.named_buffers()}

    def __call__(self, parameters: Sequence[Any], data: Data) -> Any:
        """The outputs, given the free parameters and the module's arguments."""
        return self._called({**self._buffers, **dict(zip(self.names, parameters, strict=True))}, data)

    def in_double(self, theta: Any, data: Data) -> Any:
        """The outputs in double precision, of everything that there is."""
        fixed = {**dict(self._module.named_parameters()), **self._buffers}
        fixed = {name: t.detach().double() if t.is_floating_point() else t for name, t in fixed.items()}
        free = dict(zip(self.names, self.split(theta), strict=True))
        return self._called({**fixed, **free}, placed(data, torch.float64, self.device))

    def _called(self, values: dict[str, Any], data: Data) -> Any:
        args, kwargs = ((), data) if isinstance(data, dict) else (data if isinstance(data, tuple) else (data,), None)
        # of attention, other kernels have no second derivatives
        with attention_by_parts():
            z = torch.func.functional_call(self._module, values, args, kwargs)
        # a number a case is an output with an axis of its own
        return z[:, None] if getattr(z, "ndim", 0) == 1 else z

    def split(self, theta: Any) -> list[Any]:
        """The parameters of a flat vector, views of it."""
        pieces = theta.split([math.prod(shape) for shape in self.shapes])
        return [piece.view(shape) for piece, shape in zip(pieces, self.shapes, strict=True)]

    def flat(self, parameters: Sequence[Any]) -> Any:
        """The flat vector of parameters, or of covectors; None stands for zeros."""
        return torch.cat(
            [
                torch.zeros(math.prod(shape), dtype=self.dtype, device=self.device) if p is None else p.reshape(-1)
                for p, shape in zip(parameters, self.shapes, strict=True)
            ]
        )


def close(found: Any, expected: Any, relative: float) -> bool:
    """Whether all numbers agree, relative to the largest one."""
    if found.shape != expected.shape:
        return False
    expected = expected.nan_to_num(posinf=0.0, neginf=0.0)
    away = (found.nan_to_num(posinf=0.0, neginf=0.0) - expected).abs()
    return bool((away <= relative * expected.abs().max() + torch.finfo(expected.dtype).tiny).all())


def require_cases(function: ModuleFunction, data: Data, z: Any) -> None:
    """Raise :class:`~riemopt.errors.ModelError` unless outputs z are a function of each case by itself.

    Seen are a second evaluation and one of all cases but the last.
    """
    parameters = function.split(function.start)
    if not close(function(parameters, data), z, _ALIKE):
        raise ModelError("the module's outputs differ from one evaluation to the next")
    fewer = slice(0, rows_of(data) - 1)
    if fewer.stop and not close(function(parameters, sliced(data, fewer)), z[fewer], _ALIKE):
        raise ModelError("a case's outputs depend on the other cases")


_ALIKE = 1e-3
"""How far outputs may be apart by rounding."""


def _require_repeatable(module: Any) -> None:
    """Raise :class:`~riemopt.errors.ModelError` if outputs are random, or made from statistics of the cases at hand."""
    for name, part in module.named_modules():
        where = f"{type(part).__name__} {name!r}" if name else type(part).__name__
        batch = isinstance(part, nn.modules.batchnorm._BatchNorm)
        if part.training and (batch or _is_random(part)):
            raise ModelError(f"{where} is in training mode, where outputs are no function of θ: call .eval() first")
        if batch and part.running_mean is None:
            raise ModelError(f"{where} has no running statistics, so that a case's output depends on the other cases")


def _is_random(part: Any) -> bool:
    """Whether a module draws random numbers in training mode."""
    if isinstance(part, nn.modules.dropout._DropoutNd):
        return bool(part.p > 0)
    if isinstance(part, (nn.MultiheadAttention, nn.RNNBase)):
        return bool(part.dropout > 0)
    return isinstance(part, nn.RReLU)
