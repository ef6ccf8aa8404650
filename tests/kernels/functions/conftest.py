"""The functions of the library as Python runs them, and compiled as a target compiles them."""

from functools import cache
from types import FunctionType, SimpleNamespace

import numba
import pytest

from riemopt.kernels.functions import bessel, digamma, library, polygamma


def as_written() -> SimpleNamespace:
    """The functions as they stand."""
    special = {"digamma": digamma.digamma, "scaled_bessel_i": bessel.scaled_bessel_i}
    return SimpleNamespace(**special, **polygamma.MEMBERS)


@cache
def compiled() -> SimpleNamespace:
    """The functions of the texts, each rebound to its compiled version, as a target does."""
    names: dict[str, object] = {}
    for text, _ in library.texts():
        exec(text, names)
    for name, value in list(names.items()):
        if isinstance(value, FunctionType):
            names[name] = numba.njit(error_model="numpy")(value)
    return SimpleNamespace(**names)


@pytest.fixture(scope="module", params=[as_written, compiled], ids=["python", "numba"])
def target(request: pytest.FixtureRequest) -> SimpleNamespace:
    """All functions, by their names."""
    return request.param()  # type: ignore[no-any-return]
