"""Functions that were compiled in this process or an earlier one."""

import numba
import pytest

from riemopt.kernels.store.precompiled import ForProcessor


def double(x):
    return 2.0 * x


def test_function_is_compiled_once_and_then_read(tmp_path, monkeypatch):
    monkeypatch.setenv("RIEMOPT_CACHE", str(tmp_path / "kernels"))
    compiled = []

    def complete():
        compiled.append(1)
        return double

    signature = numba.float64(numba.float64)
    for _ in range(2):
        run = ForProcessor(numba.njit).load(signature, "double", lambda: double, complete)
        assert run(1.5) == 3.0
        with pytest.raises(TypeError):
            run("text")
    assert len(compiled) == 1
    ForProcessor(numba.njit).load(signature, "another", lambda: double, complete)
    assert len(compiled) == 2
