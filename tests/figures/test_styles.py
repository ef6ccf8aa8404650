"""Styles: every integrator has its own, in all figures."""

from riemopt import figures


def test_every_integrator_can_be_told_apart():
    keys = ["gd", "ng", "mid", "geo", "geof", "ng-exact", "geo-exact", "rk4", "mine"]
    looks = figures.styles(keys)
    assert len({style.colour for style in looks.values()}) == len(keys)
    assert len({(str(style.line), style.marker) for style in looks.values()}) == len(keys)


def test_a_line_is_dashed_as_its_style_says():
    looks = figures.styles(["ng", "ng-exact"])
    assert (looks["ng"].dash, looks["ng"].line) == ((), "-")
    assert looks["ng-exact"].line == (0, looks["ng-exact"].dash) == (0, (4, 2))


def test_integrators_of_ones_own_take_turns_with_the_spare_styles():
    looks = figures.styles(["a", "b", "ng", "c", "d"])
    assert looks["a"] == looks["d"] != looks["b"]
    assert looks["a"].label("a") == "a" and looks["ng"].label("ng") == "ng  natural gradient"
