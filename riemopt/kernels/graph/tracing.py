"""Traced arrays: they answer to array notation like arrays of numbers, and extend a graph by what is done with them.

A rule that is written for arrays is run once on traced arrays, which yields its straight-line body. What cannot be
straight-line code (a branch on a value, a conversion to a number, a function that is not in the tables below) raises
:class:`TracingError`.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.operations import FUNCTIONS

__all__ = ["TracedArray", "TracingError"]


class TracingError(TypeError):
    """The rule cannot be written as straight-line code."""


class TracedAttributeError(TracingError, AttributeError):
    """An attribute of arrays of numbers that a traced array does not have."""


_ElementRule = Callable[..., Node]
"""What a function of numbers does to nodes: takes the graph, and a node for each number."""

_ELEMENTWISE: dict[str, _ElementRule] = {
    "add": Arithmetic.add,
    "subtract": Arithmetic.sub,
    "multiply": Arithmetic.mul,
    "divide": Arithmetic.div,
    "negative": Arithmetic.neg,
    "positive": lambda g, a: a,
    "power": Arithmetic.power,
    "float_power": Arithmetic.power,
    "square": lambda g, a: g.mul(a, a),
    "reciprocal": lambda g, a: g.div(g.constant(1.0), a),
    "exp2": lambda g, a: g.power(g.constant(2.0), a),
    "log2": lambda g, a: g.div(g.call("log", a), g.constant(math.log(2.0))),
    "log10": lambda g, a: g.div(g.call("log", a), g.constant(math.log(10.0))),
    "logical_not": lambda g, a: g.operate("eq", a, g.constant(0.0)),
    # of truth values only: there are no integers in a graph
    "invert": lambda g, a: g.operate("eq", a, g.constant(0.0)),
    "less": lambda g, a, b: g.operate("lt", a, b),
    "less_equal": lambda g, a, b: g.operate("le", a, b),
    "greater": lambda g, a, b: g.operate("gt", a, b),
    "greater_equal": lambda g, a, b: g.operate("ge", a, b),
    "equal": lambda g, a, b: g.operate("eq", a, b),
    "not_equal": lambda g, a, b: g.operate("ne", a, b),
    "bitwise_and": lambda g, a, b: g.operate("and", a, b),
    "logical_and": lambda g, a, b: g.operate("and", a, b),
    "bitwise_or": lambda g, a, b: g.operate("or", a, b),
    "logical_or": lambda g, a, b: g.operate("or", a, b),
}
_NUMPY_NAMES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "fabs": "absolute",
    "gammaln": "loggamma",
    "psi": "digamma",
}


def _call_rule(name: str) -> _ElementRule:
    return lambda g, *args: g.call(name, *args)


_ELEMENTWISE.update({name: _call_rule(name) for name in FUNCTIONS if name != "select"})
_ELEMENTWISE.update({theirs: _call_rule(ours) for theirs, ours in _NUMPY_NAMES.items()})

_REDUCIBLE = ("add", "multiply", "maximum", "minimum", "logical_and", "logical_or")


class TracedArray(NDArrayOperatorsMixin):
    """An array of :class:`~riemopt.kernels.graph.nodes.Node` that answers to array notation.

    Parameters
    ----------
    graph : Arithmetic
        Where the nodes live.
    nodes : array of Node
        An object array of any shape.
    """

    def __init__(self, graph: Arithmetic, nodes: np.ndarray) -> None:
        self.graph = graph
        self.nodes = nodes

    @classmethod
    def of(cls, graph: Arithmetic, nodes: Sequence[Node]) -> TracedArray:
        """A vector of nodes."""
        array = np.empty(len(nodes), dtype=object)
        array[:] = nodes
        return cls(graph, array)

    @classmethod
    def scalar(cls, node: Node) -> TracedArray:
        """One node, as an array without axes."""
        array = np.empty((), dtype=object)
        array[()] = node
        return cls(node.graph, array)

    def lift(self, value: Any) -> np.ndarray:
        """Anything that an operation takes beside this array (numbers, traced arrays, both in one), as nodes."""
        if isinstance(value, TracedArray):
            return value.nodes
        numbers = np.asarray(value)
        if numbers.dtype == object:
            numbers = np.array([v.nodes if isinstance(v, TracedArray) else v for v in numbers.flat], dtype=object)
            numbers = numbers.reshape(np.shape(value))
            return np.frompyfunc(lambda v: v if isinstance(v, Node) else self.graph.constant(_real(v)), 1, 1)(numbers)
        lifted = np.empty(numbers.shape, dtype=object)
        lifted[...] = np.frompyfunc(lambda v: self.graph.constant(_real(v)), 1, 1)(numbers)
        return lifted

    def _wrap(self, nodes: Any) -> TracedArray:
        if not isinstance(nodes, np.ndarray):
            return TracedArray.scalar(nodes)
        return TracedArray(self.graph, nodes)

    # -- what an array is asked for

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.nodes.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.nodes.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.nodes.size

    @property
    def dtype(self) -> np.dtype:
        """What a compiled kernel computes in."""
        return np.dtype(np.float64)

    @property
    def T(self) -> TracedArray:
        """The transpose."""
        return self._wrap(self.nodes.T)

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[TracedArray]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> TracedArray:
        return self._wrap(self.nodes[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.nodes[key] = self.lift(value) if np.ndim(self.nodes[key]) else self.lift(value)[()]

    def __repr__(self) -> str:
        return f"TracedArray(shape={self.shape})"

    def copy(self) -> TracedArray:
        """A copy that can be changed alone."""
        return self._wrap(self.nodes.copy())

    def reshape(self, *shape: Any) -> TracedArray:
        """The same entries in another shape."""
        return self._wrap(self.nodes.reshape(*shape))

    def ravel(self) -> TracedArray:
        """The entries as a vector."""
        return self._wrap(self.nodes.ravel())

    def astype(self, dtype: Any) -> TracedArray:
        """The array itself if a float is wanted; anything else cannot be traced."""
        if np.dtype(dtype) != self.dtype:
            self._refuse(f"astype({dtype})")
        return self.copy()

    def sum(self, *arguments: Any, **options: Any) -> TracedArray:
        """The sum over an axis."""
        return _called("sum", _FUNCTIONS[np.sum], self, *arguments, **options)  # type: ignore[no-any-return]

    def prod(self, *arguments: Any, **options: Any) -> TracedArray:
        """The product over an axis."""
        return _called("prod", _FUNCTIONS[np.prod], self, *arguments, **options)  # type: ignore[no-any-return]

    def max(self, *arguments: Any, **options: Any) -> TracedArray:
        """The largest entry over an axis."""
        return _called("max", _FUNCTIONS[np.max], self, *arguments, **options)  # type: ignore[no-any-return]

    def min(self, *arguments: Any, **options: Any) -> TracedArray:
        """The smallest entry over an axis."""
        return _called("min", _FUNCTIONS[np.min], self, *arguments, **options)  # type: ignore[no-any-return]

    def mean(self, *arguments: Any, **options: Any) -> TracedArray:
        """The mean over an axis."""
        return _called("mean", _FUNCTIONS[np.mean], self, *arguments, **options)  # type: ignore[no-any-return]

    def dot(self, other: Any) -> TracedArray:
        """The matrix product."""
        return _matmul(self, self.lift(self), self.lift(other))

    # -- what would need a number

    def _refuse(self, what: str) -> NoReturn:
        raise TracingError(f"{what} of a traced array needs its numbers, which are not known while a rule is traced")

    def __bool__(self) -> bool:
        self._refuse("the truth value")

    def __float__(self) -> float:
        self._refuse("float()")

    def __int__(self) -> int:
        self._refuse("int()")

    def __index__(self) -> int:
        self._refuse("an index")

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        self._refuse("np.asarray()")

    def __format__(self, spec: str) -> str:
        return self._refuse("the text") if spec else repr(self)

    def __round__(self, digits: int = 0) -> Any:
        self._refuse("round()")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__") and (hasattr(np.ndarray, name) or hasattr(float, name)):
            raise TracedAttributeError(f"{name!r} of a traced array is not to be had: it cannot be traced")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    # -- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if method == "reduce" and ufunc.__name__ in _REDUCIBLE and set(kwargs) <= {"axis"}:
            result = _reduce(inputs[0], ufunc.__name__, kwargs.get("axis", 0))
        elif method != "__call__" or kwargs:
            raise TracingError(f"np.{ufunc.__name__}.{method} with {sorted(kwargs)} cannot be traced")
        elif ufunc.__name__ == "matmul":
            result = _matmul(self, *(self.lift(a) for a in inputs))
        else:
            rule = _ELEMENTWISE.get(ufunc.__name__)
            if rule is None:
                raise TracingError(f"np.{ufunc.__name__} cannot be traced")
            function = np.frompyfunc(functools.partial(rule, self.graph), ufunc.nin, 1)
            result = self._wrap(function(*(self.lift(a) for a in inputs)))
        if out is None:
            return result
        (target,) = out
        if not isinstance(target, TracedArray):
            raise TracingError("a traced value cannot be written into an array of numbers")
        target.nodes[...] = result.nodes
        return target

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        rule = _FUNCTIONS.get(function)
        if rule is None:
            raise TracingError(f"np.{function.__name__} cannot be traced")
        return _called(f"np.{function.__name__}", rule, *args, **kwargs)


def _called(name: str, rule: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a rule of the tables gives; options that it does not know cannot be traced."""
    try:
        return rule(*arguments, **options)
    except TypeError:
        try:
            inspect.signature(rule).bind(*arguments, **options)
        except TypeError as error:
            raise TracingError(f"{name} cannot be traced like this: {error}") from None
        raise


