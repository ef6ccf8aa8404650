"""SymPy's searches for integrals as forks of one process that has loaded SymPy, which takes most of a second each time.

The module stands in for :mod:`subprocess` in :mod:`riemopt.models.exact`. As a program, it is that process: a question
is put to :mod:`riemopt.models.integrals.program` as there, with the same processor time, of which loading takes part.
"""

import atexit
import io
import os
import pickle
import runpy
import signal
import sys
import time
from collections.abc import Sequence
from functools import cache
from subprocess import DEVNULL, PIPE, CompletedProcess, Popen, TimeoutExpired
from typing import Any

__all__ = ["DEVNULL", "PIPE", "TimeoutExpired", "run"]


@cache
def _process(*command: str) -> Popen:
    """The process in which questions are answered: Python's options, and the program."""
    *options, program = command
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0"}
    process = Popen([*options, __file__, program], stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment)
    atexit.register(process.communicate)  # it ends where its input ends
    return process


def run(command: Sequence[str], input: bytes, **options: Any) -> CompletedProcess:
    """As :func:`subprocess.run`; the last word of the command says how many seconds of the processor to take."""
    *program, seconds = command
    process = _process(*program)
    assert process.stdin is not None and process.stdout is not None
    pickle.dump((input, seconds), process.stdin)
    process.stdin.flush()
    return CompletedProcess(command, 0, pickle.load(process.stdout))


def _answer(main: Any, question: bytes, seconds: str) -> bytes:
    """What a fork writes until it ends, or is ended because its time is up."""
    reading, writing = os.pipe()
    fork = os.fork()
    if not fork:
        os.close(reading)
        signal.setitimer(signal.ITIMER_PROF, max(float(seconds) - _LOADED, 1e-3))
        sys.argv[1:] = [seconds]
        sys.stdin = io.TextIOWrapper(io.BytesIO(question))
        with open(writing, "w") as sys.stdout:
            main()
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        found = file.read()
    os.waitpid(fork, 0)
    return found


if __name__ == "__main__":
    program = runpy.run_path(sys.argv[1], run_name="program")
    for name in ("expectations", "results"):
        program["load"](name)
    _LOADED = time.process_time()
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    while True:
        try:
            asked = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        pickle.dump(_answer(program["main"], *asked), answers)
        answers.flush()
