"""What the benchmarks of dataframes share: where contenders run, files in duckdb, and whether results agree."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import restride as rs
from benchmarks.systems import dask_client, restride_client

Row = dict[str, Any]

WORKERS = 2

PLACES = {"threads": "dask threads", "processes": "dask.distributed"}
"""Where ours runs, and whom it is compared with there."""


@contextmanager
def at_work(place: str) -> Iterator[None]:
    """Clients of restride and of dask, in threads of this process or on processes; dask shuffles by P2P there."""
    import dask

    if place == "threads":
        with rs.Client(threads=WORKERS), dask.config.set(scheduler="threads", num_workers=WORKERS):
            yield
    else:
        logging.getLogger("distributed.shuffle").setLevel(logging.CRITICAL)
        with restride_client(WORKERS), dask_client(WORKERS, {"dataframe.shuffle.method": "p2p"}):
            yield


def duckdb_tables(folder: Path, names: Iterable[str]) -> Any:
    """A connection of duckdb, of two threads, to folders of Parquet files."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"set threads = {WORKERS}")
    for name in names:
        connection.execute(f"create view {name} as select * from '{folder / name}/*.parquet'")
    return connection


def to_arrow(connection: Any, sql: str) -> Any:
    """The answer of duckdb as an Arrow table."""
    return connection.sql(sql).to_arrow_table()


def computed(value: Any) -> Any:
    """What dask and restride compute; pandas has done so."""
    return value.compute() if hasattr(value, "compute") else value


def in_order(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The rows of a frame in the order of all of these columns, keys first; floats may differ in their last digits."""
    by = sorted(columns, key=lambda name: pd.api.types.is_float_dtype(frame[name].dtype))
    return frame[list(columns)].sort_values(by).reset_index(drop=True)


def assert_same_rows(actual: pd.DataFrame, expected: pd.DataFrame, *, rtol: float = 1e-9, atol: float = 0) -> None:
    """AssertionError unless two frames have the same columns and rows, in whatever order."""
    assert sorted(actual.columns) == sorted(expected.columns)
    columns = list(expected.columns)
    pd.testing.assert_frame_equal(
        in_order(actual, columns), in_order(expected, columns), check_dtype=False, rtol=rtol, atol=atol
    )


def assert_same_answer(actual: pd.DataFrame, expected: pd.DataFrame, *, rtol: float = 1e-9, atol: float = 0) -> None:
    """AssertionError unless two frames have equal columns, row by row: numbers within tolerances, the rest as text."""
    assert list(actual.columns) == list(expected.columns)
    assert len(actual) == len(expected), f"{len(actual)} rows, expected {len(expected)}"
    for name in expected.columns:
        ours, theirs = actual[name], expected[name]
        if pd.api.types.is_numeric_dtype(ours.dtype):
            a, b = ours.to_numpy("float64"), theirs.to_numpy("float64")
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=str(name))
        else:
            assert _texts(ours) == _texts(theirs), name


def _texts(values: pd.Series) -> list[str]:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = values.dt.strftime("%Y-%m-%d")
    return [str(value).strip() for value in values]


def with_summary(rows: list[Row], first: str, ratios: Sequence[str]) -> list[Row]:
    """Rows, and two more with the medians and the largest of their ratios."""
    known = {name: [row[name] for row in rows if not np.isnan(row.get(name, np.nan))] for name in ratios}
    known = {name: values for name, values in known.items() if values}
    return [
        *rows,
        {first: "median", **{name: statistics.median(values) for name, values in known.items()}},
        {first: "most", **{name: max(values) for name, values in known.items()}},
    ]
