"""``riemopt explore``: the page on which one drags the start and sees charts disagree."""

from __future__ import annotations

import errno

import click

from riemopt.cli.options import data_option

__all__ = ["explore_command"]


@click.command("explore")
@click.argument("family", default="gamma")
@data_option
@click.option("--column", metavar="NAME", help="The column of the file, by name or number counted from 1.")
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True, help="0 for any that is free.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
def explore_command(family: str, data: str | None, column: str | None, port: int, no_browser: bool) -> None:
    """Explore a family on a page in the browser: drag the start, and see which methods care about the chart.

    The page is served on this machine alone, to whoever has the address that is printed, until interrupted.
    """
    import webbrowser

    from riemopt.explore import opening_of, serve_page

    opening = opening_of(family, data, column)

    def ready(address: str) -> None:
        click.echo(address)
        if not no_browser:
            webbrowser.open(address)

    try:
        serve_page(port, opening, ready)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise click.ClickException(f"port {port} is taken: choose another with --port, or any with --port 0") from None
