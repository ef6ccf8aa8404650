"""Straight-line text to instructions of LLVM, for one entry of a batch or several in lanes.

The text is run, operation by operation, and each appends an instruction. What a function computes with are doubles, or
a double in every lane; comparisons then give a truth value in every lane. A function that has no instruction for lanes
is called for one lane after the other.

A product and a sum may be contracted: a processor that multiplies and adds in one instruction rounds once. Sums of two
products are not.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.dispatcher import Dispatcher

from riemopt.kernels.targets.lane_types import BIT, DOUBLE, DOUBLES, Value, leaves, rebuilt, shape_of_value
from riemopt.kernels.targets.straight_line_code import StraightLineCode
from riemopt.kernels.text.kernel import LANES

__all__ = ["Functions", "straight_lines"]

_INT, _PLACE = ir.IntType(64), ir.IntType(32)

straight_lines: dict[Any, StraightLineCode] = {}
"""The straight-line functions by what Numba code calls in their place."""


class Functions:
    """The straight-line functions of an LLVM module, made as they are called."""

    def __init__(self, typing: Any, context: Any, module: ir.Module) -> None:
        self.typing, self.context, self.module = typing, context, module
        # what belongs to the module stays with it
        self._made = module.__dict__.setdefault("riemopt_functions", {})

    def call(self, builder: ir.IRBuilder, function: StraightLineCode, arguments: tuple[Value, ...]) -> Value:
        """Call a function."""
        code, shape = self.function(function, tuple(shape_of_value(value) for value in arguments))
        result = builder.call(code, list(leaves(arguments)))
        count = len(code.function_type.return_type.elements)
        return rebuilt(shape, iter([builder.extract_value(result, i) for i in range(count)]))

    def function(self, function: StraightLineCode, shapes: tuple[Any, ...]) -> tuple[ir.Function, Any]:
        """A function for arguments of some shapes, and the shape of its result."""
        key = (function, shapes)
        if key not in self._made:
            self._made[key] = _Body(self, function, shapes).finished(len(self._made))
        return self._made[key]  # type: ignore[no-any-return]


class _Body:
    """One function on its way to instructions."""

    def __init__(self, module: Functions, function: StraightLineCode, shapes: tuple[Any, ...]) -> None:
        self.module, self.of = module, function
        # the type of the result is known at the end, and a function needs it at the beginning: so it is made twice
        self.returns: Any = None
        self.shapes = shapes

    def finished(self, serial: int) -> tuple[ir.Function, Any]:
        """The function of LLVM, and the shape of its result."""
        self._run(self._function(ir.Module(), "dry", ir.LiteralStructType([])))
        kind = ir.LiteralStructType(list(leaves(self.returns)))
        code = self._function(self.module.module, f"riemopt.{self.of.name}.{serial}", kind)
        code.linkage = "internal"
        if self.of.inline:
            code.attributes.add("alwaysinline")
        self._run(code)
        return code, self.returns

    def _function(self, module: ir.Module, name: str, returns: Any) -> ir.Function:
        return ir.Function(module, ir.FunctionType(returns, list(leaves(self.shapes))), name)

    # -- statements

    def _run(self, code: ir.Function) -> None:
        self.builder = ir.IRBuilder(code.append_basic_block())
        self.left: list[tuple[Value, Value]] = []
        arguments = rebuilt(self.shapes, iter(code.args))
        self.known: dict[str, Value] = dict(zip(self.of.parameters, arguments, strict=True))
        for statement in self.of.statements:
            if isinstance(statement, ast.Return):
                self._return(statement.value)
            elif isinstance(statement, ast.If):
                self._leave_early(self._value(statement.test), statement.body[0].value)  # type: ignore[attr-defined]
            elif isinstance(statement, ast.AugAssign):
                value = self._binary(statement.op, self._value(statement.target), self._value(statement.value))
                self._assign(statement.target, value)
            else:
                assert isinstance(statement, ast.Assign)
                value = self._value(statement.value)
                for target in statement.targets:
                    self._assign(target, value)

    def _leave_early(self, condition: Value, node: ast.expr) -> None:
        if condition.type == BIT:
            with self.builder.if_then(condition):
                self._return(node)
        else:
            # some lanes go on: what the others return is chosen at the end
            self.left.append((condition, self._value(node)))

    def _return(self, node: ast.expr | None) -> None:
        assert node is not None
        value = self._value(node)
        for condition, other in reversed(self.left):
            value = self._chosen(condition, other, value)
        self.returns = shape_of_value(value)
        parts = list(leaves(value))
        whole = ir.Constant(ir.LiteralStructType([part.type for part in parts]), ir.Undefined)
        for i, part in enumerate(parts):
            whole = self.builder.insert_value(whole, part, i)
        self.builder.ret(whole)

    def _assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Tuple):
            for part, entry in zip(target.elts, value, strict=True):
                self._assign(part, entry)
        else:
            assert isinstance(target, ast.Name)
            self.known[target.id] = value

    # -- expressions

    def _value(self, node: ast.expr) -> Value:
        return getattr(self, f"_{type(node).__name__}")(node)

    def _Constant(self, node: ast.Constant) -> Value:
        return ir.Constant(DOUBLE, float(node.value))  # type: ignore[arg-type]

    def _Name(self, node: ast.Name) -> Value:
        return self.known[node.id] if node.id in self.known else ir.Constant(DOUBLE, float(self.of.names[node.id]))

    def _Tuple(self, node: ast.Tuple) -> Value:
        return tuple(self._value(part) for part in node.elts)

    def _Subscript(self, node: ast.Subscript) -> Value:
        value = self._value(node.value)
        if isinstance(node.slice, ast.Slice):
            low, high = (None if end is None else ast.literal_eval(end) for end in (node.slice.lower, node.slice.upper))
            return value[low:high]
        return value[ast.literal_eval(node.slice)]

    def _UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self._value(node.operand)
        if isinstance(node.op, ast.Not):
            return self.builder.not_(value)
        assert isinstance(node.op, ast.USub)
        return ir.Constant(DOUBLE, -value.constant) if _is_number(value) else self.builder.fneg(value)

    def _BinOp(self, node: ast.BinOp) -> Value:
        return self._binary(node.op, self._value(node.left), self._value(node.right))

    def _binary(self, operator: ast.operator, a: Value, b: Value) -> Value:
        if isinstance(a, tuple):
            return a + b
        a, b = self._alike(a, b)
        name = _BINARY[type(operator)]
        if name == "pow":
            return self._llvm("pow", a, b)
        emit = getattr(self.builder, name)
        if name in ("and_", "or_"):
            return emit(a, b)
        # of two products that are equal nothing may be left, so that neither is taken exactly
        return emit(a, b) if _is_product(a) and _is_product(b) and name != "fmul" else emit(a, b, flags=("contract",))

    def _Compare(self, node: ast.Compare) -> Value:
        (other,) = node.comparators
        a, b = self._alike(self._value(node.left), self._value(other))
        sign = _COMPARISONS[type(node.ops[0])]
        return self.builder.fcmp_unordered(sign, a, b) if sign == "!=" else self.builder.fcmp_ordered(sign, a, b)

    def _Call(self, node: ast.Call) -> Value:
        assert isinstance(node.func, ast.Name)
        name, arguments = node.func.id, tuple(self._value(argument) for argument in node.args)
        own = getattr(self, f"_call_{name}", None)
        if own is not None:
            return own(*arguments)
        function = self.of.names.get(name)
        if function in straight_lines:
            return self.module.call(self.builder, straight_lines[function], arguments)
        return self._llvm(name, *arguments) if name in _LLVM else self._foreign(function, arguments)

    # -- values

    def _spread(self, value: Value) -> Value:
        """A number in every lane; what has lanes as it is."""
        if isinstance(value.type, ir.VectorType):
            return value
        if _is_number(value):
            return ir.Constant(DOUBLES, [value.constant] * LANES)
        undefined = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
        first = self.builder.insert_element(undefined, value, ir.Constant(_PLACE, 0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_PLACE, LANES), [0] * LANES))

    def _alike(self, *values: Value) -> Sequence[Value]:
        """Values in lanes, if one of them is."""
        some = any(isinstance(value.type, ir.VectorType) for value in values)
        return [self._spread(value) for value in values] if some else values

    def _chosen(self, condition: Value, a: Value, b: Value) -> Value:
        if isinstance(a, tuple):
            return tuple(self._chosen(condition, x, y) for x, y in zip(a, b, strict=True))
        a, b = self._alike(a, b)
        if isinstance(condition.type, ir.VectorType):
            a, b = self._spread(a), self._spread(b)
        return self.builder.select(condition, a, b)

    def _llvm(self, name: str, *arguments: Value) -> Value:
        """A function of LLVM's, which take lanes."""
        arguments = tuple(self._alike(*arguments))
        kind = arguments[0].type
        suffix = f"v{LANES}f64" if isinstance(kind, ir.VectorType) else "f64"
        function = cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(kind, [kind] * len(arguments)), f"llvm.{name}.{suffix}"
        )
        return self.builder.call(function, arguments)

    def _foreign(self, function: Any, arguments: Sequence[Value]) -> Value:
        """A function of numbers that Numba compiles; lanes are taken one by one."""
        arguments = self._alike(*arguments)
        if not isinstance(arguments[0].type, ir.VectorType):
            return self._numba(function, arguments)
        result = ir.Constant(DOUBLES, ir.Undefined)
        for lane in range(LANES):
            place = ir.Constant(_PLACE, lane)
            each = [self.builder.extract_element(argument, place) for argument in arguments]
            result = self.builder.insert_element(result, self._numba(function, each), place)
        return result

    def _numba(self, function: Any, arguments: Sequence[Any]) -> Any:
        typing, context, builder = self.module.typing, self.module.context, self.builder
        kind = typing.resolve_value_type(function)
        signature = typing.resolve_function_type(kind, tuple(types.float64 for _ in arguments), {})
        if context is None:
            return ir.Constant(DOUBLE, ir.Undefined)
        if isinstance(function, Dispatcher):
            # the error model of NumPy: nothing raises
            compiled = function.get_compile_result(signature)
            context.active_code_library.add_linking_library(compiled.library)
            return context.call_internal_no_propagate(builder, compiled.fndesc, signature, arguments)[1]
        return context.get_function(kind, signature)(builder, arguments)

    # -- what text calls, and every kind of value takes

    def _call_spread(self, value: Value) -> Value:
        return self._spread(value) if self.of.in_lanes else value

    def _call_select(self, condition: Value, a: Value, b: Value) -> Value:
        return self._chosen(condition, a, b)

    def _call_every(self, condition: Value) -> Value:
        if condition.type == BIT:
            return condition
        bits = self.builder.bitcast(condition, ir.IntType(LANES))
        return self.builder.icmp_unsigned("==", bits, ir.Constant(ir.IntType(LANES), (1 << LANES) - 1))

    def _call_absolute(self, value: Value) -> Value:
        return self._llvm("fabs", value)

    def _call_exponent(self, value: Value) -> Value:
        bits, whole = self._bits(value)
        return self.builder.sitofp(self.builder.sub(self.builder.lshr(bits, whole(52)), whole(1023)), value.type)

    def _call_significand(self, value: Value) -> Value:
        bits, whole = self._bits(value)
        below = self.builder.and_(bits, whole((1 << 52) - 1))
        return self.builder.bitcast(self.builder.or_(below, whole(1023 << 52)), value.type)

    def _call_power_of_two(self, value: Value) -> Value:
        bits, whole = self._bits(value)
        k = self.builder.fptosi(value, bits.type)
        return self.builder.bitcast(self.builder.shl(self.builder.add(k, whole(1023)), whole(52)), value.type)

    def _bits(self, value: Value) -> tuple[Value, Callable[[int], Value]]:
        """The bits of doubles as whole numbers, and what makes a constant of their type."""
        if isinstance(value.type, ir.VectorType):
            kind = ir.VectorType(_INT, LANES)
            return self.builder.bitcast(value, kind), lambda number: ir.Constant(kind, [number] * LANES)
        return self.builder.bitcast(value, _INT), lambda number: ir.Constant(_INT, number)

    def _call_isfinite(self, value: Value) -> Value:
        size, limit = self._alike(self._llvm("fabs", value), ir.Constant(DOUBLE, math.inf))
        return self.builder.fcmp_ordered("<", size, limit)


def _is_product(value: Value) -> bool:
    return isinstance(value, ir.Instruction) and value.opname == "fmul"


def _is_number(value: Value) -> bool:
    return isinstance(value, ir.Constant) and isinstance(value.constant, float)


_BINARY = {
    ast.Add: "fadd",
    ast.Sub: "fsub",
    ast.Mult: "fmul",
    ast.Div: "fdiv",
    ast.Pow: "pow",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
}

_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}

_LLVM = ("sqrt", "floor", "exp", "log", "sin", "cos")
"""Functions of LLVM's, unless others are given by these names."""
