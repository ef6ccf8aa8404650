"""Geodesics of the Gamma model and transport along them, by mpmath: the reference of ``test_gamma_reference.py``.

    python -m tests.manifold.geodesics.gamma_exp

writes ``gamma_exp.json`` and prints the largest of each check. In the shape α and the logarithm u of the rate, the
metric is h = [[ψ₁(α), -1], [-1, α]], and of its symbols of the first kind Γ_aaa = ψ₂/2, Γ_auu = -1/2 and
Γ_uau = 1/2 are not 0. So a geodesic has

    ψ₁ α'' - w' + ψ₂ α'²/2 - w²/2 = 0
    -α'' + α w' + α' w            = 0     with w = u',

and a vector (A, B) carried along it

    ψ₁ A' - B' + ψ₂ α' A/2 - w B/2      = 0
    -A' + α B' + (α' B + w A)/2         = 0.

They are solved by Taylor series, to 40 digits and once more to 46. What is written is checked against what is
conserved: the momentum p = α w - α', the square of the speed e = ψ₁ α'² - 2 α' w + α w², and the products of what is
carried with the velocity, by the metric and by the area. It is also checked against integrals that know nothing of the
series: e and p leave an equation for α alone, of which s = ±√(α - p²/e), with the sign of α', makes

    ∫ds f = 1,   u(1) - u(0) = log α(1)/α(0) + p ∫ds f/α,   f(s) = 2 √((α ψ₁(α) - 1)/e),   α = p²/e + s²

between the values of s at the two ends.
"""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mpmath as mp

FILE = Path(__file__).with_name("gamma_exp.json")

Pair = tuple[float, float]

STARTS: list[Pair] = [
    (0.1, 1.0),
    (0.1, 0.01),
    (0.3, 100.0),
    (1.0, 1.0),
    (2.5, 0.75),
    (7.0, 30.0),
    (20.0, 20.0),
    (50.0, 0.01),
    (100.0, 100.0),
]
"""Shapes and rates."""

DIRECTIONS = [(1e-3, 40), (0.1, 200), (1.0, 120), (1.0, 310), (3.0, 0), (3.0, 180), (3.0, 70), (3.0, 255)]
"""Lengths, and angles in degrees from the direction in which the shape grows and the momentum is 0."""

TURN = 17
"""What is added from each start to the next to an angle other than 0 and 180 degrees."""


class State(NamedTuple):
    """A place (α, u), the velocity (α', w) there and a vector (A, B) there."""

    alpha: mp.mpf
    u: mp.mpf
    speed: mp.mpf
    w: mp.mpf
    a: mp.mpf
    b: mp.mpf


# -- the equations by Taylor series


def _convolved(f: list, g: list, n: int) -> mp.mpf:
    """The nth coefficient of a product, as far as the coefficients are known."""
    terms = [(f[k], g[n - k]) for k in range(n + 1) if k < len(f) and n - k < len(g)]
    return mp.fdot(terms)


