"""The compiled adaptive stepper: the text of a scalar function that solves one differential equation.

The exponential map, the exact natural gradient flow, parallel transport and the Jacobi equation all run on it. Every
trajectory has its own step control, all its stages live in scalars, and no coefficient that is zero is multiplied.

A stage that the equation's own conditions refuse (outside the domain, a singular metric) counts as an error that is
too large: the step is tried again at a quarter of its length. A solution that leaves the domain in finite time
therefore drives the step to nothing, and that is how leaving is told: the status says why, and the state is NaN.

The arithmetic of the stages depends on the number of components only. It stands in a library of small functions of
tuples, compiled once and inlined everywhere, which keeps the text of every single solver short.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from riemopt.kernels.lowering import Ode
from riemopt.kernels.tableaux import DORMAND_PRINCE_853, Row
from riemopt.status import Status

__all__ = ["MAXIMAL_STEPS", "STEP_CONTROL", "library_source", "solver_source"]

MAXIMAL_STEPS = 10_000
"""Steps, accepted or not, after which a solution counts as not to be had."""

SMALLEST_STEP = 1e-14
"""The shortest step worth taking, as a fraction of the whole duration."""

_RETREAT = 0.25
"""What is left of a step after one that was refused."""

_ERROR_STAGES = sorted({*DORMAND_PRINCE_853.fifth, *DORMAND_PRINCE_853.third})

_NO_SCALE = 1e-300
"""What errors are compared with where both tolerances of a component vanish."""

_BLOCK = 4
"""The number of components up to which the arithmetic is written out; longer states are taken in blocks."""

STEP_CONTROL = """
def error_norm(sums, h, dimension):
    # Hairer, Nørsett and Wanner, section II.10, equation (10.17)
    fifth, third = sums
    if fifth == 0.0 and third == 0.0:
        return 0.0
    return h * fifth / sqrt((fifth + 0.01 * third) * dimension)


def first_guess(size, speed, dimension):
    # the same, section II.4, "Starting step size": the sums of squares of the scaled state and of its derivative
    d0, d1 = sqrt(size / dimension), sqrt(speed / dimension)
    # without an absolute tolerance, what begins at 0 has no scale
    return 1e-6 if d0 < 1e-5 or d1 < 1e-5 or not d1 < INFINITY else 0.01 * d0 / d1


def first_step(h, speed, bend, dimension):
    # the same; bend is the sum of squares of the derivative's change over the first guess h
    largest = maximum(sqrt(speed / dimension), sqrt(bend / dimension) / h)
    if not largest < INFINITY:
        return h
    longer = maximum(1e-6, h * 1e-3) if largest <= 1e-15 else (0.01 / largest) ** 0.125
    return minimum(100.0 * h, longer)


def add_pairs(a, b):
    return a[0] + b[0], a[1] + b[1]


def resize(error):
    # the same, section II.4, equation (4.13) with the constants of DOP853
    return 6.0 if error == 0.0 else minimum(6.0, maximum(0.333, 0.9 * error**-0.125))
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
    if name == "error_sums":
        scale = f"maximum(atol + rtol * maximum(absolute(y[{{i}}]), absolute(z[{{i}}])), {_NO_SCALE})"
        tableau = DORMAND_PRINCE_853
        sums = [
            each(lambda i, r=r: f"square(({_combination(r, i)}) / {scale.format(i=i)})", " + ")  # type: ignore[misc]
            for r in (tableau.fifth, tableau.third)
        ]
        return f"({sums[0]}, {sums[1]})"
    vector = "v[{i}]" if name == "square_sum" else "(v[{i}] - u[{i}])"
    scale = f"maximum(atol + rtol * absolute(y[{{i}}]), {_NO_SCALE})"
    return each(lambda i: f"square({vector.format(i=i)} / {scale.format(i=i)})", " + ")


