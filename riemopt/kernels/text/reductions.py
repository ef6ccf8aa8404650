"""Compiled sums over data and integrals over supports: the text of the functions that take them.

A sum over the rows of a table adds up blocks of rows, so that rounding grows with the number of blocks and not of rows.

An integral ∫ exp(w(y)) f(y) dy over the real line is taken where exp(w) has its mass. The largest value of w is
looked for on all scales, first from the origin and then from what was found, every further peak beyond a valley gets a
basin of its own, and in each basin both sides of the peak are integrated apart, y = c ± s sinh(π/2 sinh τ) with s the
width of the peak: the double exponential map of Takahasi and Mori, under which even algebraic tails vanish. In τ the
21-point Gauss-Kronrod rule is bisected until its error estimate, that of QUADPACK, is small against the whole. A
sum over integers starts at the largest term and goes outward until the terms vanish.

An integral that is known to be one is taken along, and if it does not come out, the search is made finer: a peak that
was overlooked cannot go unnoticed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.parts import Integral, Peak, TableSum
from riemopt.kernels.graph.programs import Part, Program, independent_of
from riemopt.kernels.text.statements import Statements, function, indented, listed
from riemopt.status import Status

__all__ = ["BLOCK", "KRONROD", "PANEL_ERROR", "RTOL", "integral_source", "peak_source", "sum_source"]

BLOCK = 1024
"""Rows that are added up before their sum joins the others."""

RTOL = 1e-10
"""What the error of an integral may be, relative to the integral of absolute values."""

_PANEL = 1e-11
"""What a panel may add to the error."""

_FURTHEST = 6.5
"""Where the double exponential map ends: sinh(π/2 sinh 6.5) is about 1e226."""

_NEGLIGIBLE = 1e-60
"""Weights below this, relative to the peak, are not looked at."""

_FAR = 34.0
"""How far w may be below its peak before a term that is not a number counts: exp(-34) is rounding."""

_DEEPEST = 40
"""How often a panel is bisected at most."""

_MOST_PANELS = 20_000
_MOST_PANELS_OVER_INTEGRALS = 300
_MOST_TERMS = 4_000_000

_FIRST_DEPTH, _MORE_DEPTH = 2, 3
"""Bisections to begin with, and how many more for integrands whose mass is not found."""

# The 10- and 21-point rules of Gauss and Kronrod (Piessens et al., QUADPACK, 1983): nodes from the middle outward, then
# the weights of Kronrod and, for every second node, of Gauss
_NODES = (
    0.0,
    0.14887433898163121,
    0.29439286270146020,
    0.43339539412924719,
    0.56275713466860468,
    0.67940956829902441,
    0.78081772658641690,
    0.86506336668898451,
    0.93015749135570823,
    0.97390652851717172,
    0.99565716302580808,
)
_KRONROD = (
    0.14944555400291691,
    0.14773910490133849,
    0.14277593857706008,
    0.13470921731147333,
    0.12349197626206585,
    0.10938715880229764,
    0.093125454583697606,
    0.075039674810919953,
    0.054755896574351996,
    0.032558162307964727,
    0.011694638867371874,
)
_GAUSS = (
    0.0,
    0.29552422471475287,
    0.0,
    0.26926671930999636,
    0.0,
    0.21908636251598204,
    0.0,
    0.14945134915058059,
    0.0,
    0.066671344308688138,
    0.0,
)


PANEL_ERROR = """
def panel_error(difference, scale):
    # QUADPACK's estimate, from the difference of the two rules and the integral of the absolute value
    if not scale > 0.0:
        return absolute(difference)
    r = 200.0 * absolute(difference) / scale
    return scale * minimum(1.0, r * sqrt(r))
