"""Problems of conditional models, against NumPy's formulas and finite differences."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
import scipy.special as sc
import scipy.stats
import sympy as sp

import riemopt as ro
from tests.marks import slow

u, v = sp.symbols("u v", real=True)
w0, w1, w2 = sp.symbols("w0 w1 w2", real=True)
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(40, 2))
CURVE = w0 + w1 * sp.tanh(w2 * u) + w1**2 * v
OTHER = w2 - w0 * u * v
PARAMETERS = (w0, w1, w2)


# -- the distributions of targets, as NumPy writes them: loss, mean, and second and third derivatives of A in z


@dataclass(frozen=True)
class Family:
    """What each returns has a row for each case: (r,), (r, m), (r, m, m) and (r, m, m, m)."""

    loss: object
    mean: object
    second: object
    third: object


def separate(loss, mean, second, third):
    """Outputs that are independent of one another."""

    def diagonal(function, order):
        def tensors(z):
            result = np.zeros((len(z), *[z.shape[1]] * order))
            for k in range(z.shape[1]):
                result[(slice(None), *[k] * order)] = function(z[:, k])
            return result

        return tensors

    return Family(lambda z, t: loss(z, t).sum(axis=1), mean, diagonal(second, 2), diagonal(third, 3))


def cumulants(order):
    """Of the choice of a category, by summing over categories."""

    def tensors(z):
        y = sc.softmax(z, axis=1)
        d = np.eye(z.shape[1])[None] - y[:, None, :]
        return np.einsum("rj,rjk,rjl->rkl", y, d, d) if order == 2 else np.einsum("rj,rjk,rjl,rjm->rklm", y, d, d, d)

    return tensors


def gaussian(sigma):
    return separate(
        lambda z, t: -scipy.stats.norm(z, sigma).logpdf(t),
        lambda z: z / sigma**2,
        lambda z: np.full_like(z, sigma**-2),
        np.zeros_like,
    )


BERNOULLI = separate(
    lambda z, t: -t * np.log(sc.expit(z)) - (1 - t) * np.log(sc.expit(-z)),
    sc.expit,
    lambda z: sc.expit(z) * sc.expit(-z),
    lambda z: sc.expit(z) * sc.expit(-z) * (sc.expit(-z) - sc.expit(z)),
)
POISSON = separate(lambda z, t: -scipy.stats.poisson(np.exp(z)).logpmf(t), np.exp, np.exp, np.exp)
# without h: log p = z t + log(-z)
WAITING = separate(
    lambda z, t: -scipy.stats.expon(scale=-1 / z).logpdf(t), lambda z: -1 / z, lambda z: z**-2, lambda z: -2 * z**-3.0
)
CATEGORICAL = Family(
    lambda z, t: -np.einsum("rk,rk->r", t, sc.log_softmax(z, axis=1)),
    lambda z: sc.softmax(z, axis=1),
    cumulants(2),
    cumulants(3),
)


@dataclass(frozen=True, eq=False)
class Case:
    """A conditional model with targets, its family for NumPy, and what of a target counts."""

    outputs: tuple
    output: object
    targets: np.ndarray
    family: Family
    theta: tuple = (0.4, -0.7, 1.1)
    scale: float | None = None
    statistic: object = staticmethod(lambda t: t)

    def problem(self, backend):
        model = ro.ConditionalModel(self.outputs, self.output, (u, v), PARAMETERS, scale=self.scale)
        return ro.Manifold(model, backend=backend).likelihood(self.targets, inputs=INPUTS)

    @cached_property
    def numpy(self):
        return self.problem("numpy")

    @cached_property
    def numba(self):
        return self.problem("numba")

    @property
    def table(self):
        if self.output == "categorical":
            return np.eye(len(self.outputs))[self.targets]
        return self.targets.reshape(len(INPUTS), -1)

    @cached_property
    def _outputs(self):
        z = sp.Matrix(self.outputs)
        tensors = [z, z.jacobian(PARAMETERS), *(sp.hessian(e, PARAMETERS) for e in self.outputs)]
        return [sp.lambdify((*PARAMETERS, u, v), m, "numpy") for m in tensors]

    def at(self, theta):
        """z, its Jacobian and its second derivatives, a row for each case."""
        rows = [[np.array(f(*theta, *row), dtype=float) for f in self._outputs] for row in INPUTS]
        z, jacobian, *bends = (np.stack(column) for column in zip(*rows, strict=True))
        return z[:, :, 0], jacobian, np.stack(bends, axis=1)

    def loss(self, theta):
        return np.mean(self.family.loss(self.at(theta)[0], self.table))

    def metric(self, theta):
        z, jacobian, _ = self.at(theta)
        return np.einsum("rkm,rkl,rln->mn", jacobian, self.family.second(z), jacobian) / len(z)

    def skewness(self, theta):
        z, jacobian, _ = self.at(theta)
        return np.einsum("rklm,rka,rlb,rmc->abc", self.family.third(z), jacobian, jacobian, jacobian) / len(z)

    def connection(self, theta, vector, a):
        """Section 2 of the mathematics, Jᵀ(H D²z + (1-a)/2 A'''[Dz, Dz])."""
        z, jacobian, bends = self.at(theta)
        along = np.einsum("rkn,n->rk", jacobian, vector)
        bend = np.einsum("rkmn,m,n->rk", bends, vector, vector)
        curved = np.einsum("rkl,rl->rk", self.family.second(z), bend)
        curved += (1 - a) / 2 * np.einsum("rklm,rl,rm->rk", self.family.third(z), along, along)
        return np.einsum("rkn,rk->n", jacobian, curved) / len(z)


NATURAL = sp.Symbol("natural", negative=True)
CASES = {
    "bernoulli": Case((CURVE,), "bernoulli", RNG.integers(0, 2, 40), BERNOULLI),
    "shares": Case((CURVE,), "bernoulli", RNG.uniform(size=40), BERNOULLI),
    "poisson": Case((CURVE,), "poisson", RNG.poisson(2.0, 40), POISSON),
    "two counts": Case((CURVE, OTHER), "poisson", RNG.poisson(2.0, (40, 2)), POISSON),
    "categorical": Case((CURVE, OTHER, w1 * u), "categorical", RNG.integers(0, 3, 40), CATEGORICAL),
    "gaussian": Case((CURVE,), "gaussian", RNG.normal(size=40), gaussian(0.7), scale=0.7),
    "two gaussians": Case((CURVE, OTHER), "gaussian", RNG.normal(size=(40, 2)), gaussian(2.0), scale=2.0),
    "waiting time": Case(
        (-sp.exp(CURVE),), ro.ExponentialFamily(-sp.log(-NATURAL), NATURAL), RNG.exponential(size=40), WAITING
    ),
}
COMPILED = ("bernoulli", "two counts", "categorical", "waiting time")


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def slope(function, theta, direction, h=1e-3):
    """A derivative by differences of fourth order."""
    theta, direction = np.asarray(theta, dtype=float), np.asarray(direction, dtype=float)
    values = [np.asarray(function(theta + k * h * direction)) for k in (-2, -1, 1, 2)]
    return np.tensordot([1, -8, 8, -1], values, axes=1) / (12 * h)


def close(found, expected, rtol=1e-11):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


# -- losses and gradients


def test_loss_is_the_mean_negative_log_likelihood(case):
    for theta in (case.theta, (-0.2, 0.3, -2.0)):
        assert case.numpy.loss(theta) == pytest.approx(case.loss(theta), rel=1e-12)


def test_gradient_is_a_finite_difference_of_the_loss(case):
    expected = [slope(case.loss, case.theta, unit) for unit in np.eye(3)]
    close(case.numpy.gradient(case.theta), expected, rtol=1e-8)


def test_metric_is_the_sum_of_jacobians_and_covariances(case):
    close(case.numpy.metric(case.theta), case.metric(case.theta))


def test_metric_is_the_mean_square_of_scores_under_the_model():
    """Of Bernoulli targets: both values, weighted by their probabilities."""
    case = CASES["bernoulli"]
    z, jacobian, _ = case.at(case.theta)
    y = sc.expit(z[:, 0])
    scores = {t: (t - y)[:, None] * jacobian[:, 0] for t in (0, 1)}
    expected = sum(np.einsum("r,rm,rn->mn", y if t else 1 - y, s, s) for t, s in scores.items()) / len(z)
    close(case.numpy.metric(case.theta), expected)


# -- connections


VECTOR = np.array([0.3, -0.8, 0.5])


@pytest.mark.parametrize("a", [0.0, 1.0, -1.0, 0.3])
def test_connection_is_that_of_the_metric_less_the_skewness(case, a):
    """Finite differences of g by NumPy, and T from third cumulants."""
    theta = np.array(case.theta)
    slopes = np.array([slope(case.metric, theta, unit) for unit in np.eye(3)])
    along = np.einsum("anb,a,b->n", slopes, VECTOR, VECTOR)
    expected = along - np.einsum("nab,a,b->n", slopes, VECTOR, VECTOR) / 2
    expected -= a / 2 * np.einsum("nab,a,b->n", case.skewness(theta), VECTOR, VECTOR)
    close(case.numpy.connection(theta, VECTOR, a=a), expected, rtol=1e-8)
    close(case.numpy.connection(theta, VECTOR, a=a), case.connection(theta, VECTOR, a))


def test_connection_of_bernoulli_targets_is_that_of_proposition_2():
    """λ_i (∂_α∂_β y_i + ...) of the paper, written in y: λ = 1/(y(1-y)), g = E[λ ∂y ∂y]."""
    case = CASES["bernoulli"]
    z, jacobian, bends = case.at(case.theta)
    y = sc.expit(z[:, 0])
    rise = y * (1 - y)
    dy = rise[:, None] * jacobian[:, 0]
    bend = rise * np.einsum("rmn,m,n->r", bends[:, 0], VECTOR, VECTOR)
    bend += rise * (1 - 2 * y) * (jacobian[:, 0] @ VECTOR) ** 2
    # Γ_ν = Σ λ ∂_νy D²y - ½ Σ (1 - 2y) λ² ∂_νy (Dy)²
    weights = bend / rise - 0.5 * (1 - 2 * y) / rise**2 * (dy @ VECTOR) ** 2
    close(case.numpy.connection(case.theta, VECTOR), dy.T @ weights / len(y))
    close(case.numpy.metric(case.theta), np.einsum("r,rm,rn->mn", 1 / rise, dy, dy) / len(y))


def test_saturated_targets_keep_their_digits():
    """z = ±300: y(1 - y) is e^-300, and a division by it would overflow."""
    model = ro.ConditionalModel((w0 + w1 * u + w1**2,), "bernoulli", (u,), (w0, w1))
    problem = ro.Manifold(model, backend="numpy").likelihood([0, 1], inputs=[-2.0, 2.0])
    theta, vector = np.array([0.0, 150.0]), np.array([1.0, 0.5])
    shift = 150.0**2
    assert problem.loss([-shift, 150.0]) == pytest.approx(np.exp(-300.0), rel=1e-12)
    tiny = np.exp(-300.0)
    rows = np.array([[1.0, -2.0 + 300.0], [1.0, 2.0 + 300.0]])
    close(problem.metric([-shift, 150.0]), tiny * rows.T @ rows / 2)
    along, bend = rows @ vector, 2 * vector[1] ** 2
    for a in (0.0, -1.0):
        curved = tiny * (bend + (1 - a) / 2 * np.array([1.0, -1.0]) * along**2)
        close(problem.connection(theta - [shift, 0.0], vector, a=a), rows.T @ curved / 2)


# -- an unknown scale


@pytest.mark.parametrize("count", [1, 2])
def test_unknown_scale_is_the_best_one(count):
    expressions, targets = (CURVE, OTHER)[:count], RNG.normal(size=(40, count))
    model = ro.ConditionalModel(expressions, "gaussian", (u, v), PARAMETERS, scale=None)
    problem = ro.Manifold(model, backend="numpy").likelihood(targets, inputs=INPUTS)
    theta = np.array([0.4, -0.7, 1.1])
    shape = Case(expressions, "gaussian", targets, gaussian(1.0))

    def best(theta):
        residuals = shape.at(theta)[0] - targets
        return np.sqrt(np.mean(residuals**2))

    def loss(theta):
        return np.mean(gaussian(best(theta)).loss(shape.at(theta)[0], targets))

    sigma = best(theta)
    assert problem.loss(theta) == pytest.approx(loss(theta), rel=1e-13)
    # no other scale does better
    for factor in (0.9, 1.1):
        assert problem.loss(theta) < np.mean(gaussian(factor * sigma).loss(shape.at(theta)[0], targets))
    close(problem.gradient(theta), [slope(loss, theta, unit) for unit in np.eye(3)], rtol=1e-8)
    close(problem.metric(theta), shape.metric(theta) / sigma**2)
    close(problem.connection(theta, VECTOR), shape.connection(theta, VECTOR, 0.0) / sigma**2)
    assert problem.variance_factor == pytest.approx(40 * count / (40 * count - 3))


# -- compiled


@pytest.mark.parametrize("name", [slow(n) if n in ("two counts", "waiting time") else n for n in COMPILED])
@pytest.mark.slow_for("categorical", "two counts", "waiting time")
def test_compiled_primitives_are_those_of_numpy(name):
    case = CASES[name]
    thetas = np.array([case.theta, (-0.2, 0.3, -2.0), (0.1, 0.9, 0.4)])
    close(case.numba.loss(thetas), case.numpy.loss(thetas))
    close(case.numba.gradient(thetas), case.numpy.gradient(thetas))
    close(case.numba.metric(thetas), case.numpy.metric(thetas))
    close(case.numba.connection(thetas, VECTOR, a=0.3), case.numpy.connection(thetas, VECTOR, a=0.3))


@pytest.mark.slow
def test_compiled_geodesics_and_flows_are_those_of_numpy():
    model = ro.ConditionalModel((w0 + w1 * u,), "poisson", (u,), (w0, w1))
    numpy, numba = (
        ro.Manifold(model, backend=b).likelihood(CASES["poisson"].targets, inputs=INPUTS[:, 0])
        for b in ("numpy", "numba")
    )
    theta, vector = np.array([0.4, -0.7]), np.array([0.3, 0.2])
    ends = [problem.exp(theta, vector) for problem in (numpy, numba)]
    np.testing.assert_allclose(*ends, rtol=1e-8)
    flows = [problem.flow(theta, 0.4) for problem in (numpy, numba)]
    np.testing.assert_allclose(*flows, rtol=1e-8)
    assert numpy.loss(flows[0]) < numpy.loss(theta)
    # the speed of a geodesic stays
    velocity = slope(lambda time: numba.exp(theta, time[0] * vector), [1.0], [1.0], 1e-4)
    start = vector @ numpy.metric(theta) @ vector
    assert velocity @ numpy.metric(ends[0]) @ velocity == pytest.approx(start, rel=1e-7)


def test_large_table_is_shared_among_cores_without_a_trace():
    rng = np.random.default_rng(1)
    inputs, targets = rng.normal(size=(100_000, 2)), rng.integers(0, 2, 100_000)
    model = ro.ConditionalModel((CURVE,), "bernoulli", (u, v), PARAMETERS)
    problems = [ro.Manifold(model, backend=b).likelihood(targets, inputs=inputs) for b in ("numba", "numpy")]
    theta = np.array([0.4, -0.7, 1.1])
    for name, arguments in (("loss", ()), ("gradient", ()), ("metric", ()), ("connection", (VECTOR,))):
        compiled, plain = (getattr(problem, name)(theta, *arguments) for problem in problems)
        close(compiled, plain)
    z = theta[0] + theta[1] * np.tanh(theta[2] * inputs[:, 0]) + theta[1] ** 2 * inputs[:, 1]
    assert problems[0].loss(theta) == pytest.approx(np.mean(np.logaddexp(0.0, z) - targets * z), rel=1e-13)


# -- networks


def test_network_has_the_geometry_of_its_outputs():
    network = ro.models.FeedForward([2, 3, 1], output="bernoulli")
    rng = np.random.default_rng(2)
    theta, vector = rng.normal(size=(2, network.dimension))
    inputs, targets = rng.normal(size=(25, 2)), rng.integers(0, 2, 25)
    problem = ro.Manifold(network, backend="numpy").likelihood(targets, inputs=inputs)

    def logits(theta):
        hidden = theta[:9].reshape(3, 3)
        return np.tanh(inputs @ hidden[:, :2].T + hidden[:, 2]) @ theta[9:12] + theta[12]

    def metric(theta):
        jacobian = np.array([slope(logits, theta, unit) for unit in np.eye(13)])
        y = sc.expit(logits(theta))
        return np.einsum("mr,r,nr->mn", jacobian, y * (1 - y), jacobian) / 25

    z = logits(theta)
    assert problem.loss(theta) == pytest.approx(np.mean(np.logaddexp(0, z) - targets * z), rel=1e-13)
    close(problem.metric(theta), metric(theta), rtol=1e-9)
    slopes = np.array([slope(problem.metric, theta, unit) for unit in np.eye(13)])
    expected = np.einsum("anb,a,b->n", slopes, vector, vector) - np.einsum("nab,a,b->n", slopes, vector, vector) / 2
    close(problem.connection(theta, vector), expected, rtol=1e-8)
