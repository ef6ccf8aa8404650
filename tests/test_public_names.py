"""The public names are where the interface says, and importing riemopt loads no framework."""

import inspect
import subprocess
import sys

import pytest

import riemopt as ro

NAMES = [
    "ConjugateGradient",
    "Integrator",
    "LikelihoodProblem",
    "Manifold",
    "OperatorProblem",
    "Problem",
    "StatisticalModel",
    "Status",
    "Trajectory",
    "minimize",
    "errors.ArgumentError",
    "errors.BackendError",
    "errors.DataError",
    "errors.DomainError",
    "errors.ExpectationError",
    "errors.ExpressionError",
    "errors.ModelError",
    "errors.RiemoptError",
    "errors.ShapeError",
    "errors.UnknownNameError",
    "errors.UnsupportedError",
    "experiments.OrderResult",
    "experiments.Subject",
    "experiments.invariance",
    "experiments.order_of_invariance",
    "integrators.ExactFlow",
    "integrators.FasterGeodesicCorrection",
    "integrators.GeodesicCorrection",
    "integrators.GradientDescent",
    "integrators.Integrator",
    "integrators.GeodesicSeries",
    "integrators.Midpoint",
    "integrators.MirrorDescent",
    "integrators.NaturalGradient",
    "integrators.OptimizerStep",
    "integrators.RiemannianEuler",
    "integrators.RiemannianMidpoint",
    "integrators.RungeKutta",
    "integrators.Tableau",
    "integrators.names",
    "models.Exponential",
    "models.Gamma",
    "models.Normal",
    "models.Poisson",
    "models.family",
    "models.names",
]
FRAMEWORKS = ("bokeh", "cupy", "jax", "matplotlib", "torch")
FOR_THE_COMMAND_LINE = ("click", "rich")


@pytest.mark.parametrize("name", NAMES)
def test_name_is_where_the_interface_says_and_has_a_docstring(name):
    thing = ro
    for part in name.split("."):
        thing = getattr(thing, part)
    assert inspect.getdoc(thing)


def test_what_is_exported_exists():
    for room in (ro, ro.errors, ro.integrators, ro.models):
        assert len(set(room.__all__)) == len(room.__all__)
        for name in room.__all__:
            assert hasattr(room, name)


TENSORS = ("metric", "christoffel", "riemann", "ricci", "scalar_curvature", "amari_chentsov", "volume_element")
SYMBOLIC = (*TENSORS, "alpha_connection", "geodesic_equations")
METHODS = ("metric", "christoffel", "connection", "raise_index", "inner", "norm", "scalar_curvature", "likelihood")
GEODESICS = ("exp", "log", "distance", "geodesic", "transport")
PRIMITIVES = ("loss", "gradient", "raise_index", "connection", "exp", "natural_gradient")


def test_objects_offer_what_the_interface_lists(gamma):
    manifold = gamma.numpy
    problem = manifold.likelihood([0.5, 1.5])
    assert problem.dimension == 2
    for thing, names in ((manifold.symbolic, SYMBOLIC), (manifold, (*METHODS, *GEODESICS)), (problem, PRIMITIVES)):
        for name in names:
            assert inspect.getdoc(getattr(type(thing), name)), name


def test_keys_of_the_paper_are_known():
    assert {"gd", "ng", "mid", "geo", "geof", "geo-exact", "ng-exact"} <= set(ro.integrators.names())


def test_every_error_is_a_riemopt_error():
    for name in ro.errors.__all__:
        assert issubclass(getattr(ro.errors, name), ro.errors.RiemoptError)


def loaded_after(statement):
    program = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_importing_riemopt_loads_no_framework():
    loaded = loaded_after("import riemopt")
    assert "sympy" in loaded
    assert not loaded & {*FRAMEWORKS, *FOR_THE_COMMAND_LINE}


def test_importing_every_room_loads_no_framework():
    loaded = loaded_after("import riemopt.cli, riemopt.experiments")
    assert not loaded & set(FRAMEWORKS)
