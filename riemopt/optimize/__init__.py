"""Driving: taking integrators along trajectories, and fitting models by maximum likelihood."""

from riemopt.optimize.damping import LevenbergMarquardt
from riemopt.optimize.descent import FitStatus
from riemopt.optimize.fit import Fit, fit
from riemopt.optimize.line_search import Backtracking
from riemopt.optimize.minimize import minimize
from riemopt.optimize.state import State
from riemopt.optimize.trajectory import Trajectory

__all__ = ["Backtracking", "Fit", "FitStatus", "LevenbergMarquardt", "State", "Trajectory", "fit", "minimize"]
