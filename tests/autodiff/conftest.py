"""How JAX computes and compiles: tests that share a process have each their own way."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import pytest


@contextmanager
def set_to(name: str, value: bool) -> Iterator[None]:
    """A setting of JAX for a while."""
    before = jax.config.read(name)
    jax.config.update(name, value)
    yield
    jax.config.update(name, before)


@pytest.fixture(scope="module")
def float64() -> Iterator[None]:
    """Double precision for the tests of a file."""
    with set_to("jax_enable_x64", True):
        yield


@pytest.fixture(scope="module")
def hasty() -> Iterator[None]:
    """Programs that are compiled for few evaluations on little data."""
    with set_to("jax_disable_most_optimizations", True):
        yield
