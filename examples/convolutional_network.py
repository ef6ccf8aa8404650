r"""
A convolutional network, Hessian-free
=====================================

What does a natural-gradient step look like on a network that is already written? This script takes an ``nn.Module`` of
PyTorch, two convolutions and a linear layer for the digits of MNIST, and trains it with the faster geodesic correction
``geof``: one linear solve a step, by conjugate gradients on products with the Fisher metric, and one product with its
connection. The module is never touched; what moves is one flat vector.

It needs PyTorch (``pip install 'riemopt[torch]'``) and the four files of MNIST, in a folder that the environment
variable ``RIEMOPT_DATA`` or ``--data`` names. Run it with ``python examples/convolutional_network.py``; ``--output
losses.png`` saves a figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import riemopt as ro
from riemopt.experiments.images import mnist

# %%
# The module
# ----------
# It returns logits, the natural parameters of a categorical output: what comes *before* the last activation.


def network(seed: int = 0) -> torch.nn.Module:
    """Two convolutions that halve the image, and ten logits."""
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, kernel_size=5, stride=2),
        torch.nn.Tanh(),
        torch.nn.Conv2d(8, 16, kernel_size=5, stride=2),
        torch.nn.Tanh(),
        torch.nn.Flatten(),
        torch.nn.Linear(256, 10),
    )


def tensors(images: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Images with an axis for their one channel, and labels."""
    return torch.from_numpy(images).reshape(-1, 1, 28, 28), torch.from_numpy(labels)


# %%
# The training
# ------------
# Loss and gradient are those of all the cases; the metric is taken over a part of them, another one in each step, as
# Hessian-free training does it. The damping follows how well the quadratic model of the loss has predicted the step.


def main(
    cases: int = 3000, steps: int = 15, integrator: str = "geof", folder: Path | None = None, progress: bool = False
) -> tuple[ro.Trajectory, list[float], float]:
    """Train on some cases; the trajectory, its losses, and how much of the test set is then read wrongly."""
    inputs, targets = tensors(*(array[:cases] for array in mnist("train", folder)))
    module = network()
    problem = ro.autodiff.torch.NetworkProblem(
        module, inputs, targets, output="categorical", metric_cases=min(cases, 500), weight_decay=1e-3
    )
    losses: list[float] = []
    trajectory = ro.minimize(
        problem,
        integrator,
        start=problem.start,
        step_size=1.0,
        steps=steps,
        damping=ro.LevenbergMarquardt(initial=1.0),
        line_search=ro.Backtracking(),
        keep="last",
        callback=lambda state: losses.append(state.loss),
        progress=progress,
    )
    module.load_state_dict(problem.unflatten(trajectory.x))
    return trajectory, losses, wrong(module, *tensors(*mnist("test", folder)))


def wrong(module: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
    """The fraction of cases whose largest logit is not that of their label."""
    with torch.no_grad():
        return float((module(inputs).argmax(1) != targets).double().mean())


# %%
# What comes out
# --------------
# After fifteen steps the network reads some 94 % of digits that it has not seen, having seen 3,000.


def table(losses: list[float]) -> Table:
    """The losses by step."""
    result = Table("step", "loss", title="Mean cross-entropy of the training data, in nats")
    for k in sorted({*range(0, len(losses), 5), len(losses) - 1}):
        result.add_row(str(k), f"{losses[k]:.4f}")
    return result


def draw(losses: list[float], file: Path) -> None:
    """The losses against the step, as a figure in a file."""
    from matplotlib.figure import Figure  # only who wants a figure waits for matplotlib

    figure = Figure(layout="constrained")
    axes: Any = figure.subplots()
    axes.semilogy(losses)
    axes.set(xlabel="step", ylabel="mean cross-entropy of the training data (nats)")
    figure.savefig(file)


@click.command()
@click.option("--cases", type=click.IntRange(min=10), default=3000, show_default=True, help="Images to train on.")
@click.option("--steps", type=click.IntRange(min=0), default=15, show_default=True, help="How many steps to take.")
@click.option("--integrator", default="geof", show_default=True, help="ng, mid, geo, geof or another.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="The folder of MNIST's files.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to save a figure: PNG, SVG, PDF."
)
def command(cases: int, steps: int, integrator: str, data: Path | None, output: Path | None) -> None:
    """Train a convolutional network on MNIST, and print the losses."""
    console = Console()
    _, losses, error = main(cases, steps, integrator, data, progress=console.is_terminal)
    console.print(table(losses), f"{100 * error:.1f} % of the test images are read wrongly")
    if output:
        draw(losses, output)


if __name__ == "__main__":
    # not standalone: click would end the interpreter, which the documentation's gallery goes on using
    command(standalone_mode=False)
