"""Batches shared among cores: an error anywhere is the caller's."""

import itertools

import pytest

from riemopt.kernels.targets.threads import share_out


def test_error_in_a_piece_is_raised_and_the_others_are_not_waited_for():
    done = []

    def compiled(first, last):
        if first == 0:
            raise IndexError("a piece")
        done.append((first, last))

    with pytest.raises(IndexError, match="a piece"):
        share_out(compiled, 100, grain=1)
    assert len(done) < 100


def test_every_entry_is_computed_once_in_pieces_of_whole_grains():
    pieces = []
    share_out(lambda first, last: pieces.append((first, last)), 103, grain=10)
    pieces.sort()
    assert pieces[0][0] == 0 and pieces[-1][1] == 103
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
    assert all(first % 10 == 0 for first, _ in pieces)
