"""Squared gradients of single cases, added up over cases: rules of layers, and an estimate with random signs.

With g_i the derivative by a layer's result of case i, the gradient by its weights is made of g_i and the layer's
arguments; where each case has one row, the sum of its squares is (g∘g)ᵀ(x∘x), one product for all cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F

from riemopt.autodiff.torch.linearization import Linearization
from riemopt.autodiff.torch.module import Data, ModuleFunction, drawn_like, rows_of, sliced
from riemopt.autodiff.torch.program import Instruction, Slot
from riemopt.autodiff.torch.taylor import mapped

__all__ = ["ruled_parameters", "summed_squares"]

SIGNS = 4
"""Random signs that squared gradients without a rule are estimated with."""

_BLOCK = 1 << 22
"""Numbers that gradients of single cases may take at a time."""

_CHECKED = 3
"""Cases on which rules are compared with single gradients."""

Squares = Iterator[tuple[Any, Callable[[], Any]]]
"""Parameters of a call, each with what computes the sum of its squared gradients."""

RULES: dict[Any, Callable[..., Squares]] = {}


def _rule_of(*functions: Any) -> Callable[[Callable[..., Squares]], Callable[..., Squares]]:
    def decorate(rule: Callable[..., Squares]) -> Callable[..., Squares]:
        RULES.update(dict.fromkeys(functions, rule))
        return rule

    return decorate


def summed_squares(here: Linearization, covector: Any, ruled: frozenset[int]) -> list[Any]:
    """The sum over cases of (J_iᵀ u_i)² for a covector u, a flat tensor a parameter.

    Parameters
    ----------
    here : Linearization
        The module on some cases.
    covector : tensor, shape (N, ...)
        u, a row a case.
    ruled : frozenset of int
        Which parameters to take by the rules of their layers. The others are estimated with random signs.
    """
    found = by_rules(here, covector, ruled)
    rest = [k for k in range(len(here.leaves)) if k not in found]
    if rest:
        found.update(zip(rest, _estimated(here, covector, [here.leaves[k] for k in rest]), strict=True))
    return [found[k] for k in range(len(here.leaves))]


def by_rules(here: Linearization, covector: Any, wanted: frozenset[int]) -> dict[int, Any]:
    """What the rules of layers give of :func:`summed_squares`, for those of some parameters that have one here."""
    uses = {k: use for k, use in _uses(here).items() if k in wanted}
    outs = [here.program.values[use.slots[0]] for use in uses.values()]  # type: ignore[union-attr, index]
    slopes = here.gradients(covector, outs)
    found: dict[int, Any] = {}
    for (k, use), slope in zip(uses.items(), slopes, strict=True):
        leaf = here.leaves[k]
        if slope is None:
            found[k] = torch.zeros_like(leaf)
        elif slope.shape[0] == covector.shape[0]:
            with torch.no_grad():
                squares = _by_rule(here, use, slope, leaf)
            if squares is not None:
                found[k] = squares.reshape(leaf.shape)
    return found


def _uses(here: Linearization) -> dict[int, Instruction]:
    """The one call that reads a parameter, for those with one only, if that has a rule."""
    reads: dict[int, list[Instruction]] = {k: [] for k in range(len(here.leaves))}
    for instruction in here.program.instructions if here.program is not None else ():
        for slot in instruction.reads:
            if slot in reads:
                reads[slot].append(instruction)
    return {k: calls[0] for k, calls in reads.items() if len(calls) == 1 and calls[0].func in RULES}


def _by_rule(here: Linearization, use: Instruction, slope: Any, leaf: Any) -> Any:
    """The sum of squares by the rule of a call; None if that has none for this parameter."""
    assert here.program is not None
    values = here.program.values

    def value(argument: Any) -> Any:
        return values[argument.index] if isinstance(argument, Slot) else argument

    for parameter, squares in RULES[use.func](slope, *mapped(use.args, value), **mapped(use.kwargs, value)):
        if parameter is leaf:
            return squares()
    return None


def _estimated(here: Linearization, covector: Any, leaves: list[Any]) -> list[Any]:
    """E[(Σ_i s_i J_iᵀ u_i)²] over independent signs s_i, from a few draws; always the same ones."""
    generator = torch.Generator().manual_seed(0)
    totals = [torch.zeros_like(leaf) for leaf in leaves]
    for _ in range(SIGNS):
        bits = torch.randint(0, 2, (covector.shape[0],), generator=generator, device="cpu")
        signs = (2.0 * bits - 1.0).to(covector).reshape(-1, *[1] * (covector.ndim - 1))
        for total, pulled in zip(totals, here.gradients(signs * covector, leaves), strict=True):
            if pulled is not None:
                total += pulled * pulled / SIGNS
    return totals


def ruled_parameters(function: ModuleFunction, data: Data) -> frozenset[int]:
    """The parameters whose rules give what single gradients of a few cases say; of a module that can be recorded.

    A rule takes the first axis of a layer for the cases. Whether it is, what a module does with its tensors tells only
    when it is run.
    """
    data = sliced(data, slice(0, _CHECKED))
    generator = torch.Generator().manual_seed(0)

    # away from the start, where parameters may be 0 and so be gradients
    theta = function.start + 0.1 * drawn_like(function.start, generator)
    here = Linearization(function, theta, data)
    covector = drawn_like(here.z, generator)
    found = by_rules(here, covector, frozenset(range(len(here.leaves))))
    leaves = [here.leaves[k] for k in found]
    single = [torch.zeros_like(leaf) for leaf in leaves]
    for row in range(rows_of(data)):
        chosen = torch.zeros_like(covector)
        chosen[row] = covector[row]
        for total, pulled in zip(single, here.gradients(chosen, leaves), strict=True):
            if pulled is not None:
                total += pulled * pulled
    rounding = float(torch.finfo(function.dtype).eps)
    largest = max((float(exact.max()) for exact in single), default=0.0)
    agree = (
        bool(((squares - exact).abs() <= rounding**0.5 * exact.max() + rounding * largest).all())
        for squares, exact in zip(found.values(), single, strict=True)
    )
    return frozenset(k for k, agrees in zip(found, agree, strict=True) if agrees)


# -- layers


def _squared(per_case: Any) -> Any:
    """The sum over the first axis of squares."""
    return (per_case * per_case).sum(0)


def _in_blocks(count: int, size: int, squares: Callable[[slice], Any]) -> Any:
    """A sum over cases, of so many at a time that numbers of a size a case fit into a block."""
    rows = max(1, _BLOCK // max(size, 1))
    total = squares(slice(0, rows))
    for first in range(rows, count, rows):
        total = total + squares(slice(first, first + rows))
    return total


def _outer(g: Any, x: Any) -> Any:
    """The sum over cases of (Σ_t g_t x_tᵀ)², for g of shape (N, ..., p) and x of shape (N, ..., q)."""
    if g.ndim == 2:
        return (g * g).t() @ (x * x)
    g, x = g.flatten(1, -2).transpose(1, 2), x.flatten(1, -2)
    return _in_blocks(len(g), g.shape[1] * x.shape[2], lambda rows: _squared(g[rows] @ x[rows]))


@_rule_of(F.linear)
def _linear(g: Any, x: Any, weight: Any, bias: Any = None) -> Squares:
    yield weight, lambda: _outer(g, x)
    yield bias, lambda: _squared(_reduced(g, bias.shape))


@_rule_of(torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__)
def _matmul(g: Any, x: Any, y: Any) -> Squares:
    if y.ndim == 2:
        yield y, lambda: _outer(x, g)


@_rule_of(torch.conv1d, torch.conv2d, torch.conv3d)
def _convolution(
    g: Any,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Squares:
    axes = weight.ndim - 2

    def squares() -> Any:
        patches = _patches(x, weight.shape[2:], _each(stride, axes), padding, _each(dilation, axes), g.shape[2:])
        count, positions = len(g), math.prod(g.shape[2:])
        window = patches.shape[1] // groups * math.prod(weight.shape[2:])

        def block(rows: slice) -> Any:
            # (N, C, L..., K...) to (N, groups, L, C K)
            taken = patches[rows].unflatten(1, (groups, -1)).movedim(2, 2 + axes)
            columns = taken.reshape(len(taken), groups, positions, window)
            return _squared(g[rows].reshape(len(taken), groups, -1, positions) @ columns)

        return _in_blocks(count, groups * window * (positions + weight.shape[0] // groups), block)

    yield weight, squares
    yield bias, lambda: _squared(g.flatten(2).sum(2))


def _each(number: Any, axes: int) -> tuple[int, ...]:
    """A setting of a convolution, one an axis."""
    numbers = (number,) if isinstance(number, int) else tuple(number)
    return numbers * axes if len(numbers) == 1 else numbers


def _patches(x: Any, sizes: Any, stride: tuple[int, ...], padding: Any, dilation: tuple[int, ...], places: Any) -> Any:
    """What each place of a convolution's result sees of its argument, (N, C, places..., window...), a view."""
    axes = len(sizes)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, sizes, strict=True)]
    if padding == "same":
        both = [(span - 1) // 2 for span in spans], [span - 1 - (span - 1) // 2 for span in spans]
    else:
        given = (0,) * axes if padding == "valid" else _each(padding, axes)
        both = list(given), list(given)
    x = F.pad(x, [width for axis in reversed(range(axes)) for width in (both[0][axis], both[1][axis])])
    for axis in range(axes):
        x = x.unfold(2 + axis, spans[axis], stride[axis])
        x = x.narrow(2 + axis, 0, places[axis])[..., :: dilation[axis]]
    return x


def _reduced(g: Any, shape: Any) -> Any:
    """Per-case gradients by a term of a shape that was broadcast: sums over its other axes, (N, *shape)."""
    wide = (1,) * (g.ndim - len(shape)) + tuple(shape)
    if wide[0] != 1:
        raise ValueError("the parameter has an entry a case")
    axes = [k for k in range(1, g.ndim) if wide[k] == 1 and g.shape[k] != 1]
    return g.sum(axes, keepdim=True) if axes else g


@_rule_of(F.layer_norm)
def _layer_norm(
    g: Any, x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Squares:
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    yield weight, lambda: _squared(_reduced(g * F.layer_norm(x, shape, None, None, eps), shape))
    yield bias, lambda: _squared(_reduced(g, shape))


def _channels(g: Any, normalized: Callable[[], Any], weight: Any, bias: Any) -> Squares:
    """Of a scale and a shift a channel."""
    yield weight, lambda: _squared((g * normalized()).flatten(2).sum(2) if g.ndim > 2 else g * normalized())
    yield bias, lambda: _squared(g.flatten(2).sum(2) if g.ndim > 2 else g)


@_rule_of(F.group_norm)
def _group_norm(g: Any, x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Squares:
    return _channels(g, lambda: F.group_norm(x, num_groups, None, None, eps), weight, bias)


@_rule_of(F.batch_norm)
def _batch_norm(
    g: Any,
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Squares:
    return _channels(
        g, lambda: F.batch_norm(x, running_mean, running_var, None, None, training, momentum, eps), weight, bias
    )


@_rule_of(F.instance_norm)
def _instance_norm(
    g: Any,
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Squares:
    def normalized() -> Any:
        return F.instance_norm(x, running_mean, running_var, None, None, use_input_stats, momentum, eps)

    return _channels(g, normalized, weight, bias)


@_rule_of(torch.add, torch.Tensor.add, torch.Tensor.__add__, torch.Tensor.__radd__)
def _add(g: Any, x: Any, y: Any) -> Squares:
    for parameter in (x, y):
        if isinstance(parameter, torch.Tensor) and _is_shared(parameter, g):
            yield parameter, lambda p=parameter: _squared(_reduced(g, p.shape))  # type: ignore[misc]


@_rule_of(torch.mul, torch.Tensor.mul, torch.Tensor.__mul__, torch.Tensor.__rmul__)
def _mul(g: Any, x: Any, y: Any) -> Squares:
    for parameter, other in ((x, y), (y, x)):
        if isinstance(parameter, torch.Tensor) and _is_shared(parameter, g):
            yield parameter, lambda p=parameter, o=other: _squared(_reduced(g * o, p.shape))  # type: ignore[misc]


def _is_shared(parameter: Any, g: Any) -> bool:
    """Whether all cases have the same entries of a term."""
    return parameter.ndim < g.ndim or (parameter.ndim == g.ndim and parameter.shape[0] == 1)
