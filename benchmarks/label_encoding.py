"""Label encoding: the interests of a stream of rows as the numbers that a template of them has.

A template has 50,000 interests of four levels, such as ``sports>ball>football>rules``. Each is given a number, and 100
million rows that come in partitions, none of which stays, are to have those numbers. The ways:

- a function of a partition that makes the dictionary of the template in each call;
- the same as a higher-order function: what makes the dictionary once, and returns the function of a partition;
- `Series.map` with the dictionary.

On processes, the dictionary goes to each worker once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import restride as rs
import restride.dataframe as rd
from benchmarks.timing import alternate

LEVELS = (10, 20, 10, 25)
"""How many interests there are of each level, below one of the level above: 50,000 of the last."""
PARTITION = 500_000
"""Rows of a partition."""


def template() -> list[str]:
    """All interests, level by level."""
    names = [""]
    for level, count in enumerate(LEVELS):
        names = [f"{name}{'>' if name else ''}level{level}-{i}" for name in names for i in range(count)]
    return names


def codes() -> dict[str, int]:
    """The number of each interest."""
    return {interest: number for number, interest in enumerate(template())}


def rows(number: int, n: int, interests: pa.Array) -> pd.Series:
    """One partition of the stream."""
    chosen = np.random.default_rng(number).integers(0, len(interests), n)
    return pd.Series(pd.array(interests.take(pa.array(chosen)), dtype="str"), name="interest")


def encode_each(partition: pd.Series) -> pd.Series:
    """Numbers of a partition, by a dictionary made for it."""
    return partition.map(codes())


def encoder() -> Callable[[pd.Series], pd.Series]:
    """What `encode_each` does, with one dictionary for all partitions."""
    mapping = pd.Series(codes())
    _ = mapping.index.is_unique  # looks the labels over, once

    def encode(partition: pd.Series) -> pd.Series:
        return partition.map(mapping)

    return encode


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    n = 2_000_000 if quick else 100_000_000
    tables = {}
    for place, client in (("threads", rs.Client()), ("processes", rs.Client("processes", workers=2))):
        with client:
            tables[f"label encoding of {n:,} rows, on {place}"] = _compare(n, rounds=1 if quick else 2)
    return tables


def _compare(n: int, rounds: int) -> list[dict[str, Any]]:
    interests = pa.array(template())
    stream = rd.from_map(
        rows, range(n // PARTITION), n=PARTITION, interests=interests, meta=pd.Series([], dtype="str", name="interest")
    )
    meta = ("interest", "int64")
    ways = {
        "the stream alone": lambda: len(stream),
        "dictionary made in each call": lambda: stream.map_partitions(encode_each, meta=meta).sum().compute(),
        "higher-order function": lambda: stream.map_partitions(encoder(), meta=meta).sum().compute(),
        "Series.map": lambda: stream.map(codes()).sum().compute(),
    }
    sums = {float(way()) for name, way in ways.items() if name != "the stream alone"} if rounds == 1 else set()
    if len(sums) > 1:
        raise AssertionError(f"the ways differ: {sums}")
    best = {name: timing.best for name, timing in alternate(ways, rounds).items()}
    alone = best["the stream alone"]
    return [
        {"way": name, "s": seconds, "beside the stream": seconds - alone, "million rows / s": n / seconds / 1e6}
        for name, seconds in best.items()
    ]
