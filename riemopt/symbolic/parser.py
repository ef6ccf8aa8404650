"""Mathematics typed as text, read into SymPy without ever being evaluated as Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from riemopt.errors import ExpressionError
from riemopt.symbolic.builder import Builder
from riemopt.symbolic.source import Source
from riemopt.symbolic.vocabulary import CONSTANTS, FUNCTIONS, suggestion

__all__ = ["CONSTANTS", "FUNCTIONS", "free_names", "parse", "parse_assignments"]


def parse(text: str, symbols: Mapping[str, sp.Symbol], *, where: str = "") -> sp.Expr:
    """Read a formula: numbers, declared symbols, ``+ - * / **``, parentheses and the functions of `FUNCTIONS`.

    Python's own parser makes the tree, which never runs; SymPy objects are built from the admitted nodes alone.

    Parameters
    ----------
    text : str
        The formula, at most 1000 characters. Decimals are exact: ``0.1`` is 1/10.
    symbols : mapping of str to Symbol
        The names that may be used. A declared name takes precedence over a constant of the same name.
    where : str, optional
        What the text is, put before every error message.

    Returns
    -------
    sympy.Expr
        A real, finite expression in the declared symbols.

    Raises
    ------
    ExpressionError
        If the text holds anything else, or a number out of range; one line with what is not allowed and the column.

    Examples
    --------
    >>> b = sp.Symbol("b", positive=True)
    >>> parse("0.5 / b**2", {"b": b})
    1/(2*b**2)
    >>> parse("__import__('os')", {"b": b})
    Traceback (most recent call last):
    riemopt.errors.ExpressionError: "__import__('os')", column 12: a string is not allowed
    """
    source = Source(text, where)
    tree = source.tree()
    for _ in source.names(tree):  # refuses what is not admitted
        pass
    try:
        return Builder(source, symbols).build(tree)
    except ExpressionError:
        raise
    except RecursionError:
        source.refuse(None, "nested too deeply")
    except Exception as error:  # SymPy's own failures on odd numbers are of many classes
        source.refuse(None, f"SymPy cannot build it ({type(error).__name__})")


def free_names(text: str, *, where: str = "") -> tuple[str, ...]:
    """The names in a formula that are neither functions nor constants, in order of appearance.

    Parameters
    ----------
    text : str
        The formula, of the grammar of `parse`.
    where : str, optional
        What the text is, put before every error message.

    Returns
    -------
    tuple of str

    Raises
    ------
    ExpressionError
        If the text is not of that grammar.

    Examples
    --------
    >>> free_names("m**2 / v + exp(m) * pi")
    ('m', 'v')
    """
    source = Source(text, where)
    names = dict.fromkeys(source.names(source.tree()))
    return tuple(name for name in names if name not in CONSTANTS and name not in FUNCTIONS)


def parse_assignments(text: str, names: Iterable[str], *, where: str = "") -> dict[str, tuple[str, int]]:
    """Split ``"alpha = a, beta = 1/b"`` into a formula for each name.

    Parameters
    ----------
    text : str
        Assignments with commas between them, at most 1000 characters.
    names : iterable of str
        The names that may be assigned to.
    where : str, optional
        What the text is, put before every error message.

    Returns
    -------
    dict of str to (str, int)
        For each assigned name, in the order of the text: its formula, yet to be parsed, and its offset in `text`.

    Raises
    ------
    ExpressionError
        If an assignment is malformed, repeated, or of an unknown name.

    Examples
    --------
    >>> parse_assignments("alpha = a, beta = 1/b", ["alpha", "beta"])
    {'alpha': ('a', 8), 'beta': ('1/b', 18)}
    """
    source = Source(text, where)
    source.check_characters()
    known = list(names)
    assignments: dict[str, tuple[str, int]] = {}
    for start, part in source.parts():
        name, equals, formula = part.partition("=")
        column = start + len(part) - len(part.lstrip())
        name = name.strip()
        if not part.strip():
            source.refuse(start, f"an assignment is missing, such as {known[0] if known else 'name'} = ...")
        if not equals:
            source.refuse(column, f"{part.strip()!r} is not an assignment: write name = formula")
        if "=" in formula:
            at = start + part.index("=", part.index("=") + 1)
            source.refuse(at, "a second '=' in one assignment: put a comma between assignments")
        if name not in known:
            source.refuse(column, f"unknown parameter {name!r}: {suggestion(name, known)}known: {', '.join(known)}")
        if name in assignments:
            source.refuse(column, f"{name!r} is assigned twice")
        offset = start + len(part) - len(formula.lstrip())
        if not formula.strip():
            source.refuse(offset, f"nothing after {name} =")
        assignments[name] = (formula.strip(), offset)
    return assignments
