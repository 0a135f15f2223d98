"""What users' own functions, and windows, make of groups whose rows are in several partitions, beside pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.operations.groupby import groups_of_rows, pandas_groups
from restride.collections.dataframe.operations.groupby.put_back import InPlace, SplitByPartition
from restride.collections.dataframe.partition import to_pandas
from restride.engine.worker.sizes import size_of
from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = {"key": "str", "other": "int8", "x": "finite", "n": "int64"}
few = settings(max_examples=30)
frames = partitioned(frames_of(FRAME, min_rows=1, max_rows=20))
by = st.sampled_from(["key", "other", ["key", "other"]])


def total(values):
    return float(values.sum())


def first_two(group):
    return group.head(2)


def doubled(group):
    return group * 2.0


def less_most(values):
    return values - float(values.max())


@few
@given(frames, by, st.booleans(), st.booleans())
def test_aggregates_of_ones_own_are_in_the_order_of_the_groups(case, by, sort, dropna):
    options = {"sort": sort, "dropna": dropna}
    ours, theirs = case.ours.groupby(by, **options), case.theirs.groupby(by, **options)
    if theirs.ngroups:
        assert_same(ours.n.agg(total), theirs.n.agg(total))
        assert_same(ours[["x", "n"]].agg({"x": total, "n": "max"}), theirs[["x", "n"]].agg({"x": total, "n": "max"}))


@few
@given(frames, by, st.booleans(), st.booleans(), st.booleans())
def test_frames_made_of_groups_are_below_each_other_as_in_pandas(case, by, sort, dropna, group_keys):
    options = {"sort": sort, "dropna": dropna, "group_keys": group_keys}
    ours, theirs = case.ours.groupby(by, **options)[["n"]], case.theirs.groupby(by, **options)[["n"]]
    if not theirs.ngroups:
        return
    # Where a function keeps all rows, pandas has those in no group too, and puts rows of equal labels together.
    if group_keys or (case.theirs.index.is_unique and not case.theirs[by].isna().to_numpy().any()):
        for function in (first_two, doubled):
            made = theirs.apply(function)
            assert_same(ours.apply(function, meta=made), made)


def ends(group):
    return pd.Series({"least": float(group.n.min()), "rows": float(len(group))})


@few
@given(frames, by, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_without_an_index_of_keys_they_are_columns_or_left_out(case, by, sort, dropna, group_keys, declared):
    options = {"sort": sort, "dropna": dropna, "group_keys": group_keys, "as_index": False}
    ours, theirs = case.ours.groupby(by, **options), case.theirs.groupby(by, **options)
    if not theirs.ngroups:
        return
    functions = [(ours[["n"]], theirs[["n"]], ends), (ours.n, theirs.n, total)]
    # Where a function keeps all rows, pandas has those in no group too, and puts rows of equal labels together.
    if group_keys or (case.theirs.index.is_unique and not case.theirs[by].isna().to_numpy().any()):
        functions += [(ours[["n"]], theirs[["n"]], function) for function in (first_two, doubled)]
    for mine, expected, function in functions:
        made = expected.apply(function)
        assert_same(mine.apply(function, meta=made) if declared else mine.apply(function), made)


@few
@given(frames, by, st.booleans())
def test_rows_that_a_function_makes_of_groups_come_back_to_their_places(case, by, sort):
    ours, theirs = case.ours.groupby(by, sort=sort), case.theirs.groupby(by, sort=sort)
    if theirs.ngroups:
        meta = pd.Series([], dtype="float64", name="x", index=case.theirs.index[:0])
        assert_same(ours.x.transform(less_most, meta=meta), theirs.x.transform(less_most))


@few
@given(
    partitioned(frames_of({"key": "int8", "word": "str", "x": "finite"}, min_rows=1)), st.sampled_from(["key", "word"])
)
def test_windows_of_groups_have_the_labels_of_pandas(case, by):
    ours, theirs = case.ours.groupby(by)[["x"]], case.theirs.groupby(by)[["x"]]
    if theirs.ngroups:
        assert_same(ours.rolling(2, min_periods=1).sum(), theirs.rolling(2, min_periods=1).sum())
        assert_same(ours.expanding().max(), theirs.expanding().max())


def test_labels_of_rows_made_of_groups_are_known_before_they_are_computed():
    frame = pd.DataFrame({"key": ["a", "b", "a"], "n": [1, 2, 3]}, index=pd.Index([5, 6, 7], name="i"))
    made = from_pandas(frame).groupby("key")[["n"]].apply(first_two)
    assert made.expr.meta.index.names == ["key", "i"]
    assert_same(made, frame.groupby("key")[["n"]].apply(first_two))


def test_rows_that_arrow_cannot_hold_come_back_too():
    theirs = pd.DataFrame({"key": [2, 1, 2, 1, 3], "z": [1 + 2j, 0, 1j, 5, 6]})
    ours = from_pandas(theirs, 3)
    assert_same(
        ours.groupby("key").z.transform(lambda z: z - z.iloc[0]),
        theirs.groupby("key").z.transform(lambda z: z - z.iloc[0]),
    )
    assert_same(ours.groupby("key").z.shift(), theirs.groupby("key").z.shift())


def test_dtypes_are_told_by_some_groups_of_the_first_partition_each_of_them_whole(monkeypatch):
    monkeypatch.setattr(pandas_groups, "GROUPS_LOOKED_AT", 3)
    theirs = pd.DataFrame({"key": [None, "b", "c", "a", "d", "b"] * 2, "x": range(12)})
    sizes = []

    def watched(values):
        sizes.append(len(values))
        return values.max()

    made = from_pandas(theirs, 2).groupby("key").x.agg(watched)
    assert sizes == [1, 2, 1]
    assert_same(made, theirs.groupby("key").x.agg("max"))


@pytest.mark.parametrize(
    "frame", [pd.DataFrame({"k": ["b", None, "b", "a"]}), pd.DataFrame({"k": [None, None]}, dtype="str")]
)
def test_some_groups_are_all_where_there_are_few(frame):
    keys = pandas_groups.PandasKeys((0,), ("k",), False, True, True, True, True)
    assert keys.some_groups(frame) is frame


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40))), st.booleans())
def test_rows_are_put_in_place_by_their_positions(places, in_order):
    places = sorted(places) if in_order else places
    numbers = np.array([(partition << 40) + row for partition, row in places], np.int64)
    frame = pd.DataFrame({"value": range(len(numbers)), "position": numbers})
    partition = pandas_groups.from_pandas(frame, frame[:0])
    buckets = SplitByPartition(frame[:0], 1, 3)(0, partition)
    for number in range(3):
        rows = InPlace(1)(buckets.cut(number))
        expected = frame[numbers >> 40 == number].sort_values("position", kind="stable")
        assert rows.column(0).to_pylist() == expected["value"].tolist()


@pytest.mark.parametrize("name", ["transform", "cumsum", "shift", "rank"])
def test_partitions_without_a_group_have_missing_values(name):
    frame = pd.DataFrame({"key": [None, None], "x": [1.0, 2.0], "position": [0, 1]}).astype({"key": "str"})
    keys = pandas_groups.PandasKeys((0,), ("key",), False, True, True, True, True)
    call = pandas_groups.Call(name, ("first",) if name == "transform" else ())
    meta = frame[["x", "position"]][:0]
    kernel = pandas_groups.RowsOfGroupsBlock(frame[:0], keys, (1,), call, meta)
    made = to_pandas(kernel(pandas_groups.from_pandas(frame, frame[:0])), meta)
    assert made.x.isna().all()
    assert made.position.tolist() == [0, 1]


def test_what_was_made_of_groups_counts_for_its_bytes():
    rows = pandas_groups.from_pandas(pd.DataFrame({"x": np.zeros(1000)}), pd.DataFrame({"x": [0.0]})[:0])
    made = groups_of_rows.SomeGroups(rows, np.arange(1000), pd.RangeIndex(1000), None, None)
    size = size_of(made)
    assert isinstance(size, int)
    assert size >= 16_000


def test_an_error_in_a_function_of_a_group_names_the_group_and_the_users_line():
    def largest_share(group):
        return group.max() / (100 // (group.name - 2))

    df = rd.from_pandas(pd.DataFrame({"key": [0, 1, 2, 3] * 5, "n": range(20)}), npartitions=3)
    with pytest.raises(ZeroDivisionError) as raised:
        df.groupby("key").n.apply(largest_share, meta=("n", "float64")).compute()
    notes = "\n".join(raised.value.__notes__)
    assert "called with the group 2" in notes
    assert "raised in task 'groupby-apply[" in notes
    assert f"made at {__file__}" in notes


@pytest.mark.parametrize("name", ["hour", "date"])
def test_two_keys_may_have_one_name(name):
    theirs = pd.DataFrame({"t": pd.date_range("2024", periods=12, freq="7h"), "v": range(12)})
    ours = from_pandas(theirs)

    def grouped(df):
        return df.groupby([getattr(df.t.dt, name), df.t.dt.day])

    assert_same(grouped(ours).v.nunique(), grouped(theirs).v.nunique())
    assert_same(grouped(ours).v.apply(lambda group: group.sum()), grouped(theirs).v.apply(lambda group: group.sum()))
