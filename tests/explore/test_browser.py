"""The page in a real browser: dragged, typed into, dropped on, reopened, and without its server."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest

import riemopt as ro
from riemopt.experiments.settings import example_samples, typed_chart
from riemopt.explore.presets import PRESETS
from tests.explore.conftest import Server

pytestmark = pytest.mark.slow  # a page like a user's: what it opens with takes a while to compile

WAIT = 60_000  # milliseconds, on a machine that compiles with one hand
SETTLED = 600  # milliseconds until a run's curves and its address are there
DEFAULT = PRESETS[0]


@pytest.fixture
def opened(browser, server):
    """A page in a context of its own, once the start can be dragged; what went wrong in it fails the test."""
    contexts = []

    def open_page(address=server.address, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.asked, page.failed = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.failed.append(str(error)))
        page.goto(address)
        handle(page).wait_for()
        page.wait_for_timeout(SETTLED)
        return page

    yield open_page
    failed = [error for context in contexts for page in context.pages for error in getattr(page, "failed", [])]
    for context in contexts:
        context.close()
    assert not failed


def handle(page):
    return page.get_by_role("slider", name="start", exact=True)


def chip(page, label):
    return page.get_by_role("radio", name=f"chart {label}")


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, dx, dy, moves=12):
    x, y = centre(handle(page))
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(1, moves + 1):
        page.mouse.move(x + dx * k / moves, y + dy * k / moves)
        page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_timeout(SETTLED)


def start_of(page):
    """The coordinates that the handle tells to who cannot see it."""
    text = handle(page).get_attribute("aria-valuetext")
    return [float(x.replace("−", "-")) for x in re.findall(r"[-−\d.]+(?=,|$)", text)]


def verdict(page):
    return page.locator(".verdict").inner_text()


def said(page, pattern, where=".verdict"):
    """Wait until something is said."""
    page.wait_for_function(
        "([where, pattern]) => new RegExp(pattern).test(document.querySelector(where)?.textContent)",
        arg=[where, pattern],
    )


def table(page):
    """The numbers of the page, as its CSV file has them."""
    page.locator(".tabs").evaluate("element => (element.open = true)")
    page.get_by_role("tab", name="Numbers").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    with open(download.value.path(), newline="") as file:
        return list(csv.DictReader(file))


def test_one_line_is_printed_and_it_is_the_address(server):
    assert len(server.lines) == 1 and server.lines[0].startswith("http://127.0.0.1:")


def test_the_page_says_at_once_what_to_do_and_what_is_seen(opened):
    page = opened()
    assert page.locator(".lead").inner_text().startswith("Drag the ringed dot")
    assert re.match(r"After 10 steps of h = 0\.5, the four charts disagree by", verdict(page))
    assert start_of(page) == [4.0, 2.0]
    assert handle(page).get_attribute("aria-valuetext") == "alpha 4, beta 2"


def test_the_numbers_of_the_page_are_those_of_the_experiment_to_the_last_bit(opened):
    page = opened()
    model = ro.models.Gamma()
    charts = {text: typed_chart(model, text) for text in DEFAULT["charts"]}
    result = ro.experiments.invariance(
        model,
        example_samples(model, 1234),
        charts,
        backend="numba",
        **{name: DEFAULT[name] for name in ("start", "integrators", "step_size", "steps")},
    )
    rows = table(page)
    assert len(rows) == 4 * 6 * 11
    for row in rows:
        chart, key, k = row["chart"], row["integrator"], int(row["iteration"])
        wanted = [*result.points[chart][key][k], result.losses[chart][key][k], result.gap[key][k]]
        shown = [float(row[name]) for name in ("alpha", "beta", "loss", "gap")]
        assert [x.hex() for x in shown] == [float(x).hex() for x in wanted]


def test_dragging_the_start_runs_everything_again_and_tells_how_long_it_took(opened):
    page = opened()
    before = verdict(page)
    drag(page, -60, -90)
    alpha, beta = start_of(page)
    assert alpha < 4.0 and beta > 2.0
    assert verdict(page) != before
    latency = page.evaluate("window.riemopt.latency")
    assert latency
    assert all(0 < data <= paint for data, paint in latency)


def test_arrow_keys_move_the_start_by_3_percent_and_with_shift_by_20(opened):
    page = opened()
    handle(page).focus()
    for key, wanted in [
        ("ArrowRight", [4.12, 2.0]),
        ("ArrowUp", [4.12, 2.06]),
        ("Shift+ArrowLeft", [4.12 / 1.2, 2.06]),
        ("Shift+ArrowDown", [4.12 / 1.2, 2.06 / 1.2]),
    ]:
        page.keyboard.press(key)
        assert start_of(page) == pytest.approx(wanted, rel=1e-3)
    said(page, "^After")
    assert page.evaluate("window.riemopt.latency.length") == 0


def test_halving_the_step_leaves_the_old_gap_as_a_ghost_with_the_ratios(opened):
    page = opened()
    page.get_by_role("button", name="½ h").click()
    said(page, r"ng ÷\d", ".ghost-text")
    said(page, r"After 20 steps of h = 0\.25")
    ratios = dict(re.findall(r"(\w+) ÷([\d.]+)", page.locator(".ghost-text").inner_text()))
    assert float(ratios["ng"]) < float(ratios["mid"])
    assert page.locator(".line.ghost").count() > 0


def said_error(page, text):
    page.wait_for_function(
        "text => [...document.querySelectorAll('.card .error')].some(e => e.textContent.includes(text))", arg=text
    )


def test_a_chart_is_typed_echoed_refused_while_it_is_wrong_and_added(opened):
    page = opened()
    page.get_by_role("button", name="Add a chart").click()
    field = page.get_by_label("beta in chart 5")
    field.fill("exp(c")
    said_error(page, "never closed")
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("__import__('os').system('true')")
    said_error(page, "is not allowed")
    field.fill("sin(c)")
    said_error(page, "not invertible")
    assert "the four charts" in verdict(page)
    field.fill("exp(c)")
    said(page, "the five charts")
    assert page.get_by_role("radiogroup", name="view chart").get_by_role("radio").count() == 5
    page.get_by_role("button", name="remove chart 5").click()
    said(page, "the four charts")


DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true });
  document.querySelector(".riemopt-explorer").dispatchEvent(drop);
}"""


