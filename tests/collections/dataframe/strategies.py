"""Frames, series and partitionings for hypothesis: what the tests of the dataframe collection draw their input from.

@given(partitioned(frames(["int64", "str"])))
def test_a_sentence(case):
    assert_frame_equal(case.ours.dropna().compute(), case.theirs.dropna())
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.operations.sources import from_memory

TEXTS = ["", "a", "b", "ab", "A b", "ç", "Ünïcødé", "日本語", "🙂", "a,b", " x ", "1", "2.5", "x-1"]
FLOATS = [0.0, -0.0, 1.0, -1.5, 2.25, 1e-3, 1e10, float("inf"), float("nan"), float("nan")]
FINITE = [0.0, 1.0, -1.5, 2.25, 0.1, 1e-3, 300.0, float("nan"), float("nan")]
DATES = ["1969-12-31 23:59:59", "2000-02-29", "2024-01-01 12:30:15.5", "2024-03-31 02:30", "2024-12-31 23:59", None]
CATEGORIES = ["p", "q", "ř", "unused"]

_VALUES: dict[str, tuple[Any, list[Any]]] = {
    "bool": ("bool", [True, False]),
    "int64": ("int64", [0, 1, 2, -3, 7, 10**12]),
    "int32": ("int32", [0, 1, -2, 2**31 - 1]),
    "int8": ("int8", [0, 1, -1, 127]),
    "uint8": ("uint8", [0, 1, 255]),
    "float64": ("float64", FLOATS),
    "finite": ("float64", FINITE),
    "float32": ("float32", FINITE),
    "str": ("str", [*TEXTS, None]),
    "category": (pd.CategoricalDtype(CATEGORIES), [*CATEGORIES[:3], None]),
    "ordered": (pd.CategoricalDtype([3, 1, 2], ordered=True), [1, 2, 3, None]),
    "datetime": ("datetime64[ns]", DATES),
    "datetime_us": ("datetime64[us]", DATES),
    "zoned": (pd.DatetimeTZDtype("ns", "Europe/Berlin"), DATES),
    "timedelta": ("timedelta64[ns]", [0, 1, -(10**9), 86_400 * 10**9 + 5, None]),
    "Int64": ("Int64", [0, 1, -3, 10**12, None]),
    "Float64": ("Float64", [0.0, 1.5, -2.0, None]),
    "boolean": ("boolean", [True, False, None]),
    "string": (pd.StringDtype("pyarrow"), [*TEXTS, None]),
    "date": (pd.ArrowDtype(pa.date32()), [dt.date(2024, 2, 29), dt.date(1969, 1, 1), None]),
    "object": (object, [1, "a", 2.5, None, True]),
}
"""For each kind of column its dtype and the values that are drawn; `finite` has floats without infinities."""

KINDS = tuple(_VALUES)
NUMBERS = ("bool", "int64", "int32", "uint8", "finite", "float32")
"""Numbers that numpy holds, for which sums are finite."""
NUMERIC = ("int64", "int32", "finite")
TEXT = ("str", "string", "category")
TIMES = ("datetime", "datetime_us", "zoned", "timedelta")
INDEXES = ("default", "int", "sorted", "str", "datetime", "multi", "range")
"""``default`` counts rows from 0, ``range`` counts from elsewhere, ``sorted`` are rising ints without repetition."""


@dataclass(frozen=True)
class Case:
    """A frame or series of pandas, and the same in partitions."""

    theirs: Any
    ours: Any

    def __repr__(self) -> str:
        dtypes = self.theirs.dtypes.to_list() if self.theirs.ndim == 2 else self.theirs.dtype
        return f"Case({self.ours.expr.lengths}, {dtypes},\n{self.theirs!r})"


def dtype_of(kind: str) -> Any:
    """The dtype of columns of a kind."""
    return _VALUES[kind][0]


@st.composite
def columns(draw: st.DrawFn, kind: str, n: int) -> pd.Series:
    """A series of a kind with `n` values; now and then all are missing, where the kind can miss any."""
    dtype, values = _VALUES[kind]
    missing = [value for value in values if value is None or value != value][:1]
    if missing and draw(st.integers(0, 7)) == 0:
        drawn = missing * n
    else:
        drawn = draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))
    if kind == "zoned":
        return pd.to_datetime(pd.Series(drawn, dtype="object"), utc=True, format="ISO8601").astype(dtype)
    if kind.startswith("datetime"):
        return pd.to_datetime(pd.Series(drawn, dtype="object"), format="ISO8601").astype(dtype)
    return pd.Series(drawn, dtype=dtype)


@st.composite
def indexes(draw: st.DrawFn, n: int, kinds: Sequence[str] = INDEXES) -> pd.Index:
    """An index of `n` labels, of one of some kinds, with a name or without."""
    kind = draw(st.sampled_from(list(kinds)))
    name = draw(st.sampled_from([None, "i", "ключ"]))
    if kind == "default":
        return pd.RangeIndex(n, name=name)
    if kind == "range":
        return pd.RangeIndex(3, 3 + 2 * n, 2, name=name)
    if kind == "sorted":
        steps = draw(st.lists(st.integers(1, 5), min_size=n, max_size=n))
        return pd.Index(np.cumsum([0, *steps])[:n].astype("int64"), name=name)
    if kind == "int":
        return pd.Index(draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n)), dtype="int64", name=name)
    if kind == "str":
        return pd.Index(draw(st.lists(st.sampled_from(TEXTS), min_size=n, max_size=n)), dtype="str", name=name)
    if kind == "datetime":
        days = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
        return pd.DatetimeIndex(np.array(days, "int64").astype("datetime64[D]").astype("datetime64[ns]"), name=name)
    levels = [draw(st.lists(st.sampled_from(values), min_size=n, max_size=n)) for values in ([1, 2], ["a", "ç"])]
    arrays = [pd.array(levels[0], dtype="int64"), pd.array(levels[1], dtype="str")]
    return pd.MultiIndex.from_arrays(arrays, names=draw(st.sampled_from([[None, None], ["k", "l"]])))


@st.composite
def frames(
    draw: st.DrawFn,
    kinds: Sequence[str] = KINDS,
    *,
    min_columns: int = 1,
    max_columns: int = 4,
    max_rows: int = 12,
    min_rows: int = 0,
    index: Sequence[str] = INDEXES,
    duplicates: bool = False,
) -> pd.DataFrame:
    """A frame of pandas with columns of some kinds, labelled ``a``, ``b``, ... and sometimes in other alphabets.

    With `duplicates` several columns may have one label.
    """
    n = draw(st.integers(min_rows, max_rows))
    chosen = draw(st.lists(st.sampled_from(list(kinds)), min_size=min_columns, max_size=max_columns))
    values = {i: draw(columns(kind, n)) for i, kind in enumerate(chosen)}
    frame = pd.DataFrame(values, index=pd.RangeIndex(n))
    labels = ["a", "b", "ç", "d d", "e", "f", "g", "h"][: len(chosen)]
    if duplicates and len(chosen) > 1 and draw(st.booleans()):
        labels[-1] = labels[0]
    frame.columns = pd.Index(labels, dtype="str")
    frame.index = draw(indexes(n, index))
    return frame


@st.composite
def frames_of(
    draw: st.DrawFn,
    kinds: dict[str, str],
    *,
    max_rows: int = 12,
    min_rows: int = 0,
    index: Sequence[str] = INDEXES,
) -> pd.DataFrame:
    """A frame of pandas of given labels, each of a kind: ``frames_of({"key": "str", "x": "int64"})``."""
    n = draw(st.integers(min_rows, max_rows))
    frame = pd.DataFrame({label: draw(columns(kind, n)) for label, kind in kinds.items()}, index=pd.RangeIndex(n))
    frame.index = draw(indexes(n, index))
    return frame


@st.composite
def series(
    draw: st.DrawFn,
    kinds: Sequence[str] = KINDS,
    *,
    max_rows: int = 12,
    min_rows: int = 0,
    index: Sequence[str] = INDEXES,
    name: str | None = "x",
) -> pd.Series:
    """A series of pandas of one of some kinds."""
    n = draw(st.integers(min_rows, max_rows))
    values = draw(columns(draw(st.sampled_from(list(kinds))), n)).rename(name)
    return values.set_axis(draw(indexes(n, index)))


@st.composite
def partitioned(draw: st.DrawFn, pandas_objects: st.SearchStrategy[Any], *, max_partitions: int = 5) -> Case:
    """A pandas object of a strategy, and the same in partitions of any lengths, some of them empty."""
    value = draw(pandas_objects)
    return Case(value, draw(in_partitions(value, max_partitions=max_partitions)))


@st.composite
def in_partitions(draw: st.DrawFn, value: Any, *, max_partitions: int = 5) -> Any:
    """A collection of a pandas object in partitions of any lengths, known or not, some of them empty."""
    inner = draw(st.lists(st.integers(0, len(value)), max_size=max_partitions - 1))
    made = new_collection(from_memory(value, [0, *sorted(inner), len(value)]))
    if draw(st.booleans()) or isinstance(value, pd.Index):
        return made
    return made.map_partitions(_same, meta=value.iloc[:0]) if made.expr.has_index else made


def _same(partition: Any) -> Any:
    return partition


def assert_same(ours: Any, theirs: Any) -> None:
    """A collection computes to a pandas object: values, dtypes, labels, names; a scalar to a value."""
    computed = ours.compute() if hasattr(ours, "compute") else ours
    if isinstance(theirs, pd.DataFrame):
        pd.testing.assert_frame_equal(computed, theirs, check_freq=False)
    elif isinstance(theirs, pd.Series):
        pd.testing.assert_series_equal(computed, theirs, check_freq=False)
    elif isinstance(theirs, pd.Index):
        pd.testing.assert_index_equal(computed, theirs, exact="equiv")
    else:
        assert (pd.isna(computed) and pd.isna(theirs)) or computed == theirs, (computed, theirs)


def from_pandas(value: Any, npartitions: int = 3) -> Any:
    """A pandas object in some partitions, for tests that need no more than an example."""
    return rd.from_pandas(value, npartitions=npartitions)
