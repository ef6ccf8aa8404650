"""``riemopt derive``: the geometry of a family, to read."""

from __future__ import annotations

import sys

import click

from riemopt.cli.options import chart_option
from riemopt.cli.output import progress_bar

__all__ = ["derive_command"]


@click.command("derive")
@click.argument("family")
@chart_option
@click.option("--latex", is_flag=True, help="Print LaTeX instead.")
def derive_command(family: str, charts: tuple[str, ...], latex: bool) -> None:
    """Derive the geometry of a family: metric, connections, curvature, geodesic equations.

    With --chart it is derived in those charts instead of the family's own.
    """
    from riemopt.experiments.settings import typed_chart
    from riemopt.geometry.printing import in_latex, in_text, parts
    from riemopt.geometry.symbolic import SymbolicGeometry
    from riemopt.models import family as family_of

    model = family_of(family)
    models = [typed_chart(model, text) for text in charts] or [model]
    work = [part for chart in models for part in parts(SymbolicGeometry(chart))]
    texts = []
    with progress_bar() as progress:
        for done, part in enumerate(work):
            progress(done, len(work), part.title)
            texts.append(in_latex(part) if latex else in_text(part, _can_print("Γ²α̇⎡─√∂–")))
    click.echo("\n\n".join(texts))


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
