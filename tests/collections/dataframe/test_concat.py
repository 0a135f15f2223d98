from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd

DTYPES = ["int64", "int8", "float64", "str", "bool", "datetime64[ns]", "category", "object"]
VALUES = {"str": ["a", "b", None], "bool": [True, False], "category": ["x", "y", None], "object": ["a", 1, None]}


@st.composite
def frame(draw) -> tuple[pd.DataFrame, int]:
    n = draw(st.integers(1, 8))
    columns = {}
    for label in draw(st.lists(st.sampled_from("abcd"), unique=True, min_size=1)):
        dtype = draw(st.sampled_from(DTYPES))
        values = VALUES.get(dtype, [0, 1, 2])
        columns[label] = pd.Series(draw(st.lists(st.sampled_from(values), min_size=n, max_size=n)), dtype=dtype)
    index = draw(st.sampled_from([pd.RangeIndex(n), pd.Index(range(10, 10 + n)), pd.Index(list("zyxwvuts")[:n])]))
    return pd.DataFrame(columns).set_axis(index), draw(st.integers(1, 3))


@given(made=st.lists(frame(), min_size=1, max_size=3), join=st.sampled_from(["outer", "inner"]), number=st.booleans())
def test_frames_below_each_other_are_those_of_pandas(made, join, number):
    ours = [rd.from_pandas(one, npartitions=n) for one, n in made]
    expected = pd.concat([one for one, _ in made], join=join, ignore_index=number)
    got = rd.concat(ours, join=join, ignore_index=number)
    pd.testing.assert_frame_equal(got.compute(), expected, check_index_type=False)
    assert got.npartitions == sum(one.npartitions for one in ours)
    if len(expected.columns):
        last = [expected.columns[-1]]
        pd.testing.assert_frame_equal(got[last].compute(), expected[last], check_index_type=False)


def test_series_and_frames_of_pandas_are_taken_too():
    frame, series = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), pd.Series([3.5], name="x")
    ours = [rd.from_pandas(frame, npartitions=2), None, series]
    pd.testing.assert_frame_equal(rd.concat(ours).compute(), pd.concat([frame, series]))
    pd.testing.assert_series_equal(rd.concat([ours[0].x, series]).compute(), pd.concat([frame.x, series]))


@given(
    made=st.lists(frame(), min_size=1, max_size=3),
    join=st.sampled_from(["outer", "inner"]),
    keys=st.sampled_from([["p", "q", "r"], [3, 1, 2], [("a", 1), ("a", 2), ("b", 1)]]),
    names=st.sampled_from([None, ["k"], ["k", "l"]]),
)
def test_keys_label_the_rows_of_each_frame(made, join, keys, names):
    frames = [one.set_axis(pd.Index([str(label) for label in one.index])) for one, _ in made]
    keys = keys[: len(made)]
    if isinstance(keys[0], tuple) and names is not None:
        names = ["k", "l"]
    elif names is not None:
        names = names[:1]
    ours = [rd.from_pandas(one, npartitions=n) for one, (_, n) in zip(frames, made)]
    expected = pd.concat(frames, join=join, keys=keys, names=names)
    pd.testing.assert_frame_equal(rd.concat(ours, join=join, keys=keys, names=names).compute(), expected)


def test_mappings_series_and_missing_frames_have_keys():
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}, index=pd.Index([5, 6], name="i"))
    df = rd.from_pandas(frame, npartitions=2)
    pd.testing.assert_frame_equal(rd.concat({"p": df, "q": df}).compute(), pd.concat({"p": frame, "q": frame}))
    pd.testing.assert_series_equal(rd.concat({"p": df.x, "q": df.y}).compute(), pd.concat({"p": frame.x, "q": frame.y}))
    some = rd.concat([df, None, df], keys=["p", "q", "r"], names=["k", "j"])
    pd.testing.assert_frame_equal(some.compute(), pd.concat([frame, frame], keys=["p", "r"], names=["k", "j"]))
    with pytest.raises(ValueError, match="length of the keys"):
        rd.concat([df, df], keys=["p"])


def test_divisions_are_known_where_they_follow_on_each_other():
    frame = pd.DataFrame({"v": range(4)}, index=[1, 2, 5, 7])
    first, second = (rd.from_pandas(frame.set_axis(frame.index + shift), npartitions=2) for shift in (0, 10))
    assert rd.concat([first, second]).divisions == (1, 5, 11, 15, 17)
    assert not rd.concat([second, first]).known_divisions
    assert not rd.concat([first, first]).known_divisions


def test_frames_beside_each_other_go_by_their_labels():
    one, two = pd.DataFrame({"x": [1, 2, 3]}, index=list("abc")), pd.DataFrame({"y": [4.0, 5.0]}, index=list("cd"))
    ours = [rd.from_pandas(one, npartitions=2), rd.from_pandas(two, npartitions=1)]
    pd.testing.assert_frame_equal(rd.concat(ours, axis=1).compute(), pd.concat([one, two], axis=1).sort_index())
    inner = rd.concat(ours, axis=1, join="inner").compute()
    pd.testing.assert_frame_equal(inner, pd.concat([one, two], axis=1, join="inner"), check_dtype=False)
    df = ours[0]
    beside = rd.concat({"p": df.x, "q": df.x + 1}, axis=1)
    pd.testing.assert_frame_equal(beside.compute(), pd.concat({"p": one.x, "q": one.x + 1}, axis=1))


def test_what_cannot_be_concatenated_is_an_error():
    df = rd.from_pandas(pd.DataFrame({"x": [1]}), npartitions=1)
    with pytest.raises(ValueError, match="No objects to concatenate"):
        rd.concat([])
    with pytest.raises(TypeError, match="first argument must be an iterable"):
        rd.concat(df)
    with pytest.raises(TypeError, match="cannot concatenate object of type"):
        rd.concat([df, 1])
    with pytest.raises(ValueError, match="No axis named 2"):
        rd.concat([df], axis=2)
