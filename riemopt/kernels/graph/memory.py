"""What a rule carries from step to step, a nest of arrays, as a flat list of scalars, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.tracing import TracedArray, TracingError

__all__ = ["flatten", "unflatten"]


def flatten(memory: Any) -> tuple[list[Any], Any]:
    """The scalars in a nest of tuples, lists, dictionaries and arrays, and its layout.

    Returns
    -------
    leaves : list
        Nodes or numbers, in order.
    layout : hashable
        Equal for two memories if and only if they have the same nest and shapes; :func:`unflatten` takes it.

    Examples
    --------
    >>> leaves, layout = flatten({"count": 2, "v": np.array([1.0, 3.0])})
    >>> leaves
    [2.0, 1.0, 3.0]
    """
    if memory is None:
        return [], ("none",)
    if isinstance(memory, (tuple, list)):
        parts = [flatten(part) for part in memory]
        kind = "tuple" if isinstance(memory, tuple) else "list"
        return [leaf for leaves, _ in parts for leaf in leaves], (kind, *(layout for _, layout in parts))
    if isinstance(memory, dict):
        leaves, layout = flatten([memory[key] for key in sorted(memory)])
        return leaves, ("dict", tuple(sorted(memory)), layout)
    if isinstance(memory, TracedArray):
        return list(memory.nodes.flat), ("array", memory.shape)
    try:
        numbers = np.asarray(memory, dtype=np.float64)
    except (TypeError, ValueError):
        raise TracingError(f"a {type(memory).__name__} in a rule's memory cannot be traced") from None
    return numbers.ravel().tolist(), ("array", numbers.shape)


def unflatten(graph: Arithmetic, leaves: Sequence[Node], layout: Any) -> Any:
    """The nest of traced arrays that :func:`flatten` took apart."""
    remaining = iter(leaves)

    def build(layout: Any) -> Any:
        kind = layout[0]
        if kind == "none":
            return None
        if kind in ("tuple", "list"):
            parts = [build(part) for part in layout[1:]]
            return tuple(parts) if kind == "tuple" else parts
        if kind == "dict":
            return dict(zip(layout[1], build(layout[2]), strict=True))
        nodes = np.empty(layout[1], dtype=object)
        for index in np.ndindex(*layout[1]):
            nodes[index] = next(remaining)
        return TracedArray(graph, nodes)

    return build(layout)
