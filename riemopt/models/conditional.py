"""ConditionalModel: p(t | x; θ), an exponential family in t whose natural parameters are expressions in x and θ."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import DataError, ModelError, ShapeError
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.models.outputs import ExponentialFamily, as_table, output_of

__all__ = ["ConditionalModel", "ExponentialFamily"]


class ConditionalModel:
    """A model p(t | x; θ) of targets given inputs, such as a regression or a small network.

    Parameters
    ----------
    outputs : sequence of sympy.Expr
        z(x; θ), the natural parameters of the targets' distribution before any link: logits for ``"bernoulli"`` and
        ``"categorical"``, the logarithm of the mean for ``"poisson"``, the mean for ``"gaussian"``.
    output : str or ExponentialFamily
        ``"gaussian"``, ``"bernoulli"``, ``"categorical"``, ``"poisson"``, or an :class:`~riemopt.ExponentialFamily`.
    inputs : sequence of sympy.Symbol
        x; may be empty.
    parameters : sequence of sympy.Symbol
        θ, in coordinate order; their assumptions give the domain.
    scale : float, optional
        The standard deviation of a gaussian output. None: it is unknown and profiled out.
    name : str, optional
        What to call the model.
    domain : iterable of relation, optional
        Further conditions on the parameters.

    Raises
    ------
    ModelError
        If a symbol is neither an input nor a parameter, or a parameter occurs in no output.

    Examples
    --------
    >>> import sympy as sp
    >>> import riemopt as ro
    >>> u, w0, w1 = sp.symbols("u w0 w1", real=True)
    >>> logistic = ro.ConditionalModel(outputs=[w0 + w1 * u], output="bernoulli", inputs=(u,), parameters=(w0, w1))
    >>> logistic
    bernoulli(w0, w1 | u)
    >>> problem = ro.Manifold(logistic, backend="numpy").likelihood([0, 0, 1, 1], inputs=[-1.0, 0.5, 0.0, 2.0])
    >>> float(problem.loss([0.0, 0.0]).round(6))
    0.693147
    """

    def __init__(
        self,
        outputs: Sequence[sp.Expr],
        output: str | ExponentialFamily,
        inputs: Sequence[sp.Symbol],
        parameters: Sequence[sp.Symbol],
        scale: float | None = None,
        name: str = "",
        domain: Iterable[sp.Basic] = (),
    ) -> None:
        given = (outputs,) if isinstance(outputs, sp.Basic) else tuple(outputs)
        self.inputs = (inputs,) if isinstance(inputs, sp.Symbol) else tuple(inputs)
        self.parameters = (parameters,) if isinstance(parameters, sp.Symbol) else tuple(parameters)
        self.output = output_of(output, len(given), scale)
        self.name = name or self.output.name
        try:
            # strict: a text would be evaluated
            self.outputs = tuple(sp.sympify(z, strict=True) for z in given)
        except sp.SympifyError:
            raise ModelError(f"{self.name}: an output is not a SymPy expression") from None
        self._validate()
        self.domain = Domain.of(self.parameters, (domain,) if isinstance(domain, sp.Basic) else domain)
        self.chart = Chart.identity(self.parameters, self.domain)
        self.original: ConditionalModel = self

    def reparametrize(
        self, substitution: Mapping[sp.Symbol, Any], parameters: Sequence[sp.Symbol], name: str = ""
    ) -> ConditionalModel:
        """The same model in another chart; see :meth:`riemopt.StatisticalModel.reparametrize`."""
        new = (parameters,) if isinstance(parameters, sp.Symbol) else tuple(parameters)
        step = Chart.of(self.domain, {**{p: p for p in self.parameters}, **substitution}, new)
        exchange = dict(zip(self.parameters, step.expressions, strict=True))
        moved = copy.copy(self)
        moved.name = name or self.name
        moved.outputs = tuple(z.subs(exchange, simultaneous=True) for z in self.outputs)
        moved.parameters, moved.domain, moved.chart = new, step.domain, self.chart.then(step)
        moved._validate()
        return moved

    def _validate(self) -> None:
        """Raise for symbols that do not fit one another."""
        if not self.outputs or not self.parameters:
            raise ModelError(f"{self.name}: there is no {'parameter' if self.outputs else 'output'}")
        names = [s.name for s in (*self.inputs, *self.parameters)]
        twice = [n for n in names if names.count(n) > 1]
        if twice:
            raise ModelError(f"{self.name}: {twice[0]} is named twice among inputs and parameters")
        free = set().union(*(z.free_symbols for z in self.outputs))
        foreign = sorted(map(str, free - {*self.inputs, *self.parameters}))
        if foreign:
            raise ModelError(f"{self.name}: {foreign[0]} occurs in the outputs but is neither an input nor a parameter")
        missing = [str(s) for s in self.parameters if s not in free]
        if missing:
            raise ModelError(f"{self.name}: the parameter {missing[0]} does not occur in the outputs")

    @property
    def dimension(self) -> int:
        """The number of parameters."""
        return len(self.parameters)

    def __repr__(self) -> str:
        given = f" | {', '.join(map(str, self.inputs))}" if self.inputs else ""
        return f"{self.name}({', '.join(map(str, self.parameters))}{given})"

    def columns(self, inputs: Any) -> np.ndarray:
        """Inputs as rows of a table, shape (d, N).

        Parameters
        ----------
        inputs : array_like, shape (N,) for one input, or (N, d)

        Raises
        ------
        ShapeError, DataError
            If they are not that, or one is not finite.
        """
        array = as_table(inputs, "inputs")
        width = len(self.inputs)
        if array.ndim == 1 and width == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != width:
            shape = "(N,)" if width == 1 else f"(N, {width})"
            raise ShapeError(f"inputs has shape {np.shape(inputs)}, but must have shape {shape}")
        if not len(array):
            raise DataError("there are no inputs")
        wrong = ~np.isfinite(array)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataError(f"input {row}: {self.inputs[column]} = {array[row, column]} is not finite")
        return np.ascontiguousarray(array.T)
