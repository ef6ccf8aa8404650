"""Networks written in PyTorch: any module, differentiated where its parameters are."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from types import EllipsisType
from typing import Any

import array_api_compat.torch
import numpy as np
import torch

from riemopt.autodiff.network import HostedNetwork, require_finite, scrambled
from riemopt.autodiff.network import NetworkProblem as _NetworkProblem
from riemopt.autodiff.outputs import Framework, FunctionOutput, NetworkOutput
from riemopt.autodiff.torch.linearization import Linearization, way_of
from riemopt.autodiff.torch.module import (
    ModuleFunction,
    as_tensor,
    is_finite,
    leaves_of,
    placed,
    require_cases,
    rows_of,
    sliced,
)
from riemopt.autodiff.torch.squares import ruled_parameters, summed_squares
from riemopt.errors import ShapeError
from riemopt.models import ExponentialFamily
from riemopt.numerics.arrays import on_host
from riemopt.solvers import LinearSolver

__all__ = ["NetworkProblem"]

_LOG = logging.getLogger("riemopt")


class NetworkProblem(_NetworkProblem):
    """A module of PyTorch, its loss, and the Fisher metric of its outputs.

    Parameters
    ----------
    module : torch.nn.Module
        x ↦ z, the outputs of all cases *before* the last activation (logits for ``"bernoulli"`` and ``"categorical"``,
        means for ``"gaussian"``, logarithms of means for ``"poisson"``), shape (N, ...) or (N,). Its parameters that
        require a gradient are the coordinates, in the order of ``module.named_parameters()``, one that occurs twice
        once. Other parameters and the buffers stay as they are, and the module itself is never changed.
    inputs : tensor, tuple or dict of tensor
        What the module is given, a case a row; of a tuple, one argument each, of a dictionary, by name.
    targets : tensor
        What it should give: of the outputs' shape, or labels 0, 1, ... for ``"categorical"``.
    output : str, ExponentialFamily or callable, optional
        ``"gaussian"``, ``"bernoulli"``, ``"categorical"`` or ``"poisson"``; or a log-partition of your own, as an
        :class:`~riemopt.ExponentialFamily` of as many symbols as a case has outputs (or of one, for each of them), or
        as a function of PyTorch that takes z and returns A of every case, shape (N,).
    scale : float or None, optional
        The standard deviation of a gaussian output; None if it is not known, and profiled out. If nothing is said it is
        1, and :func:`riemopt.fit` estimates it.
    chunk : int, optional
        How many cases to look at at a time; all at once by default.
    metric_cases : int, optional
        How many cases the metric and the connection are taken over, by default all: in turn the first so many, the
        next, and so on, from one iteration of a driver to the next.
    weight_decay : float or tensor of shape (n,), optional
        c ≥ 0: ½ c θ² is added to the loss, and c to the diagonal of the metric.
    solver : LinearSolver, optional
        What solves with the metric; by default conjugate gradients of at most 50 iterations, stopped where they no
        longer progress.
    preconditioned : bool, optional
        Whether a damped metric comes with a preconditioner made from squared gradients of the cases.
    group : torch.distributed.ProcessGroup, optional
        The processes that the cases are spread over: each is given its own, with the same module, and runs the same
        program. Sums over cases are then those over all; `chunk` and `metric_cases` count the cases of a process.

    Attributes
    ----------
    taylor : bool
        Whether directions are pushed forward by Taylor rules.
    obstacle : str
        Why not; empty if they are.

    Raises
    ------
    BackendError
        If PyTorch or array-api-compat is not installed.
    ModelError
        If no parameter requires a gradient, one is not finite, they differ in precision or device, or outputs are
        random or depend on the other cases, as those of dropout and batch normalization in training mode do.
    ShapeError, DataError
        If inputs, outputs and targets do not fit one another, or a number is not finite.

    Notes
    -----
    Everything is computed in the precision of the parameters, on the device where they are, which inputs and targets
    are moved to; nothing becomes a NumPy array on the way. Losses of cases are added up in double precision.

    The forward graph of the last point is kept with all results of the module's calls, and every product of a solve
    pushes its vector through these and pulls a covector back. At its peak that takes little more memory than one
    gradient over the metric's cases, for a connection product, too, and less than twice as much; a solve has its
    vectors besides. With `chunk` fewer than these cases, it is as much for one chunk, however many cases there are, and
    each product begins with a forward pass of its own.

    The functions that a module calls have Taylor rules (dense layers, convolutions, pooling, normalizations, the usual
    activations, shapes, sums and products), which take two derivatives along a line in one pass, for a custom forward,
    too. A module that calls anything else is pushed through as a whole by nested ``torch.func.jvp``, or in reverse
    where that is not to be had or wrong, at two or three times the cost. Which it is, is in `taylor` and `obstacle`,
    and logged by the logger ``riemopt`` at the level INFO.

    Squared gradients of the cases are exact for weights, biases and scales of dense layers, convolutions and
    normalizations that the module uses once; of all others they are estimated with random signs. The diagonal of the
    metric is exact, by one backward pass for each output of a case.

    References
    ----------
    Proposition 1 and appendix C of the paper; Martens, "Deep learning via Hessian-free optimization", 2010.

    Examples
    --------
    >>> import torch
    >>> import riemopt as ro
    >>> x = torch.linspace(0.0, 1.0, 5)[:, None]
    >>> line = torch.nn.Linear(1, 1)
    >>> net = ro.autodiff.torch.NetworkProblem(line, x, 2.0 * x + 1.0, output="gaussian")
    >>> end = ro.minimize(net, "ng", start=net.start, step_size=1.0, steps=1).x
    >>> {name: round(value.item(), 4) for name, value in net.unflatten(end).items()}
    {'weight': 2.0, 'bias': 1.0}
    """

    arrays = array_api_compat.torch

    def __init__(
        self,
        module: Any,
        inputs: Any,
        targets: Any,
        output: str | ExponentialFamily | Callable[[Any], Any] = "categorical",
        *,
        scale: float | EllipsisType | None = ...,
        chunk: int | None = None,
        metric_cases: int | None = None,
        weight_decay: Any = 0.0,
        solver: LinearSolver | None = None,
        preconditioned: bool = True,
        group: Any = None,
    ) -> None:
        self._function, self._group = ModuleFunction(module), group
        self.start, self.dtype = self._function.start, self._function.dtype
        self.dimension = self.start.shape[0]
        self.inputs = placed(inputs, self.dtype, self._function.device)
        count = rows_of(self.inputs)
        settings = (chunk, metric_cases, weight_decay, solver, preconditioned)
        framework = Framework(self.arrays, torch.special, torch.func.grad)
        super().__init__(output, scale, framework, count, *settings)
        if np.ndim(weight_decay):
            self.weight_decay = self._point(weight_decay)
        require_finite(is_finite(self.inputs), "inputs")
        some = sliced(self.inputs, slice(0, _LOOKED_AT))
        shape = self._outputs_of(some)
        self.targets = self.output.targets(
            as_tensor(targets, device=self._function.device),
            torch.zeros((count, *shape), dtype=self.dtype, device=self._function.device),
        )
        self.count = int(self._everywhere(torch.tensor(count, device=self._function.device)))
        parted = self._everywhere(torch.tensor(int(self.metric_cases is not None), device=self._function.device))
        if parted and self.metric_cases is None:  # all processes sum over parts, if one does
            self.metric_cases = count
        self._way = way_of(self._function, some)
        self._memory = _Memory()
        if self.taylor:
            _LOG.info("%s is differentiated by Taylor rules", type(module).__name__)
        else:
            _LOG.info("%s is differentiated in %s mode: %s", type(module).__name__, self._way.name, self.obstacle)

    @property
    def taylor(self) -> bool:
        """See :class:`NetworkProblem`."""
        return self._way.name == "taylor"

    @property
    def obstacle(self) -> str:
        """See :class:`NetworkProblem`."""
        return self._way.obstacle

    def for_fit(self) -> Any:
        """What a fit takes in place of this problem: one of NumPy's arrays, which fits compute with."""
        return HostedNetwork(super().for_fit())

    @property
    def parameters(self) -> list[str]:
        """What the coordinates are called: by the names of the module's parameters, and their places there."""
        named = zip(self._function.names, self._function.shapes, strict=True)
        return [name + (f"[{','.join(map(str, i))}]" if i else "") for name, shape in named for i in np.ndindex(*shape)]

    def unflatten(self, theta: Any) -> dict[str, Any]:
        """The free parameters of a flat vector by name, as ``module.load_state_dict(..., strict=False)`` takes them."""
        return dict(zip(self._function.names, self._function.split(self._point(theta)), strict=True))

    def contains(self, theta: Any) -> bool:
        """Whether a point is finite."""
        return bool(torch.isfinite(as_tensor(theta)).all())

    # -- sums over cases

    def _everywhere(self, total: Any) -> Any:
        """The sum over all processes that have cases."""
        if self._group is not None:
            torch.distributed.all_reduce(total, group=self._group)
        return total

    def _pieces(self, first: int, count: int) -> Iterator[slice]:
        """So many cases from one on, a chunk at a time."""
        size = self.chunk or count
        for begin in range(first, first + count, size):
            yield slice(begin, min(begin + size, first + count))

    def _metric_pieces(self) -> list[slice]:
        return list(self._pieces(self.first_case, self.metric_cases or self._rows))

    def _metric_mean(self, total: Any) -> Any:
        """The mean over the metric's cases from the sum over those that are here."""
        here = self.metric_cases or self._rows
        count = self._everywhere(torch.tensor(here, device=total.device)) if self._group is not None else here
        return self._everywhere(total) / count

    def _linearized(self, theta: Any, rows: slice) -> Linearization:
        """The network at a point on some cases; if these are all of the metric, from memory or to be kept there."""
        if self._metric_pieces() != [rows] or not self._keeps_passes:
            return self._made(theta, rows)
        return self._memory.of(theta, rows, lambda point: self._made(point, rows))

    def _made(self, theta: Any, rows: slice, recorded: bool = True) -> Linearization:
        recorded = recorded and self._way.recordable
        return Linearization(self._function, theta, sliced(self.inputs, rows), recorded, self._way.name)

    def _mean(self, theta: Any, term: Callable[[Linearization], Any]) -> Any:
        """The mean over the metric's cases, from sums over some."""
        return self._metric_mean(sum(term(self._linearized(theta, rows)) for rows in self._metric_pieces()))

    def _loss(self, theta: Any, part: bool = False) -> float:
        total = 0.0
        pieces = self._metric_pieces() if part else list(self._pieces(0, self._rows))
        for rows in pieces:
            known = self._memory.known(theta, rows)
            with torch.no_grad():
                z = self._function(self._function.split(theta), sliced(self.inputs, rows)) if known is None else known.z
                total += _exact_sum(self.output.losses(z, self.targets[rows]))
        here = sum(rows.stop - rows.start for rows in pieces)
        if self._group is not None:
            sums = torch.tensor([total, float(here)], dtype=torch.float64, device=theta.device)
            total, here = self._everywhere(sums).tolist()
        decay = 0.5 * (self.weight_decay * theta * theta).sum()
        return total / here + float(decay)

    def _gradient(self, theta: Any) -> Any:
        assert self.count is not None
        whole = list(self._pieces(0, self._rows)) == self._metric_pieces()
        total: Any = 0.0
        for rows in self._pieces(0, self._rows):
            here = self._linearized(theta, rows) if whole else self._made(theta, rows, recorded=False)
            total = total + here.pull(self.output.slope(here.z, self.targets[rows]), keep=whole)
        return self._everywhere(total) / self.count

    def _product(self, theta: Any, v: Any) -> Any:
        direction = self._direction(v)
        return self._mean(theta, lambda here: here.pull(self.output.hessian(here.z, here.push(direction))))

    def _connection(self, theta: Any, v: Any, a: float) -> Any:
        direction = self._direction(v)

        def term(here: Linearization) -> Any:
            first, second = here.push_twice(direction)
            bent = self.output.hessian(here.z, second)
            if a != 1.0:
                bent = bent + 0.5 * (1.0 - a) * self.output.third(here.z, first, first)
            return here.pull(bent)

        return self._mean(theta, term)

    def _third_term(self, theta: Any, v: Any) -> Any:
        return self._mean(theta, lambda here: here.bent(self.output.hessian(here.z, here.push(v)), v))

    def _squares(self, theta: Any) -> Any:
        total: Any = 0.0
        for rows in self._metric_pieces():
            here = self._linearized(theta, rows)
            slope = self.output.slope(here.z, self.targets[rows])
            total = total + self._function.flat(summed_squares(here, slope, self._ruled))
        return self._metric_mean(total)

    def _diagonal(self, theta: Any) -> Any:
        coupled = isinstance(self.output, FunctionOutput) and self.targets.ndim > 2
        if coupled or len(self._ruled) < len(self._function.names):
            return None

        def term(here: Linearization) -> Any:
            squares = (summed_squares(here, h, self._ruled) for h in _single_factors(self.output, here.z))
            return sum(self._function.flat(parts) for parts in squares)

        return self._mean(theta, term)

    @property
    def _ruled(self) -> frozenset[int]:
        """The parameters whose squared gradients have rules."""
        if not self._way.recordable:
            return frozenset()
        return self._memory.ruled(lambda: ruled_parameters(self._function, self.inputs))

    # -- arrays

    def _outputs_of(self, some: Any) -> tuple[int, ...]:
        """The shape of a case's outputs, from some cases; what a network may not do is refused here."""
        with torch.no_grad():
            z = self._function(self._function.split(self.start), some)
            self._require_outputs(z, rows_of(some))
            require_cases(self._function, some, z)
        return tuple(z.shape[1:])

    def _fingerprints(self) -> list[str]:
        tensors = [*leaves_of(self.inputs), self.targets]
        return [f"{tuple(tensor.shape)} {tensor.dtype} {_checksum(tensor):08x}" for tensor in tensors]

    @staticmethod
    def _host(array: Any) -> np.ndarray:
        return np.asarray(on_host(array))

    def _point(self, theta: Any) -> Any:
        try:
            point = as_tensor(theta, dtype=self.dtype, device=self._function.device)
        except (TypeError, ValueError, RuntimeError):
            raise ShapeError(f"a point or vector must be a tensor of {self.dimension} real numbers") from None
        self._require_shape(point, "a point or vector")
        return point


