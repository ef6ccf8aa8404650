"""Networks in PyTorch: modules as problems, their derivatives along lines, and optimizers as integrators."""

from riemopt.errors import BackendError

try:
    import array_api_compat.torch  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise BackendError(
        f"networks in PyTorch need PyTorch and array-api-compat: pip install 'riemopt[torch]' ({error})"
    ) from None

from riemopt.autodiff.torch.optimizer import OptimizerStep
from riemopt.autodiff.torch.problem import NetworkProblem

__all__ = ["NetworkProblem", "OptimizerStep"]
