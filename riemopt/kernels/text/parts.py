"""The text of parts: of what formulas call that is no formula (sums, integrals, peaks, roots, equations)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riemopt.kernels.graph.parts import Integral, Ode, Peak, TableSum
from riemopt.kernels.graph.programs import Part
from riemopt.kernels.graph.roots import Root
from riemopt.kernels.text.reductions import integral_source, peak_source, sum_source
from riemopt.kernels.text.roots import root_source
from riemopt.kernels.text.stepping import ode_source

__all__ = ["parts_text"]


def parts_text(parts: Sequence[Part]) -> tuple[dict[Part, str], str]:
    """The names and the text of some parts, and of those that they use themselves."""
    names: dict[Part, str] = {}
    texts: list[str] = []

    def add(part: Part) -> None:
        for needed in dict.fromkeys(p for program in part.programs for p in program.parts):
            if needed not in names:
                add(needed)
        name = f"{part.prefix}_{len(names)}"
        texts.append(_part_source(part, name, names))
        names[part] = name

    for part in parts:
        if part not in names:
            add(part)
    return names, "\n\n".join(texts)


def _part_source(part: Part, name: str, names: Mapping[Part, str]) -> str:
    if isinstance(part, TableSum):
        return sum_source(part, name, names)
    if isinstance(part, Integral):
        return integral_source(part, name, names)
    if isinstance(part, Peak):
        return peak_source(part, name, names)
    if isinstance(part, Root):
        return root_source(part, name, names)
    assert isinstance(part, Ode)
    return ode_source(part, name, names)
