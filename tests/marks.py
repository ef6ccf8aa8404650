"""Parameters of tests that take long."""

from typing import Any

import pytest


def slow(*values: Any) -> Any:
    """The parameters of one test, which ``-m slow`` runs."""
    return pytest.param(*values, marks=pytest.mark.slow)
