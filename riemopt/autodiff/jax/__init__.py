"""Networks in JAX: functions of parameters and inputs as problems, and optimizers of optax as integrators."""

from riemopt.errors import BackendError

try:
    import jax  # noqa: F401
except ImportError as error:
    raise BackendError(f"networks in JAX need JAX: pip install 'riemopt[jax]' ({error})") from None

from riemopt.autodiff.jax.optimizer import OptimizerStep
from riemopt.autodiff.jax.problem import NetworkProblem

__all__ = ["NetworkProblem", "OptimizerStep"]
