"""Modules as functions of their free parameters: which these are, and which modules are none."""

import copy

import pytest
import torch
from torch import nn

from riemopt.autodiff.torch.module import ModuleFunction, placed, require_cases, rows_of, sliced
from riemopt.errors import ModelError, ShapeError


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.back = nn.Linear(3, 2), nn.Linear(2, 3, bias=False)
        self.back.weight = nn.Parameter(torch.zeros(3, 2))
        self.again = nn.Linear(3, 2)
        self.again.weight = self.into.weight

    def forward(self, x):
        return self.again(self.back(torch.tanh(self.into(x))))


def test_what_is_free_is_a_coordinate_and_what_is_tied_is_one():
    module = Tied()
    module.back.weight.requires_grad_(False)
    function = ModuleFunction(module)
    assert function.names == ("into.weight", "into.bias", "again.bias")
    assert function.start.shape == (10,)
    torch.testing.assert_close(function.split(function.start)[0], module.into.weight.detach())


def test_the_function_is_the_module_with_other_parameters():
    module, other, x = Tied(), Tied(), torch.randn(4, 3)
    before = copy.deepcopy(module.state_dict())
    function = ModuleFunction(module)
    theta = ModuleFunction(other).start
    torch.testing.assert_close(function(function.split(theta), x), other(x))
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert all(p.grad is None for p in module.parameters())


def test_outputs_in_double_precision_take_everything_along():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()
    module[2].requires_grad_(False)
    function, x = ModuleFunction(module), torch.randn(5, 3)
    found = function.in_double(function.start.double(), x)
    assert module(x).dtype == torch.float32
    torch.testing.assert_close(found, copy.deepcopy(module).double()(x.double()))


class Counting(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


def test_a_buffer_that_is_written_to_stays_as_it_was():
    module = Counting()
    function = ModuleFunction(module)
    function(function.split(function.start), torch.ones(1, 2))
    assert float(module.calls) == 0.0


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, a, b):
        return self.weight * a - b


def test_several_arguments_are_a_tuple_or_a_dictionary():
    function, (a, b) = ModuleFunction(Pair()), torch.randn(2, 3, 2)
    for data in ((a, b), {"b": b, "a": a}):
        data = placed(data, torch.float32, "cpu")
        assert rows_of(data) == 3
        torch.testing.assert_close(function(function.split(function.start), sliced(data, slice(1, 3))), (a - b)[1:])


def test_data_take_the_precision_but_whole_numbers_stay():
    data = placed(([1, 2], torch.ones(2, dtype=torch.float64)), torch.float32, "cpu")
    assert [leaf.dtype for leaf in data] == [torch.int64, torch.float32]


@pytest.mark.parametrize("data", [torch.ones(()), torch.ones(0, 2), (torch.ones(2), torch.ones(3))])
def test_data_without_rows_in_common_are_refused(data):
    with pytest.raises(ShapeError, match="inputs must be tensors of as many rows"):
        rows_of(data)


def frozen(module):
    return module.requires_grad_(False)


def spoilt(module):
    with torch.no_grad():
        next(module.parameters())[0] = torch.nan
    return module


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (torch.tanh, "must be a torch.nn.Module"),
        (nn.Tanh(), "no parameter that requires a gradient"),
        (frozen(nn.Linear(2, 2)), "no parameter that requires a gradient"),
        (spoilt(nn.Linear(2, 2)), "a parameter of the module is not finite"),
        (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double()), "float32 on cpu, torch.float64 on cpu"),
        (nn.Linear(2, 2, dtype=torch.complex64), "must be real"),
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout()), r"Dropout '1' is in training mode.*call .eval\(\) first"),
        (nn.BatchNorm1d(2), "BatchNorm1d is in training mode"),
        (nn.BatchNorm1d(2, track_running_stats=False).eval(), "no running statistics"),
        (nn.Sequential(nn.Linear(2, 2), nn.RReLU()), "RReLU '1' is in training mode"),
        (nn.MultiheadAttention(2, 1, dropout=0.1), "MultiheadAttention is in training mode"),
    ],
)
def test_what_is_no_function_of_parameters_is_said(module, message):
    with pytest.raises(ModelError, match=message):
        ModuleFunction(module)


def test_dropout_of_nothing_may_be_in_training_mode():
    assert ModuleFunction(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0))).start.shape == (6,)


class Noisy(nn.Linear):
    def forward(self, x):
        return super().forward(x) + torch.randn(1)


class Centred(nn.Linear):
    def forward(self, x):
        y = super().forward(x)
        return y - y.mean(0)


@pytest.mark.parametrize(
    ("kind", "message"), [(Noisy, "differ from one evaluation to the next"), (Centred, "depend on the other cases")]
)
def test_outputs_that_are_no_function_of_a_case_are_refused(kind, message):
    function, data = ModuleFunction(kind(2, 2)), torch.randn(3, 2)
    with pytest.raises(ModelError, match=message):
        require_cases(function, data, function(function.split(function.start), data))
