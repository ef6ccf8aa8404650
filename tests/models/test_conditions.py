"""Conditions that assumptions and relations make on coordinates."""

from __future__ import annotations

import pytest
import sympy as sp

from riemopt.errors import ModelError
from riemopt.models.domain import Domain

alpha, beta = sp.symbols("alpha beta", positive=True)
mu = sp.Symbol("mu", real=True)


@pytest.mark.parametrize(
    ("assumptions", "text", "inside", "boundary"),
    [
        ({"positive": True}, "s > 0", 1.0, False),
        ({"nonnegative": True}, "s >= 0", 1.0, True),
        ({"negative": True}, "s < 0", -1.0, False),
        ({"nonpositive": True}, "s <= 0", -1.0, True),
        ({"real": True}, "", -1.0, True),
    ],
)
def test_the_assumptions_of_a_symbol_are_its_domain(assumptions, text: str, inside: float, boundary: bool) -> None:
    domain = Domain.of([sp.Symbol("s", **assumptions)])
    assert domain.describe() == text
    assert domain.contains([inside])
    assert domain.contains([0.0]) == boundary
    assert domain.contains([-inside]) == (not text)


def test_what_the_assumptions_imply_is_said_once() -> None:
    domain = Domain.of((alpha,), [alpha > 0, sp.Gt(alpha, 0, evaluate=False), alpha > -1, sp.true, True, alpha < 3])
    assert domain.describe() == "alpha > 0, alpha < 3"


def test_a_conjunction_is_taken_apart() -> None:
    assert Domain.of((mu,), [sp.And(mu > 0, mu < 1)]).describe() == "mu > 0, mu < 1"


def test_a_linear_condition_on_one_coordinate_is_read_as_a_bound() -> None:
    assert Domain.of((mu,), [2 * mu + 3 >= 1, 2 * mu < 4]).describe() == "mu >= -1, mu < 2"


@pytest.mark.parametrize(
    ("parameters", "extra", "message"),
    [
        ([sp.Symbol("z")], [], "parameter z is not known to be real: declare it with real=True or positive=True"),
        ([sp.Symbol("n", integer=True)], [], "parameter n is an integer"),
        ([sp.Symbol("z", extended_real=True)], [], "not known to be real"),
        ([alpha, alpha], [], "parameter alpha is named twice"),
        (["alpha"], [], "'alpha' is not a SymPy Symbol"),
        ([alpha], [alpha < beta], "beta is not one of the parameters (alpha)"),
        ([alpha], [alpha < -1], "never holds"),
        ([alpha], [False], "never holds"),
        ([alpha], [sp.Eq(alpha, 1)], "is not an inequality"),
        ([alpha], [sp.Ne(alpha, 1)], "is not an inequality"),
        ([alpha], [sp.Or(alpha < 1, alpha > 2)], "is not an inequality"),
        ([alpha], ["alpha < 1"], "is not an inequality"),
        ([alpha], [alpha], "is not an inequality"),
    ],
)
def test_what_is_no_domain_is_refused(parameters, extra, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        Domain.of(parameters, extra)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_text_is_not_evaluated() -> None:
    with pytest.raises(ModelError):
        Domain.of([alpha], ["__import__('os').abort()"])
