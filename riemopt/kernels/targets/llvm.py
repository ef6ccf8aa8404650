"""Straight-line text to machine instructions, for one number or several side by side.

Most of what is generated are functions without loops: assignments, a few early returns. Numba infers the type of every
operation anew, which takes milliseconds for each; here the text is known to be arithmetic, and goes straight to LLVM.
Loops remain Numba's, and call these functions.

What a function computes with are doubles, or *lanes*, a number of each of :data:`~riemopt.kernels.text.loops.LANES`
entries of a batch, which processors handle with one instruction. Comparisons then give a truth value a lane. A function
that has no instruction for lanes is taken lane by lane.

A product and a sum may be contracted: a processor that multiplies and adds in one instruction rounds once. Sums of two
products are not.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic, models, register_model

from riemopt.kernels.text.loops import LANES

__all__ = ["PRIMITIVES", "Straight", "functions_of", "lanes"]

_DOUBLE, _BIT, _INT = ir.DoubleType(), ir.IntType(1), ir.IntType(64)
_DOUBLES, _BITS = ir.VectorType(_DOUBLE, LANES), ir.VectorType(_BIT, LANES)
_PLACE = ir.IntType(32)


class _LanesType(types.Type):
    """Doubles side by side."""


class _MaskType(types.Type):
    """Truth values side by side."""


lanes = _LanesType("lanes")
"""The Numba type of doubles side by side."""

_mask = _MaskType("mask")


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: types.Type) -> None:
        super().__init__(manager, kind, _DOUBLES)


@register_model(_MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: types.Type) -> None:
        super().__init__(manager, kind, _BITS)


_KINDS = {_DOUBLE: types.float64, _BIT: types.boolean, _DOUBLES: lanes, _BITS: _mask}

Value = Any
"""An LLVM value, or a tuple of values."""


def functions_of(text: str) -> dict[str, ast.FunctionDef]:
    """The functions that a text defines, by name."""
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


class Straight:
    """A function without loops.

    Parameters
    ----------
    definition : ast.FunctionDef
        Its text: assignments, ``if ...: return ...``, and a return; of numbers and tuples.
    names : mapping of str to object
        The numbers and the functions that it uses besides LLVM's; it may be completed later.
    several : bool
        Whether ``spread`` makes lanes of a number.
    inline : bool, optional
        Whether to write it out wherever it is called; else LLVM decides.

    Attributes
    ----------
    intrinsic : callable
        The function as Numba code calls it.
    """

    def __init__(
        self, definition: ast.FunctionDef, names: Mapping[str, Any], several: bool, inline: bool = False
    ) -> None:
        self.name = definition.name
        self.parameters = [argument.arg for argument in definition.args.args]
        self.statements = [node for node in definition.body if not _is_docstring(node)]
        self.names, self.several, self.inline = names, several, inline
        # an intrinsic has arguments with names
        given = "".join(f"{parameter}, " for parameter in self.parameters)
        scope: dict[str, Any] = {"call": self._call}
        exec(f"def {self.name}(typing, {given}): return call(typing, ({given}))", scope)
        self.intrinsic = intrinsic(scope[self.name])
        _known[self.intrinsic] = self

    @staticmethod
    def takes(definition: ast.FunctionDef) -> bool:
        """Whether a function is of this kind."""
        return all(
            _leaves_early(node) if isinstance(node, ast.If) else isinstance(node, _STATEMENTS)
            for node in definition.body
        )

    def _call(self, typing: Any, arguments: Sequence[types.Type]) -> Any:
        scratch = _Module(typing, None, ir.Module())
        result = scratch.function(self, tuple(_shape(kind) for kind in arguments))[1]

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            module = _Module(context.typing_context, context, builder.module)
            given = tuple(_from_numba(builder, v, kind) for v, kind in zip(values, signature.args, strict=True))
            return _to_numba(context, builder, module.call(builder, self, given), signature.return_type)

        return _kind(result)(*arguments), generate


_known: dict[Any, Straight] = {}

PRIMITIVES = """
def spread(value):
    return spread(value)


def every(condition):
    return every(condition)


def select(condition, a, b):
    return select(condition, a, b)


def absolute(value):
    return absolute(value)


def isfinite(value):
    return isfinite(value)
