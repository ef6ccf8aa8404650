"""The experiments of the paper, each a function whose result prints, plots and saves itself."""

from riemopt.experiments.cost import Cost, CostResult, cost_of_accuracy
from riemopt.experiments.invariance import InvarianceResult, invariance
from riemopt.experiments.order import OrderResult, order_of_invariance
from riemopt.experiments.subject import Subject

__all__ = [
    "Cost",
    "CostResult",
    "InvarianceResult",
    "OrderResult",
    "Subject",
    "cost_of_accuracy",
    "invariance",
    "order_of_invariance",
]
