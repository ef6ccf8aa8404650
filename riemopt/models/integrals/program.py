"""The program that :mod:`riemopt.models.exact` runs by its path: reads a question, writes what SymPy finds.

The question, on the standard input, is a pickle of the arguments of :func:`.expectations.expectations`. Its answer is a
line that begins with :data:`MARK`: a pickle of expressions, or of a text that says why there are none.
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import pickle
import sys
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # not a POSIX system
    resource = None  # type: ignore[assignment]

__all__ = ["MARK", "load", "main"]

MARK = "riemopt:"
"""What a line of results begins with; anything else on the standard output is noise."""


def load(name: str) -> Any:
    """A file of this folder, imported as part of a package by itself: as part of riemopt, it would load all of that."""
    package = "integrals"
    if package not in sys.modules:
        folder = Path(__file__).parent
        spec = importlib.util.spec_from_file_location(
            package, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None and spec.loader is not None
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{name}")


def main() -> None:
    """Answer the question on the standard input: first with what is found, then with the same in lowest terms."""
    answers, sys.stdout = sys.stdout, sys.stderr
    if resource is not None and len(sys.argv) > 1:
        limit = int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    expectations, results = load("expectations"), load("results")

    def answer(found: Any) -> None:
        print("", MARK + base64.b64encode(pickle.dumps(found)).decode() + ";", sep="\n", file=answers, flush=True)

    try:
        found = expectations.expectations(*pickle.load(sys.stdin.buffer))
        answer(found)
        for i, expression in enumerate(found):
            found[i] = results.in_lowest_terms(expression)
            answer(found)
    except results.NotFound as reason:
        answer(str(reason))
    except Exception as error:
        answer(f"SymPy fails with {type(error).__name__}")


if __name__ == "__main__":
    main()
