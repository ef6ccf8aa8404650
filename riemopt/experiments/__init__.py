"""The experiments of the paper, each a prepared study or a function whose result prints, plots and saves itself."""

from riemopt.experiments.cost import cost_of_accuracy
from riemopt.experiments.cost_result import Cost, CostResult
from riemopt.experiments.invariance import InvarianceStudy, invariance
from riemopt.experiments.invariance_result import InvarianceResult
from riemopt.experiments.order import order_of_invariance
from riemopt.experiments.order_result import OrderResult
from riemopt.experiments.subject import Subject

__all__ = [
    "Cost",
    "CostResult",
    "InvarianceResult",
    "InvarianceStudy",
    "OrderResult",
    "Subject",
    "cost_of_accuracy",
    "invariance",
    "order_of_invariance",
]