def _real(value: Any) -> float:
    number = complex(value)
    if number.imag:
        raise TracingError("a complex number cannot be traced")
    return number.real


def _first_traced(*values: Any) -> TracedArray:
    for value in values:
        if isinstance(value, TracedArray):
            return value
        if isinstance(value, (list, tuple)):
            found = [v for v in value if isinstance(v, TracedArray)]
            if found:
                return found[0]
    raise TracingError("no traced array among the arguments")


def _reduce(array: TracedArray, name: str, axis: Any = None) -> TracedArray:
    rule = functools.partial(_ELEMENTWISE[name], array.graph)
    nodes = array.nodes.ravel() if axis is None else np.moveaxis(array.nodes, axis, 0)
    if not len(nodes):
        raise TracingError("an empty reduction cannot be traced")
    return array._wrap(functools.reduce(np.frompyfunc(rule, 2, 1), nodes))


def _mean(array: TracedArray, axis: Any = None) -> TracedArray:
    count = array.size if axis is None else array.shape[axis]
    return _reduce(array, "add", axis) / count


def _matmul(array: TracedArray, a: np.ndarray, b: np.ndarray) -> TracedArray:
    g = array.graph
    if a.ndim not in (1, 2) or b.ndim not in (1, 2) or a.shape[-1] != b.shape[0]:
        raise TracingError(f"a matrix product of shapes {a.shape} and {b.shape} cannot be traced")
    rows, columns = np.atleast_2d(a), b.reshape(b.shape[0], -1)
    result = np.empty((rows.shape[0], columns.shape[1]), dtype=object)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns.T):
            result[i, j] = g.dot(list(row), list(column))
    return array._wrap(result.reshape(a.shape[:-1] + b.shape[1:]) if a.ndim + b.ndim > 2 else result[0, 0])


