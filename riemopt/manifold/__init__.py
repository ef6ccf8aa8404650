"""What a user holds: a model, its geometry for reading and as compiled functions, and the likelihood of its samples."""

from riemopt.manifold.likelihood import LikelihoodProblem
from riemopt.manifold.manifold import Manifold

__all__ = ["LikelihoodProblem", "Manifold"]
