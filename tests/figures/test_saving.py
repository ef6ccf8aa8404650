"""Figures as files."""

from matplotlib.figure import Figure

from riemopt import figures


def drawn() -> Figure:
    figure = Figure()
    figure.add_subplot().plot([0.0, 1.0], [1.0, 0.0])
    return figure


def test_a_saved_figure_is_reproducible(tmp_path):
    for name in ("first.svg", "second.svg"):
        figures.save(drawn(), tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("first.svg", "second.svg"))
    assert b"<svg" in first
    assert first == second


def test_the_ending_of_the_name_tells_the_format(tmp_path):
    figures.save(drawn(), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
