"""A module at a point and on some cases: its outputs, directions pushed forward through it, covectors pulled back."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

import torch

from riemopt.autodiff.torch.module import Data, ModuleFunction, close, drawn_like
from riemopt.autodiff.torch.program import Program, Recorder
from riemopt.autodiff.torch.taylor import NoRuleError

__all__ = ["Linearization", "Way", "way_of"]


class Linearization:
    """z(θ) of some cases with its derivatives J = ∂z/∂θ and ∂²z, from one forward pass that is kept.

    Parameters
    ----------
    function : ModuleFunction
        The module.
    theta : tensor, shape (n,)
        The point.
    data : tensor, tuple or dict
        The cases.
    recorded : bool, optional
        Whether to record the calls, for pushing forward and for squared gradients.
    way : {"taylor", "forward", "reverse"}, optional
        How to push forward: by the Taylor rules of the recorded calls, by ``torch.func.jvp``, or by differentiating
        Jᵀ u, which is linear in u, by u.

    Attributes
    ----------
    data : tensor, tuple or dict
        The cases.
    z : tensor, shape (N, ...)
        The outputs.
    leaves : list of tensor
        The parameters.
    program : Program or None
        What was recorded.
    """

    def __init__(
        self, function: ModuleFunction, theta: Any, data: Data, recorded: bool = True, way: str = "taylor"
    ) -> None:
        self._function, self.data, self._way = function, data, way
        self.leaves = [piece.detach().requires_grad_() for piece in function.split(theta)]
        self.program: Program | None = None
        with torch.enable_grad():
            if recorded:
                with Recorder(self.leaves) as recorder:
                    z = function(self.leaves, data)
                self._graph, self.program = recorder.finish(z), recorder.program
            else:
                self._graph = function(self.leaves, data)

    @property
    def z(self) -> Any:
        """See :class:`Linearization`."""
        return self._graph.detach()

    def pull(self, covector: Any, keep: bool = True) -> Any:
        """Jᵀ u of a covector of the shape of z; without `keep` for the last time."""
        return self._function.flat(self.gradients(covector, self.leaves, keep))

    def gradients(self, covector: Any, tensors: list[Any], keep: bool = True) -> list[Any]:
        """The derivatives of u·z by some tensors on the way from the parameters; None for 0."""
        if not (tensors and self._graph.requires_grad):
            return [None] * len(tensors)
        found = torch.autograd.grad(self._graph, tensors, covector, retain_graph=keep, allow_unused=True)
        return list(found)

    def push(self, v: Any) -> Any:
        """Dz = J v."""
        if self._way == "taylor":
            return self._followed(v, 1)[0]
        if self._way == "forward":
            _, first = torch.func.jvp(self._outputs, self._arguments, self._tangents(v))
            return first.detach()
        u, pulled = self._dual
        return self._filled(_derivative(_contraction(pulled, self._tangents(v)), [u], keep=True)[0])

    def push_twice(self, v: Any) -> tuple[Any, Any]:
        """Dz and D²z along v."""
        if self._way == "taylor":
            return self._followed(v, 2)
        tangents = self._tangents(v)
        if self._way == "forward":

            def along(*parameters: Any) -> Any:
                return torch.func.jvp(self._outputs, parameters, tangents)

            (_, first), (_, second) = torch.func.jvp(along, self._arguments, tangents)
            return first.detach(), second.detach()
        u, pulled = self._dual
        slope = _contraction(pulled, tangents)  # u·Dz
        bent = _derivative(slope, self.leaves, keep=True, create=True)
        curvature = _contraction(bent, tangents)  # u·D²z
        return tuple(self._filled(_derivative(term, [u], keep=True)[0]) for term in (slope, curvature))  # type: ignore[return-value]

    def _followed(self, v: Any, order: int) -> tuple[Any, Any]:
        """Dz and D²z by the Taylor rules of the calls."""
        with torch.no_grad():
            first, second = self._program.push(self._function.split(v), order)
            return self._filled(first), self._filled(second)

    @cached_property
    def _dual(self) -> tuple[Any, list[Any]]:
        """A covector u and Jᵀ u, which is linear in it."""
        u = torch.zeros_like(self.z).requires_grad_()
        return u, self._pulled(u)

    def _pulled(self, u: Any) -> list[Any]:
        if not self._graph.requires_grad:
            return [None] * len(self.leaves)
        with torch.enable_grad():
            return list(torch.autograd.grad(self._graph, self.leaves, u, create_graph=True, allow_unused=True))

    def bent(self, covector: Any, v: Any) -> Any:
        """(D_v J)ᵀ u: the derivative of Jᵀ u along v, with the covector u of the outputs fixed."""
        if self._way == "taylor":
            with torch.enable_grad():
                first = self._program.push(self._function.split(v), 1)[0]
                return self._function.flat(_derivative(_contraction([first], (covector,)), self.leaves, keep=True))
        # ∂²(u·z) is symmetric, so that its product with v is a gradient, that of v·Jᵀu
        slope = _contraction(self._pulled(covector), self._tangents(v))
        return self._function.flat(_derivative(slope, self.leaves, keep=True))

    @property
    def _program(self) -> Program:
        assert self.program is not None
        return self.program

    @property
    def _arguments(self) -> tuple[Any, ...]:
        return tuple(leaf.detach() for leaf in self.leaves)

    def _tangents(self, v: Any) -> tuple[Any, ...]:
        return tuple(self._function.split(v))

    def _outputs(self, *parameters: Any) -> Any:
        return self._function(parameters, self.data)

    def _filled(self, derivative: Any) -> Any:
        return torch.zeros_like(self.z) if derivative is None else derivative


def _contraction(covectors: list[Any], vectors: tuple[Any, ...]) -> Any:
    """The number c·v with what it depends on; None if that is nothing."""
    with torch.enable_grad():
        pairs = zip(covectors, vectors, strict=True)
        terms = [(c * w).sum() for c, w in pairs if c is not None and c.requires_grad]
        return torch.stack(terms).sum() if terms else None


def _derivative(number: Any, tensors: list[Any], keep: bool, create: bool = False) -> list[Any]:
    """The gradient of a number by some tensors; None for 0."""
    if number is None:
        return [None] * len(tensors)
    with torch.enable_grad():
        return list(torch.autograd.grad(number, tensors, retain_graph=keep, create_graph=create, allow_unused=True))


class Way(NamedTuple):
    """How a module is pushed through.

    Attributes
    ----------
    name : {"taylor", "forward", "reverse"}
        See :class:`Linearization`.
    obstacle : str
        Why not by Taylor rules; empty if it is.
    recordable : bool
        Whether its calls can be recorded at all.
    """

    name: str
    obstacle: str
    recordable: bool


def way_of(function: ModuleFunction, data: Data) -> Way:
    """The quickest way that gives the second derivatives of a module's outputs in some cases.

    Right is what two ways agree in: PyTorch drops terms of normalizations in forward mode within forward mode and of
    others where it differentiates in reverse twice, and recorded calls do not show all that tensors may share. Where no
    two agree, differences of outputs decide.
    """
    v = drawn_like(function.start, torch.Generator().manual_seed(0))
    relative = 100.0 * float(torch.finfo(function.dtype).eps) ** 0.5
    found: dict[str, tuple[Any, Any]] = {}
    here, obstacle = _recorded(function, data, relative)
    recordable = here is not None
    if here is not None:
        try:
            found["taylor"] = here.push_twice(v)
        except NoRuleError as error:
            obstacle = str(error)
    for name in ("reverse", "forward"):
        with suppress(RuntimeError):  # functions without such derivatives
            found[name] = Linearization(function, function.start, data, False, name).push_twice(v)
        for quick in _WAYS:
            if any(_agree(found, quick, other, relative) for other in _WAYS):
                return Way(quick, "" if quick == "taylor" else obstacle or _WRONG, recordable)
    best = next((name for name in ("taylor", "reverse", "forward") if name in found), "reverse")
    if len(found) > 1:
        expected = _second_difference(function, data, v, found[best][0])
        best = max(
            found, key=lambda name: float((found[name][1] - expected).abs().lt(0.01 * expected.abs().max()).sum())
        )
    return Way(best, "" if best == "taylor" else obstacle or _WRONG, recordable)


_WAYS = ("taylor", "forward", "reverse")
"""The quickest first."""

_WRONG = "its Taylor rules give other derivatives"


def _recorded(function: ModuleFunction, data: Data, relative: float) -> tuple[Linearization | None, str]:
    """A module with its calls recorded, or why that is not to be had."""
    try:
        here = Linearization(function, function.start, data)
    except Exception as error:  # whatever a module does about being watched, it has run by itself
        return None, f"{type(error).__name__} while its calls were recorded: {error}"
    plain = Linearization(function, function.start, data, recorded=False)
    return (here, "") if close(here.z, plain.z, relative) else (None, "it overwrites tensors that it goes on using")


def _agree(found: dict[str, Any], one: str, other: str, relative: float) -> bool:
    """Whether two ways that have been tried give the same derivatives."""
    if one == other or one not in found or other not in found:
        return False
    return all(close(*both, relative) for both in zip(found[one], found[other], strict=True))


def _second_difference(function: ModuleFunction, data: Data, v: Any, first: Any) -> Any:
    """The second derivative of outputs along v by their difference, in double precision where the module takes that."""
    step = 1e-3 / max(1.0, float(first.abs().max()))
    theta = function.start.double()
    with torch.no_grad(), suppress(RuntimeError):
        before, here, after = (function.in_double(theta + k * step * v.double(), data) for k in (-1.0, 0.0, 1.0))
        return (after - 2.0 * here + before) / step**2
    return torch.zeros_like(first)
