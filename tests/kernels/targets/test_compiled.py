"""What kernels depend on: every module whose source becomes text is part of their name."""

import inspect
import math
from pathlib import Path

import pytest

from riemopt.kernels.targets import compiled
from riemopt.kernels.targets.compiled import MATH
from riemopt.kernels.targets.numba import COMPILERS
from riemopt.kernels.text import algorithms, runtime


def sources(package):
    return sorted(Path(inspect.getfile(package)).parent.glob("[!_]*.py"))


def test_name_of_a_kernel_depends_on_the_runtime():
    text = compiled._library_text()
    for path in sources(runtime):
        assert path.read_text() in text, path.name


def test_algorithms_are_in_the_text_itself_with_all_that_they_say():
    # no function of the library is theirs
    known = COMPILERS[False].library
    for path in sources(algorithms):
        names = [line[4 : line.index("(")] for line in path.read_text().splitlines() if line.startswith("def ")]
        assert names and not set(names) & set(known), path.name


@pytest.mark.parametrize("in_lanes", [False, True])
def test_library_has_functions_of_numbers_and_the_runtime(in_lanes):
    known = COMPILERS[in_lanes].library
    assert {"digamma", "minimum", "resize", "judged", "panel_error", "spread", "KRONROD_NODES"} <= set(known)
    assert math.isnan(known["NAN"]) and known["INFINITY"] == math.inf


def test_log_gamma_has_another_name_in_the_standard_library():
    assert MATH["loggamma"] is math.lgamma and MATH["exp"] is math.exp
