"""The command ``riemopt`` with its commands."""

from __future__ import annotations

import click

from riemopt.cli.cache import cache_command
from riemopt.cli.derive import derive_command
from riemopt.cli.errors import Group
from riemopt.cli.explore import explore_command
from riemopt.cli.fit import fit_command
from riemopt.cli.invariance import invariance_command
from riemopt.cli.order import order_command

__all__ = ["main"]


@click.group(cls=Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="riemopt")
@click.pass_context
def main(context: click.Context) -> None:
    """Natural gradient methods, and how much of them survives a change of coordinates."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (invariance_command, order_command, fit_command, cache_command, derive_command, explore_command):
    main.add_command(command)
