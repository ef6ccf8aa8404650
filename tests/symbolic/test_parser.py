"""Mathematics typed as text."""

from __future__ import annotations

import operator
import time
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riemopt.errors import ExpressionError
from riemopt.symbolic.parser import free_names, parse, parse_assignments
from riemopt.symbolic.vocabulary import CONSTANTS, FUNCTIONS

a = sp.Symbol("a", positive=True)
b = sp.Symbol("b", real=True)
SYMBOLS = {"a": a, "b": b}


def refusal(text: str, where: str = "") -> str:
    start = time.perf_counter()
    with pytest.raises(ExpressionError) as caught:
        parse(text, SYMBOLS, where=where)
    assert time.perf_counter() - start < 2.0
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("1/b", 1 / b),
        ("  a + 2*b ", a + 2 * b),
        ("a**-2", a**-2),
        ("-a**2", -(a**2)),
        ("+a--b", a + b),
        ("2**3**2", sp.Integer(512)),
        ("a/b/2", a / (2 * b)),
        ("((a))", a),
        ("0.1", sp.Rational(1, 10)),
        (".5", sp.Rational(1, 2)),
        ("1.", sp.Integer(1)),
        ("1.5e-3", sp.Rational(3, 2000)),
        ("2E3", sp.Integer(2000)),
        ("pi*e - E", sp.pi * sp.E - sp.E),
        ("e**a", sp.exp(a)),
        ("sqrt(a) * a**(1/3)", a ** sp.Rational(5, 6)),
        ("abs(b)", sp.Abs(b)),
        ("digamma(a) + trigamma(a)", sp.polygamma(0, a) + sp.polygamma(1, a)),
        ("log(1 + exp(b))", sp.log(1 + sp.exp(b))),
        ("10**300", sp.Integer(10) ** 300),
        ("gamma(5)", sp.Integer(24)),
    ],
)
def test_a_formula_becomes_the_expression_it_looks_like(text: str, expression: sp.Expr) -> None:
    assert parse(text, SYMBOLS) == expression


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_and_its_floating_point_twin_agree(name: str) -> None:
    function, twin = FUNCTIONS[name]
    at = 1.25 if name == "acosh" else 0.625
    assert float(twin(at)) == pytest.approx(float(function(sp.Float(at, 30))), rel=1e-13)
    assert parse(f"{name}(a)", SYMBOLS) == function(a)


def test_declared_names_take_precedence_over_constants_and_functions() -> None:
    e, gamma = sp.symbols("e gamma", positive=True)
    assert parse("e*gamma + gamma(e)", {"e": e, "gamma": gamma}) == e * gamma + sp.gamma(e)


