"""What a page is made of: its module, joined from files by subject, its style, and what it has to know at once."""

from __future__ import annotations

import functools
import importlib.metadata
import re
from collections.abc import Iterable
from importlib import resources
from typing import Any

from riemopt.explore.curves import SUBSTEPS
from riemopt.explore.requests import MOST_CHARACTERS, MOST_CHARTS, MOST_INTEGRATORS, MOST_SAMPLES, MOST_STEPS
from riemopt.figures.styles import styles
from riemopt.integrators import names

__all__ = ["document", "known", "module", "text"]

_FILES = (
    "dom", "scales", "styles", "drawing", "plot", "panels", "run", "settings", "link", "controls", "topbar", "tabs",
    "explorer",
)  # fmt: skip
"""In an order in which each imports from those before."""

_IMPORT = re.compile(r"^import .* from \"\./\w+\.js\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(async )?function |const |class )", re.MULTILINE)
_RENDER = "export { render };\n"
_FROM = re.compile(r"^(export \{.*\}) from \"\./\w+\.js\";$", re.MULTILINE)


@functools.cache
def text(name: str) -> str:
    """A file of the page."""
    return resources.files("riemopt.explore").joinpath("page", name).read_text(encoding="utf-8")


@functools.cache
def module() -> str:
    """The module of the page, a single one as notebooks want it: the files without what they import from each other."""
    joined = "\n".join(text(f"{name}.js") for name in _FILES)
    return _FROM.sub(r"\1;", _EXPORT.sub("", _IMPORT.sub("", joined))) + _RENDER


def document(record: str) -> str:
    """A page that needs nothing else, with a record of answers as JSON in it."""
    script = module().removesuffix(_RENDER) + _IMPORT.sub("", text("recorded.js"))
    parts = {
        "STYLE": text("explorer.css"),
        "RECORD": record.replace("<", "\\u003c"),
        "SCRIPT": _FROM.sub("", script).replace("export default { render };\n", "").replace("</", "<\\/"),
    }
    whole = text("recorded.html")
    for name, part in parts.items():
        whole = whole.replace(f"<!--{name}-->", part)
    return whole


def known(kind: str, keys: Iterable[str], **more: Any) -> dict[str, Any]:
    """What a page has to know at once: how integrators are drawn, their keys, and how large things may be.

    Parameters
    ----------
    kind : str
        ``"server"``, ``"notebook"`` or ``"file"``.
    keys : iterable of str
        Integrators beside those of the library.
    **more : object
        What only this kind of page knows.
    """
    every = [*dict.fromkeys([*keys, *names()])]
    return {
        "kind": kind,
        "version": importlib.metadata.version("riemopt"),
        "styles": {
            key: {
                "name": style.name,
                "colour": style.colour,
                "dark": style.on_dark,
                "dash": style.dash,
                "marker": style.marker,
            }
            for key, style in styles(every).items()
        },
        "integrators": every,
        "bounds": {
            "characters": MOST_CHARACTERS,
            "charts": MOST_CHARTS,
            "integrators": MOST_INTEGRATORS,
            "samples": MOST_SAMPLES,
            "steps": MOST_STEPS,
        },
        "substeps": SUBSTEPS,
        "lead": LEAD,
        **more,
    }


LEAD = (
    "Drag the ringed dot, or move it with the arrow keys: the same methods set out from there in every chart at once, "
    "and part where they care about coordinates."
)
"""The first sentence of a page: what to do."""
