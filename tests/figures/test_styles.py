"""Styles: every integrator has its own, in all figures."""

from riemopt import figures
from riemopt.figures.styles import STYLES


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


def test_every_colour_is_seen_on_a_dark_ground_too():
    """A contrast of 3 with #14171c, as WCAG 2 asks of graphics."""

    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for key, style in STYLES.items():
        assert (luminance(style.on_dark) + 0.05) / (luminance("#14171c") + 0.05) > 3, key
