from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride as rs
import restride.dataframe as rd
from tests.collections.dataframe.strategies import assert_same, from_pandas

HOWS = ["inner", "left", "right", "outer"]
pytestmark = pytest.mark.filterwarnings("ignore:You are merging on int and float")


def check(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(got, expected, check_index_type=False)


KEYS = {
    "int64": st.integers(0, 5),
    "float64": st.sampled_from([0.0, -0.0, 1.0, 2.5, np.nan]),
    "str": st.sampled_from(["", "a", "b", "日本", None]),
    "datetime64[us]": st.sampled_from(["2020-01-01", "1999-05-03", None]),
    "category": st.sampled_from(["a", "b", None]),
    "object": st.sampled_from(["a", 1, 2.5]),
    "Int64": st.sampled_from([1, 2, None]),
}


@st.composite
def frame(draw, kinds: list[str], value: str) -> tuple[pd.DataFrame, int]:
    n = draw(st.integers(1, 25))
    data = {}
    for i, kind in enumerate(kinds):
        drawn = draw(st.lists(KEYS[kind], min_size=n, max_size=n))
        data[f"k{i}"] = pd.Series(pd.Categorical(drawn, ["b", "a"]) if kind == "category" else drawn,
                                  dtype=None if kind == "category" else kind)  # fmt: skip
    made = pd.DataFrame({**data, "x": np.arange(n), value: draw(st.lists(st.text(max_size=2), min_size=n, max_size=n))})
    return made, draw(st.integers(1, 4))


@st.composite
def sides(draw, *, n_keys: int = 2):
    kinds = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=n_keys))
    left, n_left = draw(frame(kinds, "l"))
    right, n_right = draw(frame(kinds, "r"))
    return left, right, n_left, n_right, [f"k{i}" for i in range(len(kinds))]


@pytest.mark.parametrize("broadcast", [True, False])
@pytest.mark.parametrize("how", HOWS)
@settings(max_examples=20)
@given(both=sides())
def test_a_merge_has_the_rows_of_pandas_in_its_order(how, broadcast, both):
    left, right, n_left, n_right, keys = both
    got = rd.from_pandas(left, npartitions=n_left).merge(
        rd.from_pandas(right, npartitions=n_right), how=how, on=keys, broadcast=broadcast
    )
    assert list(got.columns) == list(left.merge(right, how=how, on=keys).columns)
    check(got.compute(), left.merge(right, how=how, on=keys))


@pytest.mark.parametrize("how", ["inner", "left", "right"])
@settings(max_examples=20)
@given(both=sides())
def test_rows_are_sorted_by_key_where_that_is_asked_for(how, both):
    left, right, n_left, n_right, keys = both
    got = rd.from_pandas(left, npartitions=n_left).merge(
        rd.from_pandas(right, npartitions=n_right), how=how, on=keys, sort=True
    )
    check(got.compute(), left.merge(right, how=how, on=keys, sort=True))


@pytest.mark.parametrize("broadcast", [True, False])
@pytest.mark.parametrize("how", HOWS)
@settings(max_examples=20)
@given(both=sides(n_keys=1), by=st.sampled_from(["both", "left", "right"]))
def test_a_merge_by_labels_has_the_index_of_pandas(how, broadcast, both, by):
    left, right, n_left, n_right, _ = both
    options = {
        "both": {"left_index": True, "right_index": True},
        "left": {"left_index": True, "right_on": "k0"},
        "right": {"left_on": "k0", "right_index": True},
    }[by]
    if options.get("left_index"):
        left = left.set_index("k0")
    if options.get("right_index"):
        right = right.set_index("k0")
    if by == "both" and (left.index.dtype == "category" or left.index.dtype.kind == "M"):
        return  # where pandas sorts missing labels depends on whether others are there twice
    got = rd.from_pandas(left, npartitions=n_left).merge(
        rd.from_pandas(right, npartitions=n_right), how=how, broadcast=broadcast, **options
    )
    check(got.compute(), left.merge(right, how=how, **options))


def test_no_more_columns_than_are_used_are_carried_along():
    left = rd.from_pandas(pd.DataFrame({"k": [1, 2], "a": [1, 2], "unused": [1, 2]}), npartitions=2)
    right = rd.from_pandas(pd.DataFrame({"k": [1, 2], "b": [1, 2], "unused": [1, 2]}), npartitions=2)
    for broadcast in (True, False):
        plan = str(left.merge(right, on="k", broadcast=broadcast)[["b", "a"]].explain())
        assert "unused" not in plan.split("optimised")[1]
    got = left.merge(right, on="k", broadcast=False)[["b", "a"]].compute()
    assert got.to_dict("list") == {"b": [1, 2], "a": [1, 2]}