def _series(state: State, order: int) -> tuple[list, list, list, list]:
    """The coefficients of α, w, A and B in powers of time."""
    x = state.alpha
    outer = [mp.psi(k + 1, x) / mp.factorial(k) for k in range(order + 1)]  # of ψ₁, in powers of α - x
    alpha, w, a, b = [x, state.speed], [state.w], [state.a], [state.b]
    slope = [state.speed]  # α'
    psi, bend = [outer[0]], []  # ψ₁(α) and its derivative in time, which is ψ₂ α'
    powers: list[list] = [[mp.mpf(1)]]  # of α - x
    det = x * outer[0] - 1
    for n in range(order):
        # the coefficient n + 1 of ψ₁(α)
        change = [mp.mpf(0), *alpha[1:]]
        powers[0].append(mp.mpf(0))
        powers.append([mp.mpf(0)] * (n + 1))
        for k in range(1, n + 2):
            powers[k].append(mp.fdot((change[j], powers[k - 1][n + 1 - j]) for j in range(1, n + 3 - k)))
        psi.append(mp.fdot((outer[k], powers[k][n + 1]) for k in range(1, n + 2)))
        bend.append((n + 1) * psi[n + 1])
        # the equations at order n, for the coefficients n of α'' and w', and of A' and B'
        second, w_slope = [(k + 1) * slope[k + 1] for k in range(n)], [(k + 1) * w[k + 1] for k in range(n)]
        one = (_convolved(w, w, n) - _convolved(bend, slope, n)) / 2 - _convolved(psi, second, n)
        two = -_convolved(slope, w, n) - _convolved(alpha, w_slope, n)
        slope.append((x * one + two) / det / (n + 1))
        w.append((outer[0] * two + one) / det / (n + 1))
        alpha.append(slope[n + 1] / (n + 2))
        a_slope, b_slope = [(k + 1) * a[k + 1] for k in range(n)], [(k + 1) * b[k + 1] for k in range(n)]
        one = (_convolved(w, b, n) - _convolved(bend, a, n)) / 2 - _convolved(psi, a_slope, n)
        two = -(_convolved(slope, b, n) + _convolved(w, a, n)) / 2 - _convolved(alpha, b_slope, n)
        a.append((x * one + two) / det / (n + 1))
        b.append((outer[0] * two + one) / det / (n + 1))
    return alpha[: order + 1], w, a, b


def solve(start: State, digits: int) -> State:
    """The state after unit time."""
    order = digits + 4
    state, time = start, mp.mpf(0)
    while time < 1:
        rows = _series(state, order)
        # the last two terms of every series are below the rounding of the working precision
        sizes = [max(abs(row[0]), abs(row[1])) for row in rows]
        rates = [
            abs(row[n] / size) ** (mp.mpf(1) / n)
            for row, size in zip(rows, sizes, strict=True)
            for n in (order - 1, order)
            if size
        ]
        step = min(mp.mpf(10) ** (-mp.mpf(digits) / order) / max(rates), 1 - time)
        alpha, w, a, b = (mp.polyval(row[::-1], step) for row in rows)
        speed = mp.polyval([n * rows[0][n] for n in range(order, 0, -1)], step)
        u = state.u + mp.polyval([*(rows[1][n] / (n + 1) for n in range(order, -1, -1)), mp.mpf(0)], step)
        state, time = State(alpha, u, speed, w, a, b), time + step
    return state


# -- checks


def conserved(state: State) -> list[mp.mpf]:
    """p, e, |V|², the inner product and the area of the velocity and V."""
    psi = mp.psi(1, state.alpha)

    def inner(x: tuple, y: tuple) -> mp.mpf:
        return psi * x[0] * y[0] - x[0] * y[1] - x[1] * y[0] + state.alpha * x[1] * y[1]

    velocity, vector = (state.speed, state.w), (state.a, state.b)
    area = mp.sqrt(state.alpha * psi - 1) * (state.speed * state.b - state.w * state.a)
    momentum = state.alpha * state.w - state.speed
    return [momentum, inner(velocity, velocity), inner(vector, vector), inner(velocity, vector), area]


def integrals(start: State, end: State) -> tuple[mp.mpf, mp.mpf]:
    """The time from start to end and the growth of u, both by quadrature."""
    p, e = conserved(start)[:2]
    least = p * p / e

    def f(s: mp.mpf) -> mp.mpf:
        alpha = least + s * s
        return 2 * mp.sqrt((alpha * mp.psi(1, alpha) - 1) / e)

    # α - p²/e is (α ψ₁ - 1) α'²/e, which does not cancel
    ends = [state.speed * mp.sqrt((state.alpha * mp.psi(1, state.alpha) - 1) / e) for state in (start, end)]
    low, high = min(ends), max(ends)
    scale = max(mp.sqrt(least), min(map(abs, ends)))
    cuts = [way * scale * mp.mpf(2) ** k for k in range(-2, 12) for way in (-1, 1)] + [mp.mpf(0)]
    places = [low, *sorted(cut for cut in cuts if low < cut < high), high]
    sign = 1 if ends[1] > ends[0] else -1
    time = sign * mp.quad(f, places)
    drift = sign * mp.quad(lambda s: f(s) / (least + s * s), places)
    return time, mp.log(end.alpha / start.alpha) + p * drift