def _in_blocks(name: str, head: list[str], row: Row | None, dimension: int) -> str:
    scalars = ("d", "rtol", "atol")
    calls = [
        f"{name}_of_{size}({', '.join(a if a in scalars else f'{a}[{start}:{start + size}]' for a in head)})"
        for start, size in _blocks(dimension).items()
    ]
    if name == "error_sums":
        return functools.reduce(lambda a, b: f"add_pairs({a}, {b})", calls)
    return " + ".join(calls)


def solver_source(ode: Ode, name: str, field: str, approach: str = "") -> str:
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
    approach : str, optional
        What :attr:`Ode.approach` is called in the text, if the equation has one.

    Returns
    -------
    str
        A function of the state and the equation's constants as tuples, of the duration (of either sign), the
        relative and the absolute tolerance. It returns the status, and the state at the end, or NaN, with the time
        reached behind it. It calls the functions of :data:`STEP_CONTROL` and of :func:`library_source`.
    """
    n = ode.dimension
    lost = "(" + "NAN, " * n + "{})"
    stages = []
    for stage, row in enumerate(DORMAND_PRINCE_853.stages, start=1):
        used = ", ".join(f"k{earlier}" for earlier in row)
        stages.append(f"status, k{stage} = {field}(stage_{stage}_of_{n}(y, d, {used}), p)")
        # the first one: the stages after one that was refused may not be numbers
        stages.append("refused = select(refused == 0.0, status, refused)")
    weighted = ", ".join(f"k{stage}" for stage in DORMAND_PRINCE_853.weights)
    compared = ", ".join(f"k{stage}" for stage in _ERROR_STAGES)
    step = "\n        ".join(stages)
    limit = (
        f"""
        forward, backward = {approach}(y, p)
        rate = forward if duration > 0.0 else backward
        if h * rate > 1.0:
            h = 1.0 / rate"""
        if approach
        else ""
    )
    return f"""def {name}(y, p, duration, rtol, atol):
    status, k0 = {field}(y, p)
    if status != 0.0:
        return status, {lost.format(0.0)}
    if duration == 0.0:
        return status, y + (0.0,)
    span = absolute(duration)
    sign = duration / span
    speed = square_sum_of_{n}(k0, y, rtol, atol)
    h = minimum(first_guess(square_sum_of_{n}(y, y, rtol, atol), speed, {n}.0), span)
    status, k1 = {field}(stage_1_of_{n}(y, sign * h / {DORMAND_PRINCE_853.stages[0][0]!r}, k0), p)
    bend = change_sum_of_{n}(k1, k0, y, rtol, atol)
    h = h * {_RETREAT} if status != 0.0 else first_step(h, speed, bend, {n}.0)
    t = 0.0
    cause = 0.0
    largest = 6.0
    for _ in range({MAXIMAL_STEPS}):{limit}
        last = h >= span - t
        if last:
            h = span - t
        elif h < {SMALLEST_STEP} * span:
            return (cause if cause != 0.0 else {float(Status.LEFT_DOMAIN)}), {lost.format("sign * t")}
        d = sign * h
        refused = 0.0
        {step}
        z = advance_of_{n}(y, d, {weighted})
        error = error_norm(error_sums_of_{n}(y, z, rtol, atol, {compared}), h, {n}.0)
        if refused != 0.0 or not error < INFINITY:
            cause = refused
            h = h * {_RETREAT}
            largest = 1.0
            continue
        factor = resize(error)
        if error >= 1.0:
            cause = 0.0
            h = h * factor
            largest = 1.0
            continue
        # the end of the step is the first stage of the next one, and it too must be allowed
        status, k1 = {field}(z, p)
        if status != 0.0:
            cause = status
            h = h * {_RETREAT}
            largest = 1.0
            continue
        y = z
        k0 = k1
        if last:
            return 0.0, y + (duration,)
        t = t + h
        h = h * minimum(factor, largest)
        largest = 6.0
    return {float(Status.DIVERGED)}, {lost.format("sign * t")}
"""


def _combination(row: Row, component: int) -> str:
    return " + ".join(f"{coefficient!r} * k{stage}[{component}]" for stage, coefficient in row.items())
