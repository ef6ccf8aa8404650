"""Taylor rules of PyTorch's functions: how first and second derivatives along a line in θ pass through each of them.

A rule has the arguments of its function, those that depend on θ as :class:`Jet`, after a :class:`Call`. It gives the
first derivative of the result and, if the call asks for it, the second; None stands for 0.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["RULES", "Call", "Jet", "NoRuleError", "OutOfPlace", "mapped", "out_of_place"]


class NoRuleError(Exception):
    """A function, or a way of calling it, that has no rule."""


@dataclass(slots=True)
class Jet:
    """A tensor with its derivatives along a line; None stands for 0."""

    value: Any
    first: Any = None
    second: Any = None


@dataclass(slots=True)
class Call:
    """A call of a function: which, what it gave, and which derivatives are asked for."""

    func: Callable[..., Any]
    out: Any
    order: int


Derivatives = tuple[Any, Any]
Rule = Callable[..., Derivatives]

RULES: dict[Any, Rule] = {}
"""The rule of each function of PyTorch that has one."""

_OWNERS = (torch, torch.Tensor, F, torch.special)


def _registered(rule: Rule, *names: str) -> None:
    """Make a rule that of all functions and methods of some names."""
    found = False
    for name in names:
        for owner in _OWNERS:
            function = getattr(owner, name, None)
            if isinstance(function, type(torch.Tensor.shape)):  # a property is asked for by its getter
                function = function.__get__
            if function is not None:
                RULES[function] = rule
                found = True
    assert found or not names, names


def _rule_of(*names: str) -> Callable[[Rule], Rule]:
    def decorate(rule: Rule) -> Rule:
        _registered(rule, *names)
        return rule

    return decorate


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Arguments with every leaf of their tuples, lists and dictionaries changed."""
    if isinstance(value, (tuple, list)):
        items = [mapped(item, change) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*(mapped(item, change) for item in (value.start, value.stop, value.step)))
    return change(value)


# -- sums of terms that may be None


def _added(*terms: Any) -> Any:
    """A sum, None where there is nothing to add."""
    total = None
    for term in terms:
        if term is not None:
            total = term if total is None else total + term
    return total


def _times(factor: Any, term: Any) -> Any:
    """A product with a derivative."""
    return None if term is None or factor is None else factor * term


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Jet) else x


def _first(x: Any) -> Any:
    return x.first if isinstance(x, Jet) else None


def _second(x: Any) -> Any:
    return x.second if isinstance(x, Jet) else None


# -- functions that are linear in all that depends on θ


def _linear(call: Call, *args: Any, **kwargs: Any) -> Derivatives:
    """Of a function that is linear in all its tensors of real numbers together."""
    jets: list[Jet] = []
    mapped((args, kwargs), lambda leaf: jets.append(leaf) if isinstance(leaf, Jet) else None)

    def image(pick: Callable[[Any], Any]) -> Any:
        if all(pick(jet) is None for jet in jets):
            return None

        def direction(leaf: Any) -> Any:
            if isinstance(leaf, Jet):
                derivative = pick(leaf)
                return torch.zeros_like(leaf.value) if derivative is None else derivative
            if isinstance(leaf, torch.Tensor) and leaf.is_floating_point():
                return torch.zeros_like(leaf)
            return leaf

        return call.func(*mapped(args, direction), **mapped(kwargs, direction))

    return image(_first), image(_second) if call.order > 1 else None


_registered(
    _linear,
    *("reshape", "view", "flatten", "unflatten", "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"),
    *("t", "T", "mT", "adjoint", "squeeze", "unsqueeze", "expand", "broadcast_to", "repeat", "tile", "contiguous"),
    *("clone", "to", "float", "double", "__getitem__", "select", "narrow", "index_select", "gather", "take_along_dim"),
    *("split", "chunk", "tensor_split", "unbind", "cat", "concat", "concatenate", "stack", "hstack", "vstack", "roll"),
    *("flip", "diagonal", "tril", "triu", "sum", "mean", "cumsum", "neg", "negative", "positive", "repeat_interleave"),
    *("avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"),
    *("interpolate", "upsample", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "unfold", "fold"),
)


