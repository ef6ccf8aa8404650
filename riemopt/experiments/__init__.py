"""The experiments of the paper, each a function whose result prints, plots and saves itself."""

from riemopt.experiments.invariance import InvarianceResult, invariance
from riemopt.experiments.order import OrderResult, order_of_invariance
from riemopt.experiments.subject import Subject

__all__ = ["InvarianceResult", "OrderResult", "Subject", "invariance", "order_of_invariance"]
