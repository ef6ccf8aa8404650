"""Memory for the loops of the Numba target: rows of arrays read into lanes, and lanes written to rows.

The text of a kernel reads and writes at a *place*. The place of one entry of a batch is its index ``i``; what is read
there is a number, or a tuple of numbers. The place of several entries is ``(i, stop)``: the first of them, and the end
of the batch. What is read there has a number in every lane: that of entry ``i`` in the first, of ``i + 1`` in the
second, and so on. Where fewer entries are left than there are lanes, the last one fills the other lanes, and is written
once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from riemopt.kernels.targets.lane_types import lanes
from riemopt.kernels.text.kernel import LANES

__all__ = ["MEMORY", "memory"]


@intrinsic
def _extract(typing: Any, values: Any, lane: Any) -> Any:
    """The number in one lane."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.extract_element(arguments[0], builder.trunc(arguments[1], ir.IntType(32)))

    return types.float64(lanes, types.int64), emit


@intrinsic
def _insert(typing: Any, values: Any, lane: Any, number: Any) -> Any:
    """The lanes with another number in one of them."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.insert_element(arguments[0], arguments[2], builder.trunc(arguments[1], ir.IntType(32)))

    return lanes(lanes, types.int64, types.float64), emit


def _lane(lane: int) -> Any:
    return ir.Constant(ir.IntType(32), lane)


def _rows(context: Any, builder: Any, kind: Any, matrix: Any) -> Callable[[Any], Callable[[int], Any]]:
    """The pointers to the entries of a matrix: of a row, by column."""
    structure = context.make_array(kind)(context, builder, matrix)
    down, right = cgutils.unpack_tuple(builder, structure.strides, 2)
    first = builder.bitcast(structure.data, cgutils.voidptr_t)

    def row(place: Any) -> Callable[[int], Any]:
        start = builder.gep(first, [builder.mul(place, down)])
        return lambda column: builder.bitcast(
            builder.gep(start, [builder.mul(_whole(column), right)]), structure.data.type
        )

    return row


def _whole(number: int) -> Any:
    return ir.Constant(ir.IntType(64), number)


def _row_loader(size: int) -> Any:
    """What reads the row of an entry as a tuple of numbers, or the rows of several as a tuple of lanes."""

    @intrinsic
    def load_row(typing: Any, matrix: Any, place: Any) -> Any:
        in_lanes = isinstance(place, types.BaseTuple)
        kind = types.UniTuple(lanes if in_lanes else types.float64, size)

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows = _rows(context, builder, signature.args[0], arguments[0])
            if not in_lanes:
                row = rows(context.cast(builder, arguments[1], signature.args[1], types.int64))
                return context.make_tuple(builder, kind, [builder.load(row(j)) for j in range(size)])
            first, stop = cgutils.unpack_tuple(builder, arguments[1], 2)
            last = builder.sub(stop, _whole(1))
            values = [ir.Constant(context.get_value_type(lanes), ir.Undefined)] * size
            for lane in range(LANES):
                entry = builder.add(first, _whole(lane))
                row = rows(builder.select(builder.icmp_signed("<", entry, last), entry, last))
                for j in range(size):
                    values[j] = builder.insert_element(values[j], builder.load(row(j)), _lane(lane))
            return context.make_tuple(builder, kind, values)

        return kind(matrix, place), emit

    return load_row


@intrinsic
def _store_row(typing: Any, matrix: Any, place: Any, values: Any) -> Any:
    """Write the row of an entry from a tuple of numbers, or the rows of several from a tuple of lanes."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _rows(context, builder, signature.args[0], arguments[0])
        numbers = cgutils.unpack_tuple(builder, arguments[2], len(values))
        if not isinstance(place, types.BaseTuple):
            row = rows(context.cast(builder, arguments[1], signature.args[1], types.int64))
            for j, number in enumerate(numbers):
                builder.store(number, row(j))
            return context.get_dummy_value()
        first, stop = cgutils.unpack_tuple(builder, arguments[1], 2)
        for lane in range(LANES):
            entry = builder.add(first, _whole(lane))
            with builder.if_then(builder.icmp_signed("<", entry, stop), likely=True):
                row = rows(entry)
                for j, number in enumerate(numbers):
                    builder.store(builder.extract_element(number, _lane(lane)), row(j))
        return context.get_dummy_value()

    return types.void(matrix, place, values), emit


def memory(name: str) -> Any:
    """The function ``load_n`` or ``store_n``, n being the length of a row."""
    action, _, size = name.partition("_")
    return _row_loader(int(size)) if action == "load" else _store_row


def _pointer(context: Any, builder: Any, kind: Any, vector: Any, place: Any) -> Any:
    data = context.make_array(kind)(context, builder, vector).data
    return builder.bitcast(builder.gep(data, [place]), context.get_value_type(lanes).as_pointer())


@intrinsic
def _fetch(typing: Any, vector: Any, place: Any) -> Any:
    """As many numbers as there are lanes, from a contiguous vector."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *arguments), align=8)

    return lanes(vector, types.int64), emit


@intrinsic
def _keep(typing: Any, vector: Any, place: Any, values: Any) -> Any:
    """Write lanes to a contiguous vector."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(context, builder, signature.args[0], *arguments[:2]), align=8)
        return context.get_dummy_value()

    return types.void(vector, types.int64, lanes), emit


@intrinsic
def _undefined(typing: Any) -> Any:
    """Lanes with nothing in them yet."""
    return lanes(), lambda context, builder, *_: ir.Constant(context.get_value_type(lanes), ir.Undefined)


def _load(vector: Any, place: Any) -> Any:
    raise NotImplementedError


@overload(_load, strict=False)
def _load_of(vector: Any, place: Any) -> Any:
    if isinstance(place, types.Integer):
        return lambda vector, place: vector[place]

    def of_lanes(vector: Any, place: Any) -> Any:
        first, stop = place
        values = _undefined()
        for lane in range(LANES):
            values = _insert(values, lane, vector[min(first + lane, stop - 1)])
        return values

    return of_lanes


def _store(vector: Any, place: Any, value: Any) -> Any:
    raise NotImplementedError


@overload(_store, strict=False)
def _store_of(vector: Any, place: Any, value: Any) -> Any:
    if isinstance(place, types.Integer):

        def one(vector: Any, place: Any, value: Any) -> None:
            vector[place] = value

        return one

    def of_lanes(vector: Any, place: Any, value: Any) -> None:
        first, stop = place
        for lane in range(min(LANES, stop - first)):
            vector[first + lane] = _extract(value, lane)

    return of_lanes


MEMORY = {
    "empty": np.empty,
    "fetch": _fetch,
    "keep": _keep,
    "load": _load,
    "store": _store,
    "zeros": np.zeros,
}
"""What the text of loops calls."""
