"""Python functions as the text of kernels: read from their source, and rewritten for the case at hand.

The functions of :mod:`riemopt.kernels.text.algorithms` are plain Python. Some of their arguments are known when a
kernel is written: the functions that an algorithm evaluates, how many integrals there are, whether something is
checked. They are *bound*, and the rest is left to the text (partial evaluation):

- a bound number takes the place of its name, and ``if``, ``and``, ``or`` are decided where they can be;
- a call of a bound function calls what the text has for it. It takes, behind its arguments, the variables that it knows
  (a closure's), and these take the place of the function wherever it is an argument or a parameter;
- a list of a bound length becomes a variable for each entry, and a loop over a bound range is written out;
- a call of another algorithm that hands on anything bound calls that function rewritten in the same way, as one more
  function of the text; of a function marked ``inlined``, the statements themselves are put there. What it shares with
  its caller has one name in both, and a generator's ``yield`` makes room for the body of the loop over it;
- numbers of the function's module become their values. All other names are those of functions that every text may call.
"""

from __future__ import annotations

import ast
import functools
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from riemopt.kernels.text.bound import Bound, Expressions, Given, Static, is_bool, is_name, statements_of

__all__ = ["specialized"]


def specialized(
    function: Callable[..., Any],
    name: str,
    bound: Bound,
    parameters: Sequence[str] | None = None,
    before: Iterable[str] = (),
    kind: str = "plain",
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
    kind : str, optional
        ``"straight"`` for a function without loops, of which targets make instructions.
    """
    key = None if parameters is None else tuple(parameters)
    return _specialized(function, name, tuple(bound.items()), key, tuple(before), kind)


@functools.lru_cache(maxsize=256)
def _specialized(
    function: Callable[..., Any],
    name: str,
    bound: tuple[tuple[str, Static | Given], ...],
    parameters: tuple[str, ...] | None,
    before: tuple[str, ...],
    kind: str,
) -> str:
    texts: dict[str, str] = {}
    _Function(function, dict(bound), name, texts, {}).write(name, kind, parameters, before)
    return "\n\n".join(texts.values())


class _Function(Expressions):
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
    lists : dict of str to int
        The lists of bound length that the caller of an inlined function shares with it.
    """

    def __init__(
        self, function: Callable[..., Any], bound: Bound, prefix: str, texts: dict[str, str], lists: dict[str, int]
    ) -> None:
        super().__init__(function, bound, lists)
        self.prefix, self.texts = prefix, texts

    def write(self, name: str, kind: str, parameters: Sequence[str] | None = None, before: Iterable[str] = ()) -> None:
        """Add the text of the function, behind those that it needs."""
        body = [*statements_of(before), *self.statements(self.definition.body)]
        arguments = self.left(self.definition.parameters) if parameters is None else parameters
        lines = textwrap.indent(ast.unparse(ast.Module(body, [])), "    ")
        self.texts[name] = f"@{kind}\ndef {name}({', '.join(arguments)}):\n{lines}\n"

    def instance(self, function: Callable[..., Any], bound: Bound) -> str:
        """See :class:`Expressions`."""
        name = f"{self.prefix}_{function.__name__}"
        if name not in self.texts:
            kind = "straight" if getattr(function, "straight", False) else "plain"
            _Function(function, bound, self.prefix, self.texts, {}).write(name, kind)
        return name

    # -- statements

    def statements(self, nodes: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Statements, rewritten."""
        result: list[ast.stmt] = []
        for node in nodes:
            written = getattr(self, f"_{type(node).__name__}", lambda n: [self.parts(n)])(node)
            result += self.waiting
            result += written
            self.waiting = []
        return result

    def _Assign(self, node: ast.Assign) -> list[ast.stmt]:
        (target,) = node.targets
        called = self._inlined(node.value)
        if called is not None:
            return self._put(called, node.value, target)
        entries = self.repeated(node.value)
        if entries is not None and isinstance(target, ast.Name):
            self.lists[target.id] = len(entries)
            return [_assignment(f"{target.id}_{j}", entry) for j, entry in enumerate(entries)]
        if isinstance(target, ast.Tuple) and isinstance(target.elts[-1], ast.Starred):
            self._receive(target, node.value)
        return [ast.Assign([self(target)], self(node.value), lineno=0)]

    def _receive(self, target: ast.Tuple, value: ast.expr) -> None:
        """Note that the rest of what a bound function returns is a list."""
        assert isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
        starred = target.elts[-1]
        assert isinstance(starred, ast.Starred) and isinstance(starred.value, ast.Name)
        self.lists[starred.value.id] = self.given[value.func.id].results - len(target.elts) + 1

    def _Expr(self, node: ast.Expr) -> list[ast.stmt]:
        if isinstance(node.value, ast.Yield):
            return [node]
        called = self._inlined(node.value)
        return [self.parts(node)] if called is None else self._put(called, node.value, None)

    def _If(self, node: ast.If) -> list[ast.stmt]:
        test = self(node.test)
        if is_bool(test):
            return self.statements(node.body if test.value else node.orelse)
        assert not self.waiting
        return [ast.If(test, self.statements(node.body), self.statements(node.orelse))]

    def _While(self, node: ast.While) -> list[ast.stmt]:
        test = self(node.test)
        assert not self.waiting
        return [ast.While(test, self.statements(node.body), [])]

    def _For(self, node: ast.For) -> list[ast.stmt]:
        called = self._inlined(node.iter)
        if called is not None:
            return self._put(called, node.iter, node.target, node.body)
        over = self.range(node.iter)
        if over is None:
            return [ast.For(node.target, self(node.iter), self.statements(node.body), [], lineno=0)]
        assert isinstance(node.target, ast.Name)
        result: list[ast.stmt] = []
        for j in over:
            self.static[node.target.id] = j
            result += self.statements(node.body)
        self.static.pop(node.target.id, None)
        return result

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
        own = _Function(function, self.handed(function, call), self.prefix, self.texts, self.lists)
        parameters = own.definition.parameters
        result: list[ast.stmt] = []
        for name, argument in zip(parameters, call.args, strict=True):
            if name not in own.given and name not in own.static and not is_name(argument, name):
                result.append(_assignment(name, self(argument)))
        statements = own.statements(own.definition.body)
        received = [] if target is None else target.elts if isinstance(target, ast.Tuple) else [target]
        self._meet(own, {element.id for element in received if isinstance(element, ast.Name)})
        if target is None:
            return [*result, *statements]
        if body is None:
            *statements, last = statements
            assert isinstance(last, ast.Return)
            return [*result, *statements, *_handed_over(received, last.value)]
        inside = self.statements(body)
        return [*result, *_Yield(lambda value: [*_handed_over(received, own(value)), *inside])(statements)]

    def _meet(self, own: _Function, received: set[str]) -> None:
        """Take over the variables of an inlined function; none of them may be another one of the caller's.

        Raises
        ------
        ValueError
            If one is, or if the function changes what it was given, and does not return it.
        """
        parameters = set(own.definition.parameters)
        clash = (own.locals - parameters - received) & self.locals
        clash |= (own.definition.stored & parameters) - received
        if clash:
            raise ValueError(f"{own.of.__name__} and {self.of.__name__} share {sorted(clash)}")
        self.locals |= own.locals


class _Yield(ast.NodeTransformer):
    """Puts statements in place of a generator's ``yield``."""

    def __init__(self, statements: Callable[[ast.expr], list[ast.stmt]]) -> None:
        self._statements = statements

    def __call__(self, nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
        return self.visit(ast.Module(list(nodes), [])).body  # type: ignore[no-any-return]

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Statements in place of the one with ``yield``."""
        if not isinstance(node.value, ast.Yield):
            return node
        assert node.value.value is not None
        return self._statements(node.value.value)


def _handed_over(targets: Sequence[ast.expr], value: ast.expr | None) -> list[ast.stmt]:
    """Assignments of what is returned, where it is not called the same."""
    assert value is not None
    values = value.elts if isinstance(value, ast.Tuple) and len(targets) > 1 else [value]
    result = []
    for target, found in zip(targets, values, strict=True):
        assert isinstance(target, ast.Name)
        if not is_name(found, target.id):
            result.append(_assignment(target.id, found))
    return result


def _assignment(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)
