"""Problems from networks: products with the Fisher metric and its connection by differentiating programs.

``riemopt.autodiff.jax`` and ``riemopt.autodiff.torch`` are imported when they are first asked for;
``riemopt.autodiff.feedforward`` needs no framework.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["feedforward", "jax", "torch"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"riemopt.autodiff.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
