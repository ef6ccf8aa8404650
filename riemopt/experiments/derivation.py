"""The geometry of a model to read: each tensor derived, and written as text or LaTeX."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from riemopt.geometry.symbolic import SymbolicGeometry
from riemopt.models import StatisticalModel

__all__ = ["Equation", "in_latex", "in_text", "parts"]

Part = tuple[str, Callable[[], Iterable["Equation"]]]

_LATEX = {"log p": r"\log p", "Gamma": r"\Gamma", "Ric": r"\mathrm{Ric}"}
_BLANK = "\ue000"  # a character that no formula has


@dataclass(frozen=True)
class Equation:
    """An expression, and the name of what it is.

    Attributes
    ----------
    value : sympy.Expr, sympy.Matrix or sympy.Eq
        The expression; an equation stands for itself.
    letter : str
        The letter of a tensor, or empty for an equation.
    upper, lower : tuple of sympy.Symbol
        Its indices, as the coordinates they stand for.
    argument : str
        What follows the name.
    """

    value: sp.Basic
    letter: str = ""
    upper: tuple[sp.Symbol, ...] = ()
    lower: tuple[sp.Symbol, ...] = ()
    argument: str = ""

    def in_text(self, unicode: bool) -> str:
        """The equation on as many lines of text as it takes."""
        value = _as_in_books(self.value) if unicode else self.value
        name = self._text_name(unicode)
        if name:
            # SymPy would take the indices in the name apart
            value = sp.Eq(sp.Symbol(_BLANK * len(name)), value, evaluate=False)
        shown: str = sp.pretty(value, use_unicode=unicode, wrap_line=False)
        return "\n".join(line.rstrip() for line in shown.replace(_BLANK * len(name), name, 1).splitlines())

    def in_latex(self) -> str:
        """The equation, aligned at its equals sign."""
        value = _as_in_books(self.value)
        if not self.letter:
            return f"{sp.latex(value.lhs)} &= {sp.latex(value.rhs)}"
        upper, lower = (" ".join(map(sp.latex, indices)) for indices in (self.upper, self.lower))
        indices = (f"^{{{upper}}}" if upper else "") + (f"_{{{lower}}}" if lower else "")
        return f"{_LATEX.get(self.letter, self.letter)}{indices}{self.argument} &= {sp.latex(value)}"

    def _text_name(self, unicode: bool) -> str:
        letter = "Γ" if unicode and self.letter == "Gamma" else self.letter
        upper, lower = (_indices(indices, unicode) for indices in (self.upper, self.lower))
        return letter + (upper and f"^{upper}") + (lower and f"_{lower}") + self.argument


def parts(model: StatisticalModel) -> list[Part]:
    """The parts of a model's geometry, from its log-density to its geodesics.

    Parameters
    ----------
    model : StatisticalModel

    Returns
    -------
    list of (str, callable)
        A title for each part, and a function that derives its equations.

    Examples
    --------
    >>> import riemopt as ro
    >>> title, derive = parts(ro.models.Normal())[1]
    >>> print(in_text(title, derive()))
    Fisher metric
    =============
    <BLANKLINE>
        ⎡1     ⎤
        ⎢──  0 ⎥
        ⎢ 2    ⎥
        ⎢σ     ⎥
    g = ⎢      ⎥
        ⎢    2 ⎥
        ⎢0   ──⎥
        ⎢     2⎥
        ⎣    σ ⎦
    """
    geometry, theta = SymbolicGeometry(model), model.parameters
    observation = f"({', '.join(map(str, model.observation))})"
    everything = [
        (f"{model}", lambda: [Equation(model.log_density, "log p", argument=observation)]),
        ("Fisher metric", lambda: [Equation(geometry.metric, "g")]),
        ("Levi-Civita connection, first kind", lambda: _first_kind(geometry.christoffel_first, theta)),
        ("Levi-Civita connection, second kind", lambda: _second_kind(geometry.christoffel, theta)),
        ("Lowered connection product of a velocity", lambda: _products(geometry, theta)),
        (
            "Ricci and scalar curvature",
            lambda: [Equation(geometry.ricci, "Ric"), Equation(geometry.scalar_curvature, "R")],
        ),
        ("Geodesic equations", lambda: [Equation(_dotted(equation)) for equation in geometry.geodesic_equations]),
    ]
    # with integrals that nobody has taken, the rest is not for reading
    return everything[:2] if geometry.metric.has(sp.Integral, sp.Sum) else everything


def in_text(title: str, equations: Iterable[Equation], unicode: bool = True) -> str:
    """A part to read in a terminal.

    Parameters
    ----------
    title : str
    equations : iterable of Equation
    unicode : bool, optional
        Whether the terminal can show more than ASCII.
    """
    texts = [equation.in_text(unicode) for equation in equations]
    return "\n\n".join([f"{title}\n{'=' * len(title)}", *(texts or ["All components vanish."])])


def in_latex(title: str, equations: Iterable[Equation]) -> str:
    """A part as LaTeX with the ``amsmath`` package.

    Parameters
    ----------
    title : str
    equations : iterable of Equation
    """
    rows = [equation.in_latex() for equation in equations] or [r"\Gamma &= 0"]
    body = " \\\\\n".join(f"  {row}" for row in rows)
    return f"% {title}\n\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _first_kind(symbols: sp.NDimArray, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    for (nu, a, b), value in _components(symbols):
        yield Equation(value, "Gamma", lower=(theta[nu], theta[a], theta[b]))


def _second_kind(symbols: sp.NDimArray, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    for (mu, a, b), value in _components(symbols):
        yield Equation(value, "Gamma", upper=(theta[mu],), lower=(theta[a], theta[b]))


def _components(symbols: sp.NDimArray) -> Iterator[tuple[tuple[int, int, int], sp.Expr]]:
    """The components that do not vanish, of two equal by symmetry the first."""
    n = symbols.shape[0]
    for i, j, k in itertools.product(range(n), repeat=3):
        if j <= k and symbols[i, j, k] != 0:
            yield (i, j, k), symbols[i, j, k]


def _products(geometry: SymbolicGeometry, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    velocity = {v: _dot(symbol.name, 1) for v, symbol in zip(geometry.velocity, theta, strict=True)}
    for symbol, product in zip(theta, geometry.connection_product, strict=True):
        yield Equation(product.xreplace(velocity), "Gamma", lower=(symbol,), argument="(v)")


def _dotted(equation: sp.Eq) -> sp.Eq:
    """A differential equation with dots for derivatives by time."""
    dotted = {curve: sp.Symbol(curve.func.__name__) for curve in equation.atoms(AppliedUndef)}
    for derivative in equation.atoms(sp.Derivative):
        dotted[derivative] = _dot(derivative.expr.func.__name__, derivative.derivative_count)
    return equation.xreplace(dotted)


def _dot(name: str, order: int) -> sp.Symbol:
    """A symbol that SymPy writes with one or two dots over its letter."""
    letter, underscore, index = name.partition("_")
    return sp.Symbol(f"{letter}{'d' * (order - 1)}dot{underscore}{index}")


def _as_in_books(value: sp.Basic) -> sp.Basic:
    """The same with ψ₁ for ``polygamma(1, ...)`` and log Γ for ``loggamma``."""
    value = value.replace(sp.polygamma, lambda order, x: sp.Function(f"psi_{order}")(x))
    return value.replace(sp.loggamma, lambda x: sp.log(sp.gamma(x)))


def _indices(symbols: Sequence[sp.Symbol], unicode: bool) -> str:
    names = [sp.pretty(symbol, use_unicode=unicode) for symbol in symbols]
    return ("," if any(len(name) > 1 for name in names) else "").join(names)
