"""Programs on disk: what is kept computes the same, and is found by nothing but its own content."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.formulas.traced import pointwise_program
from riemopt.kernels.store import cache, programs
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.text.expressions import source
from riemopt.symbolic.identity import identity


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("RIEMOPT_CACHE", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def weibull():
    k, s, x = sp.symbols("k s x", positive=True)
    density = sp.log(k / s) + (k - 1) * sp.log(x / s) - (x / s) ** k
    return ro.StatisticalModel(density, x, sp.Interval.open(0, sp.oo), (k, s), "Weibull")


def gumbel():
    m, x = sp.symbols("m x", real=True)
    s = sp.Symbol("s", positive=True)
    z = (x - m) / s
    # E|z|^3 has no closed form, and the metric is an integral
    density = -sp.log(s) - z - sp.exp(-z)
    return ro.StatisticalModel(density, x, sp.Reals, (m, s), "Gumbel")


@pytest.mark.parametrize(
    "make, point, vector",
    [
        (ro.models.Gamma, [2.0, 3.0], [0.5, -0.2]),
        (ro.models.Poisson, [2.0], [0.5]),
        (lambda: ro.models.Gamma().mean_chart(), [-0.9635, 0.5], [0.1, 0.05]),
        (weibull, [2.0, 3.0], [0.5, -0.2]),
        (gumbel, [0.0, 3.0], [0.5, -0.2]),
    ],
    ids=["Gamma", "Poisson", "Gamma by its means", "Weibull", "Gumbel"],
)
@pytest.mark.slow_for("Weibull", "Gumbel")
def test_pickled_program_computes_the_same(make, point, vector):
    model = make()
    n = model.dimension
    formulas = ro.Manifold(model, backend="numpy", closed_forms=False)._formulas
    program = pointwise_program(formulas, lambda p, x, v: p.exp(x, v), [n, n], tolerances=True)
    again = pickle.loads(pickle.dumps(program))
    arguments = (np.array([point]), np.array([vector]), np.array([1e-8, 1e-10]))
    ends = [NumpyTarget().pointwise(p, [n, n], 2)(*arguments) for p in (program, again)]
    assert ends[0][0, 0] == 0.0
    np.testing.assert_array_equal(*ends)


def test_what_was_unpickled_has_the_text_of_what_was_pickled():
    program = pointwise_program(ro.Manifold(ro.models.Beta())._formulas, lambda p, x: p.metric(x), [2])
    once = pickle.loads(pickle.dumps(program))
    assert source(once, "f") == source(pickle.loads(pickle.dumps(once)), "f")


def test_program_is_derived_once_for_an_identity(empty, monkeypatch):
    program = pointwise_program(ro.Manifold(ro.models.Beta())._formulas, lambda p, x: p.metric(x), [2])
    count = []

    def derive():
        count.append(1)
        return program

    found = [source(programs.derived_once("metric of Beta", derive), "f") for _ in range(3)]
    assert len(count) == 1 and len(set(found)) == 1
    programs.derived_once("metric of Gamma", derive)
    assert len(count) == 2
    for _ in range(2):
        programs.derived_once(None, derive)
    assert len(count) == 4
    monkeypatch.setattr(programs, "_sources", lambda: "another riemopt")
    programs.derived_once("metric of Beta", derive)
    assert len(count) == 5


def test_programs_depend_on_the_source_of_every_room():
    assert Path(ro.__file__).parent == programs._PACKAGE


def test_program_is_had_without_a_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RIEMOPT_CACHE", str(tmp_path / "file"))
    cache._warn.cache_clear()
    with pytest.warns(RuntimeWarning, match="is not used"):
        metric = ro.Manifold(ro.models.Beta(), backend="numpy").metric([1.0, 1.0])
    np.testing.assert_allclose(metric[0, 1], 1.0 - np.pi**2 / 6.0, rtol=1e-14)
    cache._warn.cache_clear()


# -- identities


@pytest.mark.slow
def test_models_that_differ_have_different_identities():
    x, k, s = sp.symbols("x k s", positive=True)
    a, b = sp.symbols("a b", positive=True)
    gamma = ro.models.Gamma()
    alpha, beta = gamma.parameters
    half_line = sp.Interval.open(0, sp.oo)
    models = [
        gamma,
        ro.models.Beta(),
        ro.models.Dirichlet(2),
        gamma.reparametrize({alpha: a, beta: 1 / b}, parameters=(a, b)),
        gamma.reparametrize({alpha: a, beta: 1 / b}, parameters=(b, a)),
        gamma.natural_chart(),
        ro.StatisticalModel(sp.log(k) - k * x, x, half_line, (k,)),
        ro.StatisticalModel(sp.log(k) - k * x, x, half_line, (k,), domain=[k < 3]),
        ro.StatisticalModel(sp.log(2 * k) - 2 * k * x, x, half_line, (k,)),
        ro.StatisticalModel(sp.log(k) - k * s, s, half_line, (k,)),
    ]
    identities = [model.identity for model in models]
    assert None not in identities and len(set(identities)) == len(models)


def test_model_that_is_built_again_has_the_same_identity():
    assert weibull().identity == weibull().identity
    assert ro.models.Gamma().natural_chart().identity == ro.models.Gamma().natural_chart().identity


class Cube(sp.Function):
    """A function whose derivative no expression tells."""

    def fdiff(self, argindex=1):
        return 3 * self.args[0] ** 2


def test_expressions_that_do_not_tell_everything_have_no_identity():
    x = sp.Symbol("x")
    assert identity([Cube(x)]) is None
    assert identity([sp.Dummy("x") + x]) is None
    assert ro.models.Gamma().mean_chart().identity is None


def test_identity_tells_assumptions_numbers_and_order_apart():
    x, y = sp.symbols("x y")
    texts = [
        identity(group)
        for group in (
            [x, y],
            [y, x],
            [sp.Symbol("x", real=True), y],
            [x - y],
            [y - x],
            [x * sp.Float("0.1")],
            [x * sp.Float("0.1", 30)],
            [x / 10],
            [sp.Interval(0, x)],
            [sp.Interval.open(0, x)],
        )
    ]
    assert None not in texts and len(set(texts)) == len(texts)
