"""Optimizers of PyTorch as integrators, whose memory is arrays and so can be written to a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from riemopt.errors import ArgumentError
from riemopt.integrators import Integrator

__all__ = ["OptimizerStep"]


class OptimizerStep(Integrator):
    """An optimizer of PyTorch, which moves the point of a trajectory as if it were the parameters of a module.

    Parameters
    ----------
    make : callable
        Takes a list of parameters, gives a ``torch.optim.Optimizer`` over them, such as
        ``lambda parameters: torch.optim.Adam(parameters, lr=1e-3)``.
    name : str, optional
        What to call it.

    Raises
    ------
    ArgumentError
        If it does not give an optimizer.

    Notes
    -----
    The gradient is that of all the cases, as every integrator's. The step moves from θ to θ + h (θ' - θ), where θ' is
    where the optimizer goes. What it remembers goes through the memory of the rule as arrays and numbers, so that a run
    can be written to a checkpoint and go on. An optimizer that asks for losses at other points, as L-BFGS with a line
    search, gets them.

    Examples
    --------
    >>> import torch
    >>> import riemopt as ro
    >>> problem = ro.OperatorProblem(loss=lambda x: float(x @ x / 2), gradient=lambda x: x)
    >>> rule = ro.autodiff.torch.OptimizerStep(lambda parameters: torch.optim.SGD(parameters, lr=0.5))
    >>> ro.minimize(problem, rule, start=[1.0, 1.0], step_size=1.0, steps=2).losses
    array([1.    , 0.25  , 0.0625])
    """

    needs = ("gradient",)
    traceable = False
    recovers = True  # a line search may look outside

    def __init__(self, make: Callable[[list[Any]], Any], name: str = "") -> None:
        optimizer = make([torch.zeros(1, requires_grad=True)]) if callable(make) else make
        if not (callable(make) and isinstance(optimizer, torch.optim.Optimizer)):
            raise ArgumentError(
                f"an optimizer of PyTorch is given by what makes it, lambda parameters: torch.optim.Adam(parameters), "
                f"not by {make!r:.60}"
            )
        self._make, self.name = make, name or type(optimizer).__name__

    def __repr__(self) -> str:
        return f"OptimizerStep({self.name})"

    def init(self, problem: Any, theta: Any, h: Any) -> dict[str, Any]:
        """What an optimizer remembers before its first step: nothing."""
        return {}

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        point = torch.as_tensor(theta).detach().clone().requires_grad_()
        optimizer = self._make([point])
        groups = optimizer.state_dict()["param_groups"]
        if memory:
            optimizer.load_state_dict({"state": {0: _restored(memory)}, "param_groups": groups})

        def closure() -> float:
            here = problem.arrays.asarray(point.detach().numpy() if _is_plain(theta) else point.detach())
            point.grad = torch.as_tensor(problem.gradient(here), dtype=point.dtype, device=point.device)
            return float(problem.loss(here)) if optimizer_needs_loss else 0.0

        optimizer_needs_loss = isinstance(optimizer, torch.optim.LBFGS)
        with torch.no_grad():
            optimizer.step(closure)
            end = point.detach()
        state = optimizer.state_dict()["state"].get(0, {})
        moved = end.numpy() if _is_plain(theta) else end
        return theta + h * (problem.arrays.asarray(moved) - theta), dict(state)


def _is_plain(theta: Any) -> bool:
    """Whether a point is no tensor."""
    return not isinstance(theta, torch.Tensor)


def _restored(memory: Any) -> Any:
    """What an optimizer remembers, its arrays tensors again; of a checkpoint they may be others."""
    if isinstance(memory, dict):
        return {key: _restored(value) for key, value in memory.items()}
    if isinstance(memory, (list, tuple)):
        return type(memory)(map(_restored, memory))
    return torch.as_tensor(memory) if hasattr(memory, "dtype") else memory
