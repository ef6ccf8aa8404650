"""What tests of the explorer share: a study, a server, and a browser where there is one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import riemopt as ro
from riemopt.experiments.settings import typed_chart
from riemopt.explore.explorer import Explorer

RUN = {"start": [4.0, 2.0], "integrators": ["ng", "geo"], "step_size": 0.5, "steps": 6}
CHART = "beta = 1/b"


def sampled(model, point, size=500):
    return model.sample(point, size, rng=1)


@pytest.fixture(scope="session")
def gamma_samples(gamma):
    return sampled(gamma.model, [5.0, 4.0])


@pytest.fixture(scope="session")
def gamma_study(gamma, gamma_samples):
    """A study of the Gamma model for which nothing is compiled."""
    charts = {CHART: typed_chart(gamma.model, CHART)}
    return ro.experiments.InvarianceStudy(gamma.model, gamma_samples, charts, backend="numpy")


@pytest.fixture
def explorer(gamma_study):
    return Explorer(gamma_study)


def chromium() -> str | None:
    """A Chromium of the system; None without it or Playwright."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return None
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    """A browser for the tests of a module; after them, other tests may run event loops of their own."""
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium with Playwright: pip install playwright, and install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


class Server:
    """The command ``riemopt explore`` in a process of its own."""

    def __init__(self, *arguments: str, port: int = 0) -> None:
        root = str(Path(ro.__file__).parents[1])
        command = [sys.executable, "-c", "from riemopt.cli import main; main()", "explore", "--no-browser"]
        environment = {**os.environ, "PYTHONPATH": root}
        self.process = subprocess.Popen(
            [*command, *arguments, "--port", str(port)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline()]
        self.address = self.lines[0].strip()
        self.port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{32,}", self.address)[1])
        self.origin = f"http://127.0.0.1:{self.port}"
        self.token = self.address.partition("token=")[2]
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self._reader.start()

    def end(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self._reader.join(20)
            self.process.stdout.close()


@pytest.fixture(scope="module")
def server():
    """A server for the tests of a module."""
    started = Server()
    yield started
    with contextlib.suppress(ProcessLookupError):
        started.end()