"""


def _mirrored(values: Sequence[float], sign: float) -> tuple[float, ...]:
    return (*(sign * v for v in reversed(values[1:])), *values)


KRONROD = {
    "KRONROD_NODES": _mirrored(_NODES, -1.0),
    "KRONROD_WEIGHTS": _mirrored(_KRONROD, 1.0),
    "GAUSS_WEIGHTS": _mirrored(_GAUSS, 1.0),
}
"""The tables that the text of an integral looks at."""


def _unpacked(names: Sequence[str], source: str) -> list[str]:
    return [f"{''.join(f'{name}, ' for name in names)} = {source}"] if names else []


def sum_source(part: TableSum, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a sum over rows: a function of p, the table, and the first and the last row but one.

    A second function, of p and the table as one argument, adds up all rows.
    """
    inputs = {node: f"x{i}" for i, node in enumerate(part.body.inputs)}
    columns, constants = list(inputs.values())[: part.columns], list(inputs.values())[part.columns :]
    statements = Statements(f"{name}_values", parts)
    fixed = [node for node in independent_of(part.body, part.body.inputs[: part.columns]) if not node.is_constant]
    head = statements(fixed, inputs)
    body, terms = statements.together(part.body.outputs, inputs)
    count = range(part.size)
    zeros = listed("0.0" for _ in count)
    lines = [
        *statements.functions,
        "@straight",
        f"def {name}_plus(a, b):",
        f"    return {listed(f'a[{j}] + b[{j}]' for j in count)}",
        "",
        "",
        "@plain",
        f"def {name}_rows(p, table, start, stop):",
        *indented(_unpacked(constants, "p") + head, 1),
        f"    whole = {zeros}",
        f"    for first in range(start, stop, {BLOCK}):",
        f"        block = {zeros}",
        f"        for row in range(first, min(first + {BLOCK}, stop)):",
        *(f"            {column} = table[{k}, row]" for k, column in enumerate(columns)),
        *indented(body, 3),
        f"            block = {name}_plus(block, {terms})",
        f"        whole = {name}_plus(whole, block)",
        "    return whole",
        "",
        "",
        "@plain",
        f"def {name}(constants):",
        "    p, table = constants",
        f"    return 0.0, {name}_rows(p, table, 0, table.shape[1])",
        "",
    ]
    return "\n".join(lines)


def _function_of_y(program: Program, name: str, parts: Mapping[Part, str]) -> tuple[str, list[str], str]:
    """A program of (y, p) as a function of y and of what does not depend on y.

    Returns the text of the function, the statements that prepare its second argument from p, and that argument.
    """
    inputs = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    free = independent_of(program, program.inputs[:1])
    shared = [node for node in free if not node.is_constant]
    known = dict(inputs)
    statements = Statements(f"{name}_before", parts)
    prepare = statements(shared, known)
    own: dict[Node, str] = {program.inputs[0]: "y"} | {node: f"q{i}" for i, node in enumerate(shared)}
    unpack = _unpacked([f"q{i}" for i in range(len(shared))], "q")
    text = function(name, ["y", "q"], unpack, program.outputs, own, parts, lambda v: v[0] if len(v) == 1 else listed(v))
    packed = listed(known[node] for node in shared) if shared else "(0.0,)"
    return "\n\n".join([*statements.functions, text]), prepare, packed


def _constants(program: Program) -> list[str]:
    return _unpacked([f"x{i}" for i in range(1, len(program.inputs))], "p")


def _search_source(part: Integral | Peak, name: str, parts: Mapping[Part, str]) -> tuple[str, list[str]]:
    """The text of the search for the peak, and the statements that prepare its argument ``q`` from ``p``."""
    # a weight that overflows, or is not a number, is where the formula ends and not where the mass is
    graph, (weight,) = part.weight.outputs[0].graph, part.weight.outputs
    finite = graph.operate("lt", weight, graph.constant(math.inf))
    clean = graph.call("select", finite, weight, graph.constant(-math.inf))
    text, prepare, packed = _function_of_y(Program(part.weight.inputs, (clean,)), f"{name}_weight", parts)
    head = [*_constants(part.weight), *prepare, f"q = {packed}"]
    search = _LATTICE_SEARCH if part.lattice is not None else _SEARCH
    low, high = part.lattice or (0.0, 0.0)
    return text + "\n\n" + search.format(name=name, low=_number(low), high=_number(high)), head


def _number(value: float) -> str:
    return {float("inf"): "INFINITY", float("-inf"): "(-INFINITY)"}.get(value, repr(value))


