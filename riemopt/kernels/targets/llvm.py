"""Straight-line text as functions that Numba code calls.

Most of what is generated are functions without loops. Numba infers the type of every operation anew, which takes
milliseconds for each; here the text is known to be arithmetic, and goes straight to LLVM. Loops remain Numba's, and
call these functions as *intrinsics*.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from riemopt.kernels.targets.instructions import Functions, straight_lines
from riemopt.kernels.targets.lane_types import from_numba, kind_of, shape_of_kind, to_numba
from riemopt.kernels.targets.straight_line_code import StraightLineCode

__all__ = ["intrinsic_of"]


def intrinsic_of(function: StraightLineCode) -> Any:
    """A straight-line function as Numba code calls it."""

    def call(typing: Any, arguments: Sequence[types.Type]) -> Any:
        scratch = Functions(typing, None, ir.Module())
        result = scratch.function(function, tuple(shape_of_kind(kind) for kind in arguments))[1]

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            functions = Functions(context.typing_context, context, builder.module)
            given = tuple(from_numba(builder, v, kind) for v, kind in zip(values, signature.args, strict=True))
            return to_numba(context, builder, functions.call(builder, function, given), signature.return_type)

        return kind_of(result)(*arguments), generate

    # an intrinsic has arguments with names
    given = "".join(f"{parameter}, " for parameter in function.parameters)
    scope: dict[str, Any] = {"call": call}
    exec(f"def {function.name}(typing, {given}): return call(typing, ({given}))", scope)
    found = intrinsic(scope[function.name])
    straight_lines[found] = function
    return found
