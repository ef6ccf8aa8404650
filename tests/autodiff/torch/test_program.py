"""What a module does is recorded as it is; what cannot be followed is said."""

import pytest
import torch

from riemopt.autodiff.torch.program import Recorder, Slot
from riemopt.autodiff.torch.taylor import NoRuleError


def recorded(function, *leaves):
    leaves = [torch.tensor(leaf, dtype=torch.float64, requires_grad=True) for leaf in leaves]
    with Recorder(leaves) as recorder:
        result = function(*leaves)
    return recorder.finish(result).detach(), recorder.program


def test_a_program_is_the_calls_that_depend_on_the_leaves():
    _, program = recorded(lambda x: torch.tanh(x * torch.arange(3.0).exp()) + x.shape[0], [1.0, 2.0, 3.0])
    assert [instruction.func.__name__ for instruction in program.instructions] == ["mul", "tanh", "add"]
    assert program.instructions[0].args[0] == Slot(0)
    assert program.result == 3


def test_derivatives_follow_a_program_of_several_leaves():
    _, program = recorded(lambda x, y: x * y * y, 3.0, 2.0)
    with torch.no_grad():
        # with x = 3 + t and y = 2 - t: (12, -8, 2·(3 - 4)) for 0, 1 and 2 derivatives
        first, second = program.push([torch.tensor(1.0), torch.tensor(-1.0)], 2)
    assert (float(first), float(second)) == (4.0 - 12.0, 2.0 * (3.0 - 4.0))


def test_what_is_overwritten_is_replaced_wherever_it_is_used_again():
    def overwriting(x):
        y = 2.0 * x
        z = y.add_(1.0)
        return y * z

    result, program = recorded(overwriting, 3.0)
    assert float(result) == 49.0
    with torch.no_grad():
        assert [float(d) for d in program.push([torch.tensor(1.0)], 2)] == [28.0, 8.0]


def test_a_constant_that_is_written_to_is_left_alone():
    total = torch.ones(2, dtype=torch.float64)
    result, program = recorded(lambda x: total.add_(x), [1.0, 2.0])
    assert result.tolist() == [2.0, 3.0]
    assert total.tolist() == [1.0, 1.0]
    assert not program.obstacle


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2.0 * x

    @staticmethod
    def backward(ctx, g):
        return 2.0 * g


def written(x):
    y = torch.zeros(2, dtype=x.dtype)
    y[0] = x[0]
    return y


@pytest.mark.parametrize(
    ("function", "obstacle"),
    [
        (torch.sinc, "sinc has no rule"),
        (lambda x: torch.sinc(x) + torch.lgamma(x), "sinc has no rule"),
        (written, "__setitem__ works in place"),
        (lambda x: Doubled.apply(x) + 1.0, "add uses a tensor that comes from no function of PyTorch's own"),
        (Doubled.apply, "the module uses a tensor that comes from"),
    ],
)
def test_what_cannot_be_followed_is_named(function, obstacle):
    _, program = recorded(function, [1.0, 2.0])
    assert program.obstacle.startswith(obstacle)
    with pytest.raises(NoRuleError, match=obstacle):
        program.push([torch.ones(2)], 1)


def test_what_does_not_depend_on_the_leaves_has_no_derivative():
    _, program = recorded(lambda x: (x.detach() + 1.0) * 2.0, [1.0])
    assert not program.instructions
    assert program.push([torch.ones(1)], 2) == (None, None)
