"""Errors: each is one that Python knows, too, and an unknown name is told its nearest neighbours."""

import pytest

from riemopt import errors
from riemopt.errors import UnknownNameError

BUILT_IN = {
    "ArgumentError": ValueError,
    "BackendError": ImportError,
    "DataError": ValueError,
    "DomainError": ValueError,
    "ExpectationError": ArithmeticError,
    "ExpressionError": ValueError,
    "ModelError": ValueError,
    "RiemoptError": Exception,
    "ShapeError": ValueError,
    "UnknownNameError": ValueError,
    "UnsupportedError": NotImplementedError,
}


def test_every_error_is_of_a_built_in_kind():
    assert set(errors.__all__) == set(BUILT_IN)
    for name, kind in BUILT_IN.items():
        assert issubclass(getattr(errors, name), kind)
        assert issubclass(getattr(errors, name), errors.RiemoptError)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gama", "did you mean 'gamma'? "),
        ("GAMMA", "did you mean 'gamma'? "),
        ("geo", "did you mean 'geof' or 'geo3'? "),
        ("xyzzy", ""),
    ],
)
def test_an_unknown_name_is_told_the_nearest_ones(name, hint):
    message = str(UnknownNameError("name", name, ["geof", "gamma", "geo3", "normal"]))
    assert message == f"unknown name {name!r}: {hint}Known: gamma, geo3, geof, normal"
