r"""
Which optimizers care about the chart, and how much?
====================================================

An optimizer takes steps of size :math:`h` up to a fixed time :math:`T`. In another chart of the same model it arrives
somewhere else, and the distance between the two places falls like :math:`h^p`: the method has *order of invariance*
:math:`p`. This script measures :math:`p` on the Gamma model for methods that know its geometry, and for optimizers that
do not: Adam, momentum and Newton's method.

Run it with ``python examples/order_of_invariance.py``; ``--output orders.png`` saves a figure.
"""

import argparse

import numpy as np
import sympy as sp

import riemopt as ro

arguments = argparse.ArgumentParser(description="Measure the order of invariance of optimizers on the Gamma model.")
arguments.add_argument("--output", help="where to save a figure: PNG, SVG, PDF")
output = arguments.parse_args().output

# %%
# The model, numbers to fit it to, and another chart.

gamma = ro.models.Gamma()
samples = np.random.default_rng(1234).gamma(2.0, 1.0, size=10_000)

alpha, beta = gamma.parameters
a, b = sp.symbols("a b", positive=True)
charts = {"alpha = a**2, beta = 1/b": gamma.reparametrize({alpha: a**2, beta: 1 / b}, parameters=(a, b))}

# %%
# Optimizers from elsewhere
# -------------------------
# Any function ``step(theta, gradient) -> theta`` will do. What a method remembers of its steps must end with the
# trajectory; :class:`~riemopt.integrators.OptimizerStep` has ``make=`` for that, which is called at the start of each
# trajectory, with the problem and the step size.


def adam(problem, h):
    """Kingma and Ba's method with its usual constants; the step size is the learning rate."""
    mean, square, k = 0.0, 0.0, 0

    def step(theta, gradient):
        nonlocal mean, square, k
        k += 1
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        return theta - h * mean / (1 - 0.9**k) / (np.sqrt(square / (1 - 0.999**k)) + 1e-8)

    return step


def momentum(problem, h):
    """Polyak's heavy ball."""
    velocity = 0.0

    def step(theta, gradient):
        nonlocal velocity
        velocity = 0.9 * velocity - 0.1 * gradient
        return theta + h * velocity

    return step


def newton(problem, h):
    """Newton steps of length h, with the Hessian of the loss by differences of its gradient."""

    def step(theta, gradient):
        small = 1e-5 * np.diag(theta)
        columns = [(problem.gradient(theta + d) - problem.gradient(theta - d)) / (2 * d.sum()) for d in small]
        return theta - h * np.linalg.solve(np.array(columns).T, gradient)

    return step


# %%
# One table
# ---------
# From Gamma(1.2, 0.8) to :math:`T = 1/2`. The slopes are fitted to runs of as many steps as the table says.

others = [ro.integrators.OptimizerStep(make=make) for make in (adam, momentum, newton)]
result = ro.experiments.order_of_invariance(
    gamma,
    samples,
    charts,
    start=(1.2, 0.8),
    time=0.5,
    integrators=[*others, "gd", "ng", "mid", "geo", "geof", "rk4", "geo-exact"],
)
print(result.table())
if output:
    result.plot().savefig(output)

# %%
# What comes out
# --------------
# The last column is the order of invariance. Adam, momentum and gradient descent end elsewhere in every chart, however
# small their steps: their slopes are 0, up to what is left of their memory of the first steps.
#
# Newton's method is a surprise at first sight. In :math:`\alpha, \beta`, which are natural parameters up to a constant
# and a sign, the Hessian of the loss is the Fisher metric, so that Newton's method is ``ng`` and follows the natural
# gradient flow with order 1. A Hessian is no tensor, and in the other chart it has nothing to do with the metric: the
# gap does not shrink.
#
# The natural gradient and its corrections show the orders 1 and 2 of the paper, the Runge-Kutta method its 4, and the
# gap of the Riemannian Euler method is rounding.
