"""How soon the explorer answers, in a browser: ``python -m benchmarks.explore``.

The start of the default view is dragged in headless Chromium: six integrators in four charts, ten steps on 10,000
samples, every panel drawn. Milliseconds from a movement of the pointer to the data, and to the frame that shows them;
seconds from an empty page to one whose start can be dragged. Kernels were compiled before.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.machine import description
from benchmarks.records import Bound, Cell, Record, Table, command

MOVES, PAUSE = 120, 0.016
"""Of the pointer, and the seconds between two."""
TO_DATA, TO_PAINT, READY = 40.0, 70.0, 2.0
"""What is promised: milliseconds, milliseconds, seconds."""

_SERVER = [sys.executable, "-c", "from riemopt.cli import main; main()", "explore", "--no-browser", "--port", "0"]
_SEEN = "document.querySelector('.strong polyline')?.getAttribute('points')"


def measure(quick: bool) -> Record:
    """The median and what is worst of both times, and how long the first page took."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        return Record("explore", description(), [], _bounds(None, None, None), ["Chromium and Playwright"])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        _first_page(browser)  # compiles what is not compiled yet
        ready, latency = _first_page(browser, 20 if quick else MOVES)
        version = f"Chromium {browser.version}"
        browser.close()
    to_data, to_paint = zip(*latency, strict=True)
    rows: list[list[Cell]] = [
        [name, statistics.median(times), sorted(times)[int(0.95 * (len(times) - 1))], max(times)]
        for name, times in (("to data", to_data), ("to paint", to_paint))
    ]
    columns = [f"{len(latency)} answers to a drag in {version}, milliseconds", "median", "95 %", "longest"]
    tables = [Table("The start dragged", columns, rows), Table("The first page", ["", "seconds"], [["ready", ready]])]
    return Record("explore", description("tornado"), tables, _bounds(rows[0][1], rows[1][1], ready))


def _bounds(to_data: Any, to_paint: Any, ready: Any) -> list[Bound]:
    return [
        Bound("Explorer: a drag to data, milliseconds", to_data, most=TO_DATA),
        Bound("Explorer: a drag to paint, milliseconds", to_paint, most=TO_PAINT),
        Bound("Explorer: the first page, seconds", ready, most=READY),
    ]


def _first_page(browser: Any, moves: int = 1) -> tuple[float, list[tuple[float, float]]]:
    """How long the first page of a server takes, and its answers to a drag."""
    with subprocess.Popen(_SERVER, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        time.sleep(4.0)  # the server is there, and has opened a study for whoever comes
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(300_000)
            began = time.perf_counter()
            page.goto(address)
            start = page.get_by_role("slider", name="start", exact=True)
            start.wait_for()
            page.wait_for_function(_SEEN)
            ready = time.perf_counter() - began
            time.sleep(1.0)
            _drag(page, start, moves)
            latency = [tuple(times) for times in page.evaluate("window.riemopt.latency")]
            page.close()
        finally:
            server.terminate()
    return ready, latency


def _drag(page: Any, start: Any, moves: int) -> None:
    """Drag the start along a line through the window, and wait for the last answer."""
    box = start.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(moves):
        page.mouse.move(x - 90 * k / moves, y - 180 * k / moves)
        time.sleep(PAUSE)
    page.mouse.up()
    time.sleep(1.0)


if __name__ == "__main__":
    command(measure)
