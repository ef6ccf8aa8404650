"""How text reads and writes a number of a vector, where entries of a batch are not taken in lanes."""

from typing import Any

__all__ = ["load", "store"]


def load(vector: Any, place: int) -> float:
    """The number at a place."""
    return vector[place]  # type: ignore[no-any-return]


def store(vector: Any, place: int, value: float) -> None:
    """Write a number to a place."""
    vector[place] = value
