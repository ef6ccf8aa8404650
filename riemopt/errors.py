"""Every error a user can meet, one class each; a message says what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ArgumentError",
    "BackendError",
    "DataError",
    "DomainError",
    "ExpectationError",
    "ExpressionError",
    "ModelError",
    "RiemoptError",
    "ShapeError",
    "UnknownNameError",
    "UnsupportedError",
]


class RiemoptError(Exception):
    """The root of every error that riemopt raises on purpose."""


class ModelError(RiemoptError, ValueError):
    """A density that is not one, a parameter that is not in it, or a support that does not fit."""


class ExpectationError(RiemoptError, ArithmeticError):
    """No way was found to take an expectation under the model; the message names what was tried."""


class DomainError(RiemoptError, ValueError):
    """A point outside the domain; the message names the coordinate, its value and its domain."""


class ShapeError(RiemoptError, ValueError):
    """An array whose axes do not fit; the message names the array, its shape and the shape wanted."""


class ArgumentError(RiemoptError, ValueError):
    """An argument that makes no sense; the message names it, its value, and what it may be."""


class BackendError(RiemoptError, ImportError):
    """A target that cannot run here; the message names the extra to install."""


class UnsupportedError(RiemoptError, NotImplementedError):
    """A primitive that the problem does not offer; the message names the integrators that do without it."""


class ExpressionError(RiemoptError, ValueError):
    """A text that is not an admissible expression; the message says what is not allowed, and where."""


class DataError(RiemoptError, ValueError):
    """Observations that cannot be used; the message names the file, row and column, or the entry."""


class UnknownNameError(RiemoptError, ValueError):
    """A name that is not in a catalogue.

    Parameters
    ----------
    kind : str
        What was looked for, in a word or two: ``"family"``, ``"integrator"``.
    name : str
        The name that was given.
    known : iterable of str
        The names there are; the nearest ones are suggested.

    Examples
    --------
    >>> str(UnknownNameError("family", "gama", ["gamma", "normal"]))
    "unknown family 'gama': did you mean 'gamma'? Known: gamma, normal"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        options = sorted(known)
        lowered = {option.lower(): option for option in options}
        nearest = difflib.get_close_matches(str(name).lower(), lowered, n=2, cutoff=0.5)
        hint = " or ".join(repr(lowered[match]) for match in nearest)
        suggestion = f"did you mean {hint}? " if nearest else ""
        super().__init__(f"unknown {kind} {name!r}: {suggestion}Known: {', '.join(options)}")
