"""How the documentation is built, with ``python -m pip install -e ".[docs]"``.

The pages: ``python -m sphinx -W -b html docs docs/_build/html``. To run their code samples and riemopt commands:
``python -m sphinx -W -b doctest docs docs/_build/doctest``.
"""

from __future__ import annotations

import doctest
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import click
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

import gallery  # beside this file

from benchmarks.records import COMPARISONS, RESULTS, Record, overview

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
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3
highlight_language = "python"

html_theme = "furo"
html_title = f"riemopt {version}"
html_copy_source = False

# -- the reference

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings give the types
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the template of a class lists them

# -- the code of the pages; that of the docstrings is for pytest to run

doctest_test_doctest_blocks = ""
doctest_default_flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
doctest_global_setup = "import samples as _samples; _samples.enter()"
doctest_global_cleanup = "_samples.leave()"

# -- the examples

sphinx_gallery_conf = {
    "examples_dirs": [gallery.staged()],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": gallery.runnable(),
    "reset_argv": "gallery.arguments",
    "image_scrapers": ["gallery.saved_figures"],
    "default_thumb_file": str(Path(__file__).parent / "figures" / "invariance.png"),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1,
}


class CommandHelp(Directive):
    """What ``riemopt COMMAND --help`` prints."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The help as it stands."""
        from riemopt.cli import main

        (name,) = self.arguments
        group = click.Context(main, info_name="riemopt", terminal_width=100, **main.context_settings)
        text = main.commands[name].get_help(click.Context(main.commands[name], parent=group, info_name=name))
        return [nodes.literal_block(text, text, language="text")]


class BenchmarkResults(Directive):
    """The tables of a comparison that were kept; without a name, what is promised and whether it holds."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The tables, or how to make them."""
        for name in self.arguments or COMPARISONS:
            self.state.document.settings.env.note_dependency(str(RESULTS / f"{name}.json"))
        if self.arguments:
            record = Record.load(*self.arguments)
            unmeasured = f"*Not measured yet:* `python -m benchmarks {self.arguments[0]}`"
            text = record.markdown() if record else unmeasured
        else:
            text = overview(filter(None, map(Record.load, COMPARISONS))).markdown()
        content = nodes.container()
        self.state.nested_parse(StringList(text.splitlines()), self.content_offset, content)
        return content.children


class ExplorerPage(Directive):
    """The explorer as a file without Python, with the view that it begins with."""

    def run(self) -> list[nodes.Node]:
        """A frame with the file in it, which is written beside the pages."""
        app = self.state.document.settings.env.app
        if app.builder.format != "html" or app.builder.name == "doctest":
            return []
        folder = Path(app.outdir, "_static")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "explorer.html").write_text(_recording(), encoding="utf-8")
        frame = '<iframe src="_static/explorer.html" title="riemopt explorer" loading="lazy" '
        frame += 'style="width: 100%; height: 900px; border: 1px solid #8886; border-radius: 6px"></iframe>'
        return [nodes.raw("", frame, format="html")]


def _recording() -> str:
    from riemopt.experiments import InvarianceStudy
    from riemopt.experiments.settings import example_samples
    from riemopt.explore.explorer import Explorer
    from riemopt.explore.opening import charts_by_default
    from riemopt.explore.presets import PRESETS
    from riemopt.explore.recorded import recording
    from riemopt.models import Gamma

    model = Gamma()
    charts = charts_by_default(model)
    study = InvarianceStudy(model, example_samples(model, 1234), charts, backend="numpy", distances="numba")
    return recording(Explorer(study), {**PRESETS[0], "charts": list(charts), "plane": [0, 1]}, [])


def setup(app: Any) -> None:
    """Register the directives of this file."""
    app.add_directive("explorer-page", ExplorerPage)
    app.add_directive("command-help", CommandHelp)
    app.add_directive("benchmark-results", BenchmarkResults)