@_rule_of("view_as", "reshape_as", "expand_as", "type_as")
def _like_another(call: Call, x: Any, other: Any) -> Derivatives:
    """The second argument gives its shape or precision alone."""
    if not isinstance(x, Jet):
        return None, None
    return _linear(call, x, _value(other))


@_rule_of("pad")
def _pad(call: Call, x: Jet, pad: Any, mode: str = "constant", value: Any = None) -> Derivatives:
    return _linear(call, x, pad, mode=mode, value=None)


@_rule_of("masked_fill")
def _masked_fill(call: Call, x: Any, mask: Any, value: Any) -> Derivatives:
    if isinstance(value, Jet) or not isinstance(x, Jet):
        raise NoRuleError("masked_fill with a value that depends on the parameters")
    return _linear(call, x, mask, 0.0)


@_rule_of("where")
def _where(call: Call, condition: Any, x: Any, y: Any) -> Derivatives:
    if isinstance(condition, Jet):  # the method of a tensor: x.where(condition, y)
        condition, x = x, condition
    zero = torch.zeros((), dtype=call.out.dtype, device=call.out.device)

    def image(pick: Callable[[Any], Any]) -> Any:
        a, b = pick(x), pick(y)
        if a is None and b is None:
            return None
        return torch.where(_value(condition), zero if a is None else a, zero if b is None else b)

    return image(_first), image(_second)


@_rule_of("embedding")
def _embedding(call: Call, indices: Any, weight: Any, *args: Any, **kwargs: Any) -> Derivatives:
    first = None if _first(weight) is None else F.embedding(_value(indices), weight.first)
    return first, None if _second(weight) is None else F.embedding(_value(indices), weight.second)


# -- sums and products


def _broadcast(call: Call, term: Any) -> Any:
    return None if term is None else term.expand(call.out.shape)


@_rule_of("add", "__add__", "__radd__")
def _add(call: Call, x: Any, y: Any, *, alpha: Any = 1) -> Derivatives:
    def image(pick: Callable[[Any], Any]) -> Any:
        return _broadcast(call, _added(pick(x), pick(y) if alpha == 1 else _times(alpha, pick(y))))

    return image(_first), image(_second)


@_rule_of("sub", "subtract", "__sub__")
def _sub(call: Call, x: Any, y: Any, *, alpha: Any = 1) -> Derivatives:
    return _add(call, x, y, alpha=-alpha)


@_rule_of("rsub", "__rsub__")
def _rsub(call: Call, x: Any, y: Any, *, alpha: Any = 1) -> Derivatives:
    return _add(call, y, x, alpha=-alpha)


def _bilinear(call: Call, product: Callable[[Any, Any], Any], x: Any, y: Any) -> Derivatives:
    """D(xy) = Dx y + x Dy, and D²(xy) = D²x y + 2 Dx Dy + x D²y."""

    def term(a: Any, b: Any) -> Any:
        return None if a is None or b is None else product(a, b)

    first = _added(term(_first(x), _value(y)), term(_value(x), _first(y)))
    if call.order < 2:
        return first, None
    twice = None if _first(x) is None else 2.0 * x.first
    terms = term(_second(x), _value(y)), term(twice, _first(y)), term(_value(x), _second(y))
    return first, _added(*terms)