def test_names_may_be_greek() -> None:
    alpha = sp.Symbol("α", positive=True)
    assert parse("1/α", {"α": alpha}) == 1 / alpha
    with pytest.raises(ExpressionError, match=r"column 3: unknown symbol 'β'"):
        parse("α*β", {"α": alpha})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("__import__('os')", "column 12: a string is not allowed"),
        ('a + "b"', "column 5: a string is not allowed"),
        ("__import__(os)", "column 1: unknown function '__import__': write * for a product; known: exp, log"),
        ("a.b", "column 1: attribute access ('.') is not allowed"),
        ("().__class__", "column 1: attribute access ('.') is not allowed"),
        ("exp.a(b)", "column 1: only functions may be called"),
        ("a[0]", "column 1: indexing ('[...]') is not allowed"),
        ("a < b", "column 1: a comparison is not allowed"),
        ("a == b", "column 1: a comparison is not allowed"),
        ("a = b", "column 3: an assignment or comparison ('=') is not allowed"),
        ("(a := b)", "column 2: an assignment (':=') is not allowed"),
        ("a + sqr(a)", "column 5: unknown function 'sqr': did you mean 'sqrt'? known: exp"),
        ("a(b)", "column 1: unknown function 'a': write * for a product"),
        ("2(a)", "column 1: only functions may be called: write * for a product"),
        ("2a", "column 1: '2a' is not a number: write * for a product"),
        ("lambda x: x", "column 1: 'lambda' is not allowed"),
        ("[a for a in b]", "column 4: 'for' is not allowed"),
        ("a if b else 1", "column 3: 'if' is not allowed"),
        ("1if a else b", "column 2: 'if' is not allowed"),
        ("not a", "column 1: 'not' is not allowed"),
        ("import os", "column 1: 'import' is not allowed"),
        ("a + True", "column 5: 'True' is not allowed"),
        ("None", "column 1: 'None' is not allowed"),
        ("...", "column 1: Ellipsis is not allowed"),
        ("1 + 2j", "column 5: '2j' is not a number"),
        ("0x10", "column 1: '0x10' is not a number"),
        ("1_000", "column 1: '1_000' is not a number"),
        ("[a]", "column 1: a list is not allowed"),
        ("{a: b}", "column 1: a dictionary is not allowed"),
        ("{a}", "column 1: a set is not allowed"),
        ("a, b", "column 1: a comma is not allowed here"),
        ("()", "column 1: a comma is not allowed here"),
        ("~a", "column 1: '~a' is not allowed"),
        ("a ^ 2", "column 3: '^' is not allowed: write ** for a power"),
        ("a ^ (2)", "column 3: '^' is not allowed: write ** for a power"),
        ("b + a // 2", "column 7: '//' is not allowed: write / for a quotient"),
        ("a % 2", "column 3: '%' is not allowed"),
        ("a @ b", "column 3: '@' is not allowed"),
        ("a << 2", "column 3: '<<' is not allowed"),
        ("a | b", "column 3: '|' is not allowed"),
        ("a ; b", "column 3: ';' is not allowed"),
        ("a²", "column 2: '²' is not allowed"),
        ("exp(x=a)", "column 5: exp takes no keyword arguments"),
        ("exp(**a)", "column 5: exp takes no keyword arguments"),
        ("exp(*a)", "column 5: '*' before an argument is not allowed"),
        ("exp()", "column 1: exp takes one argument, not 0"),
        ("1 + log(a, 2)", "column 5: log takes one argument, not 2"),
        ("sin + a", "column 1: sin is a function: write sin(...)"),
        ("a*bb", "column 3: unknown symbol 'bb': did you mean 'b'? declared: a, b"),
        ("x", "column 1: unknown symbol 'x': declared: a, b"),
        ("a\0", "column 2: the character '\\x00' is not allowed"),
        ("a\n+ b", "column 2: the character '\\n' is not allowed"),
        ("a # b", "column 3: the character '#' is not allowed"),
        ("a\\", "column 2: the character '\\\\' is not allowed"),
        ("\ud800", "the character '\\ud800' is not allowed"),
        ("a b", "column 3: not a formula"),
        ("a +", "not a formula"),
        ("(a", "column 1: not a formula"),
        ("", "'': the text is empty"),
        (" \t ", "the text is empty"),
        ("a" * 1001, "1001 characters are too many: at most 1000"),
        ("(" * 400 + "a" + ")" * 400, "not a formula (too many nested parentheses)"),
        ("-" * 900 + "a", "nested too deeply"),
        ("sin(" * 150 + "a" + ")" * 150, "nested too deeply"),
    ],
)
def test_anything_else_is_refused_where_it_stands(text: str, problem: str) -> None:
    assert problem in refusal(text)


def test_a_refusal_begins_with_what_the_text_is() -> None:
    assert refusal("1/c", where="beta") == "beta: '1/c', column 3: unknown symbol 'c': declared: a, b"


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "10**400",
        "10**200 * 10**200",
        "1e400",
        "1e-400",
        "1e999999999",
        "1e-999999999",
        "(1 + 1/10**200)**(10**200)",
        "(2*a)**(10**9)",
        "((2*a)**1000)**1000",
        "((a + b)**100)**100",
        "10**(10**20 + 1/2)",
        "2**a**0 ** (10**9*a/a)",
        "exp(10**9)",
        "exp(exp(exp(100)))",
        "exp(10**9 * log(2*a))",
        "e**(10**9 * log(2*a))",
        "exp(10**200 * log(3))",
        "gamma(10**9)",
        "loggamma(10**9)",
        "digamma(10**9)",
        "trigamma(-10**9 + 1/2)",
        "gamma(10**9*a/a)",
        "erfc(5500)",
        "2**(1/10**300) - 1",
        "2**(1/997) + 3**(1/991) + 5**(1/983)",
        "b**0.333333333333333333",
    ],
)
def test_numbers_that_cannot_be_written_out_are_refused_at_once(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    "text", ["1/0", "0**-1", "1/(a - a)", "a/(1 - 1)", "log(0)", "tan(pi/2)", "1/sin(pi)", "gamma(0)", "digamma(-1)"]
)
def test_division_by_zero_and_infinite_values_are_refused(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    "text", ["sqrt(-1)", "log(-1)", "(-8)**(1/3)", "asin(2)", "acosh(1/2)", "atanh(1)", "sqrt(-a)", "a*sqrt(1 - 2)"]
)
def test_values_that_are_not_real_are_refused(text: str) -> None:
    assert "not a real number" in refusal(text)


