"""The compiled adaptive stepper: the text of scalar functions that solve one differential equation.

The exponential map, the exact natural gradient flow, parallel transport and the Jacobi equation all run on it. Every
trajectory has its own step control, all its stages live in scalars, and no coefficient that is zero is multiplied.

A stage that the equation's own conditions refuse (outside the domain, a singular metric) counts as an error that is
too large: the step is tried again at a quarter of its length. A solution that leaves the domain in finite time
therefore drives the step to nothing, and that is how leaving is told: the status says why, and the state is NaN.

The text branches on no number, so that it steps one trajectory as well as several side by side
(:mod:`riemopt.kernels.targets.lanes`): a step is always computed, and taken where it is good.

The arithmetic of the stages depends on the number of components only. It stands in a library of small functions of
tuples, compiled once and inlined everywhere, which keeps the text of every single solver short.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from riemopt.kernels.graph.parts import Ode
from riemopt.numerics.ode import MAXIMAL_STEPS
from riemopt.numerics.tableaux import DORMAND_PRINCE_853, Row
from riemopt.status import Status

__all__ = ["SOLUTION", "STEP_CONTROL", "library_source", "solver_source"]

SMALLEST_STEP = 1e-14
"""The shortest step worth taking, as a fraction of the whole duration."""

_RETREAT = 0.25
"""What is left of a step after one that was refused."""

_SHORTER, _LONGER = 0.333, 6.0
"""The least and the most that the length of a step changes by."""

_SAFETY = 0.75
"""How much of the step to take that is expected to be just good enough."""

_STEPS = 4.0
"""The number of steps whose errors are expected to add up: each may make so much less of an error than the whole."""

_RUNNING = -1.0
"""The outcome of a solution that has not come to its end; afterwards it is the status."""

_ERROR_STAGES = sorted(set().union(*DORMAND_PRINCE_853.errors))

_NO_SCALE = 1e-300
"""What errors are compared with where both tolerances of a component vanish."""

_BLOCK = 4
"""The number of components up to which the arithmetic is written out; longer states are taken in blocks."""

STEP_CONTROL = f"""
def ended(outcome):
    return every(outcome >= 0.0)


def eighth_root(x):
    return sqrt(sqrt(sqrt(x)))


def error_norm(sums, h, dimension):
    # Hairer, Nørsett and Wanner, section II.10, equation (10.17)
    fifth, third = sums
    error = {_STEPS} * h * fifth / sqrt((fifth + 0.01 * third) * dimension)
    return select(fifth + third == 0.0, 0.0, error)


def first_guess(size, speed, dimension):
    # the same, section II.4, "Starting step size": the sums of squares of the scaled state and of its derivative
    d0, d1 = sqrt(size / dimension), sqrt(speed / dimension)
    # without an absolute tolerance, what begins at 0 has no scale
    return select((d0 >= 1e-5) & (d1 >= 1e-5) & (d1 < INFINITY), 0.01 * d0 / d1, 1e-6)


def first_step(h, speed, bend, dimension):
    # the same; bend is the sum of squares of the derivative's change over the first guess h
    largest = maximum(sqrt(speed / dimension), sqrt(bend / dimension) / h)
    longer = select(largest <= 1e-15, maximum(1e-6, h * 1e-3), eighth_root(0.01 / largest))
    return select(largest < INFINITY, minimum(100.0 * h, longer), h)


def add_pairs(a, b):
    return a[0] + b[0], a[1] + b[1]


def resize(error):
    # the same, section II.4, equation (4.13)
    return minimum({_LONGER}, maximum({_SHORTER}, {_SAFETY} / eighth_root(error)))
