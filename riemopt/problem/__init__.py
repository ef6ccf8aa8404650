"""Problems: whoever offers the primitives gets every integrator."""

from riemopt.problem.charted import ChartedProblem
from riemopt.problem.counted import CountedProblem
from riemopt.problem.evaluations import Evaluations
from riemopt.problem.integrated import IntegratedProblem
from riemopt.problem.metric import DenseMetric, DiagonalMetric, Metric, OperatorMetric, PrimitiveMetric
from riemopt.problem.operator import OperatorProblem
from riemopt.problem.point import Point
from riemopt.problem.protocol import INTEGRATED, PRIMITIVES, Problem

__all__ = [
    "INTEGRATED",
    "PRIMITIVES",
    "ChartedProblem",
    "CountedProblem",
    "DenseMetric",
    "DiagonalMetric",
    "Evaluations",
    "IntegratedProblem",
    "Metric",
    "OperatorMetric",
    "OperatorProblem",
    "Point",
    "PrimitiveMetric",
    "Problem",
]
