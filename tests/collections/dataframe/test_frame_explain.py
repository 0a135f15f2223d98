"""explain() of frames: what is read, which way rows go, by which kernels, in how many tasks and bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import restride.dataframe as rd
from restride.collections.dataframe.operations.groupby import few_groups, plan
from restride.shuffle.rechunk import bytes_text

N = 4000


@pytest.fixture(autouse=True)
def many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows are taken for so many that it matters which way they go."""
    monkeypatch.setattr(plan, "FEW_ROWS", 0)
    monkeypatch.setattr(plan, "FEW_GROUPS", 50)
    monkeypatch.setattr(few_groups, "FEW_GROUPS", 50)
    monkeypatch.setattr(plan, "SPLIT_ROWS", 10)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=N, freq="s")
    return pd.DataFrame({"k": rng.choice(list("abcd"), N), "n": rng.integers(0, 10**12, N), "x": 1.0, "day": days})


@pytest.fixture(scope="module")
def folder(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files of two row groups each."""
    made = tmp_path_factory.mktemp("explained")
    for i in range(4):
        part = rows.iloc[i * N // 4 : (i + 1) * N // 4]
        part.to_parquet(made / f"{i}.parquet", row_group_size=N // 8, index=False)
    return made


@pytest.fixture
def df(folder: Path, monkeypatch: pytest.MonkeyPatch) -> rd.DataFrame:
    """Of eight partitions."""
    monkeypatch.chdir(folder.parent)
    return rd.read_parquet(folder.name, blocksize=1)


@pytest.fixture
def small() -> rd.DataFrame:
    return rd.from_pandas(pd.DataFrame({"k": ["a", "b"], "city": ["Oslo", "Graz"]}), npartitions=1)


@pytest.fixture
def timed(rows: pd.DataFrame) -> rd.DataFrame:
    return rd.from_pandas(rows.iloc[:400].set_index("day"), npartitions=4)


def bytes_of(folder: Path, columns: set[str], groups: range = range(8)) -> int:
    """What some columns of some row groups take in the files."""
    found = 0
    for group in groups:
        of = pq.ParquetFile(folder / f"{group // 2}.parquet").metadata.row_group(group % 2)
        leaves = [of.column(i) for i in range(of.num_columns)]
        found += sum(leaf.total_compressed_size for leaf in leaves if leaf.path_in_schema in columns)
    return found


def test_a_plan_tells_what_is_read_and_how_groups_come_together(df: rd.DataFrame, folder: Path) -> None:
    late = df[df.day >= "2024-01-01 00:40"]
    read = bytes_of(folder, {"k", "n", "day"}, range(4, 8))
    told = late.assign(y=late.n * 2 + 1).groupby("k").y.mean().explain()
    assert str(told) == PLAN_OF_GROUPS.replace("READ", bytes_text(read))


PLAN_OF_GROUPS = """\
as written
  groupby[k: sum y, count y]                                       Series y, 1 partition
    columns[k, y, no index]                                        [k, y], 8 partitions
      assign[y]                                                    [k, n, x, day, y], 8 partitions
        filter #1                                                  [k, n, x, day], 8 partitions
          storeindex                                               4,000 rows, [k, n, x, day], 8 partitions
            read_parquet explained0, 4 columns, 8 row groups #2    4,000 rows, [k, n, x, day], 8 partitions
          ge('2024-01-01 00:40')                                   Series day, 4,000 rows, 8 partitions
            column[day]                                            Series day, 4,000 rows, 8 partitions
              read_parquet explained0, 4 columns, 8 row groups #2  as above
        column, no index                                           Series n, 8 partitions
          add(1)                                                   Series n, 8 partitions
            mul(2)                                                 Series n, 8 partitions
              column[n]                                            Series n, 8 partitions
                filter #1                                          as above
optimised
  groupby[k: sum y, count y; tree, up to 2 partitions a task]              Series y, 1 partition
    assign[y]                                                              [k, y], 8 partitions
      columns[k]                                                           [k], 8 partitions
        filter day >= '2024-01-01 00:40' #1                                [k, n], 8 partitions
          columns[k, n]                                                    4,000 rows, [k, n], 8 partitions
            read_parquet explained0, 3 of 4 columns, 4 of 8 row groups #2  4,000 rows, [k, n, day], 8 partitions
          column[day]                                                      Series day, 4,000 rows, 8 partitions
            read_parquet explained0, 3 of 4 columns, 4 of 8 row groups #2  as above
      add (n * 2) + 1                                                      Series n, 8 partitions
        column[n]                                                          Series n, 8 partitions
          filter day >= '2024-01-01 00:40' #1                              as above
kernels
  groupby       tables where the strings are few codes for the rows, else Arrow's hash
  read_parquet  partitions where day >= '2024-01-01 00:40'; strings of few values stay codes: k
14 tasks
  layer                                           tasks     inputs
  read_parquet-columns-...-column-add-assign          8          0
  groupby                                             4          8
  groupby-finish                                      1          4
  groupby-finish                                      1          1
READ read, unknown made"""


def test_a_plan_tells_how_a_merge_is_done(small: rd.DataFrame) -> None:
    sales = rd.from_pandas(pd.DataFrame({"k": list("abab"), "items": [1, 2, 3, 4]}), npartitions=2)
    assert str(sales.merge(small, on="k").explain()) == PLAN_OF_A_MERGE


PLAN_OF_A_MERGE = """\
as written
  merge inner on k  [k, items, city], 2 partitions
    from_pandas     4 rows, [k, items], 2 partitions
    from_pandas     2 rows, [k, city], 1 partition
optimised
  merge inner on k, right side indexed  [k, items, city], 2 partitions
    from_pandas                         4 rows, [k, items], 2 partitions
    from_pandas                         2 rows, [k, city], 1 partition
kernels
  merge  looked up in an array where keys are integers or times close to each other, else in a hash table
4 tasks
  layer                  tasks     inputs
  from_pandas                1          0
  merge-index                1          1
  from_pandas-merge          2          2
78 B read, 64 B moved, unknown made"""


def test_a_plan_tells_how_rows_are_sorted() -> None:
    numbers = rd.from_pandas(pd.DataFrame({"n": [3, 1, 2, 5, 4, 0]}), npartitions=3)
    assert str(numbers.sort_values("n").explain()) == PLAN_OF_A_SORT


PLAN_OF_A_SORT = """\
as written
  sort by n                 [n], 3 partitions
    storeindex #1           6 rows, [n], 3 partitions
      from_pandas           6 rows, [n], 3 partitions
    splitters of a sample   scalar
      columns[n, no index]  6 rows, [n], 3 partitions
        storeindex #1       as above
optimised
  sort by n                 [n], 3 partitions
    storeindex #1           6 rows, [n], 3 partitions
      from_pandas           6 rows, [n], 3 partitions
    splitters of a sample   scalar
      columns[n, no index]  6 rows, [n], 3 partitions
        storeindex #1       as above
kernels
  sort  a radix sort of the bits by which a task's keys differ
13 tasks
  layer                       tasks     inputs
  from_pandas-storeindex          3          0
  columns-columns                 3          3
  splitters                       1          3
  sort-split                      3          6
  sort                            3          9
48 B read, 96 B moved, unknown made"""


def shown(collection: Any) -> str:
    """The expression as it is carried out, with single spaces."""
    return " ".join(collection.explain().after.split())


def rules(collection: Any) -> dict[str, str]:
    """By which rules kernels are chosen."""
    return dict(collection.explain().kernels)


def last_line(collection: Any) -> str:
    return str(collection.explain()).splitlines()[-1]


WAYS: dict[str, tuple[Callable[[rd.DataFrame], Any], str]] = {
    "a tree of few groups": (lambda df: df.groupby("k").x.sum(), "groupby[k: sum x; tree, about 4 groups]"),
    "many groups": (lambda df: df.groupby("n").x.sum(), "groupby[n: sum x; split by hash into 8, about 4,000 groups]"),
    "groups that are together": (
        lambda df: df.shuffle("n").groupby("n").x.sum(),
        "groupby[n: sum x; split already into 8, about 4,000 groups]",
    ),
    "groups of categories": (
        lambda df: df.assign(c=df.k.astype(pd.CategoricalDtype(list("abcd")))).groupby("c", observed=True).x.max(),
        "groupby[c: max x; tree, at most 5 groups]",
    ),
    "what is kept of a group": (
        lambda df: df.groupby("k").agg({"x": ["mean", "std"], "n": ["first", "nunique"]}),
        "groupby[k: sum x, count x, moments x, first n, distinct n;",
    ),
    "medians": (lambda df: df.groupby("k").x.median(), "groupby[k: collected x; split by hash into 4, about 4 groups]"),
    "own functions": (
        lambda df: df.groupby("k")[["x"]].apply(len, meta=(None, "int64")),
        "groupby-apply Series None, 1 partition shuffle by hash of k",
    ),
    "aggregates of few groups for each row": (
        lambda df: df.groupby("k").x.transform("mean"),
        "groupby-transform, looked up in all groups",
    ),
    "running sums of few groups": (
        lambda df: df.groupby("k").x.cumsum(),
        "groupby-cumsum, groups carried from partition to partition",
    ),
    "running sums of many groups": (lambda df: df.groupby("n").x.cumsum(), "put-back Series x, 4,000 rows"),
    "running sums": (lambda df: df.x.cumsum(), "cumsum, totals carried from partition to partition"),
    "all rows so far": (lambda df: df.x.expanding().mean(), "expanding_mean, totals carried from partition"),
    "weighted means": (lambda df: df.x.ewm(span=3).mean(), "ewm_mean, sums carried from partition to partition"),
    "windows": (lambda df: df.x.rolling(5).mean(), "rolling_mean, with 4 rows before"),
    "windows on both sides": (lambda df: df.x.map_overlap(abs, 1, 2), "abs, with 1 row before and 2 rows after"),
    "different rows": (
        lambda df: df.drop_duplicates(["n"]),
        "drop_duplicates[n; split by hash into 8, about 4,000 groups]",
    ),
    "rows of few keys": (lambda df: df.drop_duplicates(["k"]), "take, from partitions that have any"),
    "different values": (lambda df: df.k.nunique(), "drop_duplicates[k; tree, about 4 groups]"),
    "counts": (lambda df: df.k.value_counts(), "value_counts Series count, 1 partition groupby[k: size; tree, about 4"),
    "a merge by hash": (
        lambda df: df.merge(df[["n", "x"]], on="n", broadcast=False),
        "merge inner on n, partition by partition [__position__, k, n, x_x, day, x_y], 8 partitions shuffle by hash of",
    ),
    "a merge in the order of keys": (
        lambda df: df.merge(df[["n"]], on="n", how="outer", broadcast=False),
        "merge outer on n, partition by partition [k, n, x, day], 8 partitions shuffle by ranges of n",
    ),
    "a merge by a sorted key": (
        lambda df: df.merge(df[["day"]], on="day", broadcast=False),
        "partition by partition [k, n, x, day], 8 partitions read_parquet explained0, 4 columns, 8 row groups #1 "
        "4,000 rows, [k, n, x, day], 8 partitions ranges of day, cut where partitions overlap",
    ),
    "rows that have a partner": (
        lambda df: df.merge(df.head(3, compute=False), on="n", how="semi"),
        "merge semi on n, right side indexed",
    ),
    "all pairs": (lambda df: df.merge(df[["k"]], how="cross"), "merge cross, right side whole"),
    "nearest rows": (
        lambda df: rd.merge_asof(df, df[["day", "x"]], on="day"),
        "merge_asof left on day, backward, by ranges of the key",
    ),
    "a sort": (lambda df: df.sort_values("x"), "sort by x"),
    "an index": (lambda df: df.set_index("n"), "sort by n"),
    "rows by hash": (lambda df: df.shuffle("n"), "shuffle by hash of n"),
    "arithmetic": (lambda df: df.x * 2 + df.n, "add (x * 2) + n"),
    "a condition": (lambda df: df[(df.x > 0.5) & ~df.k.isin(["a"])], "filter (x > 0.5) & ~isin(k, ['a'])"),
    "a filter of files": (lambda df: df[df.n >= 10**12].x, "2 of 4 columns, 0 of 8 row groups"),
    "a function of partitions": (lambda df: df.map_partitions(len), "len, of pandas objects by partition"),
    "a function of values": (lambda df: df.x.apply(lambda x: x + 1), "apply(lambda) Series x"),
    "first rows": (lambda df: df.head(3, compute=False), "partitions 1 of 8"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_plan_tells_how_it_is_carried_out(way: str, df: rd.DataFrame) -> None:
    made, expected = WAYS[way]
    assert expected in shown(made(df))


def test_a_plan_tells_which_rows_a_reader_leaves_out(df: rd.DataFrame) -> None:
    some = rd.read_parquet("explained0", columns=["x"], filters=[[("k", "==", "a"), ("n", ">", 5)], [("x", ">", 1)]])
    assert "read_parquet explained0, 1 column, 8 row groups [x]" in shown(some)
    assert rules(some) == {"read_parquet": "rows where k == 'a' and n > 5 or x > 1"}


def test_windows_and_bins_of_time_look_at_neighbours(timed: rd.DataFrame) -> None:
    assert "rolling_mean, with 0 days 00:00:10 before" in shown(timed.x.rolling("10s").mean())
    assert "resample by 1min, with neighbours that share bins" in shown(timed.x.resample("1min").sum())


def test_a_join_by_divisions_moves_nothing(timed: rd.DataFrame) -> None:
    joined = timed[["x"]].join(timed[["n"]])
    assert "merge left on day, partition by partition" in shown(joined)
    assert "moved" not in last_line(joined)


def test_a_plan_tells_by_which_rule_kernels_are_chosen(df: rd.DataFrame, timed: rd.DataFrame) -> None:
    assert rules(df.groupby("k").x.sum()) == {
        "groupby": "tables where the strings are few codes for the rows, else Arrow's hash",
        "read_parquet": "strings of few values stay codes: k",
    }
    assert rules(df[(df.n > 5) & df.k.isin(["a"])]) == {
        "read_parquet": "partitions where n > 5 and k in ('a',); strings of few values stay codes: k"
    }
    assert rules(df.groupby(["n", "x"]).size()) == {
        "groupby": "tables where keys are few numbers for the rows, else pandas' hash"
    }
    assert "array where keys are integers or times close" in rules(df.merge(df, on="n"))["merge"]
    assert "radix sort" in rules(df.sort_values("n"))["sort"]
    assert "exact" in rules(df.x.median())["quantile"]
    assert "pandas' own" in rules(df.groupby("k").x.apply(len, meta=(None, "int64")))["groupby-apply"]
    assert "pandas' own" in rules(timed.x.resample("1min").sum())["resample"]
    assert "binary search" in rules(rd.merge_asof(df, df[["day"]], on="day"))["merge_asof"]
    assert rules(df.x + 1) == {}


def test_bytes_are_those_of_the_parts_that_are_read(df: rd.DataFrame, folder: Path) -> None:
    assert df.x.sum().explain().bytes_read == bytes_of(folder, {"x"})
    assert df.head(3, compute=False).explain().bytes_read == bytes_of(folder, {"k", "n", "x", "day"}, range(1))
    some = rd.read_parquet("explained0", columns=["x"], filters=[("k", "==", "a")])
    assert some.explain().bytes_read == bytes_of(folder, {"x", "k"})
    memory = rd.from_pandas(pd.DataFrame({"n": range(8)}), npartitions=4)
    assert memory.partitions[1:3].explain().bytes_read == 4 * 8


def test_columns_that_do_not_go_below_each_other_are_not_read(df: rd.DataFrame, folder: Path) -> None:
    melted = df.melt("k", ["x"])
    assert melted.explain().bytes_read == bytes_of(folder, {"k", "x"})


def test_what_is_not_known_is_said_to_be_unknown(df: rd.DataFrame) -> None:
    assert last_line(df[df.x > 1]).endswith("read, unknown made")
    assert last_line(df.x.sum()).endswith("read, 8 B made")
    assert last_line(df.shuffle("n")).endswith(f"read, {bytes_text(N * 48)} moved, unknown made")
    assert last_line(df[df.x > 1].shuffle("n")).endswith("read, unknown moved, unknown made")
    assert "and more read" in last_line(df.drop_duplicates(["k"]))
    made = rd.from_map(lambda i: pd.DataFrame({"a": [i]}), [1, 2], meta={"a": "int64"})
    assert last_line(made) == "unknown read, unknown made"
    assert last_line(rd.concat([made, df[["n"]]])).endswith("and more read, unknown made")


def test_plans_with_many_layers_stay_short() -> None:
    wide = pd.DataFrame({name: np.arange(40.0) for name in "abcdef"})
    told = rd.from_pandas(wide, npartitions=9).describe().explain()
    assert len(told.layers) > 70
    assert str(told).count("\n") < 200
    assert f"  ... and {len(told.layers) - 60} more\n" in str(told)


def test_what_is_used_twice_by_one_node_is_written_out_once(df: rd.DataFrame) -> None:
    assert shown(rd.concat([df, df])).count("as above") == 1


def test_a_plan_is_made_without_computing_more_than_a_look(df: rd.DataFrame) -> None:
    def never(part: pd.DataFrame) -> pd.DataFrame:
        raise AssertionError("computed")

    assert "never, of pandas objects" in shown(df.map_partitions(never, meta=df.head(0)).x.sum())
