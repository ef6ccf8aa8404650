"""The geometry of a model on paper: which equations there are for each tensor."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sympy as sp
from sympy.core.function import AppliedUndef

from riemopt.geometry.equation import Equation, latex_name, with_denominators_named
from riemopt.models.density import Density

__all__ = ["Equation", "Part", "Tensors", "in_latex", "in_text", "parts", "summary"]

_WIDE = 45
"""Operations in a row of a matrix from which on its entries are written one by one."""


class Tensors(Protocol):
    """What is written of a geometry; :class:`riemopt.geometry.symbolic.SymbolicGeometry` has it all."""

    @property
    def model(self) -> Density:
        """The model."""
        ...

    @property
    def metric(self) -> sp.ImmutableMatrix:
        """The Fisher metric."""
        ...

    @property
    def volume_element(self) -> sp.Expr:
        """√det g."""
        ...

    @property
    def christoffel_first(self) -> sp.ImmutableDenseNDimArray:
        """Γ_ναβ."""
        ...

    @property
    def christoffel(self) -> sp.ImmutableDenseNDimArray:
        """Γ^μ_αβ."""
        ...

    @property
    def connection_product(self) -> tuple[sp.Expr, ...]:
        """Γ_ν(v)."""
        ...

    @property
    def velocity(self) -> tuple[sp.Symbol, ...]:
        """The components of v."""
        ...

    @property
    def amari_chentsov(self) -> sp.ImmutableDenseNDimArray:
        """T_μνκ."""
        ...

    def alpha_connection(self, a: Any) -> sp.ImmutableDenseNDimArray:
        """Γ^(a)_ναβ."""
        ...

    @property
    def riemann_lowered(self) -> sp.ImmutableDenseNDimArray:
        """R_ρσμν."""
        ...

    @property
    def ricci(self) -> sp.ImmutableMatrix:
        """R_σν."""
        ...

    @property
    def scalar_curvature(self) -> sp.Expr:
        """g^σν R_σν."""
        ...

    @property
    def constant_curvature(self) -> sp.Expr | None:
        """The sectional curvature, if it is the same everywhere."""
        ...

    def sectional_curvature(self) -> sp.Expr:
        """The sectional curvature in two dimensions."""
        ...

    @property
    def geodesic_equations(self) -> tuple[sp.Eq, ...]:
        """The geodesic equations."""
        ...


@dataclass(frozen=True)
class Part:
    """A part of a geometry.

    Attributes
    ----------
    title : str
        What it is called.
    derive : callable
        Gives its equations.
    letter : str
        What is zero if there is none.
    """

    title: str
    derive: Callable[[], Iterable[Equation]]
    letter: str = ""

    def equations(self) -> list[Equation]:
        """The equations; a denominator that comes again in them has a name, and an equation of its own before them."""
        return with_denominators_named(list(self.derive()))


def parts(geometry: Tensors) -> list[Part]:
    """The parts of a model's geometry, from its log-density to its geodesics.

    Where expectations are unevaluated integrals, these are the score and the metric.

    Parameters
    ----------
    geometry : SymbolicGeometry

    Examples
    --------
    >>> import riemopt as ro
    >>> metric = parts(ro.Manifold(ro.models.Normal()).symbolic)[1]
    >>> print(in_text(metric))
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
    model, theta = geometry.model, geometry.model.parameters
    first = Part(f"{model}", lambda: [_log_density(geometry)])
    if _has_integrals(geometry.metric):
        return [
            first,
            Part("Score", lambda: _score(geometry)),
            Part("Fisher metric, the mean of products of the score", lambda: _entries(geometry.metric, "g", theta)),
        ]
    letter = _letter(theta)
    everything = [
        first,
        Part("Fisher metric", lambda: _matrix(geometry.metric, "g", theta)),
        Part("Volume element (Jeffreys prior)", lambda: [Equation(geometry.volume_element, "sqrt(det g)")]),
        Part("Levi-Civita connection, first kind", lambda: _first_kind(geometry.christoffel_first, theta), "Gamma"),
        Part("Levi-Civita connection, second kind", lambda: _second_kind(geometry.christoffel, theta), "Gamma"),
        Part("Lowered connection product of a velocity", lambda: _products(geometry)),
        Part("Amari–Chentsov tensor", lambda: _symmetric(geometry.amari_chentsov, theta), "T"),
    ]
    title = f"{letter}-connections, first kind"
    return [
        *everything,
        Part(title, lambda: _first_kind(_alpha_connection(geometry, letter), theta, str(letter)), "Gamma"),
        Part("Riemann tensor, independent components", lambda: _riemann(geometry.riemann_lowered, theta), "R"),
        Part("Ricci tensor", lambda: _matrix(geometry.ricci, "Ric", theta), "Ric"),
        Part("Scalar curvature" if len(theta) != 2 else "Scalar and Gaussian curvature", lambda: _scalars(geometry)),
        Part(
            "Geodesic equations", lambda: [Equation(_with_dots(equation)) for equation in geometry.geodesic_equations]
        ),
    ]


