from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from restride.shuffle.overlap import overlap


@st.composite
def two_chunkings_of_one_axis(draw):
    length = draw(st.integers(0, 12))
    cuts = [sorted(draw(st.lists(st.integers(0, length), max_size=6))) for _ in range(2)]
    return tuple(tuple(np.diff([0, *cut, length]).tolist()) for cut in cuts)


@given(two_chunkings_of_one_axis())
def test_pieces_of_a_new_chunk_are_its_elements_in_order(chunkings):
    old, new = chunkings
    axis = overlap(old, new)
    edges = np.cumsum([0, *old])
    for chunk, (first, count) in enumerate(zip(axis.first, axis.counts)):
        elements = [
            element
            for piece in range(first, first + count)
            for element in range(
                edges[axis.source[piece]] + axis.start[piece], edges[axis.source[piece]] + axis.stop[piece]
            )
        ]
        begin = sum(new[:chunk])
        assert elements == list(range(begin, begin + new[chunk]))


@given(two_chunkings_of_one_axis())
def test_pieces_lie_within_their_old_chunk_and_whole_ones_are_all_of_it(chunkings):
    old, new = chunkings
    axis = overlap(old, new)
    sizes = np.array(old)[axis.source]
    assert (axis.start >= 0).all()
    assert (axis.stop <= sizes).all()
    assert axis.whole.tolist() == (axis.stop - axis.start == sizes).tolist()


@given(two_chunkings_of_one_axis())
def test_no_piece_is_empty_but_the_only_one_of_an_empty_chunk(chunkings):
    old, new = chunkings
    axis = overlap(old, new)
    empty = axis.start == axis.stop
    assert empty.tolist() == (np.array(new)[axis.owner] == 0).tolist()
    assert (axis.counts[np.array(new) == 0] == 1).all()
    assert axis.counts.sum() == len(axis.owner)


def test_chunks_of_unknown_size_go_over_whole():
    axis = overlap((math.nan, math.nan), (math.nan, math.nan))
    assert axis.whole.all()
    assert axis.source.tolist() == axis.owner.tolist() == [0, 1]