def peak_source(part: Peak, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function of p that returns the status and the largest value of w."""
    text, head = _search_source(part, name, parts)
    lines = [
        "@plain",
        f"def {name}(p):",
        *indented(head, 1),
        f"    found = {name}_search(q)",
        "    return 0.0, (found[1],)",
        "",
    ]
    return text + "\n\n" + "\n".join(lines)


def integral_source(part: Integral, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function of p that returns the status, and the largest value of w with the integrals."""
    text, head = _search_source(part, name, parts)
    body, prepare, packed = _function_of_y(part.body, f"{name}_body", parts)
    head += [*_constants(part.body), *prepare, f"r = {packed}"]
    m = part.terms

    def each(*templates: str) -> list[str]:
        sizes = [f"f{m + j}" if part.scaled else f"absolute(f{j})" for j in range(m)]
        return [template.format(j=j, size=sizes[j]) for j in range(m) for template in templates]

    def joined(template: str, join: str = ", ") -> str:
        return join.join(template.format(j=j) for j in range(m))

    low, high = part.lattice or (0.0, 0.0)
    filled = _fill(
        _LATTICE_SUM if part.lattice is not None else _INTEGRAL,
        {
            "head": head,
            "zero_scales": each("a{j} = 0.0"),
            "zero_sums": each("t{j} = 0.0"),
            "zero_totals": each("t{j} = 0.0", "e{j} = 0.0", "n{j} = 0.0"),
            "zero_panel": each("k{j} = 0.0", "g{j} = 0.0", "b{j} = 0.0"),
            # an integrand that is an integral itself is not taken for nothing
            "skip_node": [f"if not exp({name}_weight(y, q) - best) * e > {_NEGLIGIBLE!r}:", "    continue"]
            if part.scaled
            else [],
            "add_node": each("z = e * f{j}", "k{j} += wk * z", "g{j} += wg * z", "b{j} += wk * e * {size}"),
            "judge": each(
                "d{j} = panel_error(k{j} - g{j}, b{j})",
                f"fine = fine and (d{{j}} <= {_PANEL!r} * a{{j}} or b{{j}} == 0.0)",
            ),
            "add_panel": each("t{j} += k{j}", "e{j} += d{j}", "n{j} += b{j}"),
            "new_scales": each("a{j} = n{j}"),
            "add_term": each("t{j} += e * f{j}"),
        },
        name=name,
        low=_number(low),
        high=_number(high),
        first_depth=_FIRST_DEPTH,
        more_depth=_MORE_DEPTH,
        furthest=_FURTHEST,
        negligible=_NEGLIGIBLE,
        deepest=_DEEPEST,
        # of integrals over integrals, every panel takes its time
        most_panels=_MOST_PANELS_OVER_INTEGRALS if part.scaled else _MOST_PANELS,
        most_terms=_MOST_TERMS,
        failed=float(Status.NON_FINITE),
        values=", ".join(f"f{j}" for j in range(len(part.body.outputs) - 1)),
        added=" + ".join(f"f{j}" for j in range(len(part.body.outputs) - 1)),
        far=_FAR,
        # what is not a number is an error, too
        good=joined(f"(e{{j}} <= {RTOL!r} * a{{j}})", " and "),
        finite=joined("(absolute(t{j}) < INFINITY)", " and "),
        mass="absolute(exp(best) * t0 - 1.0) <= 1e-9" if part.normalized else "True",
        lost=joined("NAN"),
        totals=joined("t{j}"),
    )
    return "\n\n".join([text, body, filled])


def _fill(frame: str, blocks: Mapping[str, list[str]], **values: object) -> str:
    """A text with the lines of a block where its name stands alone on a line, as far indented; and values elsewhere."""
    lines = []
    for line in frame.splitlines():
        name = line.strip()[1:-1]
        if name in blocks and line.strip() == f"{{{name}}}":
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + entry for entry in blocks[name]]
        else:
            lines.append(line.format(**values))
    return "\n".join([*lines, ""])


