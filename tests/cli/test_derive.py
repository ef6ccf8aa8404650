"""The command ``riemopt derive`` prints the geometry of a family, as text or LaTeX."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from riemopt.cli import main


def run(*arguments):
    return CliRunner().invoke(main, arguments, prog_name="riemopt")


BAD = [
    ([], "FAMILY"),
    (["gama"], "unknown family 'gama': did you mean 'gamma'"),
    (["gamma", "--chart", "beta = __import__('os')"], "a string is not allowed"),
    (["gamma", "--chart", "beta = sin(b)"], "is not invertible"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line(arguments, message):
    result = run("derive", *arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("riemopt: error: ")
    assert message in line
    assert result.stdout == ""


def test_derive_prints_the_geometry():
    result = run("derive", "normal")
    assert result.exit_code == 0
    titles = (
        "Fisher metric",
        "Volume element",
        "first kind",
        "second kind",
        "connection product",
        "Amari",
        "a-connections",
    )
    for title in (*titles, "Riemann", "Ricci", "Gaussian curvature", "Geodesic"):
        assert title in result.stdout
    assert "R = -1" in result.stdout
    assert "K = -1/2   (the sectional curvature, the same everywhere)" in result.stdout
    assert "Γ^σ_μμ" in result.stdout


def test_derive_in_a_typed_chart():
    result = run("derive", "exponential", "--chart", "rate = exp(r)")
    assert result.exit_code == 0
    assert "g = [1]" in result.stdout
    assert "All components vanish." in result.stdout


def test_derive_as_latex():
    result = run("derive", "gamma", "--latex")
    assert result.exit_code == 0
    assert r"\Gamma^{\alpha}_{\beta \beta} &= " in result.stdout
    assert r"\ddot{\beta}" in result.stdout
    assert "polygamma" not in result.stdout
    assert result.stdout.count(r"\begin{align*}") == result.stdout.count(r"\end{align*}") == 12
