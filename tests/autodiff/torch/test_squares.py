"""Squared gradients of single cases are what gradients of single cases give."""

import pytest
import torch
from torch import nn

from riemopt.autodiff.torch import squares
from riemopt.autodiff.torch.linearization import Linearization
from riemopt.autodiff.torch.module import ModuleFunction
from riemopt.autodiff.torch.squares import ruled_parameters, summed_squares

CASES = 7


class Custom(nn.Module):
    """Products and sums with parameters that are no layers."""

    def __init__(self):
        super().__init__()
        self.weight, self.shift = nn.Parameter(torch.randn(5, 4)), nn.Parameter(torch.randn(4))
        self.scale, self.row = nn.Parameter(torch.randn(())), nn.Parameter(torch.randn(1, 4))

    def forward(self, x):
        return (torch.tanh(x @ self.weight) + self.shift) * self.scale * self.row


class Sequences(nn.Module):
    """Cases come second in the middle, as in many models of sequences."""

    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(5, 4), nn.Linear(4, 2)

    def forward(self, x):
        return torch.tanh(self.out(torch.tanh(self.into(x.transpose(0, 1))).transpose(0, 1))).sum(1)


class Twice(nn.Module):
    """A layer is used twice."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.last(torch.tanh(self.layer(torch.tanh(self.layer(x)))))


IMAGE = (4, 6, 7)

NETWORKS = {
    "dense": (nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2, bias=False)), (5,)),
    "dense on rows": (nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)), (3, 5)),
    "conv1d": (nn.Conv1d(4, 3, 2, stride=2, padding="valid"), (4, 9)),
    "conv2d": (nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(1, 2), dilation=(2, 1), groups=2), IMAGE),
    "conv2d, same": (nn.Conv2d(4, 2, (2, 3), padding="same"), IMAGE),
    "conv3d": (nn.Conv3d(2, 3, 2, bias=False), (2, 3, 4, 3)),
    "layer norm": (nn.Sequential(nn.Linear(5, 4), nn.LayerNorm(4)), (3, 5)),
    "group norm": (nn.Sequential(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True)), IMAGE),
    "batch norm": (nn.Sequential(nn.BatchNorm2d(4), nn.Flatten(), nn.BatchNorm1d(168)), IMAGE),
    "custom": (Custom(), (5,)),
}
ESTIMATED = {
    "sequences": (Sequences(), (3, 5), {0, 1}),
    "as many places as are checked": (Sequences(), (squares._CHECKED, 5), {0, 1}),
    "as many places as cases": (Sequences(), (CASES, 5), {0, 1}),
    "twice": (Twice(), (5,), {0, 1}),
    "transposed": (nn.ConvTranspose1d(4, 3, 2), (4, 5), {0, 1}),
}


def prepared(module, shape):
    torch.manual_seed(0)
    function = ModuleFunction(module.double().eval())
    x = torch.randn(CASES, *shape, dtype=torch.float64)
    here = Linearization(function, function.start, x)
    return function, x, here, torch.randn(here.z.shape, dtype=torch.float64)


def single(here, u):
    """The sums of squares, case by case."""
    totals = [torch.zeros_like(leaf) for leaf in here.leaves]
    for row in range(CASES):
        chosen = torch.zeros_like(u)
        chosen[row] = u[row]
        for total, pulled in zip(totals, here.gradients(chosen, here.leaves), strict=True):
            total += pulled**2
    return totals


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("block", [1, squares._BLOCK])
@pytest.mark.parametrize("name", NETWORKS)
def test_rules_of_layers_give_what_single_cases_give(name, block, monkeypatch):
    monkeypatch.setattr(squares, "_BLOCK", block)
    function, x, here, u = prepared(*NETWORKS[name])
    ruled = ruled_parameters(function, x)
    assert len(ruled) == len(function.names)
    for found, exact in zip(summed_squares(here, u, ruled), single(here, u), strict=True):
        torch.testing.assert_close(found, exact)


@pytest.mark.slow_for("as many places as are checked", "as many places as cases")
@pytest.mark.parametrize("name", ESTIMATED)
def test_what_has_no_rule_is_estimated_without_bias(name, monkeypatch):
    module, shape, expected = ESTIMATED[name]
    function, x, here, u = prepared(module, shape)
    ruled = ruled_parameters(function, x)
    assert set(range(len(function.names))) - ruled == expected
    # all signs there are, but for one that is common to all cases
    monkeypatch.setattr(squares, "SIGNS", 2000)
    for k, (found, exact) in enumerate(zip(summed_squares(here, u, ruled), single(here, u), strict=True)):
        tolerance = 0.2 if k in expected else 1e-10
        torch.testing.assert_close(found, exact, rtol=tolerance, atol=tolerance * float(exact.max()))


def test_a_parameter_without_influence_has_none():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            self.unused(x)
            return self.used(x)

    function, x, here, u = prepared(Unused(), (2,))
    assert not any(s.any() for s in summed_squares(here, u, ruled_parameters(function, x))[2:])
