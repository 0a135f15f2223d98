from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd

INDEX = st.lists(st.sampled_from(list("abcdef")), unique=True, min_size=1)


@st.composite
def series(draw, name: str) -> tuple[pd.Series, int]:
    labels = draw(INDEX)
    values = draw(st.lists(st.integers(-9, 9), min_size=len(labels), max_size=len(labels)))
    return pd.Series(values, index=labels, name=name), draw(st.integers(1, 3))


@given(one=series("x"), two=series("y"))
def test_operands_meet_by_their_labels(one, two):
    (a, n_a), (b, n_b) = one, two
    ours = rd.from_pandas(a, npartitions=n_a) + rd.from_pandas(b, npartitions=n_b)
    pd.testing.assert_series_equal(ours.compute(), (a + b).astype(float).sort_index())


@given(one=series("x"), two=series("y"))
def test_columns_and_masks_are_brought_to_the_labels_of_the_frame(one, two):
    (a, n_a), (b, n_b) = one, two
    frame, other = rd.from_pandas(a.to_frame(), npartitions=n_a), rd.from_pandas(b, npartitions=n_b)
    pd.testing.assert_frame_equal(frame.assign(y=other).compute(), a.to_frame().assign(y=b))
    if set(a.index) <= set(b.index):
        mask = (b > 0).reindex(a.index)
        pd.testing.assert_frame_equal(frame[other > 0].compute(), a.to_frame()[mask])
    else:
        with pytest.raises(pd.errors.IndexingError):
            frame[other > 0].compute()


@pytest.mark.parametrize("join", ["outer", "inner", "left", "right"])
@given(one=series("x"), two=series("y"))
def test_align_gives_both_the_same_labels(join, one, two):
    (a, n_a), (b, n_b) = one, two
    got = rd.from_pandas(a, npartitions=n_a).align(rd.from_pandas(b, npartitions=n_b), join=join)
    for ours, theirs in zip(got, a.align(b, join=join)):
        order = theirs.sort_index() if join == "outer" else theirs
        pd.testing.assert_series_equal(ours.compute(), order, check_dtype=False)


def test_rows_of_one_number_in_other_partitions_are_brought_together_as_they_are():
    frame = pd.DataFrame({"x": range(10), "s": list("abcdefghij")})
    one, two = rd.from_pandas(frame, npartitions=4), rd.from_pandas(frame, npartitions=3)
    total = one.x + two.x
    assert "merge" not in str(total.explain())
    pd.testing.assert_series_equal(total.compute(), frame.x * 2)
    pd.testing.assert_frame_equal(one[two.x > 6].compute(), frame[frame.x > 6])


def test_a_label_that_is_there_twice_cannot_become_a_column():
    frame = rd.from_pandas(pd.DataFrame({"x": [1, 2]}, index=list("ab")), npartitions=2)
    twice = rd.from_pandas(pd.Series([1, 2], index=list("aa")), npartitions=1)
    with pytest.raises(ValueError, match="not unique"):
        frame.assign(y=twice).compute()


@given(one=series("x"), two=series("x"))
def test_missing_values_are_taken_from_the_other(one, two):
    (a, n_a), (b, n_b) = (one[0].where(one[0] > 0), one[1]), two
    ours = rd.from_pandas(a, npartitions=n_a).combine_first(rd.from_pandas(b, npartitions=n_b))
    pd.testing.assert_series_equal(ours.compute(), a.combine_first(b).sort_index(), check_dtype=False)
