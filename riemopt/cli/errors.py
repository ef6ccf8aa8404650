"""Errors on the command line: one line that says what, and where, and an exit status."""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Any, NoReturn

import click

from riemopt.errors import RiemoptError

__all__ = ["Group", "complain"]


class Group(click.Group):
    """Commands whose errors are one line: what, and where."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; bad input ends with exit status 2."""
        atexit.register(gc.freeze)  # a last look through all of SymPy for garbage would take half a second
        try:
            return super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            complain("interrupted", 130)
        except click.ClickException as error:
            complain(f"error: {error.format_message()}")
        except RiemoptError as error:
            complain(f"error: {error}")
        except OSError as error:
            place = f" to {str(error.filename)!r}" if error.filename else ""
            complain(f"error: cannot write{place}: {error.strerror}")


def complain(message: str, status: int = 2) -> NoReturn:
    """Say one line on stderr and end with an exit status."""
    click.echo(f"riemopt: {' '.join(message.split())}", err=True)
    sys.exit(status)
