"""The geometry of a model on paper: each tensor as equations, in text or LaTeX."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import pretty_use_unicode

if TYPE_CHECKING:
    from riemopt.geometry.symbolic import SymbolicGeometry

__all__ = ["Equation", "Part", "in_latex", "in_text", "parts", "summary"]

_LATEX = {
    "log p": r"\log p",
    "d log p": r"\partial",
    "Gamma": r"\Gamma",
    "Ric": r"\mathrm{Ric}",
    "sqrt(det g)": r"\sqrt{\det g}",
}
_UNICODE = {"Gamma": "Γ", "d log p": "∂", "sqrt(det g)": "√det g"}
_BLANK = "\ue000"  # a character that no formula has
_WIDE = 45
"""Operations in a row of a matrix from which on its entries are written one by one."""
_WORTH_A_NAME = 5
"""Operations from which on a denominator that comes again has a name of its own."""


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
    argument : str or tuple of sympy.Symbol
        What follows the name; symbols in parentheses.
    mark : str
        What stands above the letter, in parentheses.
    remark : str
        What is said after the equation.
    """

    value: sp.Basic
    letter: str = ""
    upper: tuple[sp.Symbol, ...] = ()
    lower: tuple[sp.Symbol, ...] = ()
    argument: str | tuple[sp.Symbol, ...] = ""
    mark: str = ""
    remark: str = ""

    def in_text(self, unicode: bool) -> str:
        """The equation on as many lines of text as it takes."""
        value = _as_in_books(self.value) if unicode else self.value
        name = self._text_name(unicode)
        if name:
            # SymPy would take the indices in the name apart
            value = sp.Eq(sp.Symbol(_BLANK * len(name)), value, evaluate=False)
        lines = [line.rstrip() for line in _Text.of(value, unicode).splitlines()]
        for k, line in enumerate(lines):
            if name and _BLANK in line:
                lines[k] = line.replace(_BLANK * len(name), name, 1) + (self.remark and f"   ({self.remark})")
        return "\n".join(lines)

    def in_latex(self) -> str:
        """The equation, aligned at its equals sign."""
        value = _as_in_books(self.value)
        if not self.letter:
            return f"{_latex(value.lhs)} &= {_latex(value.rhs)}"
        upper, lower = (" ".join(map(_latex, indices)) for indices in (self.upper, self.lower))
        upper = f"({self.mark})" if self.mark else upper
        indices = (f"^{{{upper}}}" if upper else "") + (f"_{{{lower}}}" if lower else "")
        argument = _called(self.argument, _latex)
        remark = rf" \quad \text{{({self.remark})}}" if self.remark else ""
        return f"{_LATEX.get(self.letter, self.letter)}{indices}{argument} &= {_latex(value)}{remark}"

    def _text_name(self, unicode: bool) -> str:
        letter = _UNICODE.get(self.letter, self.letter) if unicode else self.letter
        upper, lower = (_indices(indices, unicode) for indices in (self.upper, self.lower))
        upper = f"({self.mark})" if self.mark else upper
        argument = _called(self.argument, lambda symbol: _Text.of(symbol, unicode))
        return letter + (upper and f"^{upper}") + (lower and f"_{lower}") + argument


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
        return _with_names(list(self.derive()))