def in_text(part: Part, unicode: bool = True) -> str:
    """A part to read in a terminal, which can show more than ASCII if `unicode` is true."""
    title = part.title if unicode else part.title.replace("–", "-")
    texts = [equation.in_text(unicode) for equation in part.equations()]
    return "\n\n".join([f"{title}\n{'=' * len(title)}", *(texts or ["All components vanish."])])


def in_latex(part: Part) -> str:
    """A part as LaTeX with the ``amsmath`` package."""
    letter = latex_name(part.letter)
    return f"% {part.title}\n\\begin{{align*}}\n{_rows(part.equations()) or f'  {letter} &= 0'}\n\\end{{align*}}"


def summary(geometry: Tensors, *titles: str) -> str:
    """Parts whose titles begin with one of some words as a single block of LaTeX, for a notebook."""
    wanted = [equation for part in parts(geometry) if part.title.startswith(titles) for equation in part.derive()]
    return f"$$\\begin{{aligned}}\n{_rows(with_denominators_named(wanted))}\n\\end{{aligned}}$$"


def _rows(equations: Iterable[Equation]) -> str:
    """Equations as rows of an aligned block of LaTeX."""
    return " \\\\\n".join(f"  {equation.in_latex()}" for equation in equations)


# -- the equations of each part


def _log_density(geometry: Tensors) -> Equation:
    model = geometry.model
    return Equation(model.log_density, "log p", argument=model.observation)


def _score(geometry: Tensors) -> Iterator[Equation]:
    for p in geometry.model.parameters:
        slope = sp.factor_terms(geometry.model.log_density.diff(p))
        yield Equation(slope, "d log p", lower=(p,), argument=" log p")


def _matrix(matrix: sp.Matrix, letter: str, theta: Sequence[sp.Symbol]) -> Iterable[Equation]:
    """A matrix as it stands, or its entries if they are long."""
    rows = [sum(sp.count_ops(x) for x in matrix.row(i)) for i in range(matrix.rows)]
    return [Equation(matrix, letter)] if max(rows) <= _WIDE else _entries(matrix, letter, theta)


