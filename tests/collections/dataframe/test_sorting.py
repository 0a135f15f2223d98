"""Frames are sorted, cut and shuffled as pandas has it, whatever their partitions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import restride as rs
import restride.dataframe as rd
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.kernels.pieces import Piece, split_rows
from restride.collections.dataframe.operations.shuffle import HashShuffle
from restride.collections.dataframe.operations.shuffle_kernels import GatherPieces, SplitByHash
from restride.errors import ShuffleError
from tests.collections.dataframe.strategies import (
    KINDS,
    Case,
    assert_same,
    frames,
    frames_of,
    partitioned,
    series,
)

ORDERED = [kind for kind in KINDS if kind != "object"]
relaxed = settings(deadline=None, max_examples=25)


def misplaced_by_pandas(keys: pd.DataFrame, ascending: bool) -> bool:
    """Whether pandas does not put missing values of one of several keys first where asked to.

    To it NaN equals the infinity that comes first then; and beside a key that is missing everywhere, missing values of
    a descending one come last.
    """
    floats = keys.select_dtypes("float")
    infinite = bool((np.isinf(floats).any() & floats.isna().any()).any())
    return infinite or (not ascending and bool(keys.isna().all().any()))


@relaxed
@given(
    partitioned(frames(ORDERED, min_columns=2)), st.data(), st.sampled_from(["first", "last"]), st.booleans(),
    st.integers(1, 6),
)  # fmt: skip
def test_sort_values_is_pandas_stable_sort_by_any_columns(
    case: Case, data: st.DataObject, na_position: str, ignore_index: bool, n: int
) -> None:
    by = data.draw(st.lists(st.sampled_from(list(case.theirs.columns)), min_size=1, max_size=3, unique=True))
    ascending = data.draw(st.lists(st.booleans(), min_size=len(by), max_size=len(by)))
    assume(na_position == "last" or len(by) == 1 or not misplaced_by_pandas(case.theirs[by], all(ascending)))
    kwargs: dict[str, Any] = {"ascending": ascending, "na_position": na_position, "ignore_index": ignore_index}
    ours = case.ours.sort_values(by, npartitions=n, **kwargs)
    assert ours.npartitions == n
    assert_same(ours, case.theirs.sort_values(by, kind="stable", **kwargs))


@relaxed
@given(partitioned(series(ORDERED)), st.booleans(), st.sampled_from(["first", "last"]))
def test_series_are_sorted_by_their_values(case: Case, ascending: bool, na_position: str) -> None:
    kwargs: dict[str, Any] = {"ascending": ascending, "na_position": na_position}
    assert_same(case.ours.sort_values(**kwargs), case.theirs.sort_values(kind="stable", **kwargs))


@relaxed
@given(partitioned(frames(["int64", "str"])), st.booleans())
def test_sort_index_sorts_by_all_levels(case: Case, ascending: bool) -> None:
    assert_same(case.ours.sort_index(ascending=ascending), case.theirs.sort_index(ascending=ascending, kind="stable"))


def test_one_level_of_an_index_can_be_sorted_by() -> None:
    index = pd.MultiIndex.from_tuples([(2, "b"), (1, "c"), (2, "a"), (1, "a")], names=["k", "l"])
    theirs = pd.DataFrame({"x": range(4)}, index=index)
    ours = rd.from_pandas(theirs, npartitions=3)
    assert_same(ours.sort_index(level="l"), theirs.sort_index(level="l"))
    assert_same(
        ours.sort_values(["l", "x"], ascending=[False, True]), theirs.sort_values(["l", "x"], ascending=[False, True])
    )


def test_a_key_function_says_what_to_sort_by() -> None:
    theirs = pd.DataFrame({"s": ["b", "C", "a", "B"], "x": [1, -3, 2, -2]})
    ours = rd.from_pandas(theirs, npartitions=2)
    assert_same(
        ours.sort_values("s", key=lambda s: s.str.lower()), theirs.sort_values("s", key=lambda s: s.str.lower())
    )
    assert_same(ours.sort_values("x", key=abs), theirs.sort_values("x", key=abs))
    with pytest.raises(ValueError, match="must not change the shape"):
        ours.sort_values("x", key=lambda s: s[:1]).compute()


@pytest.mark.parametrize(
    ("by", "kwargs", "error"),
    [
        ("nope", {}, KeyError),
        ("d", {}, ValueError),
        (["x", "i"], {"ascending": [True]}, ValueError),
        ("x", {"na_position": "middle"}, ValueError),
        ("x", {"ascending": None}, ValueError),
    ],
)
def test_what_cannot_be_sorted_by_is_an_error_of_pandas_at_the_call(by: Any, kwargs: Any, error: Any) -> None:
    theirs = pd.DataFrame([[1, 2, 3]], columns=["x", "d", "d"], index=pd.Index([0], name="i"))
    with pytest.raises(error):
        theirs.sort_values(by, **kwargs)
    with pytest.raises(error):
        rd.from_pandas(theirs, npartitions=1).sort_values(by, **kwargs)


def test_objects_without_an_order_are_an_error_when_computed() -> None:
    ours = rd.from_pandas(pd.DataFrame({"x": pd.Series([1, "a"], dtype=object)}), npartitions=1)
    with pytest.raises(TypeError, match="not supported between"):
        ours.sort_values("x").compute()


def test_a_sort_of_many_rows_leaves_partitions_of_about_equal_size() -> None:
    rng = np.random.default_rng(0)
    theirs = pd.DataFrame({"x": rng.exponential(size=50_000), "s": [f"k{i}" for i in rng.integers(0, 9999, 50_000)]})
    ours = rd.from_pandas(theirs, npartitions=20)
    for by in ("x", "s"):
        new = ours.sort_values(by)
        assert_same(new, theirs.sort_values(by, kind="stable"))
        lengths = new.map_partitions(len, meta=(None, "int64")).compute()
        assert lengths.sum() == 50_000
        assert lengths.max() < 1.5 * 50_000 / 20


@pytest.mark.parametrize("known", [True, False])
def test_a_key_that_most_rows_have_is_in_several_partitions(known: bool) -> None:
    rng = np.random.default_rng(0)
    theirs = pd.DataFrame(
        {"x": np.where(rng.random(30_000) < 0.8, 5, rng.integers(0, 10, 30_000)), "row": range(30_000)}
    )
    ours = rd.from_pandas(theirs, npartitions=40)
    ours = ours if known else ours.map_partitions(lambda part: part, meta=theirs.iloc[:0])
    new = ours.sort_values("x", npartitions=10)
    assert_same(new, theirs.sort_values("x", kind="stable"))
    assert new.map_partitions(len, meta=(None, "int64")).compute().max() < 30_000 / 5


# ---- index


@relaxed
@given(
    partitioned(frames_of({"k": "int64", "s": "str", "x": "finite"})),
    st.sampled_from(["k", "s", ["s", "k"]]),
    st.booleans(),
)
def test_set_index_sorts_by_the_new_index(case: Case, keys: Any, drop: bool) -> None:
    ours = case.ours.set_index(keys, drop=drop)
    theirs = case.theirs.set_index(keys, drop=drop)
    assert_same(ours, theirs.sort_index(kind="stable"))
    assert_same(case.ours.set_index(keys, drop=drop, sort=False), theirs)


def test_set_index_takes_series_and_keeps_levels_with_append() -> None:
    theirs = pd.DataFrame({"x": [3, 1, 2], "y": list("abc")}, index=pd.Index([10, 20, 30], name="i"))
    ours = rd.from_pandas(theirs, npartitions=2)
    assert_same(ours.set_index(ours.x + 1), theirs.set_index(theirs.x + 1).sort_index())
    assert_same(ours.set_index("y", append=True), theirs.set_index("y", append=True).sort_index())


def test_divisions_say_which_labels_are_in_which_partition() -> None:
    theirs = pd.DataFrame({"k": [5, 1, 9, 3, 7], "x": range(5)})
    ours = rd.from_pandas(theirs, npartitions=2).set_index("k", divisions=[0, 4, 10])
    assert ours.divisions == (0, 4, 10)
    assert_same(ours, theirs.set_index("k").sort_index())
    assert ours.get_partition(0).compute().index.tolist() == [1, 3]


def test_labels_beyond_the_divisions_are_an_error_when_computed() -> None:
    ours = rd.from_pandas(pd.DataFrame({"k": [5, 1, 9]}), npartitions=2)
    with pytest.raises(ValueError, match="there are values from"):
        ours.set_index("k", divisions=[0, 4, 8]).compute()
    with pytest.raises(ValueError, match="ascend"):
        ours.set_index("k", divisions=[4, 0, 8])


def test_set_index_finds_out_the_divisions_from_the_key_alone() -> None:
    theirs = pd.DataFrame({"k": pd.to_datetime(np.arange(100)[::-1], unit="D"), "x": range(100)})
    ours = rd.from_pandas(theirs, npartitions=4)
    known = ours.set_index("k")
    assert known.npartitions == 4
    assert (known.divisions[0], known.divisions[-1]) == (theirs.k.min(), theirs.k.max())
    assert_same(known, theirs.set_index("k").sort_index())
    assert not ours.set_index("k", compute=False).known_divisions
    same = rd.from_pandas(theirs.assign(k=7), npartitions=4).set_index("k")
    assert same.divisions == (7, 7)
    assert len(same) == 100


def test_a_sorted_frame_is_not_moved() -> None:
    theirs = pd.DataFrame({"k": [1, 2, 3, 4], "x": range(4)})
    ours = rd.from_pandas(theirs, npartitions=2).set_index("k", sorted=True, divisions=[1, 3, 4])
    assert ours.divisions == (1, 3, 4)
    assert "sort" not in str(ours.explain())
    assert_same(ours, theirs.set_index("k"))


# ---- partitions


@relaxed
@given(partitioned(frames(["int64", "str", "object"])), st.integers(1, 9))
def test_repartition_keeps_rows_and_order(case: Case, n: int) -> None:
    ours = case.ours.repartition(npartitions=n)
    assert ours.npartitions == n or not case.ours.npartitions
    assert_same(ours, case.theirs)


def test_partitions_of_known_lengths_become_equally_long() -> None:
    ours = rd.from_pandas(pd.DataFrame({"x": range(100)}), npartitions=7)
    for n in (1, 3, 10):
        lengths = ours.repartition(npartitions=n).map_partitions(len, meta=(None, "int64")).compute()
        assert lengths.max() - lengths.min() <= 1
    assert len(ours.repartition(npartitions=lambda n: 2 * n).divisions) == 15


@relaxed
@given(partitioned(frames(["int64"], index=["sorted"], min_rows=4, max_rows=20)), st.data())
def test_repartition_by_divisions_puts_labels_where_they_belong(case: Case, data: st.DataObject) -> None:
    ours = rd.from_pandas(case.theirs, npartitions=3)
    first, last = ours.divisions[0], ours.divisions[-1]
    inner = sorted(data.draw(st.sets(st.integers(first + 1, last), max_size=4)) - {last})
    divisions = (first, *inner, last)
    new = ours.repartition(divisions=divisions)
    assert new.divisions == divisions
    assert_same(new, case.theirs)
    for number, (low, high) in enumerate(pairwise(divisions)):
        labels = new.get_partition(number).compute().index
        assert all(low <= label < high or (label == last == high) for label in labels)
    with pytest.raises(ValueError, match="force"):
        ours.repartition(divisions=[first - 1, last])
    assert_same(ours.repartition(divisions=[first - 1, last], force=True), case.theirs)


def test_repartition_by_time_and_by_size() -> None:
    theirs = pd.DataFrame({"x": range(60)}, index=pd.date_range("2024-01-01", periods=60, freq="6h"))
    ours = rd.from_pandas(theirs, npartitions=4)
    days = ours.repartition(freq="D")
    assert days.npartitions == 15
    assert_same(days, theirs)
    assert ours.repartition(freq="MS").npartitions == 1
    small = ours.repartition(partition_size="100 B")
    assert small.npartitions > 4
    assert_same(small, theirs)
    assert ours.repartition(partition_size="1 MB").npartitions == 1
    with pytest.raises(ValueError, match="number of bytes"):
        ours.repartition(partition_size="many")
    with pytest.raises(ValueError, match="one of"):
        ours.repartition()


# ---- shuffles


@relaxed
@given(partitioned(frames(KINDS, min_columns=2)), st.data(), st.integers(1, 5))
def test_a_shuffle_brings_equal_keys_together_and_loses_nothing(case: Case, data: st.DataObject, n: int) -> None:
    by = data.draw(st.lists(st.sampled_from(list(case.theirs.columns)), min_size=1, max_size=2, unique=True))
    shuffled = case.ours.shuffle(by, npartitions=n)
    parts = rs.compute(*(shuffled.get_partition(i) for i in range(n)))
    whole = pd.concat([part for part in parts if len(part)] or parts[:1])
    keys = [str(key) for key in case.theirs.astype(object).itertuples()]
    assert sorted(str(key) for key in whole.astype(object).itertuples()) == sorted(keys)
    seen: dict[str, int] = {}
    for number, part in enumerate(parts):
        for key in part[by].astype(object).where(part[by].notna(), None).itertuples(index=False):
            assert seen.setdefault(repr(tuple(key)), number) == number


def test_frames_are_shuffled_by_their_index_and_by_series() -> None:
    theirs = pd.DataFrame({"x": [1, 2, 1, 2, 3]}, index=list("abcab"))
    ours = rd.from_pandas(theirs, npartitions=3)
    for shuffled in (ours.shuffle(on_index=True), ours.shuffle(ours.x % 2), ours.x.shuffle(ours.x % 2)):
        assert sorted(shuffled.compute().index) == sorted(theirs.index)
    assert list(ours.shuffle(ours.x % 2).columns) == ["x"]
    with pytest.raises(ValueError, match="on_index"):
        ours.shuffle()


def test_columns_that_nobody_needs_do_not_go_through_a_shuffle() -> None:
    theirs = pd.DataFrame({"k": [1, 2, 1], "x": [1, 2, 3], "s": list("abc")}, index=list("pqr"))
    ours = rd.from_pandas(theirs, npartitions=2)
    text = str(ours.sort_values("k").x.explain())
    optimised = text[text.index("optimised") :]
    assert "[k, x]" in optimised
    assert_same(ours.sort_values("k").x, theirs.sort_values("k", kind="stable").x)
    assert int(ours.shuffle("k").x.sum().compute()) == 6


def test_what_is_shuffled_already_is_not_shuffled_again() -> None:
    theirs = pd.DataFrame({"x": [1, 2, 1, 2, 3], "y": range(5)}, index=list("abcab"))
    ours = rd.from_pandas(theirs, npartitions=3)
    once = ours.shuffle("x")
    again = once[once.y > 0][["y", "x"]].shuffle("x")
    assert str(again.explain()).count("shuffle-split") == 1
    assert again.compute().equals(once[once.y > 0][["y", "x"]].compute())
    assert str(once.assign(x=once.x + 1).shuffle("x").explain()).count("shuffle-split") == 2


def test_a_lost_row_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    split = SplitByHash.__call__

    def lossy(self: SplitByHash, *blocks: Any) -> Any:
        buckets = split(self, *blocks)
        buckets.rows = buckets.rows.slice(0, buckets.rows.num_rows - 1)
        return buckets

    monkeypatch.setattr(SplitByHash, "__call__", lossy)
    ours = rd.from_pandas(pd.DataFrame({"x": range(10)}), npartitions=2)
    with pytest.raises(ShuffleError, match="should have got"):
        ours.shuffle("x", npartitions=1).compute()


def test_a_row_that_was_changed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    split = SplitByHash.__call__

    def twisted(self: SplitByHash, *blocks: Any) -> Any:
        buckets = split(self, *blocks)
        buckets.rows = buckets.rows.take([0] * buckets.rows.num_rows)
        return buckets

    monkeypatch.setattr(SplitByHash, "__call__", twisted)
    ours = rd.from_pandas(pd.DataFrame({"x": range(10)}), npartitions=2)
    with pytest.raises(ShuffleError, match="checksum"):
        ours.shuffle("x", npartitions=1).compute()


def test_small_partitions_are_split_together() -> None:
    theirs = pd.DataFrame({"x": range(1000)})
    ours = rd.from_pandas(theirs, npartitions=100).shuffle("x", npartitions=5)
    assert sorted(ours.compute().x) == list(range(1000))
    shuffle = ours.expr
    assert isinstance(shuffle, HashShuffle)
    assert shuffle.plan().n_splits < 20
    assert new_collection(shuffle.replace(pieces=True)).compute().equals(ours.compute())


# ---- extremes, quantiles, samples


@relaxed
@given(
    partitioned(frames_of({"x": "int64", "y": "finite", "s": "str"})), st.integers(0, 6),
    st.sampled_from(["first", "last", "all"]), st.sampled_from(["x", "y", ["y", "x"]]), st.booleans(),
)  # fmt: skip
def test_extreme_rows_are_those_of_pandas(case: Case, n: int, keep: str, by: Any, largest: bool) -> None:
    method = "nlargest" if largest else "nsmallest"
    assert_same(getattr(case.ours, method)(n, by, keep=keep), getattr(case.theirs, method)(n, by, keep=keep))
    column = case.ours.y, case.theirs.y
    assert_same(getattr(column[0], method)(n, keep=keep), getattr(column[1], method)(n, keep=keep))


ONE_MISSING = pd.Series([0.0, 1.0, np.nan], dtype="float32")


@relaxed
@given(
    partitioned(series(["int64", "finite", "float32", "Int64", "datetime", "timedelta"], min_rows=1)),
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.77, 1.0]),
    st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]),
)
@example(Case(ONE_MISSING, rd.from_pandas(ONE_MISSING, npartitions=1)), 0.1, "linear")
def test_quantiles_are_exact(case: Case, q: float, how: Any) -> None:
    ours, theirs = case.ours.quantile(q, interpolation=how).compute(), case.theirs.quantile(q, interpolation=how)
    if isinstance(theirs, np.float32):  # to which pandas rounds where a value is missing, and only there
        ours = np.float32(ours)
    assert (pd.isna(ours) and pd.isna(theirs)) or ours == theirs
    if (
        case.theirs.dtype not in ("Int64", "float32") and case.theirs.notna().any()
    ):  # where the dtype depends on the values
        assert_same(case.ours.quantile([q, 0.5], interpolation=how), case.theirs.quantile([q, 0.5], interpolation=how))


@relaxed
@given(partitioned(frames_of({"x": "int64", "y": "finite"}, min_rows=1)))
def test_quantiles_of_frames_are_by_column(case: Case) -> None:
    assert_same(case.ours.quantile(0.3), case.theirs.quantile(0.3))
    assert_same(case.ours.quantile([0.3, 0.9]), case.theirs.quantile([0.3, 0.9]))
    assert_same(case.ours.median(), case.theirs.median())


def test_quantiles_of_many_rows_look_at_few() -> None:
    rng = np.random.default_rng(0)
    theirs = pd.Series(np.where(rng.random(40_000) < 0.3, 7.0, rng.normal(size=40_000)))
    ours = rd.from_pandas(theirs, npartitions=9)
    assert_same(ours.quantile([0.001, 0.5, 0.9, 0.95, 1]), theirs.quantile([0.001, 0.5, 0.9, 0.95, 1]))


def test_samples_are_of_about_the_size_asked_for_and_the_same_for_one_seed() -> None:
    theirs = pd.DataFrame({"x": range(1000)})
    ours = rd.from_pandas(theirs, npartitions=4)
    sample = ours.sample(frac=0.1, random_state=3).compute()
    assert len(sample) == 100
    assert sample.x.is_unique
    assert (sample.x == sample.index).all()
    assert_same(ours.sample(frac=0.1, random_state=3), sample)
    assert len(ours.sample(frac=2, replace=True)) == 2000
    with pytest.raises(ValueError, match="upsampling"):
        ours.sample(frac=2)
    with pytest.raises(ValueError, match="frac="):
        ours.sample(n=3)


def test_random_parts_are_all_rows_once() -> None:
    ours = rd.from_pandas(pd.DataFrame({"x": range(1000)}), npartitions=4)
    parts = [part.compute() for part in ours.random_split([0.7, 0.2, 0.1], random_state=0)]
    assert sorted(pd.concat(parts).x) == list(range(1000))
    assert [len(part) // 100 for part in parts] in (
        [6, 1, 0],
        [6, 2, 0],
        [7, 1, 0],
        [6, 1, 1],
        [7, 1, 1],
        [6, 2, 1],
        [7, 2, 0],
    )
    with pytest.raises(ValueError, match="sum to 1"):
        ours.random_split([0.5, 0.2])


def test_frames_are_sorted_and_shuffled_on_processes() -> None:
    rng = np.random.default_rng(0)
    theirs = pd.DataFrame(
        {
            "k": rng.integers(0, 50, 5000),
            "s": [f"k{i}" for i in rng.integers(0, 900, 5000)],
            "c": pd.Categorical([f"c{i}" for i in rng.integers(0, 9, 5000)]),
            "o": pd.Series(rng.integers(0, 9, 5000).tolist(), dtype=object),
        }
    )
    objects, plain = theirs, theirs.drop(columns="o")
    with rs.Client("processes", workers=2):
        for frame in (plain, objects):
            ours = rd.from_pandas(frame, npartitions=8)
            assert_same(ours.sort_values(["s", "k"], npartitions=9), frame.sort_values(["s", "k"], kind="stable"))
            assert_same(ours.sort_values("c"), frame.sort_values("c", kind="stable"))
            shuffled = ours.shuffle("k", npartitions=7).compute()
            assert_same(shuffled.sort_index(), frame)


def test_an_error_on_processes_names_the_partition_too() -> None:
    meta = pd.DataFrame({"x": pd.Series([], dtype="int64")})
    buckets = split_rows(pa.table({"0": [1, 2, 3]}), np.array([0, 1, 1], np.uint8), 2)
    buckets.sums[1] += 1
    gather = GatherPieces(meta, None, "shuffle", "script.py:3")
    with pytest.raises(ShuffleError, match=r"partition 7 of the shuffle made at script\.py:3"):
        gather(7, Piece(buckets, 1))


def test_the_first_rows_of_few_in_order_are_computed_once() -> None:
    calls: list[int] = []

    def make(number: int) -> pd.DataFrame:
        calls.append(number)
        return pd.DataFrame({"x": [3 - number, 7 - number]})

    ours = rd.from_map(make, range(3), meta=make(0)[:0])
    calls.clear()
    assert ours.sort_values("x").head(10)["x"].tolist() == [1, 2, 3, 5, 6, 7]
    assert sorted(calls) == [0, 1, 2]
    calls.clear()
    assert len(ours.head(2)) == 2
    assert calls == [0]


@settings(max_examples=25)
@given(partitioned(frames_of({"x": "int8", "s": "str", "y": "finite"})), st.integers(0, 6), st.booleans())
def test_rows_at_an_end_of_what_is_sorted_are_found_without_a_shuffle(case, n, up):
    ours, theirs = case.ours.sort_values("x", ascending=up), case.theirs.sort_values("x", ascending=up, kind="stable")
    assert_same(ours.head(n), theirs.head(n))
    assert_same(ours.tail(n), theirs.tail(n))
    assert_same(ours[["s"]].head(n), theirs[["s"]].head(n))
    assert_same(ours.y.tail(n), theirs.y.tail(n))
    numbered = case.ours.sort_values(["x", "y"], ignore_index=True)
    expected = case.theirs.sort_values(["x", "y"], ignore_index=True, kind="stable")
    assert_same(numbered.head(n), expected.head(n))
    assert_same(numbered.tail(n), expected.tail(n))
    assert_same(case.ours.sort_index().head(n), case.theirs.sort_index(kind="stable").head(n))


def test_what_is_sorted_is_not_shuffled_for_its_first_rows():
    ours = rd.from_pandas(pd.DataFrame({"x": range(100, 0, -1)}), npartitions=5).sort_values("x")
    assert "shuffle" not in str(ours.head(3, compute=False).explain())
    assert "sort" in str(ours.explain())


@settings(max_examples=20)
@given(
    partitioned(frames_of({"x": "finite", "n": "int8", "s": "str", "t": "datetime", "c": "category"})),
    st.sampled_from(["average", "min", "max", "first", "dense"]),
    st.sampled_from(["keep", "top", "bottom"]),
    st.booleans(),
    st.booleans(),
)
def test_ranks_are_those_of_pandas(case, method, na_option, ascending, pct):
    options = {"method": method, "na_option": na_option, "ascending": ascending, "pct": pct}
    assert_same(case.ours.rank(**options), case.theirs.rank(**options))
    assert_same(case.ours.x.rank(**options), case.theirs.x.rank(**options))


def test_ranks_of_rows_and_wrong_ranks():
    frame = pd.DataFrame({"x": [3, 1], "y": [2, 2]})
    ours = rd.from_pandas(frame, npartitions=2)
    assert_same(ours.rank(axis=1), frame.rank(axis=1))
    for one in (ours, frame):
        with pytest.raises(ValueError, match="na_option must be"):
            one.rank(na_option="nowhere")
