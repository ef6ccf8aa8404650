"""E[·] under a model: by the score identity, by exact sums and integrals, else by quadrature.

The score identity needs nothing but derivatives (:mod:`~riemopt.models.expectation.score_identity`). Where it does not
suffice, products of scores are summed or integrated: exactly where SymPy finds the answer in time, else numerically, at
every point anew (:mod:`~riemopt.models.expectation.score_products`).
"""

from riemopt.models.expectation.choice import expectation_of
from riemopt.models.expectation.expectation import Expectation
from riemopt.models.expectation.exponential_form import ExponentialForm, exponential_form
from riemopt.models.expectation.implicit import ImplicitExpectation
from riemopt.models.expectation.score_identity import ExponentialFamilyExpectation, ObservationFreeHessian
from riemopt.models.expectation.score_products import ExactExpectation, QuadratureExpectation

__all__ = [
    "ExactExpectation",
    "Expectation",
    "ExponentialFamilyExpectation",
    "ExponentialForm",
    "ImplicitExpectation",
    "ObservationFreeHessian",
    "QuadratureExpectation",
    "expectation_of",
    "exponential_form",
]
