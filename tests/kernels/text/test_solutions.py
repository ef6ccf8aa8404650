"""Solutions in lanes: more of them than there are lanes or places in a queue, each as if it were alone."""

import numpy as np
import pytest

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.target import Kernel
from riemopt.kernels.text.solutions import solutions_text


def decay():
    """y' = -p y over one unit of time."""
    inner, graph = Graph(), Graph()
    y, p = inner.input("y"), inner.input("p")
    part = Ode(Program((y, p), (inner.constant(0.0), inner.neg(inner.mul(p, y)))), 1)
    start, rate, zero = graph.input("start"), graph.input("rate"), graph.constant(0.0)
    settings = [graph.constant(value) for value in (1.0, 1e-10, 1e-12)]
    status, (end, reached) = graph.use(part, (start, graph.add(rate, zero), *settings))
    return part, Program((start, rate), (status, end, reached))


@pytest.mark.slow
def test_batch_longer_than_the_queue_is_solved_entry_by_entry():
    _, program = decay()
    run = Kernel(NumbaTarget(), program, [("points", (2,))], [(), ()])
    points = np.random.default_rng(0).uniform(0.1, 3.0, (700, 2)) * [1.0, 10.0]
    status, end, reached = run(points)
    assert (status == 0).all() and (reached == 1.0).all()
    np.testing.assert_allclose(end, points[:, 0] * np.exp(-points[:, 1]), rtol=1e-7, atol=1e-10)
    np.testing.assert_array_equal(run(points[333])[1], end[333])


def test_text_begins_advances_and_ends_solutions():
    part, program = decay()
    (call,) = {node.args[0] for node in program.outputs}
    text = "\n".join(solutions_text(program, [2], 0, call, {part: "ode_0"}).body)
    assert [text.count(f"ode_0_{step}(") for step in ("begin", "advance", "end")] == [1, 1, 1]
