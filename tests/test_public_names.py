"""What is exported is there, is described, and is in the reference; importing riemopt loads no framework."""

import enum
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import riemopt as ro

REFERENCE = Path(__file__).parents[1] / "docs" / "api.md"
FRAMEWORKS = ("anywidget", "cupy", "jax", "matplotlib", "torch", "tornado", "traitlets")
FOR_THE_COMMAND_LINE = ("click", "rich")


def exported(module, prefix=""):
    """The names in a module's ``__all__``, those of the modules among them included, with what they name."""
    for name in module.__all__:
        thing = getattr(module, name)
        if isinstance(thing, ModuleType):
            yield from exported(thing, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", thing


def documented():
    """The names in the reference's tables, with what they name and the module that they are looked up in."""
    for name in re.findall(r"^   ([A-Za-z]\w*(?:\.\w+)*)$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE):
        path, _, last = f"riemopt.{name}".rpartition(".")
        module = importlib.import_module(path)
        yield name, getattr(module, last), module


EXPORTED = dict(exported(ro))


def test_nothing_is_exported_twice_by_a_module():
    for module in (ro, ro.errors, ro.experiments, ro.integrators, ro.models):
        assert len(set(module.__all__)) == len(module.__all__)


def test_what_the_reference_lists_is_exported_by_its_module():
    names = list(documented())
    assert len({name for name, _, _ in names}) == len(names) > 50
    for name, _, module in names:
        assert name.rpartition(".")[2] in module.__all__, name


def test_the_reference_lists_all_that_is_exported():
    listed = [thing for _, thing, _ in documented()]
    missing = [name for name, thing in EXPORTED.items() if not any(thing is other for other in listed)]
    assert not missing


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_exported_has_a_numpydoc_docstring(name):
    thing = EXPORTED[name]
    text = inspect.getdoc(thing)
    assert text and text.splitlines()[0].endswith(".")
    if isinstance(thing, type) and issubclass(thing, (Exception, enum.Enum)):
        return
    described = set(re.findall(r"^\*{0,2}(\w+(?:, \*{0,2}\w+)*) : ", text, re.MULTILINE))
    described = {word for words in described for word in words.split(", ")}
    # what a class takes is described as its parameters or its attributes
    takes = set(inspect.signature(thing).parameters) - {"self"}
    assert takes <= described


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


def test_importing_loads_no_framework():
    """Neither does riemopt itself load what the command line and the experiments do."""
    program = "import sys, riemopt; print(*sys.modules); import riemopt.cli, riemopt.experiments; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    alone, every_room = ({name.partition(".")[0] for name in line.split()} for line in result.stdout.splitlines())
    assert "sympy" in alone
    assert not alone & {*FRAMEWORKS, *FOR_THE_COMMAND_LINE}
    assert not every_room & set(FRAMEWORKS)
