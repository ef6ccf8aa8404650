"""The picture of the explorer in README.md: ``python docs/screenshot.py``, with Chromium and the extra ``test``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FIGURE = Path(__file__).parent / "figures" / "explorer.png"


def main() -> None:
    """Open the page as it begins, and keep what is seen."""
    command = [sys.executable, "-c", "from riemopt.cli import main; main()", "explore", "--no-browser", "--port", "0"]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.goto(address)
        page.get_by_role("slider", name="start", exact=True).wait_for(timeout=300_000)
        page.wait_for_function(
            "document.querySelector('.strong polyline').getAttribute('points').split(' ').length > 60"
        )
        page.wait_for_timeout(500)
        page.screenshot(path=FIGURE)
        browser.close()
        server.terminate()


if __name__ == "__main__":
    main()
