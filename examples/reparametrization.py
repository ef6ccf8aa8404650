r"""
Does a method care about the chart?
===================================

A Gamma distribution can be given by its shape :math:`\alpha` and rate :math:`\beta`, or by its shape and scale
:math:`1/\beta`, or by any other pair of coordinates. The distributions are the same. Gradient descent takes another
path through them in every chart. The natural gradient was made not to, but its steps have a length, and a straight line
in one chart is a curve in another. This script fits one Gamma distribution to the same numbers in three charts, and
prints how far apart the charts lead each method: the *invariance gap*.

Run it with ``python examples/reparametrization.py``. It takes a few seconds the first time, when kernels are compiled.
"""

import numpy as np
import sympy as sp

import riemopt as ro

# %%
# A model, and numbers to fit it to.

gamma = ro.models.Gamma()
samples = np.random.default_rng(1234).gamma(20, 1 / 20, size=10_000)

# %%
# Two more charts of the same model: each parameter as an expression of new coordinates.

alpha, beta = gamma.parameters
a, b = sp.symbols("a b", positive=True)
charts = {
    "beta = 1/b": gamma.reparametrize({alpha: a, beta: 1 / b}, parameters=(a, b)),
    "alpha = a**2, beta = b**2": gamma.reparametrize({alpha: a**2, beta: b**2}, parameters=(a, b)),
}

# %%
# Ten steps from :math:`\alpha = \beta = 1` in all three charts. The exactly invariant methods, ``ng-exact`` and
# ``geo-exact``, go through the same distributions in every chart; the corrected ones, ``mid``, ``geo`` and ``geof``,
# through similar ones.

result = ro.experiments.invariance(
    gamma,
    samples,
    charts,
    start=(1.0, 1.0),
    integrators=("ng", "mid", "geo", "geof", "ng-exact", "geo-exact"),
    step_size=0.5,
    steps=10,
)
print(result.table())

# %%
# Every number is there to be used. ``result.plot()`` returns the losses, paths and gaps as a figure, and
# ``result.save("folder")`` keeps the figure and all numbers.

for key, gap in result.gap.items():
    print(f"{key:9s} at the end, two charts are at most {gap[-1]:.1e} apart")