def parts(geometry: SymbolicGeometry) -> list[Part]:
    """The parts of a model's geometry, from its log-density to its geodesics.

    Where expectations are integrals that nobody has taken, these are the score and the metric.

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
    if _unevaluated(geometry.metric):
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
        Part("Geodesic equations", lambda: [Equation(_dotted(equation)) for equation in geometry.geodesic_equations]),
    ]


def in_text(part: Part, unicode: bool = True) -> str:
    """A part to read in a terminal, which can show more than ASCII if `unicode` is true."""
    title = part.title if unicode else part.title.replace("–", "-")
    texts = [equation.in_text(unicode) for equation in part.equations()]
    return "\n\n".join([f"{title}\n{'=' * len(title)}", *(texts or ["All components vanish."])])


def in_latex(part: Part) -> str:
    """A part as LaTeX with the ``amsmath`` package."""
    letter = _LATEX.get(part.letter, part.letter)
    return f"% {part.title}\n\\begin{{align*}}\n{_rows(part.equations()) or f'  {letter} &= 0'}\n\\end{{align*}}"


def summary(geometry: SymbolicGeometry, *titles: str) -> str:
    """Parts whose titles begin with one of some words as a single block of LaTeX, for a notebook."""
    wanted = [equation for part in parts(geometry) if part.title.startswith(titles) for equation in part.derive()]
    return f"$$\\begin{{aligned}}\n{_rows(_with_names(wanted))}\n\\end{{aligned}}$$"


def _rows(equations: Iterable[Equation]) -> str:
    return " \\\\\n".join(f"  {equation.in_latex()}" for equation in equations)


# -- equations


def _log_density(geometry: SymbolicGeometry) -> Equation:
    model = geometry.model
    return Equation(model.log_density, "log p", argument=model.observation)


def _score(geometry: SymbolicGeometry) -> Iterator[Equation]:
    for p in geometry.model.parameters:
        slope = sp.factor_terms(geometry.model.log_density.diff(p))
        yield Equation(slope, "d log p", lower=(p,), argument=" log p")


def _matrix(matrix: sp.Matrix, letter: str, theta: Sequence[sp.Symbol]) -> Iterable[Equation]:
    """A matrix as it stands, or its entries if they are long."""
    rows = [sum(sp.count_ops(x) for x in matrix.row(i)) for i in range(matrix.rows)]
    return [Equation(matrix, letter)] if max(rows) <= _WIDE else _entries(matrix, letter, theta)


def _entries(matrix: sp.Matrix, letter: str, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    for i, j in itertools.combinations_with_replacement(range(len(theta)), 2):
        if matrix[i, j] != 0:
            yield Equation(matrix[i, j], letter, lower=(theta[i], theta[j]))


def _first_kind(symbols: sp.NDimArray, theta: Sequence[sp.Symbol], mark: str = "") -> Iterator[Equation]:
    for (nu, a, b), value in _components(symbols):
        yield Equation(value, "Gamma", lower=(theta[nu], theta[a], theta[b]), mark=mark)


def _second_kind(symbols: sp.NDimArray, theta: Sequence[sp.Symbol]) -> Iterator[Equation]:
    for (mu, a, b), value in _components(symbols):
        yield Equation(value, "Gamma", upper=(theta[mu],), lower=(theta[a], theta[b]))


def _alpha_connection(geometry: SymbolicGeometry, a: sp.Symbol) -> sp.NDimArray:
    """The α-connections; with letters for the Amari–Chentsov tensor if that is made of integrals."""
    if not _unevaluated(geometry.amari_chentsov):
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


def _scalars(geometry: SymbolicGeometry) -> Iterator[Equation]:
    yield Equation(geometry.scalar_curvature, "R")
    constant = geometry.constant_curvature
    if constant is not None:
        yield Equation(constant, "K", remark="the sectional curvature, the same everywhere")
    elif len(geometry.model.parameters) == 2:
        yield Equation(geometry.sectional_curvature(), "K")


def _products(geometry: SymbolicGeometry) -> Iterator[Equation]:
    theta = geometry.model.parameters
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


def _letter(theta: Sequence[sp.Symbol]) -> sp.Symbol:
    """The a of the a-connections, or another letter if a coordinate has this one."""
    names = {p.name for p in theta}
    return sp.Symbol(
        next(name for name in ("a", "c", "e", *map("a_{}".format, range(len(names)))) if name not in names)
    )


def _unevaluated(tensor: Any) -> bool:
    return bool(tensor.has(sp.Integral, sp.Sum))


# -- names for what comes again


def _with_names(equations: list[Equation]) -> list[Equation]:
    """The equations with long denominators that most of them share as D, and what D is."""
    count = Counter(factor for equation in equations for factor in _denominators(equation.value))
    long = [factor for factor, times in count.items() if times > 1 and sp.count_ops(factor) >= _WORTH_A_NAME]
    if not long:
        return equations
    taken = {symbol.name for equation in equations for symbol in equation.value.free_symbols}
    names = ["D"] if len(long) == 1 else [f"D_{k}" for k in range(1, len(long) + 1)]
    while taken & set(names):
        names = [f"{name}'" for name in names]
    exchange = dict(zip(long, map(sp.Symbol, names), strict=True))
    named = [Equation(factor, symbol.name) for factor, symbol in exchange.items()]
    begin = next(k for k, equation in enumerate(equations) if equation.value.has(*long))
    short = [replace(equation, value=equation.value.xreplace(exchange)) for equation in equations]
    return short[:begin] + named + short[begin:]


def _denominators(value: sp.Basic) -> list[sp.Expr]:
    """The sums that something is divided by, each as often as it is."""
    return [
        node.base
        for node in sp.preorder_traversal(value)
        if isinstance(node, sp.Pow) and node.base.is_Add and node.exp.could_extract_minus_sign()
    ]


# -- how SymPy writes


def _in_order(terms: Sequence[sp.Expr]) -> list[sp.Expr]:
    """Accelerations first, then what is added, then what is subtracted."""

    def key(term: sp.Expr) -> int:
        if term.is_Symbol and "ddot" in term.name:
            return 0
        return 2 if term.could_extract_minus_sign() else 1

    return sorted(terms, key=key)


class _Text(PrettyPrinter):
    def _as_ordered_terms(self, expr: sp.Expr, order: Any = None) -> list[sp.Expr]:
        return _in_order(super()._as_ordered_terms(expr, order))

    @classmethod
    def of(cls, value: sp.Basic, unicode: bool) -> str:
        before = pretty_use_unicode(unicode)
        try:
            return cls({"wrap_line": False, "use_unicode": unicode}).doprint(value)  # type: ignore[no-any-return]
        finally:
            pretty_use_unicode(before)


class _Latex(LatexPrinter):
    def _as_ordered_terms(self, expr: sp.Expr, order: Any = None) -> list[sp.Expr]:
        return _in_order(super()._as_ordered_terms(expr, order))


def _latex(value: sp.Basic) -> str:
    return _Latex().doprint(value)  # type: ignore[no-any-return]


def _as_in_books(value: sp.Basic) -> sp.Basic:
    """The same with ψ₁ for ``polygamma(1, ...)``, I₀ for ``besseli(0, ...)`` and log Γ for ``loggamma``."""
    value = value.replace(sp.polygamma, lambda k, x: sp.Function(f"psi_{k}" if k != 0 else "psi")(sp.together(x)))
    value = value.replace(sp.besseli, lambda k, x: sp.Function(f"I_{k}")(x))
    return value.replace(sp.loggamma, lambda x: sp.log(sp.gamma(sp.together(x))))


def _called(argument: str | tuple[sp.Symbol, ...], write: Callable[[sp.Symbol], str]) -> str:
    return argument if isinstance(argument, str) else f"({', '.join(map(write, argument))})"


def _indices(symbols: Sequence[sp.Symbol], unicode: bool) -> str:
    names = [_Text.of(symbol, unicode) for symbol in symbols]
    return ("," if any(len(name) > 1 for name in names) else "").join(names)
