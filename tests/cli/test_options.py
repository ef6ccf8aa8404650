"""Options: how their texts are read."""

from __future__ import annotations

import click
import pytest

from riemopt.cli.options import Names, Numbers, output_option


def test_numbers_and_names_have_commas_between_them():
    assert Numbers().convert("1,2.5, 3", None, None) == (1.0, 2.5, 3.0)
    assert Numbers(click.IntRange(1, 9)).convert("1,9", None, None) == (1, 9)
    assert Names().convert(" ng, geo,,", None, None) == ("ng", "geo")


@pytest.mark.parametrize("text", ["", "1,", "1;2", "1,x"])
def test_what_is_no_list_of_numbers_is_refused_by_its_text(text):
    with pytest.raises(click.BadParameter, match=f"'{text}' is not a list of numbers such as 1,1"):
        Numbers().convert(text, None, None)


def test_the_folder_of_a_command_is_its_own():
    @click.command()
    @output_option("mine")
    def command(output):
        pass

    (option,) = command.params
    assert (option.default, option.opts) == ("mine", ["--output"])
