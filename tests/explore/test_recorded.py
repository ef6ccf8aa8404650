"""A saved file has everything in it: the run of the widget, and the picture bent to each chart."""

import json
import re

import pytest

from riemopt.explore.explorer import Explorer
from riemopt.explore.recorded import recording
from tests.explore.conftest import CHART, RUN

SETTINGS = {**RUN, "charts": [CHART], "view": CHART, "plane": [0, 1]}


@pytest.fixture(scope="module")
def text(gamma_study):
    return recording(Explorer(gamma_study), SETTINGS, [])


def test_the_record_has_the_numbers_of_the_study(text, gamma_study):
    record = json.loads(re.search(r'id="recorded">(.*?)</script>', text, re.DOTALL)[1])
    result = gamma_study.run(**RUN)
    assert record["opened"]["ran"]["gap"] == [gap.tolist() for gap in result.gap.values()]
    assert record["bent"].keys() == {"alpha, beta", CHART}
    assert record["hello"]["kind"] == "file"


def test_a_file_works_in_a_browser_without_python_or_network(text, tmp_path, browser):
    file = tmp_path / "page.html"
    file.write_text(text, encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    failed, asked = [], []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelector('.strong polyline')?.getAttribute('points').length > 20")
    assert page.locator(".verdict").inner_text().startswith("After 6 steps of h = 0.5, the two charts disagree by")
    lines = "[...document.querySelectorAll('.strong polyline')].map((line) => line.getAttribute('points')).join()"
    before = page.evaluate(lines)
    page.get_by_label("bend the picture to the chosen chart").fill("0.7")
    assert page.evaluate(lines) != before
    page.get_by_label("iteration", exact=True).fill("2")
    assert page.locator("output").inner_text() == "2"
    page.get_by_role("radio", name="chart alpha, beta").check(force=True)
    page.wait_for_timeout(300)
    context.close()
    assert not failed and all(url.startswith(("file:", "data:")) for url in asked)
