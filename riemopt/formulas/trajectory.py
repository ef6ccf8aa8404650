"""Trajectories as programs: an integrator traced on some formulas, its start and one of its steps."""

from __future__ import annotations

import pickle
from typing import Any

from riemopt.formulas.counting import CountedPrimitives, asked_for
from riemopt.formulas.formulas import Formulas
from riemopt.formulas.programs import leaf_node, traced_inputs
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.memory import flatten, unflatten
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.programs import TrajectoryProgram
from riemopt.kernels.graph.tracing import TracedArray, TracingError
from riemopt.status import Status

__all__ = ["rule_identity", "trajectory_program"]


def _only(array: Any) -> Node:
    """The node of an array without axes."""
    return array.nodes[()]  # type: ignore[no-any-return]


def _state(rule: Any) -> Any:
    """What a rule keeps on itself, in a form that shows whether it has changed."""
    attributes = getattr(rule, "__dict__", {})
    try:
        return pickle.dumps(attributes)
    except (AttributeError, TypeError, RecursionError, pickle.PicklingError):
        return {name: id(value) for name, value in attributes.items()}


def rule_identity(rule: Any) -> Any:
    """What tells one of our own integrators from others; None of a user's, which may depend on more than itself."""
    state = _state(rule)
    own = type(rule).__module__.partition(".")[0] == __name__.partition(".")[0]
    return (type(rule), state) if own and isinstance(state, bytes) else None


def trajectory_program(formulas: Formulas, rule: Any, converges: bool) -> TrajectoryProgram:
    """An integrator on some formulas as programs.

    Parameters
    ----------
    formulas : Formulas
        What the primitives compute; they must have a loss.
    rule : Integrator
        Anything with ``init(problem, theta, h)`` and ``step(problem, theta, h, memory)``.
    converges : bool
        Whether the norm of the natural gradient is wanted at every point.

    Raises
    ------
    TracingError
        If the rule is not straight-line code, or is not a function of its arguments alone.
    """
    n = formulas.dimension
    graph = Graph()
    theta = traced_inputs(graph, "theta", n)
    h = TracedArray.scalar(graph.input("h"))
    data = tuple(graph.input(f"data {i}") for i in range(formulas.data))

    def begin() -> tuple[list[Node], Any, CountedPrimitives]:
        primitives = CountedPrimitives(formulas, graph, data, loss_required=False)
        leaves, layout = flatten(rule.init(primitives, theta.copy(), h))
        return [leaf_node(graph, leaf) for leaf in leaves], layout, primitives

    state = _state(rule)
    first, layout, begun = begin()
    memory = [graph.input(f"memory {i}") for i in range(len(first))]

    watched = CountedPrimitives(formulas, graph, data)
    loss: Node = _only(watched.loss(theta))
    watched.require(Status.NON_FINITE, graph.call("isfinite", loss))
    speed = graph.constant(0.0)
    if converges:
        speed = _only(watched.gradient(theta) @ watched.natural_gradient(theta))
    seen = (watched.status(), loss, speed)

    def step() -> tuple[list[Node], CountedPrimitives]:
        primitives = CountedPrimitives(formulas, graph, data, loss_required=False)
        following, carried = rule.step(primitives, theta.copy(), h, unflatten(graph, memory, layout))
        leaves, carried_layout = flatten(carried)
        if carried_layout != layout:
            raise TracingError(f"the memory changes its layout from {layout} to {carried_layout}")
        point, _ = flatten(following)
        if len(point) != n:
            raise TracingError(f"a step returned {len(point)} coordinates instead of {n}")
        return [leaf_node(graph, leaf) for leaf in (*point, *leaves)], primitives

    outputs, taken = step()
    again, retaken = step()
    if (
        (again, retaken.conditions) != (outputs, taken.conditions)
        or begin()[:2] != (first, layout)
        or _state(rule) != state
    ):
        raise TracingError("the rule keeps a state outside its memory, or did another thing when it was run again")
    status = watched.status([c for c in taken.conditions if c not in watched.conditions])
    return TrajectoryProgram(
        point=tuple(theta.nodes),
        step_size=(_only(h),),
        memory=tuple(memory),
        data=data,
        begun=(begun.status(), *first),
        seen=seen,
        stepped=(status, *outputs),
        asked=(asked_for(begun), asked_for(watched), asked_for(taken, but=watched.asked)),
    )
