"""Numbers in lanes as a type of Numba, and values between Numba's representation and LLVM's.

A *lane* holds the number of one entry of a batch; eight lanes are one vector of LLVM, which processors handle with one
instruction. A *shape* is the LLVM type of a value, or for a tuple of values the tuple of their shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from riemopt.kernels.text.kernel import LANES

__all__ = [
    "BIT",
    "DOUBLE",
    "DOUBLES",
    "Value",
    "from_numba",
    "kind_of",
    "lanes",
    "leaves",
    "rebuilt",
    "shape_of_kind",
    "shape_of_value",
    "to_numba",
]

DOUBLE, BIT = ir.DoubleType(), ir.IntType(1)
DOUBLES, BITS = ir.VectorType(DOUBLE, LANES), ir.VectorType(BIT, LANES)


class _LanesType(types.Type):
    """A double in every lane."""


class _MaskType(types.Type):
    """A truth value in every lane."""


lanes = _LanesType("lanes")
"""The Numba type of a double in every lane."""

_mask = _MaskType("mask")


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: types.Type) -> None:
        super().__init__(manager, kind, DOUBLES)


@register_model(_MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: types.Type) -> None:
        super().__init__(manager, kind, BITS)


_KINDS = {DOUBLE: types.float64, BIT: types.boolean, DOUBLES: lanes, BITS: _mask}

Value = Any
"""An LLVM value, or a tuple of values."""


def shape_of_kind(kind: types.Type) -> Any:
    """The shape of the values of a Numba type."""
    kind = types.unliteral(kind)
    if isinstance(kind, types.BaseTuple):
        return tuple(shape_of_kind(part) for part in kind)
    for own, known in _KINDS.items():
        if kind == known:
            return own
    if isinstance(kind, (types.Integer, types.Float)):
        return DOUBLE
    raise TypeError(f"straight-line text has no {kind}")


def kind_of(shape: Any) -> types.Type:
    """The Numba type of values of a shape."""
    return types.Tuple([kind_of(part) for part in shape]) if isinstance(shape, tuple) else _KINDS[shape]


def from_numba(builder: Any, value: Any, kind: types.Type) -> Value:
    """A value as LLVM has it, whole numbers as doubles."""
    if isinstance(kind, types.BaseTuple):
        parts = cgutils.unpack_tuple(builder, value, len(kind))
        return tuple(from_numba(builder, part, k) for part, k in zip(parts, kind, strict=True))
    if isinstance(kind, types.Integer):
        return builder.sitofp(value, DOUBLE)
    return value


def to_numba(context: Any, builder: Any, value: Value, kind: types.Type) -> Any:
    """A value as Numba has it."""
    if isinstance(kind, types.BaseTuple):
        parts = [to_numba(context, builder, part, k) for part, k in zip(value, kind, strict=True)]
        return context.make_tuple(builder, kind, parts)
    return value


def leaves(value: Value) -> Iterator[Any]:
    """The entries of nested tuples, one after the other."""
    if isinstance(value, tuple):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def rebuilt(shape: Any, leaves: Iterator[Any]) -> Value:
    """The nested tuples of a shape, from their entries."""
    return tuple(rebuilt(part, leaves) for part in shape) if isinstance(shape, tuple) else next(leaves)


def shape_of_value(value: Value) -> Any:
    """The shape of a value."""
    return tuple(shape_of_value(part) for part in value) if isinstance(value, tuple) else value.type
