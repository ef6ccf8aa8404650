"""Numbers in a vector, one at a time."""

from riemopt.kernels.text.runtime.memory import load, store


def test_what_is_stored_is_loaded():
    vector = [0.0, 1.0, 2.0]
    store(vector, 1, 7.0)
    assert load(vector, 1) == 7.0 and vector == [0.0, 7.0, 2.0]
