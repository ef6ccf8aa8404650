"""A worker sends progress, then answers, as JSON that keeps every bit; and ends when nobody is there."""

import json
import multiprocessing
import threading

import numpy as np

from riemopt.explore import worker
from riemopt.explore.worker import encoded, work, work_on_formulas
from tests.explore.test_server import OPEN


def conversation(monkeypatch, function, *arguments):
    """The end of a pipe to a worker in a thread of this process."""
    monkeypatch.setattr(worker, "_alone", lambda: None)
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=function, args=(theirs, *arguments))
    thread.start()
    return ours, thread


def test_numbers_come_back_as_they_were():
    numbers = np.random.default_rng(0).normal(size=50).tolist()
    assert json.loads(encoded({"x": numbers}))["x"] == numbers


def test_a_worker_answers_until_nobody_asks(monkeypatch):
    pipe, thread = conversation(monkeypatch, work, OPEN)
    kinds = []
    while not kinds or kinds[-1] == "progress":
        kinds.append(json.loads(pipe.recv_bytes())["type"])
    assert kinds[-1] == "opened"
    pipe.send({"type": "check", "id": 2, "formulas": ["1/b"]})
    assert json.loads(pipe.recv_bytes())["id"] == 2
    pipe.close()
    thread.join(10)
    assert not thread.is_alive()


def test_what_cannot_be_opened_is_refused_with_the_reason(monkeypatch):
    pipe, thread = conversation(monkeypatch, work, {**OPEN, "family": "x"})
    json.loads(pipe.recv_bytes())
    answer = json.loads(pipe.recv_bytes())
    assert answer["type"] == "refused" and "unknown family" in answer["reason"]
    thread.join(10)


def test_formulas_of_a_chart_that_there_is_not_are_refused(monkeypatch):
    pipe, thread = conversation(monkeypatch, work_on_formulas, OPEN, "rate = (", 5)
    answer = json.loads(pipe.recv_bytes())
    assert answer["type"] == "refused" and answer["id"] == 5
    thread.join(10)