def test_a_file_is_dropped_and_a_bad_one_is_refused_by_row_and_column(opened):
    page = opened()
    page.evaluate(DROP, ["bad.csv", "minutes\n3\nx\n"])
    said(page, r"bad\.csv: row 3, column 'minutes': 'x' is not a number", ".note")
    assert "the four charts" in verdict(page)
    numbers = "\n".join(str(0.5 + k / 40) for k in range(40))
    page.evaluate(DROP, ["good.csv", f"minutes\n{numbers}\n"])
    said(page, r"data: 40 from good\.csv", ".menu > summary")
    page.locator(".tabs").evaluate("element => (element.open = true)")
    page.get_by_role("tab", name="Python").click()
    assert "read_column('good.csv')" in page.locator("pre").inner_text()


def test_the_table_is_copied_with_all_digits(opened):
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    page.locator(".tabs").evaluate("element => (element.open = true)")
    page.get_by_role("tab", name="Numbers").click()
    page.get_by_role("button", name="Copy table").click()
    page.wait_for_timeout(SETTLED)
    rows = list(csv.DictReader(io.StringIO(page.evaluate("navigator.clipboard.readText()")), delimiter="\t"))
    assert rows == table(page)


def test_the_address_brings_the_view_back_and_history_works(opened):
    page = opened()
    drag(page, 40, -40)
    dragged = start_of(page)
    chip(page, "beta = b**3").check(force=True)
    page.wait_for_timeout(SETTLED)
    again = opened(page.url)
    assert start_of(again) == dragged
    assert chip(again, "beta = b**3").is_checked()
    assert verdict(again) == verdict(page)
    page.go_back()
    page.go_back()
    page.wait_for_function("document.querySelector('.start').getAttribute('aria-valuetext') === 'alpha 4, beta 2'")
    page.go_forward()
    page.wait_for_function("document.querySelector('.start').getAttribute('aria-valuetext') !== 'alpha 4, beta 2'")
    assert start_of(page) == dragged


def test_two_tabs_do_not_see_each_other(opened):
    first, second = opened(), opened()
    drag(first, -50, -50)
    assert start_of(second) == [4.0, 2.0] != start_of(first)
    second.get_by_role("button", name="2 h").click()
    said(second, "After 5 steps of h = 1,")
    assert "After 10 steps of h = 0.5" in verdict(first)


def test_bending_makes_steps_of_ng_straight_in_the_chosen_chart(opened):
    page = opened()
    bend = "() => [...document.querySelectorAll('.strong polyline')][0].getAttribute('points')"

    def bends():
        points = [[float(x) for x in pair.split(",")] for pair in page.evaluate(bend).split()][:9]
        (x0, y0), (x1, y1) = points[0], points[-1]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        return max(abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length for x, y in points)

    page.wait_for_function("document.querySelector('.strong polyline').getAttribute('points').split(' ').length > 60")
    assert bends() > 0.3
    page.get_by_label("bend the picture to the chosen chart").fill("1")
    page.wait_for_timeout(100)
    assert bends() < 0.2


def test_a_step_under_the_pointer_is_taken_apart(opened):
    page = opened()
    box = page.locator(".frame.plot svg").bounding_box()
    marks = page.evaluate("[...document.querySelectorAll('.strong polyline')].at(-6).getAttribute('points')")
    x, y = map(float, marks.split()[2].split(","))
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.locator(".parts .geodesic").first.wait_for(state="attached")
    assert "straight step" in page.locator(".parts").text_content()


