"""The data of H2O.ai's benchmark as Parquet files: one table to group, four to join.

Of `rows` rows, the table to group has three string and three integer keys; two of each have 100 values and the third
`rows / 100`. The tables to join share nine tenths of their keys: `x` has as many rows as asked for, `small` a
millionth of them, `medium` a thousandth, `big` as many.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

TABLES = ("groupby", "x", "small", "medium", "big")

FILES = 20
FEW = 100
JOINED = {"small": 1_000_000, "medium": 1_000, "big": 1}
"""How many rows of `x` there are for one of theirs."""


def write(folder: Path, rows: int, *, files: int = FILES) -> None:
    """Write the tables, a folder each."""
    rng = np.random.default_rng(108)
    _save(folder / "groupby", grouped(rng, rows), files)
    for name, table in joined(rng, rows).items():
        _save(folder / name, table, files if len(table) == rows else 1)


def grouped(rng: np.random.Generator, rows: int) -> pa.Table:
    """Columns id1 to id6 and v1 to v3, keys drawn independently."""
    many = max(rows // FEW, 1)
    return pa.table(
        {
            "id1": _draw_names(rng, rows, FEW, "id%03d"),
            "id2": _draw_names(rng, rows, FEW, "id%03d"),
            "id3": _draw_names(rng, rows, many, "id%010d"),
            "id4": rng.integers(1, FEW, rows, endpoint=True),
            "id5": rng.integers(1, FEW, rows, endpoint=True),
            "id6": rng.integers(1, many, rows, endpoint=True),
            "v1": rng.integers(1, 5, rows, endpoint=True),
            "v2": rng.integers(1, 15, rows, endpoint=True),
            "v3": rng.uniform(0, 100, rows).round(6),
        }
    )


def joined(rng: np.random.Generator, rows: int) -> dict[str, pa.Table]:
    """`x`, and what it is joined with: id1, id2, id3 are keys of `small`, `medium`, `big`, id4 to id6 these as text."""
    sizes = {name: max(rows // part, 10) for name, part in JOINED.items()}
    left, right = zip(*(_keys(rng, size) for size in sizes.values()))
    tables = {"x": pa.table({**_columns([_fill(rng, keys, rows) for keys in left]), "v1": _values(rng, rows)})}
    for place, (name, size) in enumerate(sizes.items()):
        chosen = [_fill(rng, keys, size) for keys in right[:place]] + [rng.permutation(right[place])]
        tables[name] = pa.table({**_columns(chosen), "v2": _values(rng, size)})
    return tables


def _keys(rng: np.random.Generator, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """So many keys for either side, of which nine tenths are on both."""
    own = max(size // 10, 1)
    keys = rng.permutation(size + own) + 1
    return keys[:size], keys[own:]


def _fill(rng: np.random.Generator, keys: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Every key once, and then any of them, in any order."""
    more = rng.choice(keys, max(rows - len(keys), 0))
    return rng.permutation(np.concatenate([keys, more]))[:rows]


def _columns(keys: list[NDArray[np.int64]]) -> dict[str, pa.Array | NDArray[np.int64]]:
    numbers = {f"id{i + 1}": column for i, column in enumerate(keys)}
    return numbers | {f"id{i + 4}": _names(column, "id%d") for i, column in enumerate(keys)}


def _draw_names(rng: np.random.Generator, rows: int, values: int, form: str) -> pa.Array:
    names = pa.array([form % i for i in range(1, values + 1)])
    return names.take(pa.array(rng.integers(0, values, rows)))


def _names(keys: NDArray[np.int64], form: str) -> pa.Array:
    values, codes = np.unique(keys, return_inverse=True)
    return pa.array([form % value for value in values.tolist()]).take(pa.array(codes))


def _values(rng: np.random.Generator, rows: int) -> NDArray[np.float64]:
    return rng.uniform(0, 100, rows).round(6)


def _save(folder: Path, table: pa.Table, files: int) -> None:
    folder.mkdir()
    size = -(-len(table) // files)
    for part in range(files):
        pq.write_table(table.slice(part * size, size), folder / f"part-{part:03d}.parquet")