def _entries(matrix: sp.Matrix, letter: str, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    """The entries of a symmetric matrix that do not vanish."""
    for i, j in itertools.combinations_with_replacement(range(len(theta)), 2):
        if matrix[i, j] != 0:
            yield Equation(matrix[i, j], letter, lower=(theta[i], theta[j]))


def _first_kind(symbols: sp.NDimArray, theta: Sequence[sp.Symbol], mark: str = "") -> Iterator[Equation]:
    for (nu, a, b), value in _components(symbols):
        yield Equation(value, "Gamma", lower=(theta[nu], theta[a], theta[b]), mark=mark)


def _second_kind(symbols: sp.NDimArray, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    for (mu, a, b), value in _components(symbols):
        yield Equation(value, "Gamma", upper=(theta[mu],), lower=(theta[a], theta[b]))


def _alpha_connection(geometry: Tensors, a: sp.Symbol) -> sp.NDimArray:
    """The α-connections; with letters for the Amari–Chentsov tensor if that is made of integrals."""
    if not _has_integrals(geometry.amari_chentsov):
        return geometry.alpha_connection(a)
    n, names = len(geometry.model.parameters), [p.name for p in geometry.model.parameters]
    letters = [sp.Symbol("T_" + "".join(sorted(x))) for x in itertools.product(names, repeat=3)]
    return geometry.christoffel_first - sp.ImmutableDenseNDimArray(letters, (n, n, n)) * a / 2


def _components(symbols: sp.NDimArray) -> Iterator[tuple[tuple[int, int, int], sp.Expr]]:
    """The components that do not vanish, of two equal by symmetry the first."""
    n = symbols.shape[0]
    for i, j, k in itertools.product(range(n), repeat=3):
        if j <= k and symbols[i, j, k] != 0:
            yield (i, j, k), symbols[i, j, k]


def _symmetric(tensor: sp.NDimArray, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    for index in itertools.combinations_with_replacement(range(len(theta)), 3):
        if tensor[index] != 0:
            yield Equation(tensor[index], "T", lower=tuple(theta[i] for i in index))


def _riemann(tensor: sp.NDimArray, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    """The components that do not vanish, of those related by symmetries or by the Bianchi identity the first ones."""
    pairs = list(itertools.combinations(range(len(theta)), 2))
    for (r, s), (m, v) in itertools.combinations_with_replacement(pairs, 2):
        implied = len({r, s, m, v}) == 4 and v < s
        if tensor[r, s, m, v] != 0 and not implied:
            yield Equation(tensor[r, s, m, v], "R", lower=(theta[r], theta[s], theta[m], theta[v]))


def _scalars(geometry: Tensors) -> Iterator[Equation]:
    """The scalar curvature, and the sectional one where it is a single function."""
    yield Equation(geometry.scalar_curvature, "R")
    constant = geometry.constant_curvature
    if constant is not None:
        yield Equation(constant, "K", remark="the sectional curvature, the same everywhere")
    elif len(geometry.model.parameters) == 2:
        yield Equation(geometry.sectional_curvature(), "K")


def _products(geometry: Tensors) -> Iterator[Equation]:
    """The components of Γ_ν(v), with dots for v."""
    theta = geometry.model.parameters
    velocity = {v: _dot(symbol.name, 1) for v, symbol in zip(geometry.velocity, theta, strict=True)}
    for symbol, product in zip(theta, geometry.connection_product, strict=True):
        yield Equation(product.xreplace(velocity), "Gamma", lower=(symbol,), argument="(v)")


def _with_dots(equation: sp.Eq) -> sp.Eq:
    """A differential equation with dots for derivatives by time."""
    dotted = {curve: sp.Symbol(curve.func.__name__) for curve in equation.atoms(AppliedUndef)}
    for derivative in equation.atoms(sp.Derivative):
        dotted[derivative] = _dot(derivative.expr.func.__name__, derivative.derivative_count)
    return equation.xreplace(dotted)


def _dot(name: str, order: int) -> sp.Symbol:
    """A symbol that SymPy writes with one or two dots over its letter."""
    letter, underscore, index = name.partition("_")
    return sp.Symbol(f"{letter}{'d' * (order - 1)}dot{underscore}{index}")


def _letter(theta: Sequence[sp.Symbol]) -> sp.Symbol:
    """The a of the a-connections, or another letter if a coordinate has this one."""
    names = {p.name for p in theta}
    return sp.Symbol(
        next(name for name in ("a", "c", "e", *map("a_{}".format, range(len(names)))) if name not in names)
    )


def _has_integrals(tensor: Any) -> bool:
    """Whether there are unevaluated integrals or sums."""
    return bool(tensor.has(sp.Integral, sp.Sum))
