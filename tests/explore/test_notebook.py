"""What a notebook calls; and the widget in a browser, through a model of the kind that notebooks provide."""

import json
import subprocess
import sys

import pytest

import riemopt as ro
from riemopt.errors import ArgumentError, DomainError
from riemopt.explore import page as files
from riemopt.explore.notebook import missing
from tests.explore.conftest import CHART, RUN
from tests.explore.test_browser import handle, start_of


def test_importing_riemopt_loads_neither_a_server_nor_widgets():
    program = "import sys, riemopt; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tornado", "anywidget", "traitlets", "ipywidgets"} & set(names)


def test_without_the_extra_the_error_names_it(monkeypatch, gamma, gamma_samples):
    monkeypatch.setitem(sys.modules, "riemopt.explore.widget", None)
    with pytest.raises(ro.errors.BackendError, match=r"pip install 'riemopt\[explore\]'"):
        ro.explore(gamma.model, gamma_samples)
    assert "tornado" in str(missing(ImportError("No module named 'tornado'")))


def test_what_cannot_be_explored_is_refused_at_once(gamma, gamma_samples):
    with pytest.raises(DomainError):
        ro.explore(gamma.model, gamma_samples, start=[-1.0, 1.0])
    with pytest.raises(ArgumentError):
        ro.explore(gamma.model, gamma_samples, integrators=["ng", "ng"])


CELLS = """<!doctype html><meta charset="utf-8"><div id="first"></div><div id="second"></div>"""
ATTACH = """async ([name, source, style, values]) => {
  const { default: widget } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets.push(sheet);
  const listeners = {};
  const emit = (event, ...given) => [...(listeners[event] ?? [])].forEach((listener) => listener(...given));
  const changed = new Set();
  const model = {
    get: (key) => values[key],
    set: (key, value) => (values[key] = value, changed.add(key)),
    save_changes() {
      window.keep(name, Object.fromEntries([...changed].map((key) => [key, values[key]])));
      changed.clear();
    },
    on: (event, listener) => (listeners[event] ??= new Set()).add(listener),
    off: (event, listener) => listeners[event]?.delete(listener),
    send: async (content) => {
      for (const answer of await window.ask(name, content)) emit("msg:custom", answer, []);
    },
  };
  (window.kernels ??= {})[name] = (key, value) => { values[key] = value; emit(`change:${key}`); };
  widget.render({ model, el: document.getElementById(name) });
}"""


@pytest.fixture
def notebook(browser, gamma, gamma_samples):
    """Two widgets on one page, each with a model whose other end is Python."""
    chart = ro.experiments.settings.typed_chart(gamma.model, CHART)
    widgets = {name: ro.explore(gamma.model, gamma_samples, {CHART: chart}, **RUN) for name in ("first", "second")}

    def ask(name, content):
        answers = []
        widgets[name].send = lambda answer, buffers=None: answers.append(json.loads(json.dumps(answer)))
        widgets[name]._handle_custom_msg(content, [])
        return answers

    context = browser.new_context(viewport={"width": 1280, "height": 1700})
    page = context.new_page()
    failed = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.expose_function("ask", ask)
    page.expose_function(
        "keep", lambda name, values: [setattr(widgets[name], key, v) for key, v in values.items()] and None
    )
    page.set_content(CELLS)
    for name, widget in widgets.items():
        values = {key: getattr(widget, key) for key in ("hello", "charts", "view", "plane", *RUN)}
        page.evaluate(ATTACH, [name, files.module(), files.text("explorer.css"), json.loads(json.dumps(values))])
        handle(page.locator(f"#{name}")).wait_for()
    page.wait_for_timeout(500)
    yield page, widgets
    context.close()
    assert not failed


def test_a_widget_is_dragged_and_python_knows_and_the_other_one_does_not(notebook):
    page, widgets = notebook
    first, second = (page.locator(f"#{name}") for name in widgets)
    page.mouse.move(*(box := handle(first).bounding_box()) and (box["x"] + 22, box["y"] + 22))
    page.mouse.down()
    for k in range(8):
        page.mouse.move(box["x"] + 22 + 6 * k, box["y"] + 22 - 4 * k)
        page.wait_for_timeout(20)
    page.mouse.up()
    page.wait_for_timeout(600)
    assert widgets["first"].start[0] > 4.0
    assert start_of(first) == pytest.approx(widgets["first"].start, rel=1e-3)
    assert widgets["second"].start == [4.0, 2.0] == start_of(second)


def test_what_python_sets_is_seen(notebook):
    page, _ = notebook
    page.evaluate("kernels.second('start', [3, 5])")
    page.wait_for_timeout(400)
    assert start_of(page.locator("#second")) == [3.0, 5.0]
    page.evaluate("kernels.second('steps', 3)")
    page.wait_for_function("document.querySelector('#second .verdict').textContent.startsWith('After 3 steps')")
    assert start_of(page.locator("#first")) == [4.0, 2.0]
    assert page.locator("#first .verdict").inner_text().startswith("After 6 steps")


def test_a_notebook_offers_no_families_but_charts_to_type(notebook):
    page, _ = notebook
    assert page.get_by_label("family").count() == 0
    assert page.locator("#first").get_by_label("beta in chart 2").input_value() == "1/b"
