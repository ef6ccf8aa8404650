"""How every integrator looks, in all figures: its name, colour, marker and dashes."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["STYLES", "Style", "styles"]

_DARK = 0.4
"""The weighted sum of red, green and blue under which a colour is not seen well on a dark ground."""
_LIGHT = 0.65
"""The least lightness of what is seen there instead."""


@dataclass(frozen=True)
class Style:
    """How an integrator is drawn, in every figure.

    Attributes
    ----------
    name : str
        Its name in a legend.
    colour : str
    dash : tuple of float
        Lengths drawn and left out in turns, in widths of the line; empty for a line without gaps.
    marker : str
        A Matplotlib marker; empty for none.
    """

    name: str
    colour: str
    dash: tuple[float, ...] = ()
    marker: str = ""

    @property
    def on_dark(self) -> str:
        """The colour on a dark ground: one that would not be seen there has its lightness mirrored."""
        red, green, blue = (int(self.colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
        if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _DARK:
            return self.colour
        hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
        mirrored = colorsys.hls_to_rgb(hue, max(1.0 - lightness, _LIGHT), saturation)
        return "#" + "".join(f"{round(255 * part):02X}" for part in mirrored)

    def label(self, key: str) -> str:
        """The key of the integrator and its name."""
        return f"{key}  {self.name}" if self.name else key

    @property
    def line(self) -> Any:
        """The line style, as Matplotlib takes it."""
        return (0, self.dash) if self.dash else "-"

    @property
    def artist(self) -> dict[str, Any]:
        """The style as arguments of Matplotlib's ``plot``."""
        return {"color": self.colour, "linestyle": self.line, "marker": self.marker}

    @property
    def marks(self) -> dict[str, Any]:
        """The same without a line, and with a marker in any case."""
        return {"color": self.colour, "linestyle": "", "marker": self.marker or "o"}


# Okabe and Ito's palette, which colour-blind readers can tell apart, https://jfly.uni-koeln.de/color; black and grey
# for what is exact
STYLES = {
    "ng": Style("natural gradient", "#D55E00", marker="o"),
    "mid": Style("midpoint", "#0072B2", marker="s"),
    "geo": Style("geodesic correction", "#009E73", marker="^"),
    "geof": Style("faster geodesic correction", "#CC79A7", marker="v"),
    "gd": Style("gradient descent", "#E69F00", marker="D"),
    "ng-exact": Style("natural gradient flow", "#000000", (4, 2)),
    "geo-exact": Style("Riemannian Euler", "#808080", (1, 1.2)),
    "geo3": Style("geodesic series", "#2E8B57", (4, 1.2), "^"),
    "geo4": Style("geodesic series", "#5FA777", (3, 1.2), "^"),
    "geo5": Style("geodesic series", "#95C8A3", (2, 1.2), "^"),
    "heun": Style("Heun", "#56B4E9", marker="P"),
    "rk4": Style("Runge-Kutta", "#3A4CC0", marker="p"),
    "rk5": Style("Nyström", "#7A5CC8", marker="X"),
    "dopri5": Style("Dormand-Prince", "#9C6FD6", (4, 1.2), "X"),
    "dop853": Style("Dormand-Prince", "#5D2A8A", marker="*"),
    "mirror": Style("mirror descent", "#8C6D31", (4, 1.2), "<"),
    "mirror-dual": Style("dual mirror descent", "#B99B5E", (4, 1.2), ">"),
    "mid-exact": Style("Riemannian midpoint", "#444444", (3, 1, 1, 1), "s"),
    "ng-adaptive": Style("adaptive flow", "#000000", (1, 1), "d"),
}
_SPARE = [Style("", "#56B4E9", marker="P"), Style("", "#8C6D31", marker="X"), Style("", "#5D4A9C", marker="*")]


def styles(keys: Iterable[str]) -> dict[str, Style]:
    """The style of each integrator: always the same for those of the paper.

    Parameters
    ----------
    keys : iterable of str
        What the integrators are called.

    Examples
    --------
    >>> styles(["ng", "mine"])["ng"].colour
    '#D55E00'
    """
    keys = list(keys)
    others = [key for key in keys if key not in STYLES]
    spare = {key: _SPARE[i % len(_SPARE)] for i, key in enumerate(others)}
    return {key: STYLES.get(key) or spare[key] for key in keys}
