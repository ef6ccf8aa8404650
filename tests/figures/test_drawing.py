"""What all figures share."""

from riemopt.figures.drawing import add_legend, lay_out, typeset, with_room
from riemopt.figures.styles import styles


def test_text_that_matplotlib_cannot_set_loses_its_dollars():
    assert typeset(r"$\alpha$ is fine") == r"$\alpha$ is fine"
    assert typeset(r"$\begin{cases}b\end{cases}$") == r"\begin{cases}b\end{cases}"


def test_a_legend_has_every_integrator_and_lays_the_figure_out_once():
    figure = with_room(2, 1, 1.0)
    figure.subplots(1, 2)
    add_legend(figure, styles(["ng", "geo"]), 2)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["ng  natural gradient", "geo  geodesic correction"]
    places = [axes.get_position().bounds for axes in figure.axes]
    lay_out(figure)
    assert [axes.get_position().bounds for axes in figure.axes] == places
