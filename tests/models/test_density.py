"""What a density is made of, and what is refused."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import DataError, ModelError, ShapeError

x = sp.Symbol("x", positive=True)
rate = sp.Symbol("rate", positive=True)
k, s = sp.symbols("k s", positive=True)
HALF_LINE = sp.Interval.open(0, sp.oo)
WAIT = {
    "log_density": sp.log(rate) - rate * x,
    "observation": x,
    "support": HALF_LINE,
    "parameters": (rate,),
    "name": "Wait",
}
REFUSED = {
    "a text as density": ({"log_density": "log(rate) - rate * x"}, "not a SymPy expression"),
    "a parameter that is no symbol": ({"parameters": (rate + 1,)}, r"the parameter rate \+ 1 is not a SymPy symbol"),
    "a text as parameter": ({"parameters": "rate"}, "the parameter rate is not a SymPy symbol"),
    "an observation that is no symbol": ({"observation": 2 * x}, r"the observation 2\*x is not a SymPy symbol"),
    "no parameter": ({"parameters": ()}, "there is no parameter"),
    "no observation": ({"observation": (), "support": ()}, "there is no observation"),
    "a parameter twice": ({"parameters": (rate, rate)}, "the parameter rate is named twice"),
    "two parameters of one name": (
        {"parameters": (rate, sp.Symbol("rate", real=True))},
        "the parameter rate is named twice",
    ),
    "an observation twice": ({"observation": (x, x), "support": (HALF_LINE,) * 2}, "the observation x is named twice"),
    "a parameter that is observed": ({"observation": rate}, "rate is both a parameter and an observation"),
    "an observation of a parameter's name": (
        {"observation": sp.Symbol("rate", real=True)},
        "rate is both a parameter and an observation",
    ),
    "a parameter that is not in the density": (
        {"parameters": (rate, s)},
        "the parameter s does not occur in the log-density$",
    ),
    "a parameter with other assumptions": (
        {"parameters": (sp.Symbol("rate", real=True),)},
        "a symbol of that name but with other assumptions does",
    ),
    "an observation that is not in the density": (
        {"log_density": sp.log(rate) - rate},
        "the observation x does not occur in the log-density",
    ),
    "a stranger in the density": (
        {"log_density": sp.log(rate) - rate * x + s},
        "s occurs in the log-density but is neither a parameter nor an observation",
    ),
    "too many supports": ({"support": (HALF_LINE, HALF_LINE)}, "2 supports for 1 observations"),
    "a support that is no set": ({"support": "half-line"}, "the support of x is not a SymPy set"),
    "a support that moves": (
        {"support": sp.Interval(rate, sp.oo)},
        "the support of x depends on rate; it must be fixed",
    ),
    "a support without a test": ({"support": sp.S.Rationals}, "Rationals is not a set that can be tested"),
    "an empty support": ({"support": sp.S.EmptySet}, "the support of x is empty"),
    "a support beyond the assumptions": ({"support": sp.S.Reals}, "does not fit x, which is declared nonnegative"),
    "a condition on a stranger": ({"domain": [sp.Symbol("q", real=True) > 0]}, "q is not one of the parameters"),
    "a condition that never holds": ({"domain": [rate < 0]}, "never holds"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_model_is_refused_in_words(what):
    change, message = REFUSED[what]
    with pytest.raises(ModelError, match=message):
        ro.StatisticalModel(**{**WAIT, **change})


def test_parameter_without_real_assumption_is_refused():
    free = sp.Symbol("free")
    with pytest.raises(ModelError, match="declare it with real=True or positive=True"):
        ro.StatisticalModel(sp.log(free) - free * x, x, HALF_LINE, (free,))


def test_text_is_never_evaluated(capsys):
    with pytest.raises(ModelError):
        ro.StatisticalModel(**{**WAIT, "log_density": "print('evaluated')"})
    with pytest.raises(ModelError):
        ro.StatisticalModel(**WAIT).reparametrize({rate: "print('evaluated')"}, parameters=(s,))
    assert capsys.readouterr().out == ""


def test_further_conditions_narrow_the_domain():
    for conditions in ([rate < 2], rate < 2):
        model = ro.StatisticalModel(**WAIT, domain=conditions)
        assert repr(model) == "Wait(rate): rate > 0, rate < 2"
        assert model.domain.contains([[1.0], [3.0]]).tolist() == [True, False]


def test_log_density_outside_support_and_domain():
    model = ro.models.Gamma()
    values = model.log_density_at(
        [[1.0, 1.0], [0.0, 1.0], [1.0, np.nan], [np.inf, 1.0]], [-1.0, 0.0, 2.0, np.inf, np.nan]
    )
    np.testing.assert_array_equal(values[0], [-np.inf, -np.inf, -2.0, -np.inf, np.nan])
    assert np.isnan(values[1:]).all()
    counts = ro.models.Poisson().log_density_at([3.0], [0.0, 0.5, -1.0])
    np.testing.assert_allclose(counts, [-3.0, -np.inf, -np.inf])


def test_axes_that_do_not_fit_are_named():
    model = ro.models.Gamma()
    with pytest.raises(ShapeError, match=r"points: the last axis of shape \(3,\) must have length 2: \(alpha, beta\)"):
        model.log_density_at([1.0, 2.0, 3.0], [1.0])
    with pytest.raises(ShapeError, match=r"samples have shape \(2, 2\), but must have shape \(N,\)"):
        model.log_density_at([1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]])
    with pytest.raises(ShapeError, match="drawn at one point"):
        model.sample([[1.0, 2.0], [3.0, 4.0]], 5)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "there are no samples"),
        ([1.0, 2.0, -3.0, -4.0], r"sample 2: x = -3\.0 lies outside the support of Gamma, \(0, oo\)"),
        ([1.0, np.nan], "sample 1: x = nan is not finite"),
        ([np.inf, 1.0], "sample 0: x = inf is not finite"),
        (["one", "two"], "not an array of numbers"),
    ],
)
def test_bad_samples_are_named(samples, message):
    with pytest.raises(DataError, match=message):
        ro.models.Gamma().require_samples(samples)


def test_good_samples_become_columns():
    (column,) = ro.models.Poisson().require_samples([3, 0, 1])
    np.testing.assert_array_equal(column, [3.0, 0.0, 1.0])
