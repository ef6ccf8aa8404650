"""E[·] in closed form: finite sums, and the infinite sums and integrals that SymPy finds within a time limit."""

from __future__ import annotations

import base64
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from typing import Any

import sympy as sp

from riemopt.models.integrals import program
from riemopt.models.integrals.expectations import MOST_TERMS, expectations, members
from riemopt.models.integrals.results import NotFound, in_lowest_terms, require_closed

__all__ = ["NotFound", "exact_expectations", "poles"]

_FEW_TERMS = 16
_FEW_OPERATIONS = 300
"""A sum of no more is brought into a better form; a larger one is left as it stands, for that could take minutes."""


def exact_expectations(
    values: Sequence[sp.Expr],
    log_density: sp.Expr,
    observation: Sequence[sp.Symbol],
    support: Sequence[sp.Set],
    parameters: Sequence[sp.Symbol],
    seconds: float = 3.0,
) -> tuple[sp.Expr, ...]:
    """The expectation of each value as an expression in the parameters.

    Parameters
    ----------
    values : sequence of sympy.Expr
        Functions of the observation and the parameters.
    log_density : sympy.Expr
        ℓ(x; θ).
    observation : sequence of sympy.Symbol
        x.
    support : sequence of sympy.Set
        Where each observation may lie.
    parameters : sequence of sympy.Symbol
        θ. One of unknown sign is taken to be real.
    seconds : float, optional
        How long to search, in seconds of the processor where the system can count them, so that the answer does not
        depend on what else is running; and at most twice that by the clock. Sums of a few terms take no search.

    Returns
    -------
    tuple of sympy.Expr
        Free of the observation, of integrals and of sums. Whether they converge was not looked at, and SymPy's
        integrals are sometimes wrong: compare them with numbers before they are used. A closed form may be 0/0
        somewhere inside the domain: see :func:`poles`.

    Raises
    ------
    NotFound
        If there is one that was not found, saying why in a few words.

    Examples
    --------
    >>> import sympy as sp
    >>> p, s = sp.symbols("p s", positive=True)
    >>> x = sp.Symbol("x", real=True)
    >>> exact_expectations([x, x**2], x * sp.log(p) + (1 - x) * sp.log(1 - p), [x], [sp.FiniteSet(0, 1)], [p])
    (p, p)
    >>> exact_expectations([x**2], -sp.Abs(x) / s - sp.log(2 * s), [x], [sp.S.Reals], [s], seconds=30)
    (2*s**2,)
    """
    names: dict[sp.Symbol, sp.Symbol] = {}
    for x, where in zip(observation, support, strict=True):
        names[x] = sp.Dummy(x.name, **_assumptions(where))
    for parameter in parameters:
        if parameter.is_real is None:
            names[parameter] = sp.Dummy(parameter.name, real=True)
    back = {new: old for old, new in names.items()}
    exchanged = [sp.sympify(e).xreplace(names) for e in (*values, log_density)]
    # a derivative that waited for what is now known of its symbols
    exchanged = [e.doit() if e.has(sp.Derivative) else e for e in exchanged]
    question = (exchanged[:-1], exchanged[-1], [names[x] for x in observation], list(support))
    terms = math.prod(members(where) for where in support)
    if terms <= _FEW_TERMS:
        results = expectations(*question)
        results = [in_lowest_terms(e) if e.count_ops() <= _FEW_OPERATIONS else e for e in results]
    elif terms <= MOST_TERMS:
        results = _sums_over_members(*question)
    else:
        results = _search(question, seconds)
    return tuple(e.xreplace(back) for e in results)


def _assumptions(support: sp.Set) -> dict[str, bool]:
    """What holds on a whole set."""
    kind = "integer" if support.is_subset(sp.S.Integers) else "real"
    try:
        low = support.inf
    except NotImplementedError:  # an intersection that SymPy leaves as it stands
        return {kind: True}
    if isinstance(support, sp.Interval):  # an end has no weight
        return {"positive": True} if low >= 0 else {"real": True}
    return {kind: True, "nonnegative": True} if low >= 0 else {kind: True}


def _sums_over_members(
    values: Sequence[sp.Expr], log_density: sp.Expr, observation: Sequence[sp.Symbol], support: Sequence[sp.Set]
) -> list[sp.Expr]:
    """The sums over all members, each probability as the exponential of its logarithm."""
    places = [dict(zip(observation, members, strict=True)) for members in product(*support)]
    densities = [sp.exp(log_density.subs(place)) for place in places]
    results = [sp.Add(*(v.subs(at) * p for at, p in zip(places, densities, strict=True))) for v in values]
    for result in results:
        require_closed(result, observation)
    return results


_PATIENCE = 2.0
"""Seconds by the clock for one of the processor."""


def _search(question: Any, seconds: float) -> list[sp.Expr]:
    """The answer of a process of its own: SymPy can hang where nothing but the end of the process stops it."""
    if not sys.executable or getattr(sys, "frozen", False):
        raise NotFound("there is no Python to search with")
    command = [sys.executable, "-P", "-W", "ignore", os.path.abspath(program.__file__), str(math.ceil(seconds))]
    # SymPy is found where it was found here, and its order of terms does not depend on chance
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0"}
    try:
        found = subprocess.run(
            command,
            input=pickle.dumps(question),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE * seconds,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ).stdout
    except subprocess.TimeoutExpired as stopped:
        found = stopped.stdout or b""
    except OSError as error:
        raise NotFound(f"there is no process to search in: {error.strerror}") from None
    mark = program.MARK.encode()
    answers = [line[len(mark) :] for line in found.splitlines() if line.startswith(mark) and line.endswith(b";")]
    if not answers:
        raise NotFound(f"not found within {seconds:g} s")
    answer = pickle.loads(base64.b64decode(answers[-1][:-1]))
    if isinstance(answer, str):
        raise NotFound(answer)
    return list(answer)


def poles(expressions: Sequence[sp.Expr]) -> set[tuple[sp.Symbol, sp.Expr]]:
    """Where a denominator that depends on one parameter vanishes, as far as its assumptions admit it.

    A closed form of a finite expectation may be 0/0 there: near such a value it loses digits, and at it there is none.
    The first few poles of gamma and polygamma functions are among them.

    Parameters
    ----------
    expressions : sequence of sympy.Expr

    Returns
    -------
    set of (symbol, value)

    Examples
    --------
    >>> import sympy as sp
    >>> b = sp.Symbol("b", positive=True)
    >>> poles([(b * sp.digamma(b) - 1) / (b - 2), 1 / (b + 1)])
    {(b, 2)}
    """
    vanishing: set[sp.Expr] = set()
    for expression in expressions:
        vanishing |= {e.base for e in expression.atoms(sp.Pow) if e.exp.is_extended_negative}
        for e in expression.atoms(sp.gamma, sp.loggamma, sp.polygamma):
            vanishing |= {sp.numer(sp.together(e.args[-1] + m)) for m in range(3)}
    found = set()
    for u in vanishing:
        symbols = u.free_symbols
        if len(symbols) == 1 and not u.is_nonzero and u.is_polynomial(*symbols):
            (symbol,) = symbols
            found |= {(symbol, root) for root in sp.real_roots(sp.Poly(u, symbol)) if _admits(symbol, root)}
    return found


def _admits(symbol: sp.Symbol, value: sp.Expr) -> bool:
    """Whether a symbol's assumptions leave it a value."""
    wrong = (symbol.is_positive and value <= 0, symbol.is_negative and value >= 0, symbol.is_nonzero and value == 0)
    return not any(wrong)
