"""Charts typed as text: which symbols a text names, and whether a new one is positive or any real number."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from riemopt.errors import ExpressionError, ModelError
from riemopt.models.chart.chart import Chart
from riemopt.models.chart.symbols import wrong_number
from riemopt.models.domain import Domain
from riemopt.symbolic.parser import free_names, parse

__all__ = ["infer_symbols"]


def infer_symbols(
    original_parameters: Sequence[sp.Symbol], texts: Mapping[str, str], original_domain: Domain
) -> tuple[tuple[sp.Symbol, ...], tuple[sp.Expr, ...]]:
    """The symbols and expressions of a chart typed as text, the assumptions of new names found out.

    A new name is positive if the chart is then invertible and reaches the whole original domain, else real.

    Parameters
    ----------
    original_parameters : sequence of Symbol
    texts : mapping of str to str
        Formulas for original parameters by name; those left out stay as they are.
    original_domain : Domain
        Where the original parameters may lie.

    Returns
    -------
    parameters : tuple of Symbol
        In the order in which they appear.
    expressions : tuple of Expr
        In the order of `original_parameters`.

    Raises
    ------
    ExpressionError
        If a text is not a formula.
    ModelError
        If the number of new names does not fit, or the chart is not invertible.

    Examples
    --------
    >>> alpha, beta = sp.symbols("alpha beta", positive=True)
    >>> infer_symbols((alpha, beta), {"beta": "exp(b)"}, Domain.of((alpha, beta)))
    ((alpha, b), (alpha, exp(b)))
    """
    originals = tuple(original_parameters)
    for name in texts:
        if name not in map(str, originals):
            raise ModelError(f"chart: {name} is not one of the original parameters ({', '.join(map(str, originals))})")
    names = {
        symbol: free_names(texts[symbol.name], where=symbol.name) if symbol.name in texts else (symbol.name,)
        for symbol in originals
    }
    order = tuple(dict.fromkeys(itertools.chain.from_iterable(names.values())))
    if len(order) != len(originals):
        raise wrong_number(len(originals), order)
    kept = {symbol.name: symbol for symbol in originals if symbol.name not in texts}
    symbols: dict[str, sp.Symbol] = {}
    expressions: dict[sp.Symbol, sp.Expr] = {}
    for group in _groups(names, original_domain):
        piece = _infer_group(group, texts, kept, order, original_domain)
        symbols.update((symbol.name, symbol) for symbol in piece.parameters)
        expressions.update(zip(group, piece.expressions, strict=True))
    return tuple(symbols[name] for name in order), tuple(expressions[symbol] for symbol in originals)


def _groups(names: Mapping[sp.Symbol, tuple[str, ...]], domain: Domain) -> list[list[sp.Symbol]]:
    """The original parameters in groups that share neither new names nor conditions: each is a chart by itself."""
    groups: list[list[sp.Symbol]] = []
    for symbol in names:
        tied = {other for condition in domain.conditions if condition.has(symbol) for other in condition.free_symbols}
        touching = [
            group for group in groups if any(other in tied or {*names[other]} & {*names[symbol]} for other in group)
        ]
        groups = [group for group in groups if group not in touching] + [[*itertools.chain(*touching), symbol]]
    return [[symbol for symbol in names if symbol in group] for group in groups]


def _infer_group(
    group: Sequence[sp.Symbol],
    texts: Mapping[str, str],
    kept: Mapping[str, sp.Symbol],
    order: Sequence[str],
    original_domain: Domain,
) -> Chart:
    """The first choice of assumptions whose chart reaches the whole domain, else the last that is invertible at all."""
    conditions = tuple(c for c in original_domain.conditions if c.free_symbols <= set(group))
    domain = Domain(tuple(group), conditions)
    used = {name for symbol in group for name in free_names(texts.get(symbol.name, symbol.name))}
    new = [name for name in order if name in used and name not in kept]
    targets = domain.interior_points(16)
    partial: list[Chart] = []
    refusals: list[ExpressionError | ModelError] = []
    for choice in itertools.product(("positive", "real"), repeat=len(new)):
        fresh = {name: sp.Symbol(name, **{assumption: True}) for name, assumption in zip(new, choice, strict=True)}
        symbols = {name: kept.get(name) or fresh[name] for name in order if name in used}
        try:
            expressions = {s: parse(texts[s.name], symbols, where=s.name) if s.name in texts else s for s in group}
            chart = Chart.of(domain, expressions, tuple(symbols.values()))
        except (ExpressionError, ModelError) as error:
            refusals.append(error)
            continue
        if np.isfinite(chart.from_original(targets)).all():
            return chart
        partial.append(chart)
    if partial:
        return partial[-1]
    raise refusals[-1]
