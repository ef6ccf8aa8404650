"""Manifold: a model, its geometry for reading, and its geometry as compiled functions."""

from riemopt.manifold.manifold import Manifold

__all__ = ["Manifold"]
