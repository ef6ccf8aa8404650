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
# Forty lifetimes in years, of animals whose death rate grows by a factor :math:`e` in ten years. Without ``start=`` the
# fit searches for one; here it is told to begin far away, with hardly any growth, so that there is a path to see. Its
# steps follow the natural gradient with geodesic corrections, damped where they would be too long.

lifetimes = gompertz.sample([0.02, 0.1], 40, rng=3)
fit = ro.fit(gompertz, lifetimes, start=[0.1, 0.01])
print(fit.summary())

# %%
# What the data allow
# -------------------
# The Fisher–Rao distance says how well two distributions can be told apart, whatever their coordinates are. With
# :math:`N` observations, the points within :math:`\sqrt{\chi^2/N}` of the estimate make a confidence region, a geodesic
# ball. Its rim is where geodesics of that length end. The standard errors take the metric to be constant, and make an
# ellipse of it.

chi_squared = -2 * np.log(0.05)  # the 95 % quantile, with two degrees of freedom
radius = np.sqrt(chi_squared / fit.count)
angles = np.linspace(0, 2 * np.pi, 37)
circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
directions = circle @ np.linalg.inv(np.linalg.cholesky(manifold.metric(fit.x)))  # unit vectors of the metric

ellipse = fit.x + radius * directions
rim = manifold.exp(fit.x, radius * directions, rtol=1e-6, atol=1e-9)
print(f"the lowest h in the ellipse is {ellipse[:, 0].min():.4f}, in the geodesic ball {rim[:, 0].min():.4f}")

# %%
# The yardstick is a third region, that of the likelihood ratio: all points whose log-likelihood is less than
# :math:`\chi^2/2` below the best. It sees the whole likelihood, where the others see the metric and one point. The
# geodesic ball follows it closely. The ellipse does not, and would be another one had the density been written in terms
# of :math:`\log h`.

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

    grid = np.stack(np.meshgrid(np.linspace(0.001, 0.105, 150), np.linspace(0.002, 0.2, 150)), axis=-1)
    below = fit.log_likelihood + fit.count * problem.loss(grid)  # how far the log-likelihood is below the best
    hs, gs = grid[..., 0], grid[..., 1]
    right.contour(hs, gs, below, levels=[0.5, 10, 30, 100], colors="0.8", linewidths=0.8)
    right.contour(hs, gs, below, levels=[chi_squared / 2], colors="k")
    right.plot([], [], "k", label="likelihood ratio")
    right.plot(*rim.T, label="geodesic ball")
    right.plot(*ellipse.T, "--", label="standard errors")
    right.plot(*fit.trajectory.points.T, ".-", color="tab:red", label="path of the fit")
    right.set(title="95 % confidence regions", xlabel="$h$ (1/year)", ylabel="$g$ (1/year)")
    right.legend()
    figure.savefig(file, dpi=120)


if output:
    draw(output)
