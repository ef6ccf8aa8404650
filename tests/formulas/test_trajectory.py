"""Integrators traced on formulas: what a step needs is computed once, and what cannot be traced is refused."""

import pytest
import sympy as sp

import riemopt as ro
from riemopt.formulas.trajectory import rule_identity, trajectory_program
from riemopt.kernels.graph.parts import TableSum
from riemopt.kernels.graph.programs import parts_of
from riemopt.kernels.graph.tracing import TracingError

U, W0, W1 = sp.symbols("u w0 w1", real=True)
LOGISTIC = ro.ConditionalModel((W0 + W1 * sp.tanh(U),), "bernoulli", (U,), (W0, W1))


@pytest.mark.parametrize("key", ["mid", "geo", "geo-exact"])
@pytest.mark.slow_for("mid")
def test_a_step_takes_a_sum_over_the_data_or_an_integral_once_and_is_the_same_when_traced_again(key):
    regression = ro.Manifold(LOGISTIC, backend="numpy").likelihood([0.0, 1.0, 1.0], inputs=[-1.0, 0.5, 2.0])
    problems = [ro.Manifold(model).likelihood([0.25, 0.5]) for model in (ro.models.Weibull(), ro.models.Kumaraswamy())]
    for problem in (regression, *problems):
        program = trajectory_program(problem.formulas, ro.integrators.by_name(key), converges=True)
        parts = parts_of((*program.seen, *program.stepped))
        assert any(isinstance(part, TableSum) for part in parts)
        assert len({part.meaning for part in parts}) == len(parts)


class Counting(ro.Integrator):
    """Keeps a count on itself, outside its memory."""

    steps = 0

    def step(self, problem, theta, h, memory):
        self.steps += 1
        return theta - h * problem.natural_gradient(theta) / self.steps, memory


def test_a_rule_that_keeps_a_state_outside_its_memory_is_refused():
    problem = ro.Manifold(ro.models.Poisson(), backend="numpy").likelihood([1.0, 2.0])
    with pytest.raises(TracingError, match="outside its memory"):
        trajectory_program(problem.formulas, Counting(), converges=False)


def test_rules_of_our_own_are_told_apart_by_what_they_are_and_those_of_users_are_not():
    assert rule_identity(ro.integrators.by_name("geo")) == rule_identity(ro.integrators.by_name("geo"))
    assert rule_identity(ro.integrators.by_name("geo")) != rule_identity(ro.integrators.by_name("geof"))
    assert rule_identity(Counting()) is None
