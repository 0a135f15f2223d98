"""No task has all rows of a key that most rows have."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pandas as pd
import pytest

import restride.dataframe as rd
from restride.collections.dataframe.operations.groupby import aggregate
from restride.collections.dataframe.operations.merge import hashed
from restride.collections.dataframe.operations.merge.joining import JoinPartitions

ROWS = 120_000


def skewed(seed: int, n: int = ROWS, share: float = 0.7) -> pd.DataFrame:
    """Rows of which most have one key, and the rest have many."""
    rng = np.random.default_rng(seed)
    keys = np.where(rng.random(n) < share, 5, rng.integers(0, 10 * n, n))
    return pd.DataFrame({"k": keys, "v": rng.integers(0, 100, n), "x": rng.random(n)})


@pytest.fixture
def rows_by_task():
    """How many rows each call of a kernel that groups had."""
    counts: list[int] = []

    def counting(kernel, size):
        call = kernel.__call__

        def counted(self, *args):
            counts.append(size(*args))
            return call(self, *args)

        return mock.patch.object(kernel, "__call__", counted)

    with counting(aggregate.AtOnce, len), counting(aggregate.Partial, lambda *tables: sum(map(len, tables))):
        yield counts


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("on", [["k"], ["k", "s"]])
def test_a_hot_key_among_many_is_grouped_where_its_rows_are(rows_by_task, sort, on, monkeypatch):
    from restride.collections.dataframe.operations.groupby import plan

    monkeypatch.setattr(plan, "rows_are_few", lambda frame: False)
    monkeypatch.setattr(plan, "SPLIT_ROWS", 1000)
    frame = skewed(0).assign(s=lambda f: np.where(f["k"] == 5, "hot", "cold"))
    asked = rd.from_pandas(frame, npartitions=12).groupby(on, sort=sort)
    aggregates = {"v": ["sum", "count"], "x": ["mean", "first", "std"]}
    got = asked.agg(aggregates)
    assert "1 frequent by a tree" in str(got.explain())
    rows_by_task.clear()
    result = got.compute()
    assert max(rows_by_task) <= ROWS / 12
    pd.testing.assert_frame_equal(result, frame.groupby(on, sort=sort).agg(aggregates))


def test_frequent_keys_do_not_hide_that_others_are_many():
    from restride.collections.dataframe.operations.groupby.plan import KeySample, extrapolated

    even = KeySample(20_000, 19_900, 100_000)
    hot = KeySample(65_536, 19_901, 100_000, ((3, 1 - 20_000 / 65_536),))
    assert extrapolated(hot, 10_000_000) == pytest.approx(extrapolated(even, 10_000_000 * 20_000 / 65_536), rel=0.01)


@pytest.fixture
def rows_by_join(monkeypatch):
    """How many rows of the left side each task of a merge had; all merges are by hash, of sides that are looked at."""
    monkeypatch.setattr(hashed, "LOOK_ROWS", 1000)
    monkeypatch.setattr(hashed, "BUCKET_ROWS", 10_000)
    monkeypatch.setattr(hashed, "BUCKET_ROWS_IN_ORDER", 10_000)
    counts: list[int] = []
    join = JoinPartitions.__call__

    def counted(self, left, right):
        counts.append(len(left) + len(right))
        return join(self, left, right)

    monkeypatch.setattr(JoinPartitions, "__call__", counted)
    return counts


def partners(seed: int) -> pd.DataFrame:
    """Two rows of the key that is hot in `skewed`, and others."""
    keys = np.append(np.random.default_rng(seed).integers(0, 10 * ROWS, ROWS), [5, 5])
    return pd.DataFrame({"k": keys, "y": np.arange(len(keys))})


def both_in_order(ours, theirs) -> None:
    pd.testing.assert_frame_equal(ours.compute(), theirs, check_dtype=False)


@pytest.mark.parametrize("how", ["inner", "left", "left_anti"])
def test_a_hot_key_of_the_side_that_asks_is_merged_in_many_tasks(rows_by_join, how):
    left, right = skewed(1), partners(2)
    ours = rd.from_pandas(left, npartitions=12).merge(
        rd.from_pandas(right, npartitions=10), on="k", how=how, broadcast=False
    )
    expected = left.merge(right, on="k", how=how)
    both_in_order(ours, expected.reset_index(drop=True))
    assert max(rows_by_join) < 4 * (len(left) + len(right)) / 12
    rows_by_join.clear()
    assert ours["v"].sum().compute() == expected["v"].sum()  # nobody sees the order
    assert max(rows_by_join) < 4 * (len(left) + len(right)) / 12


@pytest.mark.parametrize("how", ["inner", "right"])
def test_a_hot_key_of_the_other_side_is_so_as_well(rows_by_join, how):
    left, right = partners(3), skewed(4)
    ours = rd.from_pandas(left, npartitions=12).merge(
        rd.from_pandas(right, npartitions=10), on="k", how=how, broadcast=False
    )
    both_in_order(ours, left.merge(right, on="k", how=how))
    assert max(rows_by_join) < 4 * (len(left) + len(right)) / 10


@pytest.mark.parametrize("how", ["inner", "left"])
def test_keys_may_be_hot_on_both_sides(rows_by_join, how):
    left = pd.concat([skewed(5, 3000, 0.1), partners(6).rename(columns={"y": "v"})], ignore_index=True)
    right = pd.concat([partners(7), skewed(8, 2000, 0.2)[["k", "v"]].rename(columns={"v": "y"})], ignore_index=True)
    left, right = (frame.sample(20_000, random_state=1) for frame in (left, right))
    hot = pd.DataFrame({"k": [5] * 1000 + [6] * 1500, "y": 1})
    right = pd.concat([right, hot]).sample(frac=1, random_state=2, ignore_index=True)
    left = pd.concat([left, hot.rename(columns={"y": "v"})[:1200]]).sample(frac=1, random_state=3, ignore_index=True)
    ours = [rd.from_pandas(frame, npartitions=7) for frame in (left, right)]
    both_in_order(ours[0].merge(ours[1], on="k", how=how, broadcast=False), left.merge(right, on="k", how=how))


@pytest.mark.parametrize("how", ["leftsemi", "leftanti"])
def test_rows_that_are_only_tested_are_spread_and_what_they_meet_is_not_copied(rows_by_join, how):
    left, right = skewed(9), skewed(10, share=0.3)
    right.loc[right["k"] == 5, "k"] = 6
    ours = rd.from_pandas(left, npartitions=12).merge(
        rd.from_pandas(right, npartitions=10), on="k", how=how, broadcast=False
    )
    there = left["k"].isin(right["k"])
    both_in_order(ours, left[there if how == "leftsemi" else ~there].reset_index(drop=True))


def test_uniqueness_is_seen_whatever_is_frequent(rows_by_join):
    left, right = (rd.from_pandas(frame, npartitions=8) for frame in (skewed(11), partners(12)))
    with pytest.raises(pd.errors.MergeError, match="not unique in left"):
        left.merge(right, on="k", validate="1:m", broadcast=False).compute()
