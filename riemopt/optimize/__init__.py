"""Driving: taking integrators along trajectories."""

from riemopt.optimize.minimize import minimize
from riemopt.optimize.trajectory import Trajectory

__all__ = ["Trajectory", "minimize"]
