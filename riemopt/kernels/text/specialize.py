"""Python functions as the text of kernels: read from their source, and rewritten for the case at hand.

The functions of :mod:`riemopt.kernels.text.algorithms` are plain Python. Some of their arguments are known when a
kernel is written: the functions that an algorithm evaluates, how many integrals there are, whether something is
checked. They are *bound*, and the rest is left to the text (partial evaluation):

- a bound number takes the place of its name, and ``if``, ``and``, ``or`` are decided where they can be;
- a call of a bound function calls what the text has for it. It takes, behind its arguments, the variables that it knows
  (a closure's), and these take the place of the function wherever it is an argument or a parameter;
- a list of a bound length becomes a variable for each entry, and a loop over a bound range is written out;
- a call of another algorithm that hands on anything bound calls that function rewritten in the same way, as one more
  function of the text; of a function marked :func:`inlined`, the statements themselves are put there. What it shares
  with its caller has one name in both, and a generator's ``yield`` makes room for the body of the loop over it;
- numbers of the function's module become their values. All other names are those of functions that every text may call.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar

__all__ = ["Bound", "Given", "Static", "inlined", "specialized", "straight"]

F = TypeVar("F", bound=Callable[..., Any])

Static = int | float | bool
"""A bound number."""


@dataclass(frozen=True)
class Given:
    """What text has for a function that an algorithm evaluates.

    Attributes
    ----------
    name : str
        What the function is called in the text; empty if `value` is written there instead of a call.
    knows : tuple of str
        The variables that it takes behind its arguments.
    results : int
        How many numbers it returns, if it returns several.
    value : str
        The expression to write in place of a call.
    lines : tuple of str
        The statements to write before the one with the call. They and the expression use the names of the variables
        that are the call's arguments.
    """

    name: str = ""
    knows: tuple[str, ...] = ()
    results: int = 0
    value: str = ""
    lines: tuple[str, ...] = ()


Bound = Mapping[str, Static | Given]
"""What is known of a function's arguments, by name."""


def inlined(function: F) -> F:
    """Mark a function, or a generator, whose statements are put where it is called."""
    function.__dict__["inlined"] = True
    return function


def straight(function: F) -> F:
    """Mark a function without loops, which targets compile by themselves; see :mod:`riemopt.kernels.targets.llvm`."""
    function.__dict__["straight"] = True
    return function


def specialized(
    function: Callable[..., Any],
    name: str,
    bound: Bound,
    parameters: Sequence[str] | None = None,
    before: Iterable[str] = (),
) -> str:
    """The text of a function some of whose arguments are bound, and of the functions that it hands them on to.

    Parameters
    ----------
    function : callable
        The function.
    name : str
        What to call it. The names of the other functions begin with it.
    bound : mapping of str to int, float, bool or Given
        What is known of its arguments.
    parameters : sequence of str, optional
        The parameters of the function in the text, if they are not those that are left.
    before : iterable of str
        Statements to begin with: from the parameters they make what the bound functions know.
    """
    key = None if parameters is None else tuple(parameters)
    return _specialized(function, name, tuple(bound.items()), key, tuple(before))


@functools.lru_cache(maxsize=256)
def _specialized(
    function: Callable[..., Any],
    name: str,
    bound: tuple[tuple[str, Static | Given], ...],
    parameters: tuple[str, ...] | None,
    before: tuple[str, ...],
) -> str:
    texts: dict[str, str] = {}
    _Function(function, dict(bound), name, texts).write(name, parameters, before)
    return "\n\n".join(texts.values())


