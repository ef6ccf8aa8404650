"""Programs: what a module does with its parameters, recorded call by call, so that derivatives can follow it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from riemopt.autodiff.torch.taylor import RULES, Call, Jet, NoRuleError, mapped, out_of_place

__all__ = ["Instruction", "Program", "Recorder", "Slot"]


@dataclass(frozen=True)
class Slot:
    """The place of a tensor that depends on the parameters."""

    index: int


@dataclass(frozen=True)
class Instruction:
    """A call of one of PyTorch's functions.

    Attributes
    ----------
    func : callable
        The function.
    args, kwargs : tuple, dict
        Its arguments, with a :class:`Slot` for what depends on the parameters.
    out : tensor or tuple of tensor
        What it gave.
    slots : tuple of (int or None)
        Where that is kept; None for a result that does not depend on the parameters.
    """

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any
    slots: tuple[int | None, ...]

    @property
    def reads(self) -> list[int]:
        """The slots of its arguments."""
        found: list[int] = []
        mapped((self.args, self.kwargs), lambda leaf: found.append(leaf.index) if isinstance(leaf, Slot) else None)
        return found


_UNSEEN = "uses a tensor that comes from no function of PyTorch's own"


class Program:
    """A straight line of calls, from leaves to a result.

    Parameters
    ----------
    leaves : sequence of tensor
        What derivatives are taken by.

    Attributes
    ----------
    values : list of tensor
        All that depends on the leaves, these first, by slots.
    instructions : list of Instruction
        The calls.
    result : int or None
        The slot of the result; None while there is none, or if it does not depend on the leaves.
    obstacle : str
        Why derivatives cannot follow; empty if nothing is in the way.
    """

    def __init__(self, leaves: Sequence[Any]) -> None:
        self.values = list(leaves)
        self.instructions: list[Instruction] = []
        self.result: int | None = None
        self.obstacle = ""

    def push(self, directions: Sequence[Any], order: int) -> tuple[Any, Any]:
        """The first and second derivative of the result along a line through the leaves; None stands for 0.

        Parameters
        ----------
        directions : sequence of tensor
            The direction of the line, a tensor a leaf.
        order : {1, 2}
            The highest derivative that is wanted.

        Raises
        ------
        NoRuleError
            If a function, or the way it was called, has no rule.
        """
        if self.obstacle:
            raise NoRuleError(self.obstacle)
        if self.result is None:
            return None, None
        jets = dict(enumerate(Jet(*both) for both in zip(self.values, directions, strict=False)))
        for instruction, last in zip(self.instructions, self._last_reads(), strict=True):
            call = Call(instruction.func, instruction.out, order)

            def jet_of(leaf: Any) -> Any:
                return jets[leaf.index] if isinstance(leaf, Slot) else leaf

            rule = RULES[instruction.func]
            first, second = rule(call, *mapped(instruction.args, jet_of), **mapped(instruction.kwargs, jet_of))
            several = not isinstance(instruction.out, torch.Tensor)
            for k, slot in enumerate(instruction.slots):
                if slot is not None:
                    parts = ((term[k] if several and term is not None else term) for term in (first, second))
                    jets[slot] = Jet(self.values[slot], *parts)
            for slot in last:  # what nothing will read again need not stay in memory
                jets.pop(slot, None)
        end = jets[self.result]
        return end.first, end.second

    def _last_reads(self) -> list[list[int]]:
        """For each instruction the slots that it is the last to read."""
        seen = {self.result}
        found: list[list[int]] = []
        for instruction in reversed(self.instructions):
            fresh = [slot for slot in dict.fromkeys(instruction.reads) if slot not in seen]
            seen.update(fresh)
            found.append(fresh)
        return found[::-1]


class Recorder(TorchFunctionMode):  # type: ignore[misc]
    """Writes down, while it is entered, what is done with leaves that require a gradient.

    What depends on the leaves is what requires a gradient. A function that works in place is called in its other form,
    and whoever uses the tensor that it would have overwritten is given the new one.

    Parameters
    ----------
    leaves : sequence of tensor
        What derivatives are taken by.

    Attributes
    ----------
    program : Program
        What has been recorded.
    """

    def __init__(self, leaves: Sequence[Any]) -> None:
        super().__init__()
        self.program = Program(leaves)
        self._slots = {id(leaf): k for k, leaf in enumerate(leaves)}
        self._overwritten: dict[int, tuple[Any, Any]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        args, kwargs = self.current(args), self.current(kwargs or {})
        given: list[Any] = []
        mapped((args, kwargs), lambda leaf: given.append(leaf) if isinstance(leaf, torch.Tensor) else None)
        known = [id(tensor) in self._slots for tensor in given]
        if any(tensor.requires_grad and not slot for tensor, slot in zip(given, known, strict=True)):
            self._stop(func, _UNSEEN)
        if not any(known):
            return func(*args, **kwargs)
        func, kwargs, replaced = out_of_place(func, args, kwargs)
        versions = [tensor._version for tensor in given]
        out = func(*args, **kwargs)
        if versions != [tensor._version for tensor in given]:
            self._stop(func, "works in place")
        if replaced is not None:
            self._overwritten[id(replaced)] = replaced, out
        self._record(func, args, kwargs, out)
        return out

    def current(self, value: Any) -> Any:
        """Arguments or a result, with those that have been overwritten replaced."""
        if not self._overwritten:
            return value

        def newest(leaf: Any) -> Any:
            while id(leaf) in self._overwritten:
                leaf = self._overwritten[id(leaf)][1]
            return leaf

        return mapped(value, newest)

    def finish(self, result: Any) -> Any:
        """Note the result, and give what it is now."""
        result = self.current(result)
        self.program.result = self._slots.get(id(result))
        if self.program.result is None and getattr(result, "requires_grad", False):
            self.program.obstacle = self.program.obstacle or f"the module {_UNSEEN}"
        return result

    def _record(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        outs = (out,) if isinstance(out, torch.Tensor) else out if isinstance(out, (tuple, list)) else ()
        fresh = [self._is_new(one) for one in outs]
        places = itertools.count(len(self.program.values))
        slots = tuple(next(places) if new else None for new in fresh)
        if all(slot is None for slot in slots):
            return
        if func not in RULES:
            self._stop(func, "has no rule")

        def placed(leaf: Any) -> Any:
            return Slot(self._slots[id(leaf)]) if id(leaf) in self._slots else leaf

        self.program.instructions.append(Instruction(func, mapped(args, placed), mapped(kwargs, placed), out, slots))
        for one, slot in zip(outs, slots, strict=True):
            if slot is not None:
                self._slots[id(one)] = slot
                self.program.values.append(one)

    def _is_new(self, tensor: Any) -> bool:
        """Whether this is a tensor that depends on the leaves and has no slot yet."""
        return isinstance(tensor, torch.Tensor) and tensor.requires_grad and id(tensor) not in self._slots

    def _stop(self, func: Any, why: str) -> None:
        self.program.obstacle = self.program.obstacle or f"{getattr(func, '__name__', func)} {why}"
