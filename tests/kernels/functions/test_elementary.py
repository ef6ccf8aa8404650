"""exp and log for lanes against mpmath, as Python runs their text and as it is compiled."""

import math

import mpmath as mp
import numpy as np
import pytest
from numba import njit

from riemopt.kernels.functions import elementary
from riemopt.kernels.targets.lanes import MEMORY
from riemopt.kernels.targets.numba import COMPILERS
from riemopt.kernels.text.kernel import LANES

RNG = np.random.default_rng(0)
ARGUMENTS = {
    "exp": np.concatenate([RNG.uniform(-708.0, 709.7, 1500), RNG.normal(size=1500), 10.0 ** RNG.uniform(-20, 0, 200)]),
    "log": np.concatenate(
        [10.0 ** RNG.uniform(-307, 308, 1500), RNG.uniform(0.5, 2.0, 1500), 1 + RNG.normal(size=200) * 1e-6]
    ),
}
BOUNDS = {"exp": 1.5e-16, "log": 1.5e-16}
LIMITS = {
    "exp": {0.0: 1.0, math.inf: math.inf, -math.inf: 0.0, 709.79: math.inf, 1e300: math.inf, -750.0: 0.0},
    "log": {
        0.0: -math.inf,
        1.0: 0.0,
        math.inf: math.inf,
        -1.0: math.nan,
        -math.inf: math.nan,
    },
}


def compiled(name):
    function, load, store = COMPILERS[True].library[name], MEMORY["load"], MEMORY["store"]

    @njit
    def run(x, out):
        for first in range(0, len(x), LANES):
            i = (first, len(x))
            store(out, i, function(load(x, i)))

    def values(x):
        out = np.empty_like(x)
        run(x, out)
        return out

    return values


def interpreted(name):
    return lambda x: np.array([getattr(elementary, name)(float(t)) for t in x])


@pytest.fixture(scope="module", params=[interpreted, compiled], ids=["interpreted", "compiled"])
def target(request):
    return {name: request.param(name) for name in BOUNDS}


@pytest.mark.parametrize("name", list(BOUNDS))
def test_error_is_within_its_bound(target, name):
    x = ARGUMENTS[name]
    with mp.workdps(30):
        exact = [getattr(mp, name)(mp.mpf(float(t))) for t in x]
        errors = [abs(mp.mpf(float(y)) / e - 1) if e else abs(y) for y, e in zip(target[name](x), exact, strict=True)]
    assert float(max(errors)) < BOUNDS[name]


@pytest.mark.parametrize("name", list(BOUNDS))
def test_ends_of_the_line(target, name):
    x = np.array([*LIMITS[name], math.nan])
    expected = [*LIMITS[name].values(), math.nan]
    np.testing.assert_allclose(target[name](x), expected, rtol=3e-16, atol=0.0)


def test_results_that_are_not_normal_are_rounded_once_more(target):
    x = np.linspace(-745.0, -708.5, 200)
    np.testing.assert_allclose(target["exp"](x), np.exp(x), rtol=4e-16, atol=5e-324)
    y = np.array([1e-310, 3e-320, 2.3e-308])
    np.testing.assert_allclose(target["log"](y), np.log(y), rtol=3e-16)