"""
"""The step control, the same for every equation."""


def library_source(dimension: int) -> tuple[str, tuple[int, ...]]:
    """The text of the functions that every solver of a dimension calls, and the smaller dimensions they build on.

    Their names end in ``_of_`` and the dimension: ``stage_1`` to ``stage_11`` and ``advance`` are the points of the
    stages and the end of the step; ``error_sums`` the sums of squares that the error is made of; ``square_sum`` and
    ``change_sum`` those of a scaled vector and of a scaled difference.
    """
    rows = {f"stage_{stage}": row for stage, row in enumerate(DORMAND_PRINCE_853.stages, start=1)}
    rows["advance"] = DORMAND_PRINCE_853.weights
    heads = {name: ["y", "d", *(f"k{stage}" for stage in row)] for name, row in rows.items()}
    heads["error_sums"] = ["y", "z", "rtol", "atol", *(f"k{stage}" for stage in _ERROR_STAGES)]
    heads["choose"] = ["c", "a", "b"]
    heads["square_sum"] = ["v", "y", "rtol", "atol"]
    heads["change_sum"] = ["v", "u", "y", "rtol", "atol"]
    write = _written_out if dimension <= _BLOCK else _in_blocks
    text = [
        f"def {name}_of_{dimension}({', '.join(head)}):\n    return {write(name, head, rows.get(name), dimension)}\n"
        for name, head in heads.items()
    ]
    return "\n\n".join(text), () if dimension <= _BLOCK else tuple(sorted(set(_blocks(dimension).values())))


def _blocks(dimension: int) -> dict[int, int]:
    """Where each block of a long state begins, and how long it is."""
    return {start: min(_BLOCK, dimension - start) for start in range(0, dimension, _BLOCK)}


def _written_out(name: str, head: list[str], row: Row | None, dimension: int) -> str:
    def each(entry: Callable[[int], str], join: str) -> str:
        return join.join(entry(i) for i in range(dimension))

    if row is not None:
        return f"({each(lambda i: f'y[{i}] + d * ({_combination(row, i)})', ', ')},)"
    if name == "choose":
        return f"({each(lambda i: f'select(c, a[{i}], b[{i}])', ', ')},)"
    if name == "error_sums":
        scale = f"maximum(atol + rtol * maximum(absolute(y[{{i}}]), absolute(z[{{i}}])), {_NO_SCALE})"
        tableau = DORMAND_PRINCE_853
        sums = [
            each(lambda i, r=r: f"square(({_combination(r, i)}) / {scale.format(i=i)})", " + ")  # type: ignore[misc]
            for r in tableau.errors
        ]
        return f"({sums[0]}, {sums[1]})"
    vector = "v[{i}]" if name == "square_sum" else "(v[{i}] - u[{i}])"
    scale = f"maximum(atol + rtol * absolute(y[{{i}}]), {_NO_SCALE})"
    return each(lambda i: f"square({vector.format(i=i)} / {scale.format(i=i)})", " + ")


def _in_blocks(name: str, head: list[str], row: Row | None, dimension: int) -> str:
    scalars = ("c", "d", "rtol", "atol")
    calls = [
        f"{name}_of_{size}({', '.join(a if a in scalars else f'{a}[{start}:{start + size}]' for a in head)})"
        for start, size in _blocks(dimension).items()
    ]
    if name == "error_sums":
        return functools.reduce(lambda a, b: f"add_pairs({a}, {b})", calls)
    return " + ".join(calls)


SOLUTION = ("outcome", "t", "h", "cause", "largest", "count")
"""What is known of a solution on its way besides the state and its derivative, the one number after the other."""


def solver_source(ode: Ode, name: str, field: str, approach: str, is_straight: bool) -> str:
    """The text of the solver of one equation.

    Parameters
    ----------
    ode : Ode
        The equation.
    name : str
        What to call the solver.
    field : str
        What the equation's compiled field is called in the text: a function of the state and the constants as tuples
        that returns the status, and the derivative as a tuple.
    approach : str
        What :attr:`Ode.approach` is called in the text; empty if the equation has none.
    is_straight : bool
        Whether both are functions without loops.

    Returns
    -------
    str
        A function of the state and the equation's constants as tuples, of the duration (of either sign), the
        relative and the absolute tolerance. It returns the status, and the state at the end, or NaN, with the time
        reached behind it. It is made of three others, for who keeps several solutions going: ``_begin`` gives what
        :data:`SOLUTION` names, ``_advance`` takes one step, and ``_end`` makes of that what the whole returns. They
        call the functions of :data:`STEP_CONTROL` and of :func:`library_source`.
    """
    n, kind = ode.dimension, "@straight" if is_straight else "@plain"
    stages = []
    for stage, row in enumerate(DORMAND_PRINCE_853.stages, start=1):
        used = ", ".join(f"k{earlier}" for earlier in row)
        stages.append(f"status, k{stage} = {field}(stage_{stage}_of_{n}(y, d, {used}), p)")
        # the first one: the stages after one that was refused may not be numbers
        stages.append("refused = select(refused == 0.0, status, refused)")
    weighted = ", ".join(f"k{stage}" for stage in DORMAND_PRINCE_853.weights)
    compared = ", ".join(f"k{stage}" for stage in _ERROR_STAGES)
    step = "\n    ".join(stages)
    limit = (
        f"""
    forward, backward = {approach}(y, p)
    rate = select(duration > 0.0, forward, backward)
    h = select(h * rate > 1.0, 1.0 / rate, h)"""
        if approach
        else ""
    )
    return f"""{kind}
