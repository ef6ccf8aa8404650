"""What a page may ask for: requests as they are listed, within their bounds, and nothing else."""

import json

import pytest

from riemopt.explore.requests import MOST_CHARACTERS, FrameError, checked, read

RUN = {"type": "run", "id": 3, "start": [1.0, 2.0], "integrators": ["ng"], "step_size": 0.5, "steps": 10}
OPEN = {
    **RUN,
    "type": "open",
    "family": "gamma",
    "charts": ["beta = 1/b"],
    "data": {"kind": "drawn", "point": None, "size": 100, "seed": 0},
}


@pytest.mark.parametrize("request_", [RUN, OPEN, {**OPEN, "start": None}, {"type": "cancel", "id": 0}])
def test_a_request_is_read_as_it_stands(request_):
    assert read(json.dumps(request_)) == request_


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"type": 3, "id": 1}',
        '{"type": "eval", "id": 1}',
        '{"type": "run", "id": 1}',
        "[" * 9999,
    ],
)
def test_what_is_no_request_is_refused(frame):
    with pytest.raises(FrameError):
        read(frame)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": -1}, {"id": True}, {"start": []}, {"start": [1.0] * 41}, {"start": ["1"]}, {"start": [1e999]},
        {"start": 1.0},
        {"integrators": []}, {"integrators": ["ng"] * 13}, {"integrators": [1]}, {"integrators": ["x" * 401]},
        {"step_size": 0.0}, {"step_size": -1.0}, {"step_size": True}, {"step_size": 1e7},
        {"steps": 0}, {"steps": 201}, {"steps": 1.5}, {"more": 1},
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_with_its_name(changes):
    with pytest.raises(FrameError, match=f"^{'|'.join(changes)}|{'|'.join(changes)}"):
        checked({**RUN, **changes})


@pytest.mark.parametrize(
    "data",
    [None, {}, {"kind": "drawn"}, {"kind": "drawn", "point": None, "size": 10**9, "seed": 0},
     {"kind": "file", "name": "a", "text": 3, "column": None}, {**OPEN["data"], "path": "/etc/passwd"}],
)  # fmt: skip
def test_data_are_drawn_or_sent_along_and_nothing_else(data):
    with pytest.raises(FrameError, match=r"data"):
        checked({**OPEN, "data": data})


def test_numbers_that_json_does_not_have_are_refused():
    with pytest.raises(FrameError):
        read(json.dumps({**RUN, "step_size": float("nan")}))


def test_a_frame_that_is_too_long_is_not_looked_at():
    with pytest.raises(FrameError, match=str(MOST_CHARACTERS)):
        read(" " * (MOST_CHARACTERS + 1))