class _Definition:
    """A function as it stands in its module.

    Attributes
    ----------
    parameters : list of str
        Its parameters.
    body : list of ast.stmt
        Its statements, without the docstring.
    stored : set of str
        The variables that are assigned in it, parameters or not.
    counters : list of (str, ast.expr)
        The variables of loops and of comprehensions, and what they run over.
    """

    def __init__(self, node: ast.FunctionDef) -> None:
        self.parameters = [argument.arg for argument in node.args.args]
        self.body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        parts = list(ast.walk(node))
        self.stored = {p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
        loops = [p for p in parts if isinstance(p, ast.For | ast.comprehension)]
        self.counters = [(p.target.id, p.iter) for p in loops if isinstance(p.target, ast.Name)]


@functools.lru_cache
def _module(name: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


@functools.lru_cache
def _definition(function: Callable[..., Any]) -> _Definition:
    return _Definition(_module(function.__module__)[function.__name__])


class _Function:
    """One function on its way to text.

    Parameters
    ----------
    function : callable
        The function.
    bound : mapping
        What is known of its arguments.
    prefix : str
        What the names of further functions begin with.
    texts : dict of str to str
        The functions written so far, to which this one and those that it needs are added.
    lists : dict of str to int, optional
        The lists of bound length that the caller of an inlined function shares with it.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        bound: Bound,
        prefix: str,
        texts: dict[str, str],
        lists: dict[str, int] | None = None,
    ) -> None:
        self.of, self.prefix, self.texts = function, prefix, texts
        self.definition = _definition(function)
        self.parameters = self.definition.parameters
        self.given = {name: value for name, value in bound.items() if isinstance(value, Given)}
        self.static: dict[str, Static] = {name: v for name, v in bound.items() if not isinstance(v, Given)}
        self.lists = {} if lists is None else lists
        # a loop that is written out leaves no variable
        counters = {name for name, over in self.definition.counters if self._range(over) is not None}
        self.changed = self.definition.stored & set(self.parameters)
        self.locals = (self.definition.stored - counters) | set(self.parameters)
        # what is to be written before the statement that is being rewritten
        self.waiting: list[ast.stmt] = []

    def write(self, name: str, parameters: Sequence[str] | None = None, before: Iterable[str] = ()) -> None:
        """Add the text of the function, behind those that it needs."""
        body = [*_parsed(before), *self.statements(self.definition.body)]
        arguments = self._left(self.parameters) if parameters is None else parameters
        kind = "@straight" if getattr(self.of, "straight", False) else "@plain"
        lines = textwrap.indent(ast.unparse(ast.Module(body, [])), "    ")
        self.texts[name] = f"{kind}\ndef {name}({', '.join(arguments)}):\n{lines}\n"

    def _left(self, names: Iterable[str]) -> list[str]:
        """What is left of some arguments: nothing of a bound number, of a bound function what it knows."""
        left: list[str] = []
        for name in names:
            if name in self.given:
                left += self.given[name].knows
            elif name not in self.static:
                left.append(name)
        return left

    # -- statements

    def statements(self, nodes: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Statements, rewritten."""
        result: list[ast.stmt] = []
        for node in nodes:
            written = getattr(self, f"_{type(node).__name__}", self._any)(node)
            result += self.waiting
            result += written
            self.waiting = []
        return result

    def _any(self, node: ast.stmt) -> list[ast.stmt]:
        return [self._parts(node)]

    def _Assign(self, node: ast.Assign) -> list[ast.stmt]:
        (target,) = node.targets
        called = self._inlined(node.value)
        if called is not None:
            return self._put(called, node.value, target)
        if _is_repeated(node.value) and isinstance(target, ast.Name):
            entries = self._repeated(node.value)
            self.lists[target.id] = len(entries)
            return [_assignment(f"{target.id}_{j}", entry) for j, entry in enumerate(entries)]
        if isinstance(target, ast.Tuple) and isinstance(target.elts[-1], ast.Starred):
            self._star(target, node.value)
        return [ast.Assign([self.expression(target)], self.expression(node.value), lineno=0)]

    def _star(self, target: ast.Tuple, value: ast.expr) -> None:
        """The rest of what a bound function returns as a list."""
        assert isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
        starred = target.elts[-1]
        assert isinstance(starred, ast.Starred) and isinstance(starred.value, ast.Name)
        self.lists[starred.value.id] = self.given[value.func.id].results - len(target.elts) + 1

    def _AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        return [ast.AugAssign(self.expression(node.target), node.op, self.expression(node.value))]  # type: ignore[arg-type]

    def _Expr(self, node: ast.Expr) -> list[ast.stmt]:
        if isinstance(node.value, ast.Yield):
            return [node]
        called = self._inlined(node.value)
        return self._any(node) if called is None else self._put(called, node.value, None)

    def _If(self, node: ast.If) -> list[ast.stmt]:
        test = self.expression(node.test)
        before, self.waiting = self.waiting, []
        if _is_decided(test):
            return [*before, *self.statements(node.body if test.value else node.orelse)]  # type: ignore[attr-defined]
        chosen = ast.If(test, self.statements(node.body), self.statements(node.orelse))
        return [*before, chosen]

    def _While(self, node: ast.While) -> list[ast.stmt]:
        return [ast.While(self.expression(node.test), self.statements(node.body), [])]

    def _For(self, node: ast.For) -> list[ast.stmt]:
        called = self._inlined(node.iter)
        if called is not None:
            return self._put(called, node.iter, node.target, node.body)
        over = self._range(node.iter)
        if over is not None:
            assert isinstance(node.target, ast.Name)
            result = []
            for j in over:
                self.static[node.target.id] = j
                result += self.statements(node.body)
            del self.static[node.target.id]
            return result
        return [ast.For(node.target, self.expression(node.iter), self.statements(node.body), [], lineno=0)]

    # -- functions whose statements are put where they are called

    def _inlined(self, node: ast.expr) -> Callable[..., Any] | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            function = self.of.__globals__.get(node.func.id)
            if getattr(function, "inlined", False):
                return function  # type: ignore[no-any-return]
        return None

    def _put(
        self, function: Callable[..., Any], call: ast.expr, target: ast.expr | None, body: list[ast.stmt] | None = None
    ) -> list[ast.stmt]:
        """The statements of an inlined function; those of a generator with the body of the loop over it inside."""
        assert isinstance(call, ast.Call)
        own = _Function(function, self._handed(function, call), self.prefix, self.texts, self.lists)
        result: list[ast.stmt] = []
        for name, argument in zip(own.parameters, call.args, strict=True):
            if name not in own.given and name not in own.static and not _is_name(argument, name):
                result.append(_assignment(name, self.expression(argument)))
        statements = own.statements(own.definition.body)
        received = [] if target is None else target.elts if isinstance(target, ast.Tuple) else [target]
        names = [element.id for element in received if isinstance(element, ast.Name)]
        clash = (own.locals - set(own.parameters) - set(names)) & self.locals
        clash |= own.changed - set(names)
        if clash:
            raise ValueError(f"{function.__name__} and {self.of.__name__} share {sorted(clash)}")
        self.locals |= own.locals
        if target is None:
            return [*result, *statements]
        if body is None:
            *statements, last = statements
            assert isinstance(last, ast.Return)
            return [*result, *statements, *_handed_over(received, last.value)]
        inside = self.statements(body)
        yields = [node for statement in statements for node in ast.walk(statement) if _yields(node)]
        assert len(yields) == 1 and not any(isinstance(n, ast.Continue | ast.Break) for n in body)
        return [*result, *_Yield(lambda value: [*_handed_over(received, own.expression(value)), *inside])(statements)]

    def _handed(self, function: Callable[..., Any], call: ast.Call) -> dict[str, Static | Given]:
        """What is bound among the arguments of a call, by what it is called in the function."""
        known = {**self.given, **self.static}
        pairs = zip(_definition(function).parameters, call.args, strict=True)
        return {name: known[node.id] for name, node in pairs if isinstance(node, ast.Name) and node.id in known}

    # -- expressions

    def expression(self, node: ast.expr) -> ast.expr:
        """An expression, rewritten."""
        own = getattr(self, f"_{type(node).__name__}", None)
        return own(node) if own is not None else self._parts(node)  # type: ignore[no-any-return]

    def _parts(self, node: Any) -> Any:
        parts = []
        for field in node._fields:
            value = getattr(node, field)
            if isinstance(value, ast.expr):
                value = self.expression(value)
            elif isinstance(value, list):
                value = [self.expression(v) if isinstance(v, ast.expr) else v for v in value]
            parts.append(value)
        return type(node)(*parts)

    def _whole(self, node: ast.expr) -> int | None:
        """The value of a whole number that is bound, or of a sum of two."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, int) else None
        if isinstance(node, ast.Name):
            value = self.static.get(node.id)
            return value if isinstance(value, int) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            a, b = self._whole(node.left), self._whole(node.right)
            return None if a is None or b is None else a + b
        return None

    def _Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.static:
            return _number(self.static[node.id])
        if node.id not in self.locals:
            value = self.of.__globals__.get(node.id)
            if isinstance(value, int | float):
                return _number(value)
        return node

    def _Subscript(self, node: ast.Subscript) -> ast.expr:
        index = self._whole(node.slice)
        if index is None:
            return self._parts(node)  # type: ignore[no-any-return]
        if isinstance(node.value, ast.Name) and node.value.id in self.lists:
            return ast.Name(f"{node.value.id}_{index}", node.ctx)
        return ast.Subscript(self.expression(node.value), ast.Constant(index), node.ctx)

    def _Tuple(self, node: ast.Tuple) -> ast.expr:
        elements: list[ast.expr] = []
        for element in node.elts:
            if not isinstance(element, ast.Starred):
                elements.append(self.expression(element))
            elif _is_repeated(element.value):
                elements += self._repeated(element.value)
            else:
                assert isinstance(element.value, ast.Name)
                elements += self._entries(element.value.id)
        return ast.Tuple(elements, node.ctx)

    def _BoolOp(self, node: ast.BoolOp) -> ast.expr:
        decisive = isinstance(node.op, ast.Or)
        values: list[ast.expr] = []
        for value in map(self.expression, node.values):
            if _is_decided(value):
                if value.value == decisive:  # type: ignore[attr-defined]
                    values = [*values, value]
                    break
                continue
            values.append(value)
        if not values:
            return ast.Constant(not decisive)
        return values[0] if len(values) == 1 else ast.BoolOp(node.op, values)

    def _UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        value = self.expression(node.operand)
        if isinstance(node.op, ast.Not) and _is_decided(value):
            return ast.Constant(not value.value)  # type: ignore[attr-defined]
        return ast.UnaryOp(node.op, value)

    def _IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.expression(node.test)
        if _is_decided(test):
            return self.expression(node.body if test.value else node.orelse)  # type: ignore[attr-defined]
        return ast.IfExp(test, self.expression(node.body), self.expression(node.orelse))

    def _Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in self.given:
            return self._given_call(self.given[name], node)
        if name in ("all", "tuple") and isinstance(node.args[0], ast.GeneratorExp):
            entries = self._generated(node.args[0])
            if name == "tuple":
                return ast.Tuple(entries, ast.Load())
            return entries[0] if len(entries) == 1 else ast.BoolOp(ast.And(), entries)
        if name == "sum" and _is_name(node.args[0], *self.lists):
            entries = self._entries(node.args[0].id)  # type: ignore[attr-defined]
            return functools.reduce(lambda a, b: ast.BinOp(a, ast.Add(), b), entries)
        function = self.of.__globals__.get(name)
        handed = self._handed(function, node) if _is_algorithm(function) else {}
        if function is None or not handed:
            return ast.Call(node.func, [self.expression(argument) for argument in node.args], [])
        called = f"{self.prefix}_{name}"
        if called not in self.texts:
            _Function(function, handed, self.prefix, self.texts).write(called)
        arguments: list[ast.expr] = []
        for argument in node.args:
            if isinstance(argument, ast.Name) and (argument.id in self.given or argument.id in self.static):
                arguments += [ast.Name(known, ast.Load()) for known in self._left([argument.id])]
            else:
                arguments.append(self.expression(argument))
        return ast.Call(ast.Name(called, ast.Load()), arguments, [])

    def _given_call(self, given: Given, node: ast.Call) -> ast.expr:
        if not given.name:
            self.waiting += _parsed(given.lines)
            return ast.parse(given.value, mode="eval").body
        known = [ast.Name(name, ast.Load()) for name in given.knows]
        arguments = [self.expression(argument) for argument in node.args]
        return ast.Call(ast.Name(given.name, ast.Load()), [*arguments, *known], [])

    # -- what is written out

    def _range(self, node: ast.expr) -> range | None:
        """The range of a loop, if its end is bound."""
        if isinstance(node, ast.Call) and _is_name(node.func, "range") and len(node.args) == 1:
            end = node.args[0]
            if isinstance(end, ast.Name) and end.id in self.static:
                return range(int(self.static[end.id]))
        return None

    def _generated(self, node: ast.GeneratorExp) -> list[ast.expr]:
        (loop,) = node.generators
        over = self._range(loop.iter)
        assert over is not None and isinstance(loop.target, ast.Name)
        entries = []
        for j in over:
            self.static[loop.target.id] = j
            entries.append(self.expression(node.elt))
        del self.static[loop.target.id]
        return entries

    def _repeated(self, node: ast.expr) -> list[ast.expr]:
        """The entries of ``[value] * count``."""
        assert isinstance(node, ast.BinOp) and isinstance(node.left, ast.List)
        count = self._whole(node.right)
        assert count is not None
        return [self.expression(node.left.elts[0])] * int(count)

    def _entries(self, name: str) -> list[ast.expr]:
        return [ast.Name(f"{name}_{j}", ast.Load()) for j in range(self.lists[name])]


class _Yield(ast.NodeTransformer):
    """Puts statements in place of a generator's ``yield``."""

    def __init__(self, statements: Callable[[ast.expr], list[ast.stmt]]) -> None:
        self._statements = statements

    def __call__(self, nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for node in nodes:
            written = self.visit(node)
            result += written if isinstance(written, list) else [written]
        return result

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Statements in place of the one with ``yield``."""
        if not _yields(node.value):
            return node
        return self._statements(node.value.value)  # type: ignore[attr-defined]


def _yields(node: ast.AST) -> bool:
    return isinstance(node, ast.Yield)


def _handed_over(targets: Sequence[ast.expr], value: ast.expr | None) -> list[ast.stmt]:
    """Assignments of what is returned, where it is not called the same."""
    assert value is not None
    values = value.elts if isinstance(value, ast.Tuple) and len(targets) > 1 else [value]
    result = []
    for target, found in zip(targets, values, strict=True):
        assert isinstance(target, ast.Name)
        if not _is_name(found, target.id):
            result.append(_assignment(target.id, found))
    return result


def _assignment(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)


def _parsed(lines: Iterable[str]) -> list[ast.stmt]:
    return ast.parse("\n".join(lines)).body


def _number(value: Static) -> ast.expr:
    """The text of a number, which has names for those that are not finite."""
    if math.isnan(value):
        return ast.Name("NAN", ast.Load())
    if value in (math.inf, -math.inf):
        infinity = ast.Name("INFINITY", ast.Load())
        return infinity if value > 0 else ast.UnaryOp(ast.USub(), infinity)
    return ast.Constant(value)


def _is_algorithm(function: Any) -> TypeGuard[Callable[..., Any]]:
    return inspect.isfunction(function) and function.__module__.startswith(f"{__package__}.algorithms.")


def _is_name(node: ast.expr, *names: str) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _is_decided(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _is_repeated(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.left, ast.List)
