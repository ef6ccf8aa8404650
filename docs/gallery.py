"""The scripts in ``examples`` as pages: where they are found, with what arguments they run, and what they draw."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

_docs = Path(__file__).parent
_stage = _docs / "_build" / "gallery"
_figures = _stage / "figures"

_DRAWN = {
    "convolutional_network.py": "losses.png",
    "custom_model.py": "gompertz.png",
    "network_from_products.py": "losses.png",
    "order_of_invariance.py": "orders.png",
    "regression.py": "path.png",
}
_NEEDS = {"network_from_products.py": "jax", "convolutional_network.py": "torch"}
_READS = ("convolutional_network.py",)


def staged() -> str:
    """A folder with the examples and their heading beside them, where sphinx-gallery looks for it."""
    shutil.rmtree(_stage, ignore_errors=True)
    _figures.mkdir(parents=True)
    for script in (_docs.parent / "examples").glob("*.py"):
        shutil.copy(script, _stage)
    shutil.copy(_docs / "_templates" / "gallery.rst", _stage / "GALLERY_HEADER.rst")
    return str(_stage)


def runnable() -> str:
    """A pattern of the examples whose framework is installed, and whose data are there."""
    lacking = [name for name, module in _NEEDS.items() if importlib.util.find_spec(module) is None]
    lacking += [] if "RIEMOPT_DATA" in os.environ else _READS
    return "^" + "".join(f"(?!.*{name}$)" for name in lacking) + r".*\.py$"


def arguments(gallery_conf: dict[str, Any], script_vars: dict[str, Any]) -> list[str]:
    """The command line of an example."""
    figure = _DRAWN.get(Path(script_vars["src_file"]).name)
    return ["--output", str(_figures / figure)] if figure else []


def saved_figures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """The figures that a block of an example has saved, as text for its page."""
    from sphinx_gallery.scrapers import figure_rst

    moved = []
    for figure in sorted(_figures.glob("*.png")):
        moved.append(next(block_vars["image_path_iterator"]))
        shutil.move(figure, moved[-1])
    return str(figure_rst(moved, gallery_conf["src_dir"]))