@dataclass
class Checks:
    """The largest of each relative error so far."""

    orders: mp.mpf = mp.mp.zero
    conserved: mp.mpf = mp.mp.zero
    integrals: mp.mpf = mp.mp.zero

    def add(self, start: State, end: State, better: State) -> None:
        """Check an end against what it should be."""
        pairs = [(mp.exp(x), mp.exp(y)) if i == 1 else (x, y) for i, (x, y) in enumerate(zip(end, better, strict=True))]
        self.orders = max(self.orders, *(abs(x - y) / abs(y) for x, y in pairs))
        before, after = conserved(start), conserved(better)
        sizes = [mp.sqrt(before[1] * start.alpha), before[1], before[2], *[mp.sqrt(before[1] * before[2])] * 2]
        self.conserved = max(
            self.conserved, *(abs(x - y) / size for x, y, size in zip(before, after, sizes, strict=True))
        )
        time, growth = integrals(start, better)
        self.integrals = max(self.integrals, abs(time - 1), abs(growth - (better.u - start.u)))


# -- the cases


def vector_at(start: Pair, length: float, angle: float) -> Pair:
    """A vector (v^α, v^β) of some length and direction, in doubles of few digits."""
    alpha, beta = map(mp.mpf, start)
    # orthonormal: (α, 1)/√(α (α ψ₁ - 1)) has no momentum, (0, 1)/√α does not change the shape
    first = 1 / mp.sqrt(alpha * (alpha * mp.psi(1, alpha) - 1))
    turned = mp.radians(angle)
    x, y = length * mp.cos(turned) * first, length * mp.sin(turned) / mp.sqrt(alpha)
    return float(mp.nstr(x * alpha, 6)), float(mp.nstr(beta * (x + y), 6))


def state_of(start: Pair, along: Pair, vector: Pair) -> State:
    """The state of coordinates (α, β)."""
    (alpha, beta), (speed, rate), (a, b) = (tuple(map(mp.mpf, pair)) for pair in (start, along, vector))
    return State(alpha, mp.log(beta), speed, rate / beta, a, b / beta)


def reference(start: Pair, along: Pair, vector: Pair, checks: Checks) -> dict[str, list]:
    """One case as in the file."""
    with mp.workdps(56):
        state = state_of(start, along, vector)
        end, better = solve(state, 40), solve(state, 46)
        checks.add(state, end, better)
        beta = mp.exp(better.u)
        numbers = {"end": [better.alpha, beta], "carried": [better.a, better.b * beta]}
        texts = {name: [mp.nstr(x, 32) for x in values] for name, values in numbers.items()}
    return {"point": list(start), "along": list(along), "vector": list(vector), **texts}


def main() -> None:
    """Write the file."""
    checks = Checks()
    with FILE.open("w") as file:
        for i, (start, (length, angle)) in enumerate(itertools.product(STARTS, DIRECTIONS)):
            turn = TURN * (i // len(DIRECTIONS))
            along = vector_at(start, length, angle if angle in (0, 180) else angle + turn)
            vector = vector_at(start, 1.0, angle + 77 + 3 * turn)
            case = reference(start, along, vector, checks)
            file.write(("[\n" if i == 0 else ",\n") + json.dumps(case))
            file.flush()
        file.write("\n]\n")
    for name, value in vars(checks).items():
        print(f"{name}: {mp.nstr(value, 3)}")


if __name__ == "__main__":
    main()
