"""The integrators of a study, by label."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from riemopt.errors import ArgumentError
from riemopt.integrators import Integrator, OptimizerStep, by_name
from riemopt.optimize.minimize import require_primitives
from riemopt.problem import Problem

__all__ = ["Integrators", "rules_for", "rules_of"]

Integrators = Mapping[str, Any] | Iterable[str | Integrator | Callable[[Any, Any], Any]]
"""Keys, integrators, and functions ``step(theta, gradient) -> theta``; possibly by label."""


def rules_of(integrators: Integrators) -> dict[str, Integrator]:
    """Integrators by label: the one that is given, the key, or what it is called.

    Raises
    ------
    UnknownNameError
        If there is no integrator of a name.
    ArgumentError
        If two are called the same, or there is none.
    """
    if isinstance(integrators, Mapping):
        named = [(label, _rule(given)) for label, given in integrators.items()]
    else:
        named = [_named(given) for given in ([integrators] if isinstance(integrators, str) else integrators)]
    rules: dict[str, Integrator] = {}
    for key, rule in named:
        if key in rules:
            raise ArgumentError(f"the integrator {key!r} is named twice")
        rules[key] = rule
    if not rules:
        raise ArgumentError("there are no integrators")
    return rules


def _named(given: Any) -> tuple[str, Integrator]:
    rule = _rule(given)
    return given if isinstance(given, str) else getattr(rule, "name", repr(rule).removesuffix("()")), rule


def rules_for(
    problems: Sequence[Problem], integrators: Integrators | None, defaults: Iterable[str]
) -> dict[str, Integrator]:
    """Integrators by label, what they need being offered by all problems; those of the defaults for which it is.

    Raises
    ------
    UnsupportedError
        If one needs a primitive that a problem does not offer.
    UnknownNameError, ArgumentError
        See :func:`rules_of`.
    """
    if integrators is None:
        offered = frozenset.intersection(*(problem.offers for problem in problems))
        integrators = [key for key in defaults if set(by_name(key).needs) <= offered]
    rules = rules_of(integrators)
    for problem, rule in itertools.product(problems, rules.values()):
        require_primitives(problem, rule)
    return rules


def _rule(given: Any) -> Integrator:
    is_step = callable(given) and not isinstance(given, (str, Integrator, type))
    return OptimizerStep(given) if is_step else by_name(given)