_SEARCH = """@plain
def {name}_refine(a, b, q):
    # the largest value between a and b by golden section, and how far to both sides it takes to fall by one; all of it
    # in one loop, because every place that evaluates the weight is compiled anew
    ratio = 0.6180339887498949
    u = b - ratio * (b - a)
    v = a + ratio * (b - a)
    wu = -INFINITY
    wv = -INFINITY
    c = u
    best = -INFINITY
    left = 0.0
    right = 0.0
    phase = 0
    y = u
    for count in range(1000):
        w = {name}_weight(y, q)
        if phase == 0:
            wu = w
            phase = 1
            y = v
        elif phase <= 3:
            if phase == 2:
                wu = w
            else:
                wv = w
            if count < 90 and b - a > 1e-12 * (absolute(a) + absolute(b)):
                if wu > wv or not wv > -INFINITY:
                    b = v
                    v = u
                    wv = wu
                    u = b - ratio * (b - a)
                    y = u
                    phase = 2
                else:
                    a = u
                    u = v
                    wu = wv
                    v = a + ratio * (b - a)
                    y = v
                    phase = 3
            else:
                c = u if wu > wv else v
                best = maximum(wu, wv)
                left = maximum(absolute(c) * 4e-15, 1e-24)
                right = left
                y = c - left
                phase = 4
        elif phase == 4:
            if left < 1e200 and w > best - 1.0:
                left = left * 4.0
                y = c - left
            else:
                y = c + right
                phase = 5
        elif right < 1e200 and w > best - 1.0:
            right = right * 4.0
            y = c + right
        else:
            break
    return c, best, left, right


@plain
def {name}_search(q):
    best = -INFINITY
    at = 0
    for i in range(-60, 61):
        w = {name}_weight(sinh(0.65 * i), q)
        if w > best:
            best = w
            at = i
    found = {name}_refine(sinh(0.65 * (at - 1)), sinh(0.65 * (at + 1)), q)
    c, top, left, right = found
    if not top >= best:
        found = (sinh(0.65 * at), best, left, right)
    return found
"""

_INTEGRAL = """@plain
def {name}(p):
    {head}
    centre, best, left, right = {name}_search(q)
    if not best > -INFINITY:
        return {failed}, (best, {lost})
    width = minimum(left, right)
    # not constants to the compiler, which would write out every loop of a known length
    two = 2 if best > -INFINITY else 1
    nodes = 21 if best > -INFINITY else 1
    gap = 0.65
    most = 70
    for attempt in range(two + 1):
        base = {first_depth} + {more_depth} * attempt
        if attempt > 0:
            gap *= 0.25
            most *= 4
        {zero_scales}
        panels = 0
        for sweep in range(two):
            {zero_totals}
            # basins, from left to right: from one valley to the next
            start = -INFINITY
            top = -INFINITY
            low = INFINITY
            top_at = -most
            low_at = -most
            for i in range(-most, most + 2):
                w = {name}_weight(centre + width * sinh(gap * i), q) if i <= most else INFINITY
                if not w > -INFINITY:
                    w = -INFINITY
                if i <= most and w >= top and not (w > low + 1.0 and top > low + 1.0):
                    top = w
                    top_at = i
                    low = w
                    low_at = i
                    continue
                if w <= low:
                    low = w
                    low_at = i
                    continue
                if i <= most and not (w > low + 1.0 and top > low + 1.0):
                    continue
                stop = centre + width * sinh(gap * low_at) if i <= most else INFINITY
                if start <= centre and centre < stop:
                    c, peak, sl, sr = centre, best, left, right
                else:
                    # a narrow peak is far above what the grid sees of it
                    c, peak, sl, sr = {name}_refine(
                        centre + width * sinh(gap * (top_at - 1)), centre + width * sinh(gap * (top_at + 1)), q
                    )
                if peak > best - 100.0:
                    for side in range(two):
                        s = sr if side == 1 else -sl
                        unit = 0.39269908169872414 * absolute(s)
                        reach = (stop - c) / sr if side == 1 else (c - start) / sl
                        end = minimum({furthest}, asinh(asinh(reach) / 1.5707963267948966))
                        depth = base
                        place = 0
                        while True:
                            h = end / 2.0 ** (depth + 1)
                            middle = (2.0 * place + 1.0) * h
                            {zero_panel}
                            for node in range(nodes):
                                tau = middle + h * KRONROD_NODES[node]
                                wk = h * KRONROD_WEIGHTS[node]
                                wg = h * GAUSS_WEIGHTS[node]
                                # hyperbolic functions of τ, and then of π/2 sinh τ, by two exponentials
                                grown = exp(tau)
                                shrunk = 1.0 / grown
                                above = exp(0.7853981633974483 * (grown - shrunk))
                                below = 1.0 / above
                                y = c + 0.5 * s * (above - below)
                                e = unit * (grown + shrunk) * (above + below)
                                {skip_node}
                                w, {values}, = {name}_body(y, r)
                                e = exp(w - best) * e
                                whole = absolute({added}) < INFINITY
                                if {negligible} < e < INFINITY and (whole or w > best - {far}):
                                    {add_node}
                            panels += 1
                            fine = True
                            {judge}
                            if sweep == 0 or fine or depth >= {deepest} or panels > {most_panels}:
                                {add_panel}
                                place += 1
                                while depth > base and place % 2 == 0:
                                    place = place // 2
                                    depth -= 1
                                if depth == base and place == 2**base:
                                    break
                            else:
                                place = 2 * place
                                depth += 1
                start = stop
                top = w
                top_at = i
                low = w
                low_at = i
            {new_scales}
        if {good} and {mass}:
            return 0.0, (best, {totals})
    return {failed}, (best, {lost})
"""

