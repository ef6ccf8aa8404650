"""Tables print as plain text."""

from rich.table import Table
from rich.text import Text

from riemopt.experiments.tables import Tables


def test_tables_are_plain_text_one_below_the_other():
    table = Table(box=None)
    table.add_column("integrator")
    table.add_row(Text("[bold]mine", style="bold"))
    tables = Tables(Text("a heading", style="bold"), table)
    assert [line.strip() for line in str(tables).splitlines()] == ["a heading", "integrator", "[bold]mine"]
    assert repr(tables) == str(tables)
    assert not any(line.endswith(" ") for line in str(tables).splitlines())
