"""Products with the derivatives of a module's outputs are right whichever way they are taken."""

import pytest
import torch
from torch import nn

from riemopt.autodiff.torch.linearization import Linearization, way_of
from riemopt.autodiff.torch.module import ModuleFunction


class Residual(nn.Module):
    """Whose function has no Taylor rule."""

    def __init__(self, last):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 3), nn.Linear(3, 2), last

    def forward(self, x):
        return self.second(x + self.last(self.first(x)))


def prepared(last, **options):
    torch.manual_seed(0)
    function = ModuleFunction(Residual(last).double())
    x = torch.randn(4, 3, dtype=torch.float64)
    return function, x, Linearization(function, function.start, x, **options)


@pytest.mark.parametrize("way", ["taylor", "forward", "reverse"])
def test_products_are_those_of_finite_differences(way):
    function, x, here = prepared(torch.tanh, way=way)
    v, w = torch.randn(2, *function.start.shape, dtype=torch.float64)
    u, h = torch.randn(here.z.shape, dtype=torch.float64), 1e-4

    def at(step):
        return Linearization(function, function.start + step * v, x)

    first, second = here.push_twice(v)
    torch.testing.assert_close(here.push(v), first)
    torch.testing.assert_close(first, (at(h).z - at(-h).z) / (2 * h), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(second, (at(h).z - 2 * here.z + at(-h).z) / h**2, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(here.bent(u, v), (at(h).pull(u) - at(-h).pull(u)) / (2 * h), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(here.pull(u) @ w, (u * here.push(w)).sum())


class Twisted(nn.Module):
    """A layer whose derivatives forward mode does not have."""

    def forward(self, x):
        return Cubed.apply(x)


class Cubed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3.0 * x**2 * g


class Overwriting(nn.Module):
    """A view is written to through the tensor it is one of."""

    def forward(self, x):
        y = x * 2.0
        seen = y.view(-1)
        y.tanh_()
        return y + seen.view_as(y)


class Unrecorded(nn.Module):
    """Refuses to be watched."""

    def forward(self, x):
        if torch.overrides._get_current_function_mode_stack():
            raise RuntimeError("somebody is looking")
        return torch.tanh(x)


NORM = nn.LayerNorm(3, elementwise_affine=False)


@pytest.mark.parametrize(
    ("last", "way", "obstacle"),
    [
        (torch.tanh, "taylor", ""),
        (NORM, "taylor", ""),
        (nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)), "taylor", ""),  # wrong in reverse
        (torch.sinc, "forward", "sinc has no rule"),
        (lambda x: torch.sinc(NORM(x)), "reverse", "sinc has no rule"),
        (Twisted(), "reverse", "add uses a tensor that comes from no function of PyTorch's own"),
        (Overwriting(), "forward", "it overwrites tensors that it goes on using"),
        (Unrecorded(), "forward", "RuntimeError while its calls were recorded: somebody is looking"),
    ],
)
def test_the_way_is_the_quickest_that_is_right(last, way, obstacle):
    x = prepared(torch.tanh)[1]
    function = ModuleFunction(Residual(last).double())
    found = way_of(function, x)
    assert (found.name, found.obstacle) == (way, obstacle)
    assert found.recordable == (not isinstance(last, (Overwriting, Unrecorded)))
    v = torch.randn(function.start.shape, dtype=torch.float64)
    before, here, after = (
        Linearization(function, function.start + step * v, x, found.recordable, way) for step in (-1e-4, 0.0, 1e-4)
    )
    expected = (after.z - 2.0 * here.z + before.z) / 1e-8
    torch.testing.assert_close(here.push_twice(v)[1], expected, rtol=1e-4, atol=1e-4)


def test_outputs_without_parameters_have_no_derivatives():
    class Constant(nn.Linear):
        def forward(self, x):
            return x * 2.0

    function, x = ModuleFunction(Constant(2, 2)), torch.ones(3, 2)
    for way in ("taylor", "reverse"):
        here = Linearization(function, function.start, x, way=way)
        v = torch.ones_like(function.start)
        for zero in (here.push(v), *here.push_twice(v), here.pull(here.z), here.bent(here.z, v)):
            assert not zero.any()
