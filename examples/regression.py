r"""
A hard nonlinear regression
===========================

The resistance of a thermistor falls with its temperature :math:`x` like

.. math:: y = b_1 \exp\frac{b_2}{x + b_3}.

NIST keeps sixteen measurements of one, and the best parameters to eleven digits, as a test of software for nonlinear
least squares (MGH10, "higher level of difficulty", https://www.itl.nist.gov/div898/strd/nls/data/mgh10.shtml). From the
first of its two starts, :math:`b = (2, 400000, 25000)`, the way is long: at the start the curve is hundreds of times
above the data, and the three parameters can make up for one another almost perfectly.

Run it with ``python examples/regression.py``; ``--output regression.png`` saves a figure.
"""

import argparse

import numpy as np
import sympy as sp

import riemopt as ro

arguments = argparse.ArgumentParser(description="Fit NIST's regression MGH10 from its far start.")
arguments.add_argument("--output", help="where to save a figure: PNG, SVG, PDF")
output = arguments.parse_args().output

# %%
# The data
# --------

temperatures = np.arange(50.0, 130.0, 5.0)
resistances = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872], dtype=float
)

# %%
# The model
# ---------
# A :class:`riemopt.ConditionalModel` is the distribution of targets given inputs. Its outputs are expressions in the
# inputs and the parameters: here one, the mean of a normal distribution. The standard deviation of the errors, the same
# for all, is not known; with ``scale=None``, the default, it is estimated, too.

b1, b2, b3, x = sp.symbols("b1 b2 b3 x", real=True)
curve = b1 * sp.exp(b2 / (x + b3))
thermistor = ro.ConditionalModel([curve], output="gaussian", inputs=(x,), parameters=(b1, b2, b3), name="Thermistor")
start = [2.0, 400000.0, 25000.0]

# %%
# Undamped steps get nowhere
# --------------------------
# Natural gradient steps of length one are the Gauss-Newton method. The first one already is far too long:

problem = ro.Manifold(thermistor, backend="numpy").likelihood(resistances, inputs=temperatures)
plain = ro.minimize(problem, "ng", start=start, step_size=1.0, steps=50)
print(plain.message)

# %%
# The fit
# -------
# :func:`riemopt.fit` damps its steps, bends them with the connection, and measures them in units of the metric, so that
# it does not matter that one parameter is about a thousandth and another about ten thousand.

fit = ro.fit(thermistor, resistances, inputs=temperatures, start=start)
print(fit.summary())

# %%
# The certified values, and to how many digits the fit agrees with them:

certified = np.array([5.6096364710e-3, 6.1813463463e3, 3.4522363462e2])
print(np.floor(-np.log10(np.abs(fit.x / certified - 1))))

# %%
# Without ``start=`` the fit looks for one itself, and finds the same optimum:

alone = ro.fit(thermistor, resistances, inputs=temperatures)
print(len(alone.trajectory.points) - 1, "steps instead of", len(fit.trajectory.points) - 1)

# %%
# The path
# --------
# The curve comes down to the data in a dozen steps, as the flat line that it is at the start. To bend it, the
# parameters have to go a long way along a valley in which they make up for one another:

points, losses = fit.trajectory.points, fit.trajectory.losses
print(f"on the way b1 is as low as {points[:, 0].min():.0e}")


def draw(file):
    """The data with curves on the way, the path in the plane of two parameters, and the loss."""
    from matplotlib.figure import Figure  # only who wants a figure waits for matplotlib

    figure = Figure(figsize=(12, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)

    predict = sp.lambdify([(b1, b2, b3), x], curve)
    last = len(points) - 1
    chosen = [k for k in (0, 12, 60, 120, 190) if k < last] + [last]
    for shade, k in zip(np.linspace(0.8, 0.0, len(chosen)), chosen, strict=True):
        left.semilogy(temperatures, predict(points[k], temperatures), color=str(shade), label=f"step {k}")
    left.plot(temperatures, resistances, "o", color="tab:red", markersize=4)
    left.set(xlabel="temperature $x$", ylabel="resistance $y$")
    left.legend(loc="center right")

    middle.loglog(points[:, 1], points[:, 0], ".-", color="tab:red", markersize=3, linewidth=0.8)
    middle.plot(*points[0, [1, 0]], "ko", markersize=6, label="start")
    middle.plot(*points[-1, [1, 0]], "k*", markersize=10, label="end")
    middle.set(xlabel="$b_2$", ylabel="$b_1$")
    middle.legend(loc="lower left")

    right.plot(losses)
    right.set(xlabel="step", ylabel="mean negative log-likelihood (nats)")
    figure.savefig(file, dpi=120)


if output:
    draw(output)
