"""The program that looks for integrals in a process of its own."""

import base64
import pickle
import subprocess
import sys

import pytest
import sympy as sp

from riemopt.models.integrals import program

x, rate = sp.symbols("x rate", positive=True)


def answers(question):
    command = [sys.executable, "-P", program.__file__]
    found = subprocess.run(command, input=pickle.dumps(question), stdout=subprocess.PIPE, check=True).stdout.decode()
    marked = [line for line in found.splitlines() if line.startswith(program.MARK)]
    return [pickle.loads(base64.b64decode(line.removeprefix(program.MARK).rstrip(";"))) for line in marked]


@pytest.mark.slow
def test_the_answer_comes_first_as_found_and_then_in_lowest_terms():
    first, *_, last = answers(([x], sp.log(rate) - rate * x, [x], [sp.Interval(0, sp.oo)]))
    assert sp.simplify(first[0] - 1 / rate) == 0
    assert last == [1 / rate]


def test_what_is_not_found_is_a_text():
    (reason,) = answers(([x], -x, [x], [sp.Union(sp.Interval(0, 1), sp.FiniteSet(2))]))
    assert reason.startswith("no way to integrate over")
