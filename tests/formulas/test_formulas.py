"""What kernels are built from."""

import dataclasses

import riemopt as ro
from riemopt.formulas import equations
from riemopt.formulas.model_geometry import formulas_of


def test_what_takes_no_integration_is_known_for_each_connection():
    formulas = formulas_of(ro.models.Poisson(), closed_forms=True)
    assert formulas.has_closed_form("exp")
    assert formulas.has_closed_form("exp", 1.0)
    assert formulas.has_closed_form("transport")
    assert not formulas.has_closed_form("exp", 0.5)
    assert not formulas.has_closed_form("transport", 1.0)
    assert not formulas.has_closed_form("flow")


def test_without_closed_forms_everything_is_integrated():
    formulas = formulas_of(ro.models.Poisson(), closed_forms=False)
    assert not any(formulas.has_closed_form("exp", a) for a in (-1.0, 0.0, 1.0))


def test_formulas_with_a_loss_derive_differential_equations_of_their_own():
    formulas = formulas_of(ro.models.Poisson(), closed_forms=True)
    equations.geodesic(formulas)
    assert formulas.odes
    assert not dataclasses.replace(formulas, data=1).odes
