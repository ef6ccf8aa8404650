r"""
A density of one's own
======================

Gompertz found in 1825 that the death rate of adults grows exponentially with their age: :math:`h\,e^{gx}` at age
:math:`x`. The ages at death then have the density

.. math:: p(x) = h\,e^{gx} \exp\left(-\frac hg \left(e^{gx} - 1\right)\right), \qquad x > 0.

It is not in the catalogue of :mod:`riemopt`. This script writes it down, asks what was found out about it, fits it to
forty simulated lifetimes, and draws which parameters agree with them: once by standard errors, once by geodesics.

Run it with ``python examples/custom_model.py``; ``--output gompertz.png`` saves a figure.
"""

import argparse

import numpy as np
import sympy as sp

import riemopt as ro

arguments = argparse.ArgumentParser(description="Fit a density that is not in the catalogue.")
arguments.add_argument("--output", help="where to save a figure: PNG, SVG, PDF")
output = arguments.parse_args().output

# %%
# The density
# -----------
# A model is the logarithm of its density, with its observation, its support and its parameters. That it integrates to
# one, and that each parameter matters, is checked now, in numbers. The sampler is optional; it inverts the distribution
# function.

h, g, x = sp.symbols("h g x", positive=True)  # the assumptions are the domain

gompertz = ro.StatisticalModel(
    sp.log(h) + g * x - h / g * (sp.exp(g * x) - 1),
    observation=x,
    support=sp.Interval.open(0, sp.oo),
    parameters=(h, g),
    name="Gompertz",
    sampler=lambda point, size, rng: np.log1p(rng.exponential(size=size) * point[1] / point[0]) / point[1],
)
print(gompertz)

# %%
# The Fisher metric is an expectation. It needs no integral in an exponential family, and for some other densities SymPy
# finds the integrals. Here it found none in a few seconds, so they are taken numerically at every point.

print(gompertz.expectation)

# %%
# The metric
# ----------
# The geometry is there like that of any other model. ``backend="numpy"`` starts at once and serves small work; the
# default compiles, which pays for many points.

manifold = ro.Manifold(gompertz, backend="numpy")
print(manifold.metric([0.02, 0.1]))

# %%
# The fit
# -------
# Forty lifetimes in years, as of horses, whose death rate grows by a factor :math:`e` in ten years. Without ``start=``
# the fit searches for one; here it is put far away, to see the path. Its steps follow the natural gradient with
# geodesic corrections, damped where they would be too long.

lifetimes = gompertz.sample([0.02, 0.1], 40, rng=3)
fit = ro.fit(gompertz, lifetimes, start=[0.2, 0.2], backend="numpy")
print(fit.summary())

# %%
# What the data allow
# -------------------
# The Fisher–Rao distance says how well two distributions can be told apart, in any coordinates. With :math:`N`
# observations, the points within :math:`\sqrt{\chi^2/N}` of the estimate make a confidence region, and its rim is where
# geodesics of that length end. The confidence region of the standard errors is the ellipse that one sees if the metric
# is taken to be constant.

radius = np.sqrt(-2 * np.log(0.05) / fit.count)  # -2 log 0.05: the 95 % quantile of chi-squared with 2 degrees of freedom
angles = np.linspace(0, 2 * np.pi, 37)
circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
directions = circle @ np.linalg.inv(np.linalg.cholesky(manifold.metric(fit.x)))  # unit vectors of the metric

ellipse = fit.x + radius * directions
rim = manifold.exp(fit.x, radius * directions, rtol=1e-6, atol=1e-9)
print("the lowest h in the ellipse:", ellipse[:, 0].min().round(4), " in the geodesic ball:", rim[:, 0].min().round(4))

# %%
# A third region is that of the likelihood ratio: all points whose log-likelihood is less than :math:`\chi^2/2` below
# the best. It is the yardstick: it uses the whole likelihood, not only what the metric knows. The geodesic ball bends
# with it; the ellipse does not, and would be another one had the density been written with :math:`\log h`.

problem = manifold.likelihood(lifetimes)


def draw(file):
    """The lifetimes with the fitted density, and the path of the fit between the regions."""
    from matplotlib.figure import Figure  # only who wants a figure waits for matplotlib

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)

    ages = np.linspace(0, 1.1 * lifetimes.max(), 400)[1:]
    left.hist(lifetimes, bins=12, density=True, color="0.85")
    left.plot(ages, np.exp(gompertz.log_density_at(fit.x, ages)), label="fitted")
    left.plot(ages, np.exp(gompertz.log_density_at([0.02, 0.1], ages)), "--", color="0.4", label="drawn from")
    left.set(xlabel="lifetime $x$ (years)", ylabel="density (1/year)")
    left.legend()

    rates, growths = np.meshgrid(np.geomspace(0.003, 0.3, 120), np.linspace(0.01, 0.25, 120))
    losses = problem.loss(np.stack([rates, growths], axis=-1)) * fit.count + fit.log_likelihood
    right.contour(rates, growths, losses, levels=[0.5, 3, 10, 30, 100, 300], colors="0.8", linewidths=0.8)
    right.contour(rates, growths, losses, levels=[-np.log(0.05)], colors="k")
    right.plot([], [], "k", label="likelihood ratio")
    right.plot(*rim.T, label="geodesic ball")
    right.plot(*np.maximum(ellipse, 1e-9).T, "--", label="standard errors")
    right.plot(*fit.trajectory.points.T, ".-", color="tab:red", label="path of the fit")
    right.set(xscale="log", xlim=(0.003, 0.3), ylim=(0.01, 0.25), xlabel="$h$ (1/year)", ylabel="$g$ (1/year)")
    right.set_title("95 % confidence regions")
    right.legend(loc="lower left")
    figure.savefig(file, dpi=120)


if output:
    draw(output)