"""
"""What :class:`Straight` knows by itself, as functions that loops may call."""


_STATEMENTS = (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)


def _leaves_early(node: ast.If) -> bool:
    return [type(entry) for entry in node.body] == [ast.Return] and not node.orelse


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


# -- between Numba's values and ours


def _shape(kind: types.Type) -> Any:
    """The LLVM types of the leaves of a Numba type."""
    kind = types.unliteral(kind)
    if isinstance(kind, types.BaseTuple):
        return tuple(_shape(part) for part in kind)
    for own, known in _KINDS.items():
        if kind == known:
            return own
    if isinstance(kind, (types.Integer, types.Float)):
        return _DOUBLE
    raise TypeError(f"straight-line text has no {kind}")


def _kind(shape: Any) -> types.Type:
    """The Numba type of LLVM types."""
    return types.Tuple([_kind(part) for part in shape]) if isinstance(shape, tuple) else _KINDS[shape]


def _from_numba(builder: Any, value: Any, kind: types.Type) -> Value:
    if isinstance(kind, types.BaseTuple):
        parts = cgutils.unpack_tuple(builder, value, len(kind))
        return tuple(_from_numba(builder, part, k) for part, k in zip(parts, kind, strict=True))
    if isinstance(kind, types.Integer):
        return builder.sitofp(value, _DOUBLE)
    return value


def _to_numba(context: Any, builder: Any, value: Value, kind: types.Type) -> Any:
    if isinstance(kind, types.BaseTuple):
        parts = [_to_numba(context, builder, part, k) for part, k in zip(value, kind, strict=True)]
        return context.make_tuple(builder, kind, parts)
    return value


def _leaves(value: Value) -> Iterator[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _rebuilt(shape: Any, leaves: Iterator[Any]) -> Value:
    return tuple(_rebuilt(part, leaves) for part in shape) if isinstance(shape, tuple) else next(leaves)


def _shape_of(value: Value) -> Any:
    return tuple(_shape_of(part) for part in value) if isinstance(value, tuple) else value.type


# -- functions of a module


class _Module:
    """The straight-line functions of an LLVM module, made as they are called."""

    def __init__(self, typing: Any, context: Any, module: ir.Module) -> None:
        self.typing, self.context, self.module = typing, context, module
        # what belongs to the module stays with it
        self._made = module.__dict__.setdefault("riemopt_functions", {})

    def call(self, builder: ir.IRBuilder, function: Straight, arguments: tuple[Value, ...]) -> Value:
        """Call a function."""
        code, shape = self.function(function, tuple(_shape_of(value) for value in arguments))
        result = builder.call(code, list(_leaves(arguments)))
        count = len(code.function_type.return_type.elements)
        return _rebuilt(shape, iter([builder.extract_value(result, i) for i in range(count)]))

    def function(self, function: Straight, shapes: tuple[Any, ...]) -> tuple[ir.Function, Any]:
        """A function for arguments of some shapes, and the shape of its result."""
        key = (function, shapes)
        if key not in self._made:
            self._made[key] = _Body(self, function, shapes).finished(len(self._made))
        return self._made[key]  # type: ignore[no-any-return]


class _Body:
    """One function on its way: the text is run, each operation appends an instruction."""

    def __init__(self, module: _Module, function: Straight, shapes: tuple[Any, ...]) -> None:
        self.module, self.of = module, function
        # the type of the result is known at the end, and a function needs it at the beginning: so it is made twice
        self.returns: Any = None
        self.shapes = shapes

    def finished(self, serial: int) -> tuple[ir.Function, Any]:
        self._run(self._function(ir.Module(), "dry", ir.LiteralStructType([])))
        kind = ir.LiteralStructType(list(_leaves(self.returns)))
        code = self._function(self.module.module, f"riemopt.{self.of.name}.{serial}", kind)
        code.linkage = "internal"
        if self.of.inline:
            code.attributes.add("alwaysinline")
        self._run(code)
        return code, self.returns

    def _function(self, module: ir.Module, name: str, returns: Any) -> ir.Function:
        return ir.Function(module, ir.FunctionType(returns, list(_leaves(self.shapes))), name)

    # -- statements

    def _run(self, code: ir.Function) -> None:
        self.builder = ir.IRBuilder(code.append_basic_block())
        self.left: list[tuple[Value, Value]] = []
        arguments = _rebuilt(self.shapes, iter(code.args))
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
        if condition.type == _BIT:
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
        self.returns = _shape_of(value)
        leaves = list(_leaves(value))
        whole = ir.Constant(ir.LiteralStructType([leaf.type for leaf in leaves]), ir.Undefined)
        for i, leaf in enumerate(leaves):
            whole = self.builder.insert_value(whole, leaf, i)
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
        return ir.Constant(_DOUBLE, float(node.value))  # type: ignore[arg-type]

    def _Name(self, node: ast.Name) -> Value:
        return self.known[node.id] if node.id in self.known else ir.Constant(_DOUBLE, float(self.of.names[node.id]))

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
        return ir.Constant(_DOUBLE, -value.constant) if _is_number(value) else self.builder.fneg(value)

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
        if function in _known:
            return self.module.call(self.builder, _known[function], arguments)
        return self._llvm(name, *arguments) if name in _LLVM else self._foreign(function, arguments)

    # -- values

    def _spread(self, value: Value) -> Value:
        """A number in every lane; what has lanes as it is."""
        if isinstance(value.type, ir.VectorType):
            return value
        if _is_number(value):
            return ir.Constant(_DOUBLES, [value.constant] * LANES)
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
        result = ir.Constant(_DOUBLES, ir.Undefined)
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
            return ir.Constant(_DOUBLE, ir.Undefined)
        if isinstance(function, Dispatcher):
            # the error model of NumPy: nothing raises
            compiled = function.get_compile_result(signature)
            context.active_code_library.add_linking_library(compiled.library)
            return context.call_internal_no_propagate(builder, compiled.fndesc, signature, arguments)[1]
        return context.get_function(kind, signature)(builder, arguments)

    # -- what text calls, and every kind of value takes

    def _call_spread(self, value: Value) -> Value:
        return self._spread(value) if self.of.several else value

    def _call_select(self, condition: Value, a: Value, b: Value) -> Value:
        return self._chosen(condition, a, b)

    def _call_every(self, condition: Value) -> Value:
        if condition.type == _BIT:
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
        size, limit = self._alike(self._llvm("fabs", value), ir.Constant(_DOUBLE, math.inf))
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
