"""The command line: each command reads its arguments, calls the library, and prints what it returns.

What a command needs is imported inside it, so that ``riemopt --help`` answers at once.
"""

from riemopt.cli.program import main

__all__ = ["main"]