@pytest.mark.parametrize("broadcast", [True, False])
def test_a_key_that_most_rows_have_is_no_trouble(broadcast):
    left = pd.DataFrame({"k": [7] * 3000 + list(range(10)), "x": range(3010)})
    right = pd.DataFrame({"k": [7, 7, 8], "y": range(3)})
    got = rd.from_pandas(left, npartitions=6).merge(rd.from_pandas(right, npartitions=2), on="k", broadcast=broadcast)
    check(got.compute(), left.merge(right, on="k"))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("broadcast", [True, False])
def test_sides_without_rows_and_partitions_without_rows_merge(how, broadcast):
    left = pd.DataFrame({"k": [1, 2, 3, 4], "x": [1.0, 2.0, 3.0, 4.0]})
    one, two = rd.from_pandas(left, npartitions=4), rd.from_pandas(left.rename(columns={"x": "y"}), npartitions=2)
    few, none = one[one.k == 2], two[two.k > 9]
    for a, b in ((few, two), (two, few), (few, none), (none, few)):
        expected = a.compute().merge(b.compute(), on="k", how=how)
        check(a.merge(b, on="k", how=how, broadcast=broadcast).compute(), expected)


@pytest.mark.parametrize("how", ["leftsemi", "leftanti"])
@pytest.mark.parametrize("broadcast", [True, False])
def test_filtering_joins_keep_the_rows_of_the_left_that_have_a_partner_or_none(how, broadcast):
    left = pd.DataFrame({"k": [5, 1, 2, 1, 9], "x": list("abcde")})
    right = pd.DataFrame({"k": [1, 1, 5]})
    got = rd.from_pandas(left, npartitions=3).merge(
        rd.from_pandas(right, npartitions=2), on="k", how=how, broadcast=broadcast
    )
    expected = left[left.k.isin(right.k) == (how == "leftsemi")].reset_index(drop=True)
    pd.testing.assert_frame_equal(got.compute(), expected)


@pytest.mark.parametrize("validate", ["1:1", "1:m", "m:1", "m:m"])
@pytest.mark.parametrize("left", [[1, 2, 3, 4], [1, 2, 2, 4]])
@pytest.mark.parametrize("right", [[1, 2, 3, 4], [1, 4, 3, 4]])
def test_keys_are_validated_as_the_merge_is_computed(validate, left, right):
    one, two = pd.DataFrame({"k": left}), pd.DataFrame({"k": right, "y": 1})
    merged = rd.from_pandas(one, npartitions=2).merge(rd.from_pandas(two, npartitions=2), on="k", validate=validate)
    try:
        expected = one.merge(two, on="k", validate=validate)
    except pd.errors.MergeError:
        with pytest.raises(pd.errors.MergeError, match="not unique"):
            merged.compute()
    else:
        check(merged.compute(), expected)


def test_wrong_arguments_are_errors_of_the_call():
    df = rd.from_pandas(pd.DataFrame({"k": [1], "s": ["a"]}), npartitions=1)
    with pytest.raises(KeyError):
        df.merge(df, on="none")
    with pytest.raises(ValueError, match="merge on int64 and str"):
        df.merge(df, left_on="k", right_on="s")
    with pytest.raises(pd.errors.MergeError):
        df.merge(df, left_on="k")
    with pytest.raises(TypeError, match="Can only merge Series or DataFrame"):
        df.merge([1, 2])
    with pytest.raises(ValueError, match="overlap"):
        df.join(df)


def test_join_is_by_labels_and_takes_several_frames():
    left = pd.DataFrame({"x": [1, 2, 3]}, index=list("abc"))
    others = [pd.DataFrame({"y": [5, 6]}, index=list("ca")), pd.Series([7.0, 8.0], index=list("bc"), name="z")]
    df = rd.from_pandas(left, npartitions=2)
    pd.testing.assert_frame_equal(df.join(others[0]).compute(), left.join(others[0]))
    pd.testing.assert_frame_equal(df.join(others).compute(), left.join(others))
    by_column = pd.DataFrame({"key": list("cab"), "v": range(3)})
    got = rd.from_pandas(by_column, npartitions=2).join(df, on="key")
    pd.testing.assert_frame_equal(got.compute(), by_column.join(left, on="key"), check_dtype=False)


