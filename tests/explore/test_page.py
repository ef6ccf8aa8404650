"""The files of the page become one module, which calls nobody and keeps nothing of the document to itself."""

import re
from pathlib import Path

import pytest

import riemopt
from riemopt.explore import page
from riemopt.figures.styles import styles

FILES = {path.name: path.read_text() for path in (Path(riemopt.__file__).parent / "explore" / "page").glob("*.js")}
MODULES = {name: text for name, text in FILES.items() if name not in ("host.js", "recorded.js")}


def test_the_module_imports_nothing_and_exports_render():
    module = page.module()
    assert not re.search(r"^import |\bimport\(", module, re.MULTILINE)
    assert re.search(r"^export \{ render \};$", module, re.MULTILINE)
    assert "export default { render };" in module


def test_every_file_of_the_module_is_in_it():
    for name, text in MODULES.items():
        assert text.splitlines()[0] in page.module(), name


def test_names_of_the_files_do_not_meet():
    declared = [
        name
        for text in MODULES.values()
        for name in re.findall(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", text, re.MULTILINE)
    ]
    assert len(declared) > 50
    assert sorted(declared) == sorted(set(declared))


@pytest.mark.parametrize("name", [*FILES, "explorer.css", "page.html", "recorded.html"])
def test_nothing_is_loaded_from_elsewhere(name):
    addresses = set(
        re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'`]*", re.sub(r"^\s*//.*$", "", page.text(name), flags=re.M))
    )
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}


@pytest.mark.parametrize("name", FILES)
def test_no_text_is_evaluated_or_becomes_markup(name):
    assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write\(", FILES[name])


def test_files_say_first_what_they_are_about():
    for name, text in FILES.items():
        assert re.match(r"// [A-Z].{20,}", text), name


def test_a_page_knows_the_styles_of_the_figures():
    known = page.known("notebook", ["mine"], families=[])
    for key, style in styles(["ng", "geo", "mine"]).items():
        shown = known["styles"][key]
        assert (shown["colour"], shown["marker"], shown["dash"]) == (style.colour, style.marker, style.dash)
    assert known["integrators"][0] == "mine" and "geof" in known["integrators"]
    assert known["families"] == []


def test_every_marker_of_the_figures_is_drawn():
    drawn = set(re.findall(r'^  "?([^\s":]+)"?: "M', FILES["styles.js"], re.MULTILINE))
    assert {style["marker"] for style in page.known("file", [])["styles"].values()} - {""} <= drawn


def test_a_document_holds_all_there_is_and_text_in_it_stays_text():
    text = page.document('{"a": "</script><script>alert(1)</script>"}')
    assert text.count("</script>") == 2
    assert "alert(1)</script>" not in text and "<!--" not in text
    assert page.text("explorer.css") in text