def _dot(a: Any, b: Any) -> Any:
    traced = _first_traced(a, b)
    return _matmul(traced, traced.lift(a), traced.lift(b)) if np.ndim(a) and np.ndim(b) else a * b


def _where(condition: Any, a: Any, b: Any) -> TracedArray:
    traced = _first_traced(condition, a, b)
    select = np.frompyfunc(functools.partial(traced.graph.call, "select"), 3, 1)
    return traced._wrap(select(traced.lift(condition), traced.lift(a), traced.lift(b)))


def _norm(array: TracedArray, ord: Any = None, axis: Any = None) -> Any:
    if ord is not None and not (ord == 2 and array.ndim == 1):
        raise TracingError(f"np.linalg.norm with ord={ord} cannot be traced")
    return np.sqrt(_reduce(array * array, "add", axis))


def _joined(join: Callable[..., np.ndarray]) -> Callable[..., TracedArray]:
    def rule(arrays: Sequence[Any], axis: int = 0) -> TracedArray:
        traced = _first_traced(arrays)
        return traced._wrap(join([traced.lift(a) for a in arrays], axis=axis))

    return rule


def _filled(value: float) -> Callable[..., np.ndarray]:
    return lambda array, **kwargs: np.full(array.shape, value)


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: lambda a, axis=None: _reduce(a, "add", axis),
    np.prod: lambda a, axis=None: _reduce(a, "multiply", axis),
    np.max: lambda a, axis=None: _reduce(a, "maximum", axis),
    np.min: lambda a, axis=None: _reduce(a, "minimum", axis),
    np.mean: _mean,
    np.all: lambda a, axis=None: _reduce(a, "logical_and", axis),
    np.any: lambda a, axis=None: _reduce(a, "logical_or", axis),
    np.dot: _dot,
    np.inner: lambda a, b: _dot(a, b.T if np.ndim(b) > 1 else b),
    np.vdot: lambda a, b: _dot(np.ravel(a), np.ravel(b)),
    np.outer: lambda a, b: np.ravel(a)[:, None] * np.ravel(b)[None, :],
    np.where: _where,
    np.clip: lambda a, low=None, high=None: _clip(a, low, high),
    np.linalg.norm: _norm,
    np.stack: _joined(np.stack),
    np.concatenate: _joined(np.concatenate),
    np.zeros_like: _filled(0.0),
    np.ones_like: _filled(1.0),
    np.copy: lambda a: a.copy(),
    np.ravel: lambda a: a.ravel(),
    np.reshape: lambda a, shape: a.reshape(shape),
    np.transpose: lambda a: a.T,
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
}


def _clip(array: Any, low: Any, high: Any) -> Any:
    if low is not None:
        array = np.maximum(array, low)
    return array if high is None else np.minimum(array, high)