def test_rows_go_back_in_order_only_where_that_can_be_seen():
    left, right = pd.DataFrame({"k": range(40), "v": 1.0}), pd.DataFrame({"k": range(20, 60), "w": 2.0})
    both = rd.from_pandas(left, npartitions=4).merge(rd.from_pandas(right, npartitions=3), on="k", broadcast=False)
    assert "__position__" in str(both.explain())
    total = (both.v * both.w).sum()
    assert "__position__" not in str(total.explain())
    assert total.compute() == 40.0
    assert "__position__" in str(both[both.v > 0].explain())


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "median", "nunique", "min", "first", "last", "idxmax"])
def test_groups_in_order_of_their_keys_show_the_order_of_rows_only_in_first_values_and_the_like(name, sort):
    rng = np.random.default_rng(0)
    left = pd.DataFrame({"k": rng.integers(0, 40, 200), "v": rng.integers(0, 9, 200)})
    right = pd.DataFrame({"k": rng.integers(0, 40, 50), "g": rng.integers(0, 5, 50)})
    ours = rd.from_pandas(left, npartitions=4).merge(rd.from_pandas(right, npartitions=3), on="k", broadcast=False)
    got = getattr(ours.groupby("g", sort=sort).v, name)()
    shown = not sort or name in ("first", "last", "idxmax")
    assert ("__position__" in str(got.explain())) == shown
    expected = getattr(left.merge(right, on="k").groupby("g", sort=sort).v, name)()
    pd.testing.assert_series_equal(got.compute(), expected)
    lists = ours.groupby("g", sort=sort).v.agg(list)
    assert "__position__" in str(lists.explain())
    assert lists.compute().tolist() == left.merge(right, on="k").groupby("g", sort=sort).v.agg(list).tolist()


def test_nothing_is_shuffled_where_keys_are_known_to_be_close_to_each_other(tmp_path):
    n = 100
    frame = pd.DataFrame({"k": np.random.default_rng(0).permutation(n), "x": range(n)})
    rd.from_pandas(frame, npartitions=3).to_parquet(tmp_path)
    stored = rd.read_parquet(tmp_path)
    expected = frame.merge(frame, on="k")
    pd.testing.assert_frame_equal(stored.merge(stored, on="k").compute(), expected)


@pytest.mark.slow
def test_merges_run_on_other_processes():
    left = pd.DataFrame({"k": np.arange(1000) % 37, "s": [f"s{i % 11}" for i in range(1000)], "x": range(1000)})
    right = pd.DataFrame({"k": range(40), "s": [f"s{i % 9}" for i in range(40)], "y": range(40)})
    with rs.Client("processes", workers=2):
        one, two = rd.from_pandas(left, npartitions=5), rd.from_pandas(right, npartitions=3)
        for how in HOWS:
            for broadcast in (True, False):
                got = one.merge(two, on=["k", "s"], how=how, broadcast=broadcast)
                check(got.compute(), left.merge(right, on=["k", "s"], how=how))
        nearest = rd.merge_asof(one.sort_values("x"), two.sort_values("y"), left_on="x", right_on="y").compute()
        pd.testing.assert_frame_equal(nearest, pd.merge_asof(left, right, left_on="x", right_on="y"))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("int64", "Int64"),
        ("Int64", "int64"),
        ("int8", "int64"),
        ("int64", "uint16"),
        ("float64", "int64"),
        ("datetime64[s]", "datetime64[ns]"),
        ("datetime64[ns]", "datetime64[s]"),
    ],
)
def test_indexes_of_two_dtypes_are_joined_as_pandas_joins_them(left, right):
    values = ["2020", "2021"] if left.startswith("datetime") else [1, 2]
    one = pd.DataFrame({"x": [0, 1]}, index=pd.Index(values, dtype=left, name="k"))
    two = pd.DataFrame({"y": [0, 1]}, index=pd.Index(values[::-1], dtype=right, name="k"))
    for how in ("inner", "left", "right", "outer"):
        ours = from_pandas(one, 2).join(from_pandas(two, 2), how=how)
        assert_same(ours, one.join(two, how=how))
        assert ours.index.dtype == one.join(two, how=how).index.dtype


