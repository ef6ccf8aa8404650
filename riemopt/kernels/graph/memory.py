"""What a rule carries from step to step, a nest of arrays, as a flat list of scalars, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.tracing import TracedArray, TracingError

__all__ = ["flatten", "unflatten"]


def flatten(memory: Any) -> tuple[list[Any], Any]:
    """The scalars in a nest of tuples, named or not, lists, dictionaries and arrays, and its layout.

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
    kind = type(memory)
    if kind in (tuple, list) or (isinstance(memory, tuple) and hasattr(kind, "_fields")):
        parts = [flatten(part) for part in memory]
        return [leaf for leaves, _ in parts for leaf in leaves], ("nest", kind, tuple(layout for _, layout in parts))
    if kind is dict:
        leaves, layout = flatten(list(memory.values()))
        return leaves, ("dict", tuple(memory), layout)
    if isinstance(memory, (tuple, list, dict)):
        raise TracingError(f"a {kind.__name__} in a rule's memory cannot be traced")
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
        if kind == "nest":
            nest, parts = layout[1], [build(part) for part in layout[2]]
            return nest(*parts) if hasattr(nest, "_fields") else nest(parts)
        if kind == "dict":
            return dict(zip(layout[1], build(layout[2]), strict=True))
        nodes = np.empty(layout[1], dtype=object)
        for index in np.ndindex(*layout[1]):
            nodes[index] = next(remaining)
        return TracedArray(graph, nodes)

    return build(layout)
