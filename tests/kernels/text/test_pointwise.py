"""Programs at every entry, and which sums over a table come first."""

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.text.pointwise import after_sums, first_sums, pointwise_text, table_sums_text


def summed():
    """Σ x p over the rows, and a program that doubles it."""
    inner, graph = Graph(), Graph()
    x, p = inner.input("x"), inner.input("p")
    part = TableSum(Program((x, p), (inner.mul(x, p),)), 1)
    theta = graph.input("theta")
    _, (total,) = graph.use(part, (theta,))
    return graph, part, theta, total


def test_sums_come_first_unless_they_depend_on_others():
    graph, part, theta, total = summed()
    simple = Program((theta,), (graph.add(total, total),))
    (call,) = first_sums(simple)
    assert call.value is part
    _, (nested,) = graph.use(part, (total,))
    assert first_sums(Program((theta,), (nested,))) == []
    assert first_sums(Program((theta,), (theta,))) == []


def test_rest_of_a_program_takes_the_sums_as_one_more_array():
    graph, _, theta, total = summed()
    constant = graph.input("constant")
    program = Program((theta, constant), (graph.add(total, constant),))
    rest = after_sums(program, [1], first_sums(program))
    assert rest.inputs == (theta, total, constant) and not rest.parts


def test_pieces_of_the_table_are_summed_by_tasks():
    graph, part, theta, total = summed()
    program = Program((theta,), (graph.add(total, total),))
    text, width = table_sums_text(program, [1], 0, first_sums(program), {part: "sum_0"})
    assert width == 1 and text.body[-1].startswith("store_1(out[piece], i, sum_0_rows(")


def test_entry_is_computed_from_rows_and_written_to_one():
    graph = Graph()
    x, y = graph.input("x"), graph.input("y")
    text = pointwise_text(Program((x, y), (graph.add(x, y), x)), [1], 1, {})
    assert text.body[0] == "r0 = load_1(a0, i)" and text.body[1] == "x0 = constants[0]"
    assert text.body[-1].startswith("store_2(out, i, values_0(")
