"""Optimizers of PyTorch move as they do by themselves, and their memory can be written to a checkpoint."""

import numpy as np
import pytest
import torch

import riemopt as ro
from riemopt.autodiff.torch.optimizer import OptimizerStep
from riemopt.errors import ArgumentError

SCALE = np.array([1.0, 3.0, 0.1])
START = [1.0, -1.0, 2.0]
OPTIMIZERS = {
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True),
    "RMSprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.01, centered=True),
    "LBFGS": lambda parameters: torch.optim.LBFGS(parameters, max_iter=2, line_search_fn="strong_wolfe"),
}


def problem():
    return ro.OperatorProblem(loss=lambda x: float(x @ (SCALE * x) / 2), gradient=lambda x: SCALE * x)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_of_pytorch(name):
    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer, expected = OPTIMIZERS[name]([theta]), [np.array(START)]

    def closure():
        optimizer.zero_grad()
        loss = theta @ (torch.from_numpy(SCALE) * theta) / 2
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
        expected.append(theta.detach().numpy().copy())
    trajectory = ro.minimize(problem(), OptimizerStep(OPTIMIZERS[name]), START, step_size=1.0, steps=5)
    np.testing.assert_allclose(trajectory.points, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_goes_on_from_a_checkpoint_with_the_same_numbers(name, tmp_path):
    rule = OptimizerStep(OPTIMIZERS[name], name=name)
    whole = ro.minimize(problem(), rule, START, 1.0, 7)
    ro.minimize(problem(), rule, START, 1.0, 3, checkpoint=tmp_path / "run")
    resumed = ro.minimize(problem(), rule, START, 1.0, 7, checkpoint=tmp_path / "run")
    np.testing.assert_array_equal(resumed.points, whole.points)
    assert repr(rule) == f"OptimizerStep({name})"


def test_what_is_no_optimizer_is_refused():
    parameters = [torch.zeros(1, requires_grad=True)]
    for given in (torch.optim.Adam(parameters), lambda parameters: None):
        with pytest.raises(ArgumentError, match="what makes it"):
            OptimizerStep(given)
