"""Who is told of progress, and what."""

import numpy as np

import riemopt as ro
from riemopt.optimize.progress import told
from riemopt.optimize.state import State

STATE = State(np.ones(1), loss=1.25, damping=0.5, iteration=3)


def test_nobody_is_told_unless_asked():
    with told(False, 5) as tell:
        assert tell is None


def test_a_function_is_told_the_step_the_steps_and_where_the_run_is():
    heard = []
    with told(lambda *given: heard.append(given), 5) as tell:
        tell(STATE)
        tell(State(np.ones(1), loss=0.5, iteration=4))
    assert heard == [(3, 5, "step 3: loss 1.25, damping 0.5"), (4, 5, "step 4: loss 0.5")]


def test_a_bar_takes_states_and_leaves_nothing(capsys):
    with told(True, 5) as tell:
        tell(STATE)
    assert "step 3" not in capsys.readouterr().err


def test_a_run_tells_of_every_state(poisson):
    heard = []
    ro.minimize(poisson, "ng", [9.0], 0.1, 3, progress=lambda done, total, where: heard.append((done, total)))
    assert heard == [(0, 3), (1, 3), (2, 3), (3, 3)]
