"""Frames compute what pandas would, whatever their partitions; nothing is read that nobody uses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import restride as rs
import restride.dataframe as rd
from restride.collections.collection import ask
from restride.collections.dataframe.meta import meta_of
from restride.collections.dataframe.operations.rowwise import StoreIndex
from restride.collections.dataframe.operations.sources import FromMemory
from restride.collections.dataframe.partition import from_pandas, to_pandas
from restride.collections.expression import subexpressions
from restride.collections.lowering import lower
from restride.collections.optimize import optimized
from restride.errors import SchemaError


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 200
    frame = pd.DataFrame(
        {
            "x": rng.integers(0, 100, n),
            "y": rng.random(n),
            "s": rng.choice(["a", "b", "ç", ""], n),
            "c": pd.Categorical(rng.choice(list("pqr"), n)),
            "t": pd.date_range("2020", periods=n, freq="h", tz="Europe/Berlin"),
            "b": rng.random(n) > 0.5,
            "n": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "o": [(i,) for i in range(n)],
        }
    )
    frame.loc[::7, "y"] = np.nan
    frame.loc[::5, ["s", "n"]] = None
    return frame


@pytest.mark.parametrize("npartitions", [1, 3, 200])
@pytest.mark.parametrize("columns", [["x", "y", "s", "c", "t", "b", "n"], ["x", "o"], []])
@pytest.mark.parametrize("index", [None, "x", "s", ["c", "t"]])
def test_a_frame_comes_back_as_it_was(
    people: pd.DataFrame, npartitions: int, columns: list[str], index: object
) -> None:
    frame = (
        people[columns] if index is None else people.set_index(index)[[c for c in columns if c not in (index or [])]]
    )
    assert_frame_equal(rd.from_pandas(frame, npartitions=npartitions).compute(), frame)


def test_large_frames_come_back_as_they_were_in_memory_of_their_own() -> None:
    n = 600_000
    own = pd.DataFrame({"i": np.arange(n), "s": ["ab", "c", None] * (n // 3), "x": np.linspace(0, 1, n)})
    own["kind"] = own.s.astype("category")
    own["when"] = pd.Timestamp(2024, 2, 29) + pd.to_timedelta(own.i, unit="s")
    back = rd.from_pandas(own, npartitions=3).compute()
    assert_frame_equal(back, own)
    back.loc[:, ["i", "x"]] = 0
    assert own.i.iloc[-1] == n - 1
    assert rd.from_pandas(own, npartitions=3).x.max().compute() == 1


def test_labels_may_be_anything_and_occur_twice(people: pd.DataFrame) -> None:
    frame = people[["x", "y", "b"]].set_axis(["a", 1, "a"], axis=1)
    df = rd.from_pandas(frame, npartitions=3)
    assert_frame_equal((df[["a"]] + 1).compute(), frame[["a"]] + 1)
    assert_frame_equal(df["a"].compute(), frame["a"])
    nested = people[["x", "y"]].set_axis(pd.MultiIndex.from_tuples([("u", "x"), ("u", "y")]), axis=1)
    assert_frame_equal(rd.from_pandas(nested, npartitions=2)["u"].compute(), nested["u"])


def test_rows_keep_their_labels_through_filters(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=7)
    chosen = df[(df.x > 50) & df.b]
    expected = people[(people.x > 50) & people.b]
    assert_frame_equal(chosen.compute(), expected)
    assert_series_equal((chosen.x * 2 + chosen.y).compute(), expected.x * 2 + expected.y)
    twice = chosen[chosen.y > 0.5]
    assert_frame_equal(twice.compute(), expected[expected.y > 0.5])


def test_rows_of_unknown_partitions_are_numbered_when_somebody_looks(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=7)
    again = df[df.x > 50].map_partitions(lambda part: part.reset_index(drop=True), meta=people[:0])
    expected = people[people.x > 50].reset_index(drop=True)
    assert_frame_equal(again.compute(), expected)
    assert_frame_equal(again[again.b].compute(), expected[expected.b])


def test_columns_are_set_as_in_pandas(people: pd.DataFrame) -> None:
    df, frame = rd.from_pandas(people, npartitions=3), people.copy()
    for target in (df, frame):
        target["x"] = target.x + target.y
        target["new"] = 1
        target["mean"] = target.y.mean()
        del target["s"]
    assert_frame_equal(df.compute(), frame)
    df["z"], frame["z"] = df[df.x > 1].x, frame[frame.x > 1].x
    assert_frame_equal(df.compute(), frame)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "min", "max", "var", "std", "sem", "skew", "kurt", "count"])
@pytest.mark.parametrize("skipna", [True, False])
def test_reductions_are_those_of_pandas(people: pd.DataFrame, name: str, skipna: bool) -> None:
    df = rd.from_pandas(people, npartitions=7)
    kwargs = {} if name == "count" else {"skipna": skipna}
    numbers = ["x", "y", "b"]
    if name in ("skew", "kurt", "sem", "var", "std"):
        numbers = ["x", "y"]
    assert_series_equal(getattr(df[numbers], name)(**kwargs).compute(), getattr(people[numbers], name)(**kwargs))
    for column in numbers:
        expected = getattr(people[column], name)(**kwargs)
        assert getattr(df[column], name)(**kwargs).compute() == pytest.approx(expected, nan_ok=True)


def test_reductions_of_no_rows_are_those_of_pandas(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=3)
    none, empty = df[df.x > 1000], people[people.x > 1000]
    assert none.x.sum().compute() == 0
    assert np.isnan(none.y.mean().compute())
    assert_series_equal(none[["x", "y"]].sum().compute(), empty[["x", "y"]].sum())
    assert len(none) == 0


def test_what_comes_of_columns_is_subtracted_from_each(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=3)[["x", "y"]]
    frame = people[["x", "y"]]
    assert_frame_equal((df - df.mean()).compute(), frame - frame.mean())
    assert_frame_equal(
        ((df - df.min()) / (df.max() - df.min())).compute(), (frame - frame.min()) / (frame.max() - frame.min())
    )
    assert_frame_equal(df.sub(df.x, axis=0).compute(), frame.sub(frame.x, axis=0))


def test_only_columns_in_use_are_read(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=3)
    (expr,) = optimized([df[df.x > 50][["y"]].sum().expr])
    nodes = subexpressions([expr])
    (source,) = [node for node in nodes if isinstance(node, FromMemory)]
    assert list(source.meta.columns) == ["x", "y"]
    assert not any(isinstance(node, StoreIndex) for node in nodes)


def test_a_users_function_is_called_with_real_rows_alone(people: pd.DataFrame) -> None:
    seen = []

    def keep(part: pd.DataFrame) -> pd.DataFrame:
        seen.append(part)
        return part[["x"]] * 2

    df = rd.from_pandas(people, npartitions=4)
    doubled = df.map_partitions(keep)
    assert [len(part) for part in seen] == [50]
    assert_frame_equal(doubled.compute(), people[["x"]] * 2)
    assert all(part.equals(people.loc[part.index]) for part in seen)


def test_a_partition_that_is_not_what_was_declared_is_told() -> None:
    df = rd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2)
    with pytest.raises(SchemaError, match="column 'x' is of dtype str"):
        df.map_partitions(lambda part: part.astype(str), meta={"x": "int64"}).compute()
    with pytest.raises(SchemaError, match="expected 2 columns"):
        df.map_partitions(lambda part: part, meta={"x": "int64", "y": "int64"}).compute()


def test_head_computes_no_more_partitions_than_it_must(people: pd.DataFrame) -> None:
    made = []

    def make(number: int) -> pd.DataFrame:
        made.append(number)
        return people.iloc[10 * number : 10 * number + 10]

    from restride.collections.dataframe.base import new_collection
    from restride.collections.dataframe.expr import unknown_divisions
    from restride.collections.dataframe.operations.sources import FromFunction

    meta = meta_of(people.iloc[1:])
    df = new_collection(FromFunction(make, list(range(20)), (), meta, unknown_divisions(20), "made"))
    assert_frame_equal(df.head(3), people.head(3))
    assert made == [0]
    assert_frame_equal(df.tail(3), people.tail(3))
    assert set(made) == {0, 19}
    assert len(df.head(25)) == 25
    assert set(made) == {0, 1, 2, 3, 19}


def test_partitions_can_be_chosen(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=4)
    assert_frame_equal(df.partitions[1:3].compute(), people.iloc[50:150])
    assert_frame_equal(df.get_partition(3).compute(), people.iloc[150:])
    assert_frame_equal(df.partitions[[3, 0]].compute(), pd.concat([people.iloc[150:], people.iloc[:50]]))


def test_all_of_it_works_on_processes(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=3)
    with rs.Client("processes", workers=2):
        assert_frame_equal(df[df.x > 50].compute(), people[people.x > 50])
        held = df.persist()
        assert_series_equal(held.y.compute(), people.y)
        assert held.y.mean().compute() == pytest.approx(people.y.mean())


def test_crossing_to_arrow_and_back_changes_nothing(people: pd.DataFrame) -> None:
    frame = people.drop(columns="o")
    meta = meta_of(frame)
    partition = from_pandas(frame, meta)
    assert partition.column_names == ["0", "1", "2", "3", "4", "5", "6"]
    assert partition.schema.metadata is None
    assert_frame_equal(to_pandas(partition, meta), frame)
    assert_frame_equal(to_pandas(partition.slice(20, 50), meta), frame[20:70].reset_index(drop=True))


def test_large_frames_go_straight_to_workers_and_small_ones_with_their_tasks() -> None:
    large = pd.DataFrame({"x": np.arange(400_000), "y": np.arange(400_000) % 7})
    with rs.Client("processes", workers=2) as client:
        sent: list[object] = []

        def send(parts: list[object]) -> object:
            sent.extend(parts)
            return client.scatter(parts)

        total = rd.from_pandas(large, npartitions=4)[["x"]].sum()
        lower([total.expr], ask, ship=True, send=send)
        assert [(part.num_rows, part.num_columns) for part in sent] == [(100_000, 1)] * 4
        assert total.compute().x == large.x.sum()
        lower([rd.from_pandas(large[:100], npartitions=4).expr], ask, ship=True, send=send)
        assert len(sent) == 4


def test_what_is_known_of_a_frame_keeps_none_of_its_values_in_memory() -> None:
    values = np.arange(1000.0)
    frame = pd.DataFrame({"x": values, "s": pd.array(["a"] * 1000)}, index=np.arange(1000) * 2, copy=False)
    meta = rd.from_pandas(frame, npartitions=2).expr.meta
    assert not np.shares_memory(meta["x"].to_numpy(), values)
    assert sum(buffer.size for buffer in pa.array(meta["s"].array).buffers() if buffer is not None) < 100
    assert meta.index.to_numpy().base is None or meta.index.to_numpy().base.size < 1000


def test_equal_expressions_are_described_once(people: pd.DataFrame) -> None:
    df = rd.from_pandas(people, npartitions=2)
    assert df[["x"]].expr.meta is df[["x"]].expr.meta


@pytest.mark.parametrize(
    "columns",
    [
        pd.Index(["a", "b"], dtype=object),
        pd.CategoricalIndex(["a", "b"], categories=["b", "a"]),
        pd.CategoricalIndex(["a", "b"]),
        pd.Index(["a", "b"], name="n"),
    ],
)
def test_frames_whose_columns_differ_in_more_than_labels_are_not_taken_for_each_other(columns: pd.Index) -> None:
    df = rd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), npartitions=1)
    for labels in (pd.Index(["a", "b"]), columns):
        made = df.set_axis(labels, axis=1)
        pd.testing.assert_index_equal(made.columns, labels, exact=True)
        pd.testing.assert_index_equal(made.compute().columns, labels, exact=True)


def test_a_column_is_set_wherever_its_label_is():
    theirs = pd.DataFrame([[1, 2, 3], [4, 5, 6], [7, 8, 9]], columns=["a", "b", "a"])
    ours = rd.from_pandas(theirs, npartitions=2)
    for frame in (ours, theirs):
        frame["a"] = frame.b * 2
    assert_frame_equal(ours.compute(), theirs)
    assert_frame_equal(ours.assign(a=1, c=2).compute(), theirs.assign(a=1, c=2))
    for frame in (ours, theirs):
        frame["b"] = frame[["b"]] + 1
        with pytest.raises(ValueError, match=r"[Cc]olumn"):
            frame["a"] = frame[["b"]]
    assert_frame_equal(ours.compute(), theirs)


IN_PLACE = [
    ("fillna", (0,), {}), ("ffill", (), {}), ("clip", (0, 1), {}), ("replace", (1, 2), {}), ("interpolate", (), {}),
    ("dropna", (), {}), ("drop_duplicates", (), {}), ("drop", (), {"index": [0]}), ("rename", (), {"index": {0: 5}}),
    ("rename_axis", ("i",), {}), ("sort_index", (), {"ascending": False}), ("reset_index", (), {"drop": True}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pandas deprecates it for what gives None
@pytest.mark.parametrize(("name", "args", "options"), IN_PLACE)
def test_results_take_the_place_of_a_frame_or_series_where_that_is_asked_for(name, args, options):
    whole = pd.DataFrame({"x": [1.0, None, 1.0], "y": [3.0, 2.0, 3.0]})
    for theirs in (whole, whole.x.copy()):
        ours = rd.from_pandas(theirs, npartitions=2)
        same, before = ours, ours + 0
        theirs, expected = theirs.copy(), theirs + 0
        gives = [getattr(one, name)(*args, inplace=True, **options) for one in (ours, theirs)]
        assert (gives[0] is None) == (gives[1] is None)
        assert gives[0] is None or gives[0] is same
        check = assert_frame_equal if theirs.ndim == 2 else assert_series_equal
        check(same.compute(), theirs)
        check(before.compute(), expected)


def test_results_of_another_kind_take_no_place():
    ours = rd.from_pandas(pd.DataFrame({"x": [3, 1, 2]}), npartitions=2)
    with pytest.raises(TypeError, match="Cannot reset_index inplace on a Series to create a DataFrame"):
        ours.x.reset_index(inplace=True)
    ours.query("x > 1", inplace=True)
    ours.sort_values("x", inplace=True)
    ours.set_index("x", inplace=True)
    assert ours.index.compute().tolist() == [2, 3]


def test_options_that_cannot_be_are_refused_not_overlooked():
    ours = rd.from_pandas(pd.DataFrame({"x": [3, 1, 3], "y": [1, 2, 3]}), npartitions=2)
    with pytest.raises(ValueError, match="duplicate keys"):
        ours.set_index("x", verify_integrity=True)
    assert ours.set_index("y", verify_integrity=True).index.compute().tolist() == [1, 2, 3]
    with pytest.raises(NotImplementedError, match="sort_values"):
        ours.quantile(0.5, method="table")
    with pytest.raises(NotImplementedError, match="errors='raise'"):
        ours.x.rename({9: 1}, errors="raise")
    for wrong in (
        lambda: ours.set_index("x", what=1),
        lambda: ours.query("x > 1", what=1),
        lambda: ours.x.rename(what=1),
    ):
        with pytest.raises(TypeError, match="what"):
            wrong()


def test_options_that_choose_columns_or_number_rows():
    theirs = pd.DataFrame({"x": [3, 1, 2], "b": [True, False, True], "s": list("abc"), "f": [1.0, None, 2.0]})
    ours = rd.from_pandas(theirs, npartitions=2)
    assert_series_equal(ours.any(bool_only=True).compute(), theirs.any(bool_only=True))
    assert_series_equal(ours.all(axis=1, bool_only=True).compute(), theirs.all(axis=1, bool_only=True))
    assert_frame_equal(ours.cumsum(numeric_only=True).compute(), theirs.cumsum(numeric_only=True))
    assert_frame_equal(ours[["x", "f"]].shift(1, axis=1).compute(), theirs[["x", "f"]].shift(1, axis=1))
    assert_frame_equal(ours[["x", "f"]].diff(axis=1).compute(), theirs[["x", "f"]].diff(axis=1))
    assert ours.sample(frac=1, ignore_index=True).index.compute().tolist() == [0, 1, 2]


OPERATIONS = [
    lambda mine, theirs: theirs.x - mine.x,
    lambda mine, theirs: theirs.x > mine.x,
    lambda mine, theirs: theirs.b & mine.b,
    lambda mine, theirs: theirs[["x", "f"]] + mine[["x", "f"]],
    lambda mine, theirs: pd.Series({"x": 1, "f": 2}) - mine[["x", "f"]],
    lambda mine, theirs: mine[["x", "f"]] - pd.Series({"x": 1, "f": 2}),
    lambda mine, theirs: mine[["x", "f"]] * pd.Series({"f": 1, "x": 2}),
    lambda mine, theirs: mine[["x", "f"]].add(pd.Series({"x": 1, "new": 2})),
    lambda mine, theirs: np.arange(5) + mine.x,
    lambda mine, theirs: mine.x - np.arange(5),
    lambda mine, theirs: np.arange(5) < mine.x,
    lambda mine, theirs: mine.f.add([1, 2, 3, 4, 5], fill_value=0),
    lambda mine, theirs: np.array([1, 2]) - mine[["x", "f"]],
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operands_of_pandas_and_numpy_stand_on_either_side(operation):
    theirs = pd.DataFrame({"x": [3, 1, 2, 5, 4], "f": [1.0, None, 2.0, 0.5, 3.0]})
    theirs["b"] = theirs.x > 2
    ours = rd.from_pandas(theirs, npartitions=2)
    found, expected = operation(ours, theirs).compute(), operation(theirs, theirs)
    (assert_frame_equal if expected.ndim == 2 else assert_series_equal)(found, expected)


def test_arrays_beside_a_series_have_a_value_for_each_row():
    ours = rd.from_pandas(pd.DataFrame({"x": [3, 1, 2]}), npartitions=2)
    with pytest.raises(ValueError, match="Lengths must match: 2 values beside 3 rows"):
        ours.x + np.arange(2)
    with pytest.raises(NotImplementedError, match="how many rows"):
        ours[ours.x > 1].x + np.arange(2)
