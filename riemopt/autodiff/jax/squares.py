"""Squared derivatives of every case of a network in JAX, summed over cases, without a derivative case by case.

A network's program is opened where parameters meet the cases: at the products, convolutions and sums that take one
operand made of parameters alone and another that has a row for each case. One pullback for all cases gives the
derivative δ by what comes out of each such place. What a case gives to a parameter there depends on its own rows of
the operand x and of δ: in a dense layer it is the product x δ of two numbers, so that the squares are those of x² and
δ²; elsewhere, as in a convolution, it is a sum, and taken for the layer alone, case after case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["OpenedNetwork"]

_CALLS = {"jit", "pjit", "closed_call", "core_call", "checkpoint", "remat", "remat2"}
"""Equations that are the equations within."""

_PLACES = {"dot_general", "conv_general_dilated", "add", "sub", "mul"}
"""Where parameters may meet the cases: row n of what comes out is made of row n of what goes in."""

_MOVES = {"transpose", "reshape", "squeeze", "broadcast_in_dim", "convert_element_type", "copy", "rev", "expand_dims"}
"""What puts numbers elsewhere, and does nothing else to them."""


@dataclass(frozen=True)
class _Constant:
    value: Any


@dataclass(frozen=True)
class _Step:
    """An equation, its operands and results as places in an environment."""

    equation: Any
    takes: tuple[Any, ...]
    gives: tuple[int, ...]

    @property
    def name(self) -> str:
        return str(self.equation.primitive.name)

    def __call__(self, operands: Sequence[Any]) -> list[Any]:
        options = self.equation.primitive.get_bind_params(self.equation.params)
        # older releases of JAX give functions apart
        functions, options = options if isinstance(options, tuple) else ((), options)
        found = self.equation.primitive.bind(*functions, *operands, **options)
        return list(found) if self.equation.primitive.multiple_results else [found]


@dataclass
class _Program:
    """The steps of a function, those of functions that it calls included."""

    steps: list[_Step] = field(default_factory=list)
    avals: list[Any] = field(default_factory=list)
    constants: dict[int, Any] = field(default_factory=dict)
    result: Any = None

    @classmethod
    def of(cls, function: Callable[..., Any], *arguments: Any) -> _Program:
        """The program of a function of arrays, whose arguments have the first places."""
        closed = jax.make_jaxpr(function)(*arguments)
        program = cls()
        takes = [program._place(variable) for variable in closed.jaxpr.invars]
        (program.result,) = program._opened(closed.jaxpr, closed.consts, takes)
        return program

    def _place(self, variable: Any) -> int:
        self.avals.append(variable.aval)
        return len(self.avals) - 1

    def _opened(self, jaxpr: Any, constants: Sequence[Any], takes: Sequence[Any]) -> list[Any]:
        known = dict(zip(jaxpr.invars, takes, strict=True))
        for variable, value in zip(jaxpr.constvars, constants, strict=True):
            known[variable] = self._place(variable)
            self.constants[known[variable]] = value

        def place(atom: Any) -> Any:
            return _Constant(atom.val) if hasattr(atom, "val") else known[atom]

        for equation in jaxpr.eqns:
            operands = tuple(map(place, equation.invars))
            if equation.primitive.name in _CALLS:
                inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
                results = self._opened(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), operands)
            else:
                results = [self._place(variable) for variable in equation.outvars]
                self.steps.append(_Step(equation, operands, tuple(results)))
            known.update(zip(equation.outvars, results, strict=True))
        return [place(atom) for atom in jaxpr.outvars]

    def run(self, steps: Iterable[_Step], values: dict[int, Any]) -> dict[int, Any]:
        """The values of all places after some steps."""
        values = self.constants | values
        for step in steps:
            operands = [_value(x, values) for x in step.takes]
            values.update(zip(step.gives, step(operands), strict=True))
        return values

    def way_to(self, places: Iterable[Any]) -> list[_Step]:
        """The steps that some places depend on."""
        wanted, way = set(_places(list(places))), []
        for step in reversed(self.steps):
            if wanted.intersection(step.gives):
                wanted.update(_places(step.takes))
                way.append(step)
        return way[::-1]


@dataclass(frozen=True)
class _Meeting:
    """A step where parameters meet the cases.

    Attributes
    ----------
    index : int
        Which step.
    axis : int
        Which axis of the result has the cases.
    others : dict of int to int
        The operands that are not of parameters alone, by position, and which axis of each has the cases.
    leaves : frozenset of int
        The parameters that meet the cases here.
    moved : bool
        Whether its other operand is one parameter, moved about at most.
    """

    index: int
    axis: int
    others: dict[int, int]
    leaves: frozenset[int]
    moved: bool


class OpenedNetwork:
    """A network of some cases, opened where its parameters meet them.

    Parameters
    ----------
    network : callable
        (parameters, inputs) ↦ z of shape (N, ...), parameters being a list of arrays.
    leaves : list of array
        The parameters.
    inputs : pytree of arrays
        N rows each. What comes out for a case must depend on its own rows only.

    Attributes
    ----------
    ruled : list of bool
        Which parameters meet the cases at such places only. For the others, as in a scan, there is no rule.
    """

    def __init__(self, network: Callable[[list[Any], Any], Any], leaves: Sequence[Any], inputs: Any) -> None:
        self._leaves = list(leaves)
        rows, tree = jax.tree_util.tree_flatten(inputs)
        self._count, self._rows = int(rows[0].shape[0]), rows
        width = len(self._leaves)

        def flat(*arguments: Any) -> Any:
            return network(list(arguments[:width]), jax.tree_util.tree_unflatten(tree, arguments[width:]))

        def program(count: int) -> _Program:
            shapes = [jax.ShapeDtypeStruct((count, *row.shape[1:]), row.dtype) for row in rows]
            return _Program.of(flat, *self._leaves, *shapes)

        self._one, self._all = program(1), program(self._count)
        self._many = self._all if self._count > 1 else program(2)
        self._meetings: list[_Meeting] = []
        self.ruled = self._look() if self._alike() else [False] * width
        self._meetings = [m for m in self._meetings if any(self.ruled[k] for k in m.leaves)]
        self._slow = self._sums()

    def _alike(self) -> bool:
        """Whether a case alone is computed by the same steps."""
        kinds = [[(s.name, _places(s.takes), s.gives) for s in p.steps] for p in (self._one, self._many, self._all)]
        return kinds[0] == kinds[1] == kinds[2]

    def _look(self) -> list[bool]:
        """Find the meetings; whether each parameter has met the cases at no other place."""
        program, width = self._many, len(self._leaves)
        # the parameters that a place depends on without any case, or None if it depends on cases
        sources: dict[int, frozenset[int] | None] = {k: frozenset([k]) for k in range(width)}
        sources |= {width + k: None for k in range(len(self._rows))} | {k: frozenset() for k in program.constants}
        moved = set(range(width))
        lost: set[int] = set()
        for index, step in enumerate(program.steps):
            given = [sources[x] for x in step.takes if not isinstance(x, _Constant)]
            leaves = frozenset().union(*(s for s in given if s is not None))
            depends = None in given
            sources |= dict.fromkeys(step.gives, None if depends else leaves)
            if not depends and step.name in _MOVES and set(_places(step.takes)) <= moved:
                moved |= set(step.gives)
            if depends and leaves:
                meeting = self._meeting(index, step, sources, leaves, moved)
                lost |= leaves if meeting is None else set()
                self._meetings += [] if meeting is None else [meeting]
        ending = None if isinstance(program.result, _Constant) else sources[program.result]
        lost |= ending or set()
        return [k not in lost for k in range(width)]

    def _meeting(
        self, index: int, step: _Step, sources: dict[int, Any], leaves: frozenset[int], moved: set[int]
    ) -> _Meeting | None:
        """A step as a meeting, unless it is none that there is a rule for."""
        axis = self._axis(step.gives[0]) if step.name in _PLACES else None
        others = {
            k: self._axis(x) for k, x in enumerate(step.takes) if not isinstance(x, _Constant) and sources[x] is None
        }
        if axis is None or None in others.values():
            return None
        own = [x for k, x in enumerate(step.takes) if k not in others]
        plain = step.name != "sub" and len(leaves) == 1 and all(x in moved for x in own)
        return _Meeting(index, axis, {k: a for k, a in others.items() if a is not None}, leaves, plain)

    def _axis(self, place: int) -> int | None:
        """The axis that has the cases, if there is one and no other changes with their number."""
        one, many = (tuple(program.avals[place].shape) for program in (self._one, self._many))
        if len(one) != len(many):
            return None
        changed = [k for k, sizes in enumerate(zip(one, many, strict=True)) if sizes[0] != sizes[1]]
        count = max(self._count, 2)
        return changed[0] if len(changed) == 1 and (one[changed[0]], many[changed[0]]) == (1, count) else None

    def squares(self, covectors: Callable[[Any], Any]) -> list[Any]:
        """The squares of each case's derivative, summed over cases and covectors, for every parameter with a rule.

        Parameters
        ----------
        covectors : callable
            z ↦ the covectors of the outputs, shape (K, N, ...).

        Returns
        -------
        list of array or None
            In the shapes of the parameters; None where there is no rule.
        """
        results = (self._all.avals[self._all.steps[m.index].gives[0]] for m in self._meetings)
        nothing = [jnp.zeros(result.shape, result.dtype) for result in results]
        z, pull, others = jax.vjp(self._moved_by, nothing, has_aux=True)

        def add(total: Any, covector: Any) -> tuple[Any, None]:
            found = self._squares_of(others, pull(covector)[0])
            return [t + f for t, f in zip(total, found, strict=True)], None

        zeros = [jnp.zeros_like(leaf) for leaf in self._leaves]
        total, _ = lax.scan(add, zeros, covectors(z))
        return [value if ruled else None for value, ruled in zip(total, self.ruled, strict=True)]

    def _moved_by(self, shifts: Sequence[Any]) -> tuple[Any, list[list[Any]]]:
        """The outputs, with something added to what comes out of every meeting; and the operands there."""
        program = self._all
        values = program.constants | dict(enumerate([*self._leaves, *self._rows]))
        places = {m.index: k for k, m in enumerate(self._meetings)}
        others: list[list[Any]] = [[] for _ in self._meetings]
        for index, step in enumerate(program.steps):
            values = program.run([step], values)
            if index in places:
                k = places[index]
                others[k] = [values[step.takes[position]] for position in self._meetings[k].others]
                values[step.gives[0]] = values[step.gives[0]] + shifts[k]
        return values[program.result], others

    def _squares_of(self, others: Sequence[Any], slopes: Sequence[Any]) -> list[Any]:
        """The squares for one covector of the outputs, from the operands and slopes at all meetings."""
        total = [jnp.zeros_like(leaf) for leaf in self._leaves]
        for k, meeting in enumerate(self._meetings):
            (leaf, *_) = meeting.leaves
            if leaf not in self._slow:
                squared = [[other * other for other in others[k]]]
                total[leaf] = _pulled(self._all, self._leaves, [meeting], squared, [slopes[k] * slopes[k]])[leaf]
        return self._case_by_case(total, others, slopes) if self._slow else total

    def _case_by_case(self, total: list[Any], others: Sequence[Any], slopes: Sequence[Any]) -> list[Any]:
        """The same with the parameters of which a case has a sum, at the meetings of these alone."""
        leaves = sorted(self._slow)
        chosen = [k for k, meeting in enumerate(self._meetings) if meeting.leaves & self._slow]
        meetings = [self._meetings[k] for k in chosen]

        def add(n: Any, sums: Any) -> Any:
            def row(array: Any, axis: int) -> Any:
                return lax.dynamic_slice_in_dim(array, n, 1, axis)

            held = [list(map(row, others[k], self._meetings[k].others.values())) for k in chosen]
            own = _pulled(
                self._one, self._leaves, meetings, held, [row(slopes[k], self._meetings[k].axis) for k in chosen]
            )
            return [s + own[leaf] ** 2 for s, leaf in zip(sums, leaves, strict=True)]

        sums = lax.fori_loop(0, self._count, add, [total[leaf] for leaf in leaves])
        found = dict(zip(leaves, sums, strict=True))
        return [found.get(k, value) for k, value in enumerate(total)]

    def _sums(self) -> set[int]:
        """The parameters to which a case gives more than one product, at one place or at several."""
        several: set[int] = set()
        for k, meeting in enumerate(self._meetings):
            if any(meeting.leaves & other.leaves for other in self._meetings[:k]):
                several |= meeting.leaves
            if not (meeting.moved and self._is_product(meeting)):
                several |= meeting.leaves
        return several

    def _is_product(self, meeting: _Meeting) -> bool:
        """Whether a case gives one product to every entry of a parameter: ones are then pulled back to ones."""
        (leaf,) = meeting.leaves
        step = self._one.steps[meeting.index]

        def ones(place: int) -> Any:
            return jnp.ones(self._one.avals[place].shape, self._one.avals[place].dtype)

        with jax.ensure_compile_time_eval():
            leaves = [ones(k) for k in range(len(self._leaves))]
            others = [ones(step.takes[position]) for position in meeting.others]
            times = _pulled(self._one, leaves, [meeting], [others], [ones(step.gives[0])])[leaf]
            return bool((times == 1).all())


def _pulled(
    program: _Program,
    leaves: Sequence[Any],
    meetings: Sequence[_Meeting],
    others: Sequence[Sequence[Any]],
    slopes: Sequence[Any],
) -> list[Any]:
    """Slopes by the results of some meetings, pulled back to the parameters there and added up; the cases are held."""
    taken = {x for m in meetings for k, x in enumerate(program.steps[m.index].takes) if k not in m.others}
    way = program.way_to(taken)

    def results(parameters: list[Any]) -> list[Any]:
        values = program.run(way, dict(enumerate(parameters)))
        found = []
        for meeting, given in zip(meetings, others, strict=True):
            step, held = program.steps[meeting.index], dict(zip(meeting.others, given, strict=True))
            known = (held.get(k) if k in held else _value(x, values) for k, x in enumerate(step.takes))
            found += step(list(known))
        return found

    exact, pull = jax.vjp(results, list(leaves))
    return list(pull([slope.astype(value.dtype) for slope, value in zip(slopes, exact, strict=True)])[0])


def _value(place: Any, values: dict[int, Any]) -> Any:
    return place.value if isinstance(place, _Constant) else values[place]


def _places(takes: Sequence[Any]) -> tuple[int, ...]:
    """The operands that are no constants; of constants only that there is one."""
    return tuple(-1 if isinstance(x, _Constant) else x for x in takes)
