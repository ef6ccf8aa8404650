"""What a rule carries, taken apart and put together again."""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.memory import flatten, unflatten
from riemopt.kernels.graph.tracing import TracingError


def test_memory_survives_being_taken_apart():
    graph = Graph()
    memory = {"count": 3, "past": [np.arange(2.0), (np.eye(2), None)]}
    leaves, layout = flatten(memory)
    nodes = [graph.constant(leaf) for leaf in leaves]
    again = unflatten(graph, nodes, layout)
    assert set(again) == {"count", "past"} and again["past"][1][1] is None
    assert again["past"][1][0].shape == (2, 2)
    assert flatten(again)[1] == layout
    assert [node.value for node in flatten(again)[0]] == leaves


def test_memory_that_is_no_number_is_refused():
    with pytest.raises(TracingError, match="object"):
        flatten((np.arange(2), object()))


class Past(NamedTuple):
    velocity: object
    count: object


def test_named_tuples_keep_their_names():
    leaves, layout = flatten(Past(np.arange(2.0), 3))
    graph = Graph()
    again = unflatten(graph, [graph.constant(leaf) for leaf in leaves], layout)
    assert isinstance(again, Past) and again.velocity.shape == (2,)
    assert flatten((np.arange(2.0), 3))[1] != layout


@pytest.mark.parametrize("memory", [OrderedDict(a=1.0), type("Tuple", (tuple,), {})((1.0,))], ids=["dict", "tuple"])
def test_nests_of_other_kinds_are_refused(memory):
    with pytest.raises(TracingError):
        flatten(memory)