def {name}_begin(y, p, duration, rtol, atol):
    status, k0 = {field}(y, p)
    speed = square_sum_of_{n}(k0, y, rtol, atol)
    h = minimum(first_guess(square_sum_of_{n}(y, y, rtol, atol), speed, {n}.0), absolute(duration))
    d = select(duration < 0.0, -h, h) / {DORMAND_PRINCE_853.stages[0][0]!r}
    refused, k1 = {field}(stage_1_of_{n}(y, d, k0), p)
    bend = change_sum_of_{n}(k1, k0, y, rtol, atol)
    h = select(refused == 0.0, first_step(h, speed, bend, {n}.0), h * {_RETREAT})
    outcome = select(status != 0.0, status, select(duration == 0.0, 0.0, {_RUNNING}))
    return k0, outcome, spread(0.0), h, spread(0.0), spread({_LONGER}), spread(0.0)


{kind}
def {name}_advance(y, k0, outcome, t, h, cause, largest, count, p, duration, rtol, atol):
    running = outcome < 0.0
    span = absolute(duration){limit}
    rest = span - t
    last = h >= rest
    # two steps of one length to the end rather than a long one and a short one
    h = select(last, rest, select(h >= 0.5 * rest, 0.5 * rest, h))
    short = (h < rest) & (h < {SMALLEST_STEP} * span)
    d = select(duration < 0.0, -h, h)
    refused = spread(0.0)
    {step}
    z = advance_of_{n}(y, d, {weighted})
    error = error_norm(error_sums_of_{n}(y, z, rtol, atol, {compared}), h, {n}.0)
    # the end of the step is the first stage of the next one, and it too must be allowed
    status, k1 = {field}(z, p)
    refused = select((refused == 0.0) & (error < 1.0), status, refused)
    judged = (refused == 0.0) & (error < INFINITY)
    good = judged & (error < 1.0)
    factor = resize(error)
    moved = running & good
    y = choose_of_{n}(moved, z, y)
    k0 = choose_of_{n}(moved, k1, k0)
    t = select(moved, t + h, t)
    cause = select(good, cause, select(judged, 0.0, refused))
    h = h * select(good, minimum(factor, largest), select(judged, factor, {_RETREAT}))
    largest = select(good, {_LONGER}, 1.0)
    count = count + 1.0
    lost = select(cause == 0.0, {float(Status.LEFT_DOMAIN)}, cause)
    ended = select(count >= {MAXIMAL_STEPS}.0, {float(Status.DIVERGED)}, outcome)
    ended = select(good & last, 0.0, select(short, lost, ended))
    return y, k0, select(running, ended, outcome), t, h, cause, largest, count


{kind}
def {name}_end(y, outcome, t, duration):
    t = select(duration < 0.0, -t, t)
    reached = outcome == 0.0
    return outcome, choose_of_{n}(reached, y, ({"NAN, " * n})) + (select(reached, duration, t),)


@plain
def {name}(y, p, duration, rtol, atol):
    k0, outcome, t, h, cause, largest, count = {name}_begin(y, p, duration, rtol, atol)
    while not ended(outcome):
        y, k0, outcome, t, h, cause, largest, count = {name}_advance(
            y, k0, outcome, t, h, cause, largest, count, p, duration, rtol, atol
        )
    return {name}_end(y, outcome, t, duration)
"""


def _combination(row: Row, component: int) -> str:
    return " + ".join(f"{coefficient!r} * k{stage}[{component}]" for stage, coefficient in row.items())
