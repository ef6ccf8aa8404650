"""The text of all functions: what it defines, and what it needs."""

import math
from types import FunctionType

from riemopt.kernels.functions import library, scalar
from riemopt.kernels.graph.operations import FUNCTIONS
from riemopt.kernels.targets.compiled import MATH


def test_texts_hold_nothing_but_functions_and_what_targets_rebind() -> None:
    # Any other global would have to be frozen into compiled code.
    for text, module in library.texts():
        held: dict[str, object] = {"__name__": module}
        exec(text, held)
        for name, value in held.items():
            if name.isidentifier() and name[:2] != "__" and name != "annotations":
                known = isinstance(value, FunctionType) or value is getattr(math, name, None)
                assert known or math.isnan(value), name  # type: ignore[arg-type]


def test_every_function_of_a_graph_is_in_a_text_or_in_math() -> None:
    names: dict[str, object] = {}
    for text, _ in library.texts():
        exec(text, names)
    # what the translation to LLVM has of its own
    assert set(FUNCTIONS) - names.keys() - MATH.keys() == set()


def test_functions_that_a_text_imports_are_those_of_the_scalar_text() -> None:
    for text, module in library.texts():
        held: dict[str, object] = {"__name__": module}
        exec(text, held)
        for name in ("every", "select"):
            assert held.get(name) is None or module == scalar.__name__ or held[name] is getattr(scalar, name)
