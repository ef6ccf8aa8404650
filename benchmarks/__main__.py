"""Every comparison, each in a process of its own: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from benchmarks.records import COMPARISONS, Record, overview, show


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice(COMPARISONS))
@click.option("--quick", is_flag=True, help="Small sizes, to see that it runs; nothing is kept.")
@click.option(
    "--geomstats",
    metavar="PYTHON",
    type=click.Path(exists=True),
    help="An interpreter that has geomstats, if this one has not.",
)
@click.option(
    "--kfac",
    metavar="PYTHON",
    type=click.Path(exists=True),
    help="An interpreter that has kfac_jax and what riemopt needs, if this one has not.",
)
def main(names: tuple[str, ...], quick: bool, geomstats: str | None, kfac: str | None) -> None:
    """Measure riemopt beside its peers, print the tables and keep them in benchmarks/results.

    NAME is one of geodesics, trajectories, scaling, growth, start_up, studies, explore, custom_models, adaptive,
    orders, costs and networks; without one, all are run. Each is kept as soon as it is done. Peers that are not
    installed are reported as missing. The exit status says whether everything ran and every bound was met.
    """
    interpreters = {"GEOMSTATS_PYTHON": geomstats, "KFAC_PYTHON": kfac}
    environment = {**os.environ, **{name: path for name, path in interpreters.items() if path}}
    names = names or COMPARISONS
    failed = False
    for name in names:
        command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
        failed |= subprocess.run(command, env=environment).returncode != 0
    if not quick and len(names) > 1:
        show(overview(record for name in names if (record := Record.load(name))))
    sys.exit(failed)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
