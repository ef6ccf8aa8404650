"""How the documentation is built: ``python -m sphinx -W -b html docs docs/_build/html``."""

from __future__ import annotations

import importlib.util
import shutil
from importlib.metadata import version as installed_version
from pathlib import Path

here = Path(__file__).parent

project = "riemopt"
author = "riemopt developers"
copyright = "riemopt developers"
release = version = installed_version("riemopt")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "figures"]
templates_path = ["_templates"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"riemopt {version}"
html_static_path: list[str] = []
html_copy_source = False

# -- the reference

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say more
autodoc_member_order = "bysource"
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False

# -- the code of these pages: ``python -m sphinx -b doctest docs docs/_build/doctest``. Docstrings are pytest's to run.

doctest_test_doctest_blocks = ""
doctest_global_setup = "import numpy as np; import sympy as sp; import riemopt as ro; np.set_printoptions(precision=6)"

# -- the gallery

_gallery = here / "_build" / "gallery"


def _staged() -> Path:
    """The examples with their heading beside them, where sphinx-gallery looks for it."""
    shutil.rmtree(_gallery, ignore_errors=True)
    shutil.copytree(here.parent / "examples", _gallery, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(here / "_templates" / "gallery.rst", _gallery / "GALLERY_HEADER.rst")
    return _gallery


def _runs(name: str, needs: str) -> bool:
    return importlib.util.find_spec(needs) is not None


sphinx_gallery_conf = {
    "examples_dirs": [str(_staged())],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"\.py$",
    "plot_gallery": importlib.util.find_spec("jax") is not None,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1,
}
