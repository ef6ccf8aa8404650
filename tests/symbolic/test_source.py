"""Texts that a user typed, and places in them."""

import pytest

from riemopt.errors import ExpressionError
from riemopt.symbolic.source import Source


def test_columns_count_characters_not_bytes():
    source = Source("  β + α.real")
    with pytest.raises(ExpressionError, match=r"column 7: attribute access"):
        list(source.names(source.tree()))


def test_names_come_in_the_order_of_the_text():
    source = Source("b*exp(a) - b")
    assert list(source.names(source.tree())) == ["b", "a", "b"]


def test_an_error_begins_with_what_the_text_is():
    with pytest.raises(ExpressionError, match=r"^start: 'x', column 1: no"):
        Source("x", "start").refuse(0, "no")
