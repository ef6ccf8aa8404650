"""The text of trajectories: from the start to the end, with or without memory."""

import pytest

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import TrajectoryProgram
from riemopt.kernels.text.trajectories import TRAJECTORY_ARGUMENTS, trajectory_text


def program(memory):
    graph = Graph()
    x, h, zero = graph.input("x"), graph.input("h"), graph.constant(0.0)
    m = (graph.input("m"),) if memory else ()
    after = graph.sub(x, graph.mul(h, x))
    begun = (zero, zero) if memory else (zero,)
    return TrajectoryProgram((x,), (h,), m, (), begun, (zero, graph.mul(x, x), x), (zero, after, *m))


@pytest.mark.parametrize("memory", [False, True])
def test_points_and_losses_are_written_at_every_step(memory):
    text = trajectory_text(program(memory), {})
    body = "\n".join(text.body)
    assert body.startswith("y = load_1(starts, i)") and body.endswith("finished(outcome, count))")
    assert "store(outcomes, i, finished(outcome, count))" in body
    assert ("moved_memory(" in body) == memory == ("def moved_memory(" in "\n".join(text.functions))
    # once on the way, and once for the steps after the end
    assert body.count("store_1(points[:, slot], i, kept_point(outcome, y))") == 2
    assert all(name in body for name in TRAJECTORY_ARGUMENTS if name not in ("data", "table"))
