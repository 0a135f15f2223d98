"""Run the operations by turns: restride, polars and duckdb to Arrow, restride and dask to pandas; check, then time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import restride as rs
import restride.dataframe as rd
from benchmarks.datasets import dataset
from benchmarks.frame import data
from benchmarks.frame.operations import OPERATIONS, Operation
from benchmarks.frames import PLACES, WORKERS, Row, assert_same_rows, at_work, duckdb_tables, to_arrow, with_summary
from benchmarks.systems import installed
from benchmarks.timing import alternate

Contenders = dict[str, Callable[[], Any]]

ROWS = 10_000_000
ROUNDS = 4
SMALL = 200_000
"""Results of so many rows are compared row by row, larger ones by the sums of their columns."""


def run(
    *,
    quick: bool = False,
    rows: int | None = None,
    rounds: int | None = None,
    keep: bool = False,
    names: Sequence[str] = (),
    against: Sequence[str] = ("engines", *PLACES),
) -> dict[str, list[Row]]:
    """Tables by whom restride is compared with; of the operations whose names begin with one of `names`, or of all."""
    rows = rows or (20_000 if quick else ROWS)
    rounds = rounds or (1 if quick else ROUNDS)
    chosen = [each for each in OPERATIONS if not names or each.name.startswith(tuple(names))]
    tables: dict[str, list[Row]] = {}
    with dataset(f"frame-{rows}", partial(data.write, rows=rows), keep=keep) as folder:
        if "engines" in against:
            tables["frame, to Arrow"] = engines(chosen, folder, rounds)
        for place in PLACES:
            if place in against and installed("distributed" if place == "processes" else "dask"):
                tables[f"frame, to pandas, in {place}"] = dask(chosen, folder, place, rounds)
    return tables


def engines(operations: Sequence[Operation], folder: Path, rounds: int) -> list[Row]:
    """Rows of milliseconds to an Arrow table in threads, and what part restride takes of the others' time.

    "decoding" is what pyarrow takes in as many threads for the columns that are needed: the least that restride can.
    """
    duckdb = duckdb_tables(folder, data.TABLES) if installed("duckdb") else None
    result = []
    with rs.Client(threads=WORKERS):
        for operation in operations:
            contenders: Contenders = {"restride": partial(_restride, operation, folder)}
            if installed("polars"):
                contenders["polars"] = partial(_polars, operation, folder, "auto")
                contenders["polars streaming"] = partial(_polars, operation, folder, "streaming")
            if duckdb:
                contenders["duckdb"] = partial(to_arrow, duckdb, operation.sql)
            row = _row(operation, contenders, rounds, {"best of polars": "polars", "duckdb": "duckdb"})
            decoding = alternate({"decoding": partial(_decode, operation, folder)}, rounds)["decoding"]
            result.append(row | {"decoding ms": decoding.best * 1e3})
    return with_summary(result, "operation", ["of best of polars", "of duckdb", "of the best"])


def dask(operations: Sequence[Operation], folder: Path, place: str, rounds: int) -> list[Row]:
    """Rows of milliseconds to a pandas frame, ours and dask's, in threads or on processes."""
    import dask.dataframe as dd

    peer, result = PLACES[place], []
    with at_work(place):
        for operation in operations:
            contenders: Contenders = {
                "restride": partial(_pandas, operation, folder, rd),
                peer: partial(_pandas, operation, folder, dd),
            }
            result.append(_row(operation, contenders, rounds, {peer: peer}))
    return with_summary(result, "operation", [f"of {peer}"])


def _row(operation: Operation, contenders: Contenders, rounds: int, peers: dict[str, str]) -> Row:
    """A row, once the results agree; `peers` are columns of ratios, and what names of contenders begin with."""
    results = {name: contender() for name, contender in contenders.items()}
    first = frame(results.pop("restride"))
    for name, result in results.items():
        check(operation, first, frame(result), name)
    del results, first
    taken = {name: timing.best for name, timing in alternate(contenders, rounds).items()}
    ours = taken.pop("restride")
    row: Row = {"operation": operation.name, "restride ms": ours * 1e3}
    row |= {f"{name} ms": seconds * 1e3 for name, seconds in taken.items()}
    for column, prefix in peers.items():
        theirs = [seconds for name, seconds in taken.items() if name.startswith(prefix)]
        if theirs:
            row[f"of {column}"] = ours / min(theirs)
    if len(taken) > 1:
        row["of the best"] = ours / min(taken.values())
    return row


def _pandas(operation: Operation, folder: Path, library: Any) -> Any:
    return _lazy(operation, folder, library).compute()


def _lazy(operation: Operation, folder: Path, library: Any) -> Any:
    return operation.pandas(*(library.read_parquet(str(folder / name)) for name in operation.tables))


def _restride(operation: Operation, folder: Path) -> Any:
    lazy = _lazy(operation, folder, rd)
    return pa.table(lazy) if hasattr(lazy, "columns") else lazy.compute()


def _decode(operation: Operation, folder: Path) -> None:
    """Read the columns that an operation needs, the string that has few values by dictionary, and keep nothing."""

    def read(path: Path) -> None:
        codes = ["id1"] if path.parent.name == "rows" else []
        with pq.ParquetFile(path, read_dictionary=codes, pre_buffer=False) as file:
            file.read(columns=list(operation.decoded) or None, use_threads=False)

    paths = [path for name in operation.tables for path in sorted((folder / name).glob("*.parquet"))]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(read, paths))


def _polars(operation: Operation, folder: Path, engine: str) -> Any:
    import polars as pl

    return operation.polars(*(pl.scan_parquet(folder / name / "*.parquet") for name in operation.tables)).collect(
        engine=engine
    )


def frame(result: Any) -> pa.Table:
    """A result as an Arrow table; a number is a table of one."""
    if isinstance(result, float | np.floating):
        return pa.table({"total": [float(result)]})
    if isinstance(result, pd.DataFrame):
        return pa.Table.from_pandas(result, preserve_index=False)
    return result if isinstance(result, pa.Table) else result.to_arrow()


def check(operation: Operation, ours: pa.Table, theirs: pa.Table, name: str) -> None:
    """AssertionError unless our result and that of another agree."""
    columns = sorted(operation.agreed or theirs.column_names)
    ours, whole, theirs = ours.select(columns), ours, theirs.select(columns)
    assert len(ours) == len(theirs), f"{operation.name}: {len(ours)} rows, {name} has {len(theirs)}"
    if operation.sorted_by:
        assert in_order(whole[operation.sorted_by]), f"{operation.name}: not in order"
    if len(ours) <= SMALL:
        assert_same_rows(ours.to_pandas(), theirs.to_pandas())
        return
    for column in columns:
        a, b = total(ours[column]), total(theirs[column])
        assert math.isclose(a, b, rel_tol=1e-9), f"{operation.name}: {column} adds up to {a}, for {name} to {b}"


def in_order(column: pa.ChunkedArray) -> bool:
    """Whether no value is less than the one before."""
    flat = column.combine_chunks()
    return bool(pc.all(pc.less_equal(flat[:-1], flat[1:])).as_py() or len(flat) < 2)


def total(column: pa.ChunkedArray) -> float:
    """The sum of numbers, or of the lengths of texts."""
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        column = pc.binary_length(column.cast(pa.large_string()))
    return float(pc.sum(column.cast(pa.float64(), safe=False)).as_py())
