"""Shuffles of frames of many partitions on two processes: what a piece takes beside the rows that are in it.

Every old partition has rows for every new one, so that n partitions become n in n * n pieces. With few rows all of the
time is overhead; with 10 million the shuffle has work to do. Lengths are not known beforehand unless said, so that no
partitions are split together. dask.dataframe shuffles by its P2P extension, which has no tasks for pieces.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

import restride.dataframe as rd
from benchmarks.systems import dask_client, installed, restride_client
from benchmarks.timing import repeated

Row = dict[str, Any]


def run(*, quick: bool = False) -> dict[str, list[Row]]:
    sides = [10] if quick else [20, 100, 300]
    rows_of = (300, 33_000) if not quick else (300,)
    repeat = 1 if quick else 3
    rows = [_row(side, rows, repeat) for rows in rows_of for side in sides]
    return {"frame_shuffle": rows}


def _row(side: int, rows: int, repeat: int) -> Row:
    """A shuffle of `side` partitions of so many rows into as many."""
    with restride_client():
        unknown = rd.from_map(partial(partition, rows=rows), range(side), meta=partition(0, 0)).persist()
        expected = len(unknown)
        seconds = repeated(lambda: _check(_shuffle(unknown, side), expected), repeat).best
    row: Row = {
        "partitions": f"{side:,} x {side:,}",
        "rows": side * rows,
        "s": seconds,
        "µs a piece": seconds / side**2 * 1e6,
    }
    if installed("dask") and installed("distributed"):
        with dask_client():
            theirs = _dask_frame(side, rows)
            taken = repeated(lambda: _check(_shuffle(theirs, side), expected), 1).best
        row |= {"dask P2P s": taken, "dask / restride": taken / seconds}
    return row


def partition(number: int, rows: int) -> pd.DataFrame:
    """Six columns of numbers."""
    rng = np.random.default_rng(number)
    floats = {name: rng.random(rows) for name in "bdf"}
    return pd.DataFrame({"a": rng.integers(0, 1 << 60, rows), "c": rng.integers(0, 100, rows), **floats})


def _shuffle(frame: Any, side: int) -> int:
    """Shuffle all columns; how many rows come out."""
    return int(frame.shuffle(on="a", npartitions=side).map_partitions(len, meta=(None, "int64")).sum().compute())


def _check(found: int, expected: int) -> None:
    assert found == expected, (found, expected)


def _dask_frame(side: int, rows: int) -> Any:
    import dask.dataframe as dd

    frame = dd.from_map(partial(partition, rows=rows), list(range(side)), meta=partition(0, 0)).persist()
    len(frame)
    return frame
