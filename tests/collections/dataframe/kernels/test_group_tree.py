"""Aggregates from states: the same however rows are parted, and what pandas has."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.aggregates import Source, comoments_of, states_of
from restride.collections.dataframe.kernels.group_tree import Aggregation, Keys

NUMBERS = ["size", "count", "sum", "prod", "mean", "var", "std", "sem", "min", "max", "any", "all", "first", "last",
           "nunique", "median", "skew", "kurt"]  # fmt: skip
VALUES = {
    "int": (pa.int64(), [0, 1, -3, 7, 100], NUMBERS),
    "int8": (pa.int8(), [0, 1, -3, 7, 100], NUMBERS),
    "uint": (pa.uint64(), [0, 1, 2**40], ["size", "count", "sum", "mean", "min", "max", "first", "last", "nunique"]),
    "float": (pa.float64(), [0.0, 1.5, -2.25, 1e6, float("nan")], NUMBERS),
    "bool": (pa.bool_(), [True, False], ["count", "sum", "mean", "min", "max", "any", "all", "first", "nunique"]),
    "str": (pa.string(), ["", "a", "ç", None], ["count", "min", "max", "first", "last", "nunique", "any", "all"]),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ["a", "b", None], ["count", "min", "max", "first", "last"]),
    "time": (pa.timestamp("ns"), [0, 5, 10**17, None], ["count", "min", "max", "first", "last", "nunique"]),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, pa.Table, list[int]]:
    kind = draw(st.sampled_from(list(VALUES)))
    dtype, values, names = VALUES[kind]
    n = draw(st.integers(1, 40))
    keys = draw(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=n, max_size=n))
    drawn = draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))
    column = pa.array(drawn, pa.int64()).cast(dtype) if kind == "time" else pa.array(drawn, dtype)
    table = pa.table({"key": pa.array(keys, pa.string()), "value": column})
    if draw(st.booleans()):
        table = table.set_column(0, "key", table["key"].dictionary_encode())
    bounds = sorted(draw(st.lists(st.integers(0, n), min_size=1, max_size=4)))
    return kind, draw(st.sampled_from(names)), table, [0, *bounds, n]


@given(tables(), st.booleans(), st.booleans())
def test_states_give_what_pandas_has_however_rows_are_parted(case, sort, dropna):
    kind, name, table, bounds = case
    aggregate = states_of(name, Source(1, table.schema.field(1).type))
    aggregation = Aggregation(Keys((0,), (None,), dropna, sort), (aggregate,))
    parts = [aggregation.partial(table.slice(a, b - a)) for a, b in itertools.pairwise(bounds)]
    results = [
        aggregation.at_once(table),
        aggregation.finished(*parts),
        aggregation.finished(aggregation.combined(*parts[:1]), aggregation.combined(*parts[1:])),
        aggregation.finished(aggregation.partial(*(table.slice(a, b - a) for a, b in itertools.pairwise(bounds)))),
    ]
    plain = table.set_column(0, "key", table["key"].cast(pa.string()))
    values = plain["value"].cast(pa.string()) if kind == "dictionary" else plain["value"]
    frame = pd.DataFrame({"key": plain["key"].to_pandas(), "value": values.to_pandas()})
    if kind in ("str", "dictionary"):
        frame["value"] = frame["value"].astype("str")
    theirs = getattr(frame.groupby("key", sort=sort, dropna=dropna)["value"], name)()
    for keys, ours in results:
        assert keys.to_pylist() == [None if pd.isna(key) else key for key in theirs.index]
        _assert_close(ours, theirs)


def _assert_close(ours: pa.Array, theirs: pd.Series) -> None:
    if pa.types.is_floating(ours.type):
        # Of sums of fourth powers little is left where all values are nearly one.
        np.testing.assert_allclose(
            ours.to_numpy(zero_copy_only=False), theirs.to_numpy(np.float64), rtol=1e-6, atol=1e-6
        )
    elif pa.types.is_timestamp(ours.type):
        pd.testing.assert_series_equal(pd.Series(ours.to_pandas()), theirs.reset_index(drop=True), check_names=False)
    else:
        assert [None if pd.isna(v) else v for v in ours.to_pylist()] == [None if pd.isna(v) else v for v in theirs]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0.0, 1.0, 2.5, -4.0, float("nan")])), min_size=1),
    st.sampled_from([0.0, 0.1, 0.5, 0.77, 1.0]),
    st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]),
)
def test_quantiles_are_those_of_pandas(rows, q, interpolation):
    table = pa.table({"key": [key for key, _ in rows], "value": [value for _, value in rows]})
    aggregate = states_of("quantile", Source(1, pa.float64()), q=q, interpolation=interpolation)
    _, ours = Aggregation(Keys((0,), (None,)), (aggregate,)).at_once(table)
    theirs = table.to_pandas().groupby("key")["value"].quantile(q, interpolation)
    np.testing.assert_allclose(ours.to_numpy(zero_copy_only=False), theirs.to_numpy(), rtol=1e-12)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-9, 9), st.integers(-9, 9)), min_size=2))
def test_covariances_are_joined_from_parts(rows):
    frame = pd.DataFrame(rows, columns=["key", "x", "y"])
    table = pa.Table.from_pandas(frame, preserve_index=False)
    aggregation = Aggregation(Keys((0,), (None,)), (comoments_of(1, 2, 1, False), comoments_of(1, 2, 1, True)))
    parts = [aggregation.partial(table.slice(0, 1)), aggregation.partial(table.slice(1))]
    _, cov, corr = aggregation.finished(*parts)
    groups = frame.groupby("key")
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        assert cov.to_pandas().to_numpy() == pytest.approx([g.x.cov(g.y) for _, g in groups], nan_ok=True)
        assert corr.to_pandas().to_numpy() == pytest.approx([g.x.corr(g.y) for _, g in groups], nan_ok=True)


def test_sums_of_integers_lose_nothing():
    table = pa.table({"key": [0, 0, 0], "value": [2**53, 1, 1]})
    aggregate = states_of("sum", Source(1, pa.int64()))
    _, total = Aggregation(Keys((0,), (None,)), (aggregate,)).at_once(table)
    assert total.to_pylist() == [2**53 + 2]


def test_keys_with_many_trailing_zero_bits_take_no_longer():
    keys = np.arange(200_000) % 1000 << 40
    table = pa.table({"key": keys, "value": np.ones(len(keys))})
    aggregate = states_of("sum", Source(1, pa.float64()))
    _, total = Aggregation(Keys((0,), (None,)), (aggregate,)).at_once(table)
    assert total.to_pylist() == [200.0] * 1000


def test_equal_states_are_kept_once():
    source = Source(1, pa.float64())
    aggregates = tuple(states_of(name, source) for name in ("mean", "sum", "count", "var", "std"))
    assert len(Aggregation(Keys((0,), (None,)), aggregates).states) == 3


def test_partial_results_with_strings_and_with_dictionaries_combine():
    aggregation = Aggregation(Keys((0,), (None,)), (states_of("first", Source(1, pa.string())),))
    plain = pa.table({"key": ["a", "b"], "value": ["x", None]})
    coded = pa.table({name: plain[name].dictionary_encode() for name in plain.column_names})
    keys, firsts = aggregation.finished(aggregation.partial(coded), aggregation.partial(plain))
    assert keys.to_pylist() == ["a", "b"]
    assert firsts.to_pylist() == ["x", None]


def test_there_is_no_aggregate_for_types_that_have_none():
    assert states_of("mean", Source(1, pa.string())) is None
    assert states_of("sum", Source(1, pa.timestamp("ns"))) is None
    assert states_of("sum", Source(1, pa.int32(), codes=True)) is None
    assert states_of("idxmin", Source(1, pa.int64())) is None


def test_many_strings_are_in_the_order_in_which_they_appear():
    names = pd.Series(np.random.default_rng(0).integers(0, 3000, 20_000)).map("name {}".format)
    table = pa.table({"key": pa.array(names, pa.string()), "value": np.arange(len(names))})
    aggregation = Aggregation(Keys((0,), (None,), sort=False), (states_of("size", Source(1, pa.int64())),))
    parts = [aggregation.partial(table.slice(start, 5000)) for start in range(0, len(names), 5000)]
    for keys, sizes in (aggregation.at_once(table), aggregation.finished(*parts)):
        counts = names.value_counts(sort=False)
        assert keys.to_pylist() == names.unique().tolist()
        assert dict(zip(keys.to_pylist(), sizes.to_pylist())) == counts.to_dict()