pieces = st.sampled_from([*"ab12.()+-*/^,=<e:_'\0 []", "**", "exp", "log(", " if ", "é"])


@settings(deadline=None, max_examples=300)
@given(st.lists(pieces, max_size=30).map("".join))
def test_any_text_gives_an_expression_of_the_symbols_or_one_line(text: str) -> None:
    try:
        assert parse(text, SYMBOLS).free_symbols <= {a, b}
    except ExpressionError as error:
        assert "\n" not in str(error)


AT = {a: Fraction(3, 4), b: Fraction(-5, 4)}
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
Pair = tuple[str, Fraction | None]  # a formula and its value at AT, None where it divides by zero


def combine(left: Pair, symbol: str, right: Pair) -> Pair:
    text = f"({left[0]}{symbol}{right[0]})"
    try:
        return text, None if None in (left[1], right[1]) else OPERATORS[symbol](left[1], right[1])
    except ZeroDivisionError:
        return text, None


leaves = st.sampled_from(
    [("a", AT[a]), ("b", AT[b]), ("0.5", Fraction(1, 2)), ("1e2", Fraction(100)), ("3", Fraction(3))]
)
powers = st.sampled_from([("0", Fraction(0)), ("2", Fraction(2)), ("(-1)", Fraction(-1))])
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(combine, inner, st.sampled_from("+-*/"), inner),
        st.builds(combine, inner, st.just("**"), powers),
        inner.map(lambda pair: (f"(-{pair[0]})", None if pair[1] is None else -pair[1])),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(formulas)
def test_a_formula_has_the_value_that_arithmetic_gives_it(pair: Pair) -> None:
    text, value = pair
    assume(value is not None)
    try:
        expression = parse(text, SYMBOLS)
    except ExpressionError as error:
        assert "power" in str(error)
        return
    exact = expression.subs({symbol: sp.Rational(at.numerator, at.denominator) for symbol, at in AT.items()})
    assert exact == sp.Rational(value.numerator, value.denominator)


def test_free_names_come_in_order_of_appearance_and_once() -> None:
    assert free_names("v*exp(m)/m + pi*e - gamma(E)*u") == ("v", "m", "u")
    assert free_names("1 + pi") == ()


@pytest.mark.parametrize("text", ["__import__('os')", "a.b", "f(a)", "", "a = b", "a if b else c"])
def test_free_names_refuses_what_parse_refuses(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"^beta: "):
        free_names(text, where="beta")


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_are_not_free_names(name: str) -> None:
    assert free_names(f"{name} + x") == ("x",)


def test_assignments_keep_their_order_and_their_place() -> None:
    text = " beta=1/b ,alpha = exp(a + (b)) "
    assignments = parse_assignments(text, ["alpha", "beta"])
    assert list(assignments.items()) == [("beta", ("1/b", 6)), ("alpha", ("exp(a + (b))", 19))]
    assert all(text[offset:].startswith(formula) for formula, offset in assignments.values())


def test_a_comma_within_parentheses_does_not_divide() -> None:
    assert parse_assignments("alpha = log(a, b)", ["alpha"]) == {"alpha": ("log(a, b)", 8)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the text is empty"),
        ("alpha", "column 1: 'alpha' is not an assignment: write name = formula"),
        ("alpha = a,", "column 11: an assignment is missing, such as alpha = ..."),
        ("alpha = a,, beta = b", "column 11: an assignment is missing"),
        ("alpha = a beta = b", "column 16: a second '=' in one assignment: put a comma between assignments"),
        ("alpha == a", "column 8: a second '='"),
        ("alpha = ", "nothing after alpha ="),
        ("= a", "column 1: unknown parameter ''"),
        ("alpha = a, alhpa = b", "column 12: unknown parameter 'alhpa': did you mean 'alpha'? known: alpha, beta"),
        ("alpha = a, alpha = b", "column 12: 'alpha' is assigned twice"),
        ("alpha = (a, beta = b", "column 9: '(' is never closed"),
        ("alpha = a), beta = b", "column 10: ')' without '('"),
        ("alpha = 'a'", "column 9: a string is not allowed"),
        ("alpha = a\nbeta = b", "column 10: the character '\\n' is not allowed"),
    ],
)
def test_a_malformed_assignment_is_refused_where_it_stands(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_assignments(text, ["alpha", "beta"], where="--chart")
    assert str(caught.value).startswith("--chart: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
