"""What all tests share: a kernel cache of their own, hypothesis settings, cases, and which tests go together."""

import atexit
import gc
import hashlib
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import sympy as sp
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from riemopt.models import exact
from tests import catalogue, searches
from tests.catalogue import Case

# Compiled anew, as by a user who has just installed riemopt. Workers of pytest-xdist inherit the variables.
for variable in ("RIEMOPT_CACHE", "RIEMOPT_TESTS_SEARCHES"):
    if variable not in os.environ:
        os.environ[variable] = tempfile.mkdtemp(prefix="riemopt-tests-")  # for its owner only
        atexit.register(shutil.rmtree, os.environ[variable], ignore_errors=True)

# Two processes share the cores: threads of PyTorch and JAX would spend their time waiting for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

IN_CI = "CI" in os.environ
settings.register_profile("riemopt", deadline=None, max_examples=40, print_blob=True, derandomize=IN_CI)
settings.load_profile("riemopt")


def remembered(search):
    """SymPy's search for integrals, asked the same thing once by all workers: it takes a process of its own seconds."""
    folder = Path(os.environ["RIEMOPT_TESTS_SEARCHES"])

    def once(question, seconds):
        values, log_density, observation, support = question
        # the observations are other symbols each time
        names = {x: sp.Symbol(f"observation {i}", **x.assumptions0) for i, x in enumerate(observation)}
        back = dict(zip(names.values(), names, strict=True))
        key = [*(e.xreplace(names) for e in (*values, log_density)), *names.values(), *support, sp.Float(seconds)]
        file = folder / hashlib.sha256("\0".join(map(sp.srepr, key)).encode()).hexdigest()
        if not file.exists():
            try:
                answer = [e.xreplace(names) for e in search(question, seconds)]
            except exact.NotFound as reason:
                answer = str(reason)
            unfinished = file.with_suffix(f".{os.getpid()}")
            unfinished.write_bytes(pickle.dumps(answer))
            unfinished.replace(file)
        answer = pickle.loads(file.read_bytes())
        if isinstance(answer, str):
            raise exact.NotFound(answer)
        return [e.xreplace(back) for e in answer]

    once.__wrapped__ = search
    return once


if hasattr(os, "fork"):
    exact.subprocess = searches
exact._search = remembered(exact._search)
exact._PATIENCE = 30.0
"""What is found depends on the processor's time alone, however busy the machine is."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow for some of its parameters is marked where it has them; ``-m`` looks at the marks later."""
    for item in items:
        names = {name for mark in item.iter_markers("slow_for") for name in mark.args}
        if names:
            values = item.callspec.params.values()
            given = {value if isinstance(value, str) else getattr(value, "__name__", None) for value in values}
            if names & {*given, item.callspec.id, *item.callspec.id.split("-")}:
                item.add_marker(pytest.mark.slow)


class ByCase(LoadScopeScheduling):
    """Tests of a case go to one worker, which derives and compiles what they have in common; so do others of a file."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        parameters = test.partition("[")[2].removesuffix("]").split("-")
        return next((name for name in parameters if name in catalogue.NAMES), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByCase:
    """How tests are shared out; ``--dist=loadgroup`` with marks would do, but for xdist 3.8 on pytest 9.2."""
    return ByCase(config, log)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again at every turn."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def gamma() -> Case:
    """The Gamma model in its own chart."""
    return catalogue.case("gamma")


@pytest.fixture(scope="session")
def normal() -> Case:
    """The normal model."""
    return catalogue.case("normal")


@pytest.fixture(scope="session", params=catalogue.WITH_POINTS)
def case(request) -> Case:
    """Each model that has points in turn, the Gamma model in its four charts."""
    return catalogue.case(request.param)


@pytest.fixture(scope="session", params=catalogue.GAMMA_CHARTS)
def chart_case(request) -> Case:
    """The Gamma model in each chart that is not its own; the last one mixes the coordinates."""
    return catalogue.case(request.param)