TEXTS, YEARS = st.sampled_from(["a", "b", "c", None]), st.sampled_from(["2020", "2021", None])
TWO_DTYPES = {
    "categories": (pd.CategoricalDtype(["b", "a", "c"]), pd.CategoricalDtype(["c", "x", "b", "a"]), TEXTS),
    "texts": (pd.CategoricalDtype(["b", "a", "c"]), "str", TEXTS),
    "nullable": ("Int64", "int16", st.integers(0, 4)),
    "narrow": ("Int8", "Int64", st.sampled_from([0, 1, 2, None])),
    "units": ("datetime64[s]", "datetime64[ns]", YEARS),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", TWO_DTYPES)
@settings(max_examples=10)
@given(data=st.data())
def test_keys_of_two_dtypes_meet_wherever_they_are(kind, how, turned, data):
    *dtypes, values = TWO_DTYPES[kind]
    keys = [data.draw(st.lists(values, min_size=1, max_size=8)) for _ in dtypes]
    left, right = (
        pd.DataFrame({"k": pd.Series(key, dtype=dtype), value: range(len(key))})
        for key, dtype, value in zip(keys, dtypes[::-1] if turned else dtypes, ("x", "y"))
    )
    n = data.draw(st.integers(1, 3))
    got = from_pandas(left, n).merge(from_pandas(right, n), on="k", how=how).compute()
    expected = left.merge(right, on="k", how=how)
    # Which of the two dtypes the key has depends in pandas on the values.
    plain = [frame.astype(object).where(frame.notna(), None) for frame in (got, expected)]
    check(*plain)


@pytest.mark.parametrize("kind", ["naive", "zoned", "timedelta"])
def test_times_that_are_missing_come_last_where_indexes_are_joined(kind):
    left, right = pd.DatetimeIndex(["2022", None, "2020"]), pd.DatetimeIndex(["2021", None])
    if kind == "zoned":
        left, right = left.tz_localize("UTC"), right.tz_localize("UTC")
    elif kind == "timedelta":
        left, right = left - pd.Timestamp("2019"), right - pd.Timestamp("2019")
    one, two = pd.DataFrame({"x": range(3)}, index=left), pd.DataFrame({"y": range(2)}, index=right)
    assert_same(from_pandas(one, 2).join(from_pandas(two, 1), how="outer"), one.join(two, how="outer"))
    on = {"left_on": "k", "right_index": True, "how": "outer"}
    columns = one.rename_axis("k").reset_index()
    assert_same(from_pandas(columns, 2).merge(from_pandas(two, 1), **on), columns.merge(two, **on))


@given(sizes=st.tuples(st.integers(0, 9), st.integers(0, 9)), parts=st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_cross_merges_are_made_of_pairs_of_partitions_where_nobody_sees_the_order(sizes, parts):
    left, right = (pd.DataFrame({name: range(n)}) for name, n in zip("xy", sizes))
    ours = from_pandas(left, parts[0]).merge(from_pandas(right, parts[1]), how="cross")
    theirs = left.merge(right, how="cross")
    assert_same(ours, theirs)
    assert ours[ours.x < ours.y].y.sum().compute() == theirs[theirs.x < theirs.y].y.sum()
    assert_same(ours.groupby("x").y.sum(), theirs.groupby("x").y.sum())


def test_no_task_of_a_cross_merge_has_the_right_side_whole_where_nobody_sees_the_order():
    left, right = pd.DataFrame({"x": range(40)}), pd.DataFrame({"y": range(60)})
    ours = from_pandas(left, 4).merge(from_pandas(right, 6), how="cross")
    summed = str(ours.y.sum().explain())
    assert "24 partitions" in summed.split("optimised")[1]
    assert "merge-right" not in summed
    assert ours.y.sum().compute() == 40 * sum(range(60))


def test_cross_merges_take_columns_of_one_label():
    left, right = pd.DataFrame({"k": [1, 2], "x": ["a", "b"]}), pd.DataFrame({"k": [3.0, 4.0, 5.0], "y": [1, 2, 3]})
    ours = from_pandas(left, 2).merge(from_pandas(right, 2), how="cross")
    assert_same(ours, left.merge(right, how="cross"))
    for how in ("cross", "left"):
        ours = from_pandas(left, 2).join(from_pandas(right, 2), how=how, suffixes=("_l", "_r"))
        assert_same(ours, left.join(right, how=how, suffixes=("_l", "_r")))
