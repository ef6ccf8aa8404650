"""``riemopt cache``: the compiled kernels that are kept."""

from __future__ import annotations

import click

__all__ = ["cache_command"]


@click.command("cache")
@click.option("--clear", is_flag=True, help="Delete the kernels.")
def cache_command(clear: bool) -> None:
    """Show where compiled kernels are kept, how many there are, and how much room they take.

    They are used again by every process, and found by what they compute: clearing them costs time and nothing else. The
    variable RIEMOPT_CACHE names another directory.
    """
    from riemopt.kernels.store import cache

    files = cache.contents()
    kernels = sum(file.name.startswith("kernel_") for file in files)
    size = sum(file.stat().st_size for file in files) / 1e6
    click.echo(f"{cache.directory()}\n{kernels} kernels, {size:.1f} MB{', cleared' if clear else ''}")
    if clear:
        cache.clear()
