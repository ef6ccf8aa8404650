"""A page's workers can be ended at any time: what is slow is left out, and the rest goes on."""

import asyncio
import json
import time

import pytest

from riemopt.explore import conversation
from riemopt.explore.conversation import Conversation, Limits, Spare
from tests.explore.test_server import OPEN, OPENING

RUN = {"type": "run", "id": 9, "start": [1.0], "integrators": ["ng"], "step_size": 0.5, "steps": 3}
SLOW = "rate = exp(r)"


def slow_at_a_chart(pipe, request):
    """A worker for which one chart takes for ever."""
    if SLOW in request["charts"]:
        pipe.send_bytes(json.dumps({"type": "progress", "id": 1, "what": "a chart", "chart": SLOW}).encode())
        time.sleep(3600)
    conversation.work(pipe, request)


def lost(pipe, request):
    """A worker that ends at once."""


class Page:
    """What a page would be sent."""

    def __init__(self):
        self.answers = []

    async def send(self, answer):
        self.answers.append(json.loads(answer))

    async def wait_for(self, kind):
        while not (found := [answer for answer in self.answers if answer["type"] == kind]):
            await asyncio.sleep(0.02)
        return found[-1]


def converse(use, limits=None, spare=None):
    async def run():
        page = Page()
        talk = Conversation(page.send, limits, spare)
        try:
            await asyncio.wait_for(use(page, talk), 60)
        finally:
            talk.end()

    asyncio.run(run())


class Short(Limits):
    piece = 5.0


@pytest.mark.slow
def test_a_chart_that_takes_too_long_is_left_out_and_the_rest_goes_on(monkeypatch):
    async def use(page, talk):
        await talk.take(OPEN)
        first = await page.wait_for("opened")
        assert first["refused"] == {}
        page.answers.clear()
        with monkeypatch.context() as patch:
            patch.setattr(conversation, "WorkerProcess", lambda work, *rest: Worker(slow_at_a_chart, *rest))
            await talk.take({**OPEN, "id": 2, "charts": [SLOW, *OPEN["charts"]]})
            await page.wait_for("progress")
            await talk.take(RUN)  # by the study that is there
            assert (await page.wait_for("ran"))["id"] == 9
            second = await page.wait_for("opened")
        assert "5 seconds" in second["refused"][SLOW]
        assert [chart["label"] for chart in second["charts"]] == ["rate", *OPEN["charts"]]

    Worker = conversation.WorkerProcess
    converse(use, Short())


def test_an_opening_can_be_given_up(monkeypatch):
    Worker = conversation.WorkerProcess
    monkeypatch.setattr(conversation, "WorkerProcess", lambda work, *rest: Worker(slow_at_a_chart, *rest))

    async def use(page, talk):
        await talk.take({**OPEN, "charts": [SLOW]})
        await page.wait_for("progress")
        worker = talk._next
        await talk.take({"type": "cancel", "id": 2})
        assert not worker.is_alive
        assert {answer["type"] for answer in page.answers} == {"progress"}

    converse(use)


def test_a_worker_that_is_lost_is_told(monkeypatch):
    Worker = conversation.WorkerProcess
    monkeypatch.setattr(conversation, "WorkerProcess", lambda work, *rest: Worker(lost, *rest))

    async def use(page, talk):
        await talk.take(OPEN)
        assert "unexpectedly" in (await page.wait_for("refused"))["reason"]

    converse(use)


def test_a_study_that_is_lost_is_opened_again():
    async def use(page, talk):
        await talk.take(OPEN)
        await page.wait_for("opened")
        talk._study._process.kill()
        page.answers.clear()
        await talk.take(RUN)
        assert "opened again" in (await page.wait_for("refused"))["reason"]
        await page.wait_for("opened")

    converse(use)


def test_what_cannot_be_opened_is_refused_and_what_is_there_stays():
    async def use(page, talk):
        await talk.take(OPEN)
        await page.wait_for("opened")
        await talk.take({**OPEN, "id": 5, "family": "gama"})
        refused = await page.wait_for("refused")
        assert refused["id"] == 5 and "did you mean 'gamma'" in refused["reason"]
        await talk.take(RUN)
        await page.wait_for("ran")

    converse(use)


def test_formulas_are_derived_beside_the_study():
    async def use(page, talk):
        await talk.take(OPEN)
        await page.wait_for("opened")
        await talk.take({"type": "formulas", "id": 4, "chart": "rate = 1/r"})
        answer = await page.wait_for("formulas")
        assert answer["id"] == 4 and answer["parts"]

    converse(use)


def test_a_study_opened_ahead_is_taken_by_who_asks_for_it_and_by_nobody_else():
    async def run():
        spare = Spare({**OPENING, "steps": 2})
        spare.prepare()
        try:
            assert spare.take({**OPEN, "steps": 3}) is None
            worker = spare.take(OPEN)
            assert worker is not None and spare.take(OPEN) is None
            worker.end()
        finally:
            spare.end()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["run", "formulas"])
def test_without_a_study_nothing_is_answered(kind):
    async def use(page, talk):
        await talk.take({**RUN, "type": kind, "chart": "rate"})
        assert "no study" in (await page.wait_for("refused"))["reason"]

    converse(use)