@_rule_of("mul", "multiply", "__mul__", "__rmul__", "matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "mv", "dot")
def _product(call: Call, x: Any, y: Any) -> Derivatives:
    return _bilinear(call, call.func, x, y)


@_rule_of("einsum")
def _einsum(call: Call, equation: str, *operands: Any) -> Derivatives:
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if len(operands) == 1:
        return _linear(call, equation, *operands)
    if len(operands) != 2:
        raise NoRuleError("einsum of more than two tensors")
    return _bilinear(call, lambda a, b: torch.einsum(equation, a, b), *operands)


@_rule_of("addmm")
def _addmm(call: Call, bias: Any, x: Any, y: Any, *, beta: Any = 1, alpha: Any = 1) -> Derivatives:
    first, second = _bilinear(call, lambda a, b: alpha * (a @ b), x, y)
    first, second = _added(first, _times(beta, _first(bias))), _added(second, _times(beta, _second(bias)))
    return _broadcast(call, first), _broadcast(call, second)


@_rule_of("linear")
def _dense(call: Call, x: Any, weight: Any, bias: Any = None) -> Derivatives:
    """Dx Wᵀ + x DWᵀ + Db, accumulated in place; D²x Wᵀ + 2 Dx DWᵀ + x D²Wᵀ + D²b."""

    def image(*terms: tuple[Any, Any, float], shift: Any) -> Any:
        total = None
        for a, w, factor in terms:
            if a is None or w is None:
                continue
            if a.ndim != 2:
                total = _added(total, F.linear(a if factor == 1.0 else factor * a, w))
            elif total is None:
                total = a @ w.t() if factor == 1.0 else (a @ w.t()).mul_(factor)
            else:
                total.addmm_(a, w.t(), alpha=factor)
        if total is not None and shift is not None:
            return total.add_(shift)
        return _broadcast(call, _added(total, shift))

    first = image((_first(x), _value(weight), 1.0), (_value(x), _first(weight), 1.0), shift=_first(bias))
    if call.order < 2:
        return first, None
    terms = (
        (_second(x), _value(weight), 1.0),
        (_first(x), _first(weight), 2.0),
        (_value(x), _second(weight), 1.0),
    )
    return first, image(*terms, shift=_second(bias))


@_rule_of("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _convolution(call: Call, x: Any, weight: Any, bias: Any = None, *args: Any, **kwargs: Any) -> Derivatives:
    first, second = _bilinear(call, lambda a, w: call.func(a, w, None, *args, **kwargs), x, weight)
    axes = (1,) * (_value(weight).ndim - 2)

    def shifted(term: Any, shift: Any) -> Any:
        return _broadcast(call, _added(term, None if shift is None else shift.reshape(-1, *axes)))

    return shifted(first, _first(bias)), shifted(second, _second(bias))


@_rule_of("div", "divide", "true_divide", "__div__", "__truediv__")
def _quotient(call: Call, x: Any, y: Any, *, rounding_mode: str | None = None) -> Derivatives:
    """z = x/y: y Dz = Dx - z Dy, and y D²z = D²x - 2 Dz Dy - z D²y."""
    if rounding_mode is not None:
        raise NoRuleError("a division that rounds")
    divisor, z = _value(y), call.out
    rest = _added(_first(x), _times(-z, _first(y)))
    first = None if rest is None else _broadcast(call, rest / divisor)
    if call.order < 2:
        return first, None
    cross = None if first is None else _times(-2.0 * first, _first(y))
    rest = _added(_second(x), cross, _times(-z, _second(y)))
    return first, None if rest is None else _broadcast(call, rest / divisor)


@_rule_of("__rdiv__", "__rtruediv__")
def _reversed_quotient(call: Call, x: Any, y: Any) -> Derivatives:
    return _quotient(call, y, x)


# -- functions of one number


def _pointwise(call: Call, x: Jet, slope: Any, curvature: Any = None) -> Derivatives:
    """φ' Dx, and φ' D²x + φ'' Dx²; a slope or curvature of None is 0."""
    first = _times(slope, x.first)
    if call.order < 2:
        return first, None
    bent = None if x.first is None or curvature is None else curvature() * x.first * x.first
    return first, _added(_times(slope, x.second), bent)


def _saturating(call: Call, x: Jet, slope: Any, ratio: Callable[[Any], Any]) -> Derivatives:
    """φ' Dx, and φ' (D²x + (φ''/φ') Dx²), in few passes over memory; `ratio` multiplies by φ''/φ'."""
    first = _times(slope, x.first)
    if call.order < 2 or x.first is None:
        return first, _times(slope, x.second)
    inner = ratio(x.first * x.first)
    return first, (inner if x.second is None else inner.add_(x.second)).mul_(slope)


@_rule_of("tanh")
def _tanh(call: Call, x: Jet) -> Derivatives:
    """φ' = 1 - y², φ'' = -2 y φ'."""
    y = call.out
    return _saturating(call, x, 1.0 - y * y, lambda square: square.mul_(y).mul_(-2.0))


@_rule_of("sigmoid", "expit")
def _sigmoid(call: Call, x: Jet) -> Derivatives:
    """φ' = y - y², φ'' = (1 - 2y) φ'."""
    y = call.out
    slope = torch.addcmul(y, y, y, value=-1.0)
    return _saturating(call, x, slope, lambda square: torch.addcmul(square, y, square, value=-2.0))


@_rule_of("logsigmoid")
def _logsigmoid(call: Call, x: Jet) -> Derivatives:
    slope = torch.sigmoid(-x.value)
    return _pointwise(call, x, slope, lambda: -slope * (1.0 - slope))


@_rule_of("relu")
def _relu(call: Call, x: Jet, inplace: bool = False) -> Derivatives:
    return _pointwise(call, x, (x.value > 0).to(x.value.dtype))


@_rule_of("relu6")
def _relu6(call: Call, x: Jet, inplace: bool = False) -> Derivatives:
    return _between(call, x, 0.0, 6.0)


@_rule_of("hardtanh")
def _hardtanh(call: Call, x: Jet, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Derivatives:
    return _between(call, x, min_val, max_val)


def _between(call: Call, x: Jet, low: float, high: float, slope: float = 1.0) -> Derivatives:
    """Of a function that is constant outside an open interval."""
    return _pointwise(call, x, slope * ((x.value > low) & (x.value < high)).to(x.value.dtype))


@_rule_of("hardsigmoid")
def _hardsigmoid(call: Call, x: Jet, inplace: bool = False) -> Derivatives:
    return _between(call, x, -3.0, 3.0, 1.0 / 6.0)


@_rule_of("hardswish")
def _hardswish(call: Call, x: Jet, inplace: bool = False) -> Derivatives:
    """x (x + 3)/6 between -3 and 3, then x."""
    inside = ((x.value > -3.0) & (x.value < 3.0)).to(x.value.dtype)
    above = (x.value >= 3.0).to(x.value.dtype)
    return _pointwise(call, x, inside * (2.0 * x.value + 3.0) / 6.0 + above, lambda: inside / 3.0)


@_rule_of("leaky_relu")
def _leaky_relu(call: Call, x: Jet, negative_slope: float = 0.01, inplace: bool = False) -> Derivatives:
    rising = (x.value > 0).to(x.value.dtype)
    return _pointwise(call, x, rising + negative_slope * (1.0 - rising))


@_rule_of("prelu")
def _prelu(call: Call, x: Any, weight: Any) -> Derivatives:
    """max(x, 0) + w min(x, 0), with w a number a channel."""
    value = _value(x)
    rising = (value > 0).to(value.dtype)
    positive = Jet(value * rising, _times(rising, _first(x)), _times(rising, _second(x)))
    negative = Jet(*(_times(1.0 - rising, part) for part in (value, _first(x), _second(x))))
    axes = (1,) * (value.ndim - 2)

    def channels(w: Any) -> Any:
        return None if w is None else w.reshape(-1, *axes) if w.numel() > 1 else w

    scale = Jet(*(channels(part(weight)) for part in (_value, _first, _second)))
    first, second = _bilinear(call, torch.mul, negative, scale)
    return _added(positive.first, first), _added(positive.second, second)


@_rule_of("elu")
def _elu(call: Call, x: Jet, alpha: float = 1.0, inplace: bool = False) -> Derivatives:
    return _exponential_below(call, x, alpha, 1.0, 1.0)


@_rule_of("celu")
def _celu(call: Call, x: Jet, alpha: float = 1.0, inplace: bool = False) -> Derivatives:
    return _exponential_below(call, x, alpha, 1.0, 1.0 / alpha)


@_rule_of("selu")
def _selu(call: Call, x: Jet, inplace: bool = False) -> Derivatives:
    return _exponential_below(call, x, 1.6732632423543772, 1.0507009873554805, 1.0)


def _exponential_below(call: Call, x: Jet, alpha: float, scale: float, rate: float) -> Derivatives:
    """Of s x for x > 0, and s a (e^{r x} - 1) below."""
    rising = (x.value > 0).to(x.value.dtype)
    falling = scale * alpha * rate * torch.exp(rate * x.value.clamp(max=0.0)) * (1.0 - rising)
    return _pointwise(call, x, scale * rising + falling, lambda: rate * falling)


@_rule_of("gelu")
def _gelu(call: Call, x: Jet, approximate: str = "none") -> Derivatives:
    v = x.value
    if approximate == "none":
        below = 0.5 * torch.erfc(-v / math.sqrt(2.0))
        density = torch.exp(-0.5 * v * v) / math.sqrt(2.0 * math.pi)
        return _pointwise(call, x, below + v * density, lambda: density * (2.0 - v * v))
    c, k = math.sqrt(2.0 / math.pi), 0.044715
    tanh, rate = torch.tanh(c * (v + k * v**3)), c * (1.0 + 3.0 * k * v * v)
    slope = (1.0 - tanh * tanh) * rate
    half = 0.5 * (1.0 + tanh)

    def curvature() -> Any:
        return slope + 0.5 * v * ((1.0 - tanh * tanh) * 6.0 * c * k * v - 2.0 * tanh * slope * rate)

    return _pointwise(call, x, half + 0.5 * v * slope, curvature)


@_rule_of("silu")
def _silu(call: Call, x: Jet, inplace: bool = False) -> Derivatives:
    v, y = x.value, torch.sigmoid(x.value)
    rest = y * (1.0 - y)
    return _pointwise(call, x, y + v * rest, lambda: rest * (2.0 + v * (1.0 - 2.0 * y)))


@_rule_of("mish")
def _mish(call: Call, x: Jet, inplace: bool = False) -> Derivatives:
    """x w with w = tanh(log(1 + e^x))."""
    v, y = x.value, torch.sigmoid(x.value)
    w = torch.tanh(F.softplus(v))
    slope = (1.0 - w * w) * y
    return _pointwise(call, x, w + v * slope, lambda: 2.0 * slope + v * (slope * (1.0 - y) - 2.0 * w * slope * y))


@_rule_of("softplus")
def _softplus(call: Call, x: Jet, beta: float = 1.0, threshold: float = 20.0) -> Derivatives:
    curved = (beta * x.value <= threshold).to(x.value.dtype)
    y = torch.sigmoid(beta * x.value)
    return _pointwise(call, x, y * curved + (1.0 - curved), lambda: beta * y * (1.0 - y) * curved)


@_rule_of("softsign")
def _softsign(call: Call, x: Jet) -> Derivatives:
    slope = 1.0 / (1.0 + x.value.abs()) ** 2
    return _pointwise(call, x, slope, lambda: -2.0 * x.value.sign() * slope / (1.0 + x.value.abs()))


@_rule_of("tanhshrink")
def _tanhshrink(call: Call, x: Jet) -> Derivatives:
    y = torch.tanh(x.value)
    return _pointwise(call, x, y * y, lambda: 2.0 * y * (1.0 - y * y))


@_rule_of("softshrink", "hardshrink")
def _shrink(call: Call, x: Jet, lambd: float = 0.5) -> Derivatives:
    return _pointwise(call, x, (x.value.abs() > lambd).to(x.value.dtype))


@_rule_of("exp")
def _exp(call: Call, x: Jet) -> Derivatives:
    return _pointwise(call, x, call.out, lambda: call.out)


@_rule_of("expm1")
def _expm1(call: Call, x: Jet) -> Derivatives:
    slope = torch.exp(x.value)
    return _pointwise(call, x, slope, lambda: slope)


@_rule_of("log")
def _log(call: Call, x: Jet) -> Derivatives:
    slope = 1.0 / x.value
    return _pointwise(call, x, slope, lambda: -slope * slope)


@_rule_of("log1p")
def _log1p(call: Call, x: Jet) -> Derivatives:
    slope = 1.0 / (1.0 + x.value)
    return _pointwise(call, x, slope, lambda: -slope * slope)


@_rule_of("sqrt")
def _sqrt(call: Call, x: Jet) -> Derivatives:
    slope = 0.5 / call.out
    return _pointwise(call, x, slope, lambda: -0.5 * slope / x.value)


@_rule_of("rsqrt")
def _rsqrt(call: Call, x: Jet) -> Derivatives:
    slope = -0.5 * call.out / x.value
    return _pointwise(call, x, slope, lambda: -1.5 * slope / x.value)


@_rule_of("reciprocal")
def _reciprocal(call: Call, x: Jet) -> Derivatives:
    slope = -call.out * call.out
    return _pointwise(call, x, slope, lambda: -2.0 * slope * call.out)


@_rule_of("square")
def _square(call: Call, x: Jet) -> Derivatives:
    return _pointwise(call, x, 2.0 * x.value, lambda: 2.0)


@_rule_of("pow", "__pow__")
def _power(call: Call, x: Any, exponent: Any) -> Derivatives:
    if not isinstance(x, Jet) or isinstance(exponent, Jet):
        raise NoRuleError("a power whose exponent depends on the parameters")
    slope = exponent * x.value ** (exponent - 1)
    return _pointwise(call, x, slope, lambda: exponent * (exponent - 1) * x.value ** (exponent - 2))


@_rule_of("sin")
def _sin(call: Call, x: Jet) -> Derivatives:
    return _pointwise(call, x, torch.cos(x.value), lambda: -call.out)


@_rule_of("cos")
def _cos(call: Call, x: Jet) -> Derivatives:
    return _pointwise(call, x, -torch.sin(x.value), lambda: -call.out)


@_rule_of("abs", "absolute", "__abs__")
def _abs(call: Call, x: Jet) -> Derivatives:
    return _pointwise(call, x, x.value.sign())


@_rule_of("clamp", "clip")
def _clamp(call: Call, x: Jet, min: Any = None, max: Any = None) -> Derivatives:
    if isinstance(min, (Jet, torch.Tensor)) or isinstance(max, (Jet, torch.Tensor)):
        raise NoRuleError("clamp between tensors")
    low, high = (-math.inf if min is None else min), (math.inf if max is None else max)
    return _pointwise(call, x, ((x.value >= low) & (x.value <= high)).to(x.value.dtype))


# -- functions along an axis


def _axis(dim: Any) -> int:
    if dim is None:
        raise NoRuleError("softmax without an axis")
    return int(dim)


@_rule_of("softmax")
def _softmax(call: Call, x: Jet, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Derivatives:
    """y∘c with c = Dx - y·Dx, and y∘((D²x - y·D²x) + (c² - y·c²))."""
    y, axis = call.out, _axis(dim)

    def centred(term: Any) -> Any:
        return None if term is None else term - (y * term).sum(axis, keepdim=True)

    c = centred(x.first)
    first = _times(y, c)
    if call.order < 2:
        return first, None
    return first, _times(y, _added(centred(x.second), centred(_times(c, c))))


@_rule_of("log_softmax")
def _log_softmax(call: Call, x: Jet, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Derivatives:
    first, second = _log_sum(call, x, _axis(dim), torch.exp(call.out))
    return _added(x.first, _times(-1.0, first)), _added(x.second, _times(-1.0, second))


@_rule_of("logsumexp")
def _logsumexp(call: Call, x: Jet, dim: Any, keepdim: bool = False) -> Derivatives:
    if not isinstance(dim, int):
        raise NoRuleError("logsumexp over several axes")
    first, second = _log_sum(call, x, dim, torch.softmax(x.value, dim))
    return tuple(term if term is None or keepdim else term.squeeze(dim) for term in (first, second))  # type: ignore[return-value]


def _log_sum(call: Call, x: Jet, axis: int, y: Any) -> Derivatives:
    """Of log Σ e^x: y·Dx, and y·D²x + y·c², with the axis kept."""

    def mean(term: Any) -> Any:
        return None if term is None else (y * term).sum(axis, keepdim=True)

    first = mean(x.first)
    if call.order < 2 or x.first is None:
        return first, mean(x.second)
    c = x.first - first
    return first, _added(mean(x.second), mean(c * c))


# -- normalizations


def _normalized(call: Call, x: Jet, axes: tuple[int, ...], eps: float) -> Jet:
    """x̂ = c r of c = x - mean, r = (mean c² + ε)^(-1/2), with Dr = -½ r³ D(c²), and so on."""

    def centred(term: Any) -> Any:
        return None if term is None else term - term.mean(axes, keepdim=True)

    c, dc = centred(x.value), centred(x.first)
    r = torch.rsqrt((c * c).mean(axes, keepdim=True) + eps)
    if dc is None and x.second is None:
        return Jet(c * r)
    ds = None if dc is None else 2.0 * (c * dc).mean(axes, keepdim=True)
    dr = None if ds is None else -0.5 * r**3 * ds
    first = None if dc is None else dc * r + c * dr
    if call.order < 2:
        return Jet(c * r, first)
    d2c = centred(x.second)
    squares = _added(_times(dc, dc), _times(c, d2c))
    d2r = -(r**3) * squares.mean(axes, keepdim=True)
    if ds is None:
        return Jet(c * r, first, d2c * r + c * d2r)
    d2r = d2r + 0.75 * r**5 * ds * ds
    return Jet(c * r, first, _added(_times(r, d2c), 2.0 * dc * dr, c * d2r))


def _scaled(call: Call, x: Jet, weight: Any, bias: Any, shape: tuple[int, ...]) -> Derivatives:
    """x̂ w + b, with w and b of a shape that broadcasts."""

    def shaped(term: Any) -> Any:
        return None if term is None else term.reshape(shape)

    first, second = x.first, x.second
    if weight is not None:
        scale = Jet(*(shaped(pick(weight)) for pick in (_value, _first, _second)))
        first, second = _bilinear(call, torch.mul, x, scale)
    if bias is not None:
        first, second = _added(first, shaped(_first(bias))), _added(second, shaped(_second(bias)))
    return _broadcast(call, first), _broadcast(call, second)


def _as_jet(x: Any) -> Jet:
    return x if isinstance(x, Jet) else Jet(x)


@_rule_of("layer_norm")
def _layer_norm(
    call: Call, x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, *args: Any
) -> Derivatives:
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    axes = tuple(range(-len(shape), 0))
    return _scaled(call, _normalized(call, _as_jet(x), axes, eps), weight, bias, shape)


@_rule_of("group_norm")
def _group_norm(
    call: Call, x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *args: Any
) -> Derivatives:
    x = _as_jet(x)
    shape = x.value.shape
    groups = Jet(*(None if t is None else t.reshape(shape[0], num_groups, -1) for t in (x.value, x.first, x.second)))
    found = _normalized(call, groups, (-1,), eps)
    back = Jet(*(None if t is None else t.reshape(shape) for t in (found.value, found.first, found.second)))
    return _scaled(call, back, weight, bias, (-1, *[1] * (len(shape) - 2)))


@_rule_of("instance_norm")
def _instance_norm(
    call: Call,
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Derivatives:
    x = _as_jet(x)
    if not use_input_stats:
        return _batch_norm(call, x, running_mean, running_var, weight, bias, False, momentum, eps)
    axes = tuple(range(2, x.value.ndim))
    return _scaled(call, _normalized(call, x, axes, eps), weight, bias, (-1, *[1] * len(axes)))


@_rule_of("batch_norm")
def _batch_norm(
    call: Call,
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Derivatives:
    """With running statistics, which do not depend on θ."""
    if training or isinstance(running_mean, Jet) or isinstance(running_var, Jet):
        raise NoRuleError("batch_norm over the cases at hand")
    x = _as_jet(x)
    shape = (-1, *[1] * (x.value.ndim - 2))
    r = torch.rsqrt(running_var + eps).reshape(shape)
    normalized = Jet((x.value - running_mean.reshape(shape)) * r, _times(r, x.first), _times(r, x.second))
    return _scaled(call, normalized, weight, bias, shape)


@_rule_of("_weight_norm")
def _weight_norm(call: Call, v: Any, g: Any, dim: int = 0) -> Derivatives:
    """g v/|v|, with the norms over all axes but one."""
    v = _as_jet(v)
    axes = tuple(k for k in range(v.value.ndim) if k != dim % v.value.ndim)

    def along(a: Any, b: Any) -> Any:
        return None if a is None or b is None else (a * b).sum(axes, keepdim=True)

    # r = s^(-1/2), s = |v|²
    r = torch.rsqrt(along(v.value, v.value))
    half = along(v.value, v.first)
    dr = _times(-(r**3), half)
    d2r = None
    if call.order > 1:
        d2r = _times(-(r**3), _added(along(v.first, v.first), along(v.value, v.second)))
        d2r = _added(d2r, None if half is None else 3.0 * r**5 * half * half)
    unit = _bilinear(call, torch.mul, v, Jet(r, dr, d2r))
    return _bilinear(call, torch.mul, Jet(v.value * r, *unit), g)


# -- maxima


def _max_pool(pool: Any, call: Call, x: Jet, *args: Any, **kwargs: Any) -> Derivatives:
    """Of a pool that picks entries: the derivatives of those picked."""
    places = pool(x.value, *args, **{**kwargs, "return_indices": True})[1]
    axes = -places.ndim + 2

    def picked(term: Any) -> Any:
        return None if term is None else term.flatten(axes).gather(-1, places.flatten(axes)).reshape(places.shape)

    first, second = picked(x.first), picked(x.second)
    # with the places asked for, the call has two results
    return (first, second) if isinstance(call.out, torch.Tensor) else ((first, None), (second, None))


def _register_pools() -> None:
    for name in ("max_pool", "adaptive_max_pool"):
        for axes in (1, 2, 3):
            pool, with_places = (getattr(F, f"{name}{axes}d{ending}") for ending in ("", "_with_indices"))
            RULES[pool] = RULES[with_places] = functools.partial(_max_pool, with_places)


_register_pools()


# -- attention


@_rule_of("scaled_dot_product_attention")
def _attention(
    call: Call,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Derivatives:
    """softmax(q kᵀ s + mask) v, by the rules of its parts."""
    if dropout_p or enable_gqa or isinstance(attn_mask, Jet):
        raise NoRuleError("attention with dropout, grouped queries or a mask that depends on the parameters")
    q, k, v = _as_jet(query), _as_jet(key), _as_jet(value)
    factor = 1.0 / math.sqrt(q.value.shape[-1]) if scale is None else scale

    def product(a: Any, b: Any) -> Any:
        return factor * (a @ b.transpose(-1, -2))

    scores = product(q.value, k.value)
    first, second = _bilinear(Call(torch.matmul, scores, call.order), product, q, k)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        is_choice = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, -math.inf) if is_choice else scores + attn_mask
    weights = torch.softmax(scores, -1)
    first, second = _softmax(Call(torch.softmax, weights, call.order), Jet(scores, first, second), -1)
    return _bilinear(call, torch.matmul, Jet(weights, first, second), v)


# -- functions that work in place


def _functions_in_place() -> Iterator[tuple[Any, Any]]:
    for function in list(RULES):
        name = getattr(function, "__name__", "")
        for owner in (torch.Tensor, torch, F):
            changed, plain = getattr(owner, f"{name}_", None), getattr(owner, name, None)
            if changed is not None and plain in RULES:
                yield changed, plain


_IN_PLACE = dict(_functions_in_place())

OutOfPlace = tuple[Any, dict[str, Any], Any]


def out_of_place(func: Any, args: Any, kwargs: dict[str, Any]) -> OutOfPlace:
    """A call that gives a new tensor, and the tensor that the original one would have overwritten, or None."""
    if func in _IN_PLACE and args:
        return _IN_PLACE[func], kwargs, args[0]
    if kwargs.get("inplace") and args:
        return func, {**kwargs, "inplace": False}, args[0]
    return func, kwargs, None