_LATTICE_SEARCH = """@plain
def {name}_inside(k):
    return minimum(maximum(k, {low}), {high})


@plain
def {name}_grid(i):
    # integers on all scales: from the end of the range if it has one
    far = floor(sinh(0.35 * absolute(i)) / sinh(0.35) + 0.5)
    if {low} > -INFINITY:
        return {name}_inside({low} + far)
    if {high} < INFINITY:
        return {name}_inside({high} - far)
    return far if i > 0 else -far


@plain
def {name}_search(q):
    best = -INFINITY
    centre = 0.0
    for i in range(-110, 111):
        k = {name}_grid(float(i))
        w = {name}_weight(k, q)
        if w > best:
            best = w
            centre = k
    stride = floor(absolute(centre)) + 1.0
    while stride >= 1.0:
        up = {name}_inside(centre + stride)
        down = {name}_inside(centre - stride)
        wu = {name}_weight(up, q)
        wd = {name}_weight(down, q)
        if wu > best:
            best = wu
            centre = up
            stride = 2.0 * stride
        elif wd > best:
            best = wd
            centre = down
            stride = 2.0 * stride
        else:
            stride = floor(0.5 * stride)
    return centre, best
"""

_LATTICE_SUM = """@plain
def {name}(p):
    {head}
    centre, best = {name}_search(q)
    if not best > -INFINITY:
        return {failed}, (best, {lost})
    # as far as there are peaks, and then as far as there are terms
    first = centre
    last = centre
    for i in range(-110, 111):
        k = {name}_inside(centre + (1.0 if i > 0 else -1.0) * floor(sinh(0.35 * absolute(i)) / sinh(0.35) + 0.5))
        if {name}_weight(k, q) > best - 60.0:
            first = minimum(first, k)
            last = maximum(last, k)
    {zero_sums}
    terms = 0
    # not a constant to the compiler, which would write the loop out
    two = 2 if best > -INFINITY else 1
    for side in range(two):
        step = 1.0 if side == 1 else -1.0
        k = centre if side == 1 else centre - 1.0
        while {low} <= k and k <= {high} and terms <= {most_terms}:
            w, {values}, = {name}_body(k, r)
            e = exp(w - best)
            whole = absolute({added}) < INFINITY
            if 1e-40 < e < INFINITY and (whole or w > best - {far}):
                {add_term}
            if (k > last or k < first) and not e > 1e-22:
                break
            k = k + step
            terms += 1
    if terms <= {most_terms} and {finite} and {mass}:
        return 0.0, (best, {totals})
    return {failed}, (best, {lost})
"""