def test_what_does_not_arrive_ends_at_a_cross_with_the_reason(opened):
    page = opened()
    reasons = page.locator(".ends .cross title").all_text_contents()
    assert any("geof ended after iteration" in reason and "outside the domain" in reason for reason in reasons)


def test_every_preset_says_what_to_watch(opened):
    page = opened()
    for k, preset in enumerate(PRESETS[:2]):
        page.get_by_label("preset").select_option(str(k))
        said(page, "^After")
        assert page.locator(".watch").inner_text() == preset["watch"]
        page.wait_for_function("document.querySelector('.note').hidden")
        assert start_of(page) == preset["start"]


def test_a_family_of_one_parameter_is_drawn_over_its_loss(opened):
    page = opened()
    page.get_by_label("family").select_option("exponential")
    page.wait_for_function("document.querySelector('.start').getAttribute('aria-valuetext') === 'rate 4'")
    page.wait_for_function("document.querySelector('.note').hidden")
    page.wait_for_timeout(SETTLED)
    drag(page, -80, 0)
    assert len(start_of(page)) == 1 and start_of(page)[0] < 4.0


def test_nothing_is_asked_of_any_other_host(opened, server):
    page = opened()
    drag(page, 20, 20)
    hosts = {re.match(r"\w+:(//[^/]*)?", url)[0] for url in page.asked}
    assert hosts <= {server.origin, server.origin.replace("http", "ws"), "data:"}


def test_on_a_phone_nothing_has_to_be_scrolled_sideways_and_a_finger_drags(opened):
    page = opened(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = handle(page).bounding_box()
    assert box["width"] >= 43.5 and box["height"] >= 43.5
    order = [
        page.locator(name).first.bounding_box()["y"]
        for name in (".verdict", ".frame.plot", ".step", ".chips", ".frame.gap", ".frame.losses", ".methods")
    ]
    assert order == sorted(order)
    touch = page.context.new_cdp_session(page)
    x, y = centre(handle(page))
    for kind, k in [("touchStart", 0), *(("touchMove", k) for k in range(1, 9)), ("touchEnd", 8)]:
        points = [] if kind == "touchEnd" else [{"x": x + 5 * k, "y": y - 5 * k}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_timeout(SETTLED)
    assert start_of(page)[0] > 4.0 and page.evaluate("scrollY") == 0


CONTROLS = "button, input, select, textarea, summary, [role=slider], [role=tab], [tabindex='0']"
UNNAMED = """controls => [...document.querySelectorAll(controls)].filter((element) => {
  const named = element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") || element.title
    || [...(element.labels ?? [])].map((label) => label.textContent).join("") || element.textContent;
  return !named.trim();
}).map((element) => element.outerHTML)"""


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(opened):
    page = opened()
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    page.wait_for_timeout(SETTLED)
    assert page.evaluate(UNNAMED, CONTROLS.replace(", [tabindex='0']", "")) == []
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
        )
    for name in ("family", "preset", "start", "step size h", "steps", "iteration", "beta in chart 2", "Copy link"):
        assert name in reached
    assert page.locator(".verdict").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(opened, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    page.wait_for_function("document.querySelectorAll('.equation').length > 5")
    found = axe.Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


def test_names_that_stand_twice_in_the_document_are_none(opened):
    page = opened()
    twice = "[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, k, all) => all.indexOf(id) !== k)"
    assert page.evaluate(twice) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(opened, scheme):
    """A contrast of 4.5, as WCAG 2 asks for."""
    page = opened(color_scheme=scheme)
    contrast = """() => {
      const number = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((x) => {
        const c = x / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
      const light = (colour) => { const [r, g, b] = number(colour); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ground = light(getComputedStyle(document.querySelector(".riemopt-explorer")).backgroundColor);
      return [".verdict", ".lead", ".watch", "h2", "legend", ".chip span", "button"].map((name) => {
        const ink = light(getComputedStyle(document.querySelector(name)).color);
        return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05); });
    }"""
    assert min(page.evaluate(contrast)) > 4.5
    assert page.locator(".riemopt-explorer").get_attribute("data-theme") == scheme


def test_without_its_server_the_page_says_so_and_comes_back(browser, opened):
    first = Server()
    page = opened(first.address)
    drag(page, 30, -30)
    before = start_of(page)
    first.end()
    said(page, "connection .* is lost", ".note")
    second = Server(port=first.port)
    try:
        assert second.address == first.address
        page.wait_for_function("document.querySelector('.note').hidden")
        assert start_of(page) == before
        drag(page, 30, -30)
        assert start_of(page) != before
    finally:
        second.end()


def test_the_server_ends_when_it_is_told_to_and_leaves_no_process():
    server = Server()
    time.sleep(0.2)
    assert server.end() == 0
