"""The experiments of the paper, each a function whose result prints, plots and saves itself."""

from riemopt.experiments.invariance import InvarianceResult, invariance

__all__ = ["InvarianceResult", "invariance"]