_LOOKED_AT = 3
"""Cases that tell what kind of function a module is."""


class _Memory:
    """What is remembered of a network: the last linearization, and which parameters have rules."""

    def __init__(self) -> None:
        self._kept: tuple[Any, slice, Linearization] | None = None
        self._ruled: frozenset[int] | None = None

    def known(self, theta: Any, rows: slice) -> Linearization | None:
        """The linearization at a point on some cases, if it is the last one."""
        if self._kept is None or self._kept[1] != rows or not torch.equal(self._kept[0], theta):
            return None
        return self._kept[2]

    def of(self, theta: Any, rows: slice, make: Callable[[Any], Linearization]) -> Linearization:
        """The same, made and remembered in place of the last one unless that is it."""
        known = self.known(theta, rows)
        if known is None:
            self._kept = None  # before there is another one, so that memory never holds two
            theta = theta.clone()  # whoever has it may change it
            known = make(theta)
            self._kept = theta, rows, known
        return known

    def ruled(self, find: Callable[[], frozenset[int]]) -> frozenset[int]:
        """The parameters that have rules, found once."""
        if self._ruled is None:
            self._ruled = find()
        return self._ruled


def _checksum(tensor: Any) -> int:
    """A number of 32 bits that depends on every entry of a tensor and on its place, computed where the tensor is."""
    rows = tensor.detach().reshape(len(tensor), -1)
    if rows.dtype.is_floating_point:
        rows = rows.contiguous().view(torch.int16 if rows.dtype.itemsize == 2 else torch.int32)
    total = 0
    for first in range(0, len(rows), _LOOKED_THROUGH):
        bits = rows[first : first + _LOOKED_THROUGH].to(torch.int64) & 0xFFFFFFFF
        row, column = (torch.arange(size, device=bits.device) for size in bits.shape)
        bits = scrambled((scrambled(bits) + first + row[:, None] + 1) & 0xFFFFFFFF)
        total += int(scrambled((bits + column + 1) & 0xFFFFFFFF).sum())
    return total & 0xFFFFFFFF


_LOOKED_THROUGH = 1000
"""Cases that are looked through at a time."""


def _exact_sum(losses: Any) -> float:
    """A sum in double precision, on the device where that has it."""
    return float((losses.cpu() if losses.device.type == "mps" else losses).double().sum())


def _single_factors(output: NetworkOutput, z: Any) -> Iterator[Any]:
    """Covectors h with Σ h hᵀ = H in every case, each of one place where the outputs of a case have several axes."""
    places = math.prod(z.shape[1:-1])
    for h in output.factors(z):
        if places == 1:
            yield h
            continue
        rows = h.reshape(h.shape[0], places, -1)
        for k in range(places):
            alone = torch.zeros_like(rows)
            alone[:, k] = rows[:, k]
            yield alone.reshape(h.shape)
