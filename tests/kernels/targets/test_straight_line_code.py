"""Which functions are straight-line text, and what is known of them."""

from riemopt.kernels.targets.straight_line_code import INSTRUCTIONS, StraightLineCode, functions_of


def test_functions_with_loops_are_not_taken():
    loop = functions_of("def f(x):\n    for i in range(3):\n        x = x + 1.0\n    return x\n")["f"]
    branch = functions_of("def f(x):\n    if x > 0.0:\n        x = 1.0\n    return x\n")["f"]
    assert not StraightLineCode.takes(loop) and not StraightLineCode.takes(branch)


def test_straight_line_functions_are_their_parameters_and_statements_without_the_docstring():
    text = 'def f(x, y):\n    """A sum."""\n    if x > y:\n        return x\n    return x + y\n'
    definition = functions_of(text)["f"]
    assert StraightLineCode.takes(definition)
    line = StraightLineCode(definition, {}, in_lanes=False)
    assert line.name == "f" and line.parameters == ["x", "y"] and len(line.statements) == 2


def test_every_instruction_may_be_called_by_loops():
    assert {name: len(f.args.args) for name, f in functions_of(INSTRUCTIONS).items()} == {
        "spread": 1, "every": 1, "select": 3, "absolute": 1, "isfinite": 1
    }  # fmt: skip
