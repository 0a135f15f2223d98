"""The data: a table of six columns in 20 Parquet files, and tables to join it and one another with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FILES = 20
FEW = 100

TABLES = ("rows", "small", "dense_left", "dense_right", "sparse_left", "sparse_right")


def write(folder: Path, rows: int, *, files: int = FILES) -> None:
    """Write them.

    `rows` has string keys id1 (100 values) and id3 (`rows` / 100), integer keys id4 and id6 alike, an integer v1 and a
    float v3. `small` has a row for each id6. The others have `rows` rows with keys k that are unique: in `dense_left`
    and `dense_right` the numbers from 1, in `sparse_left` and `sparse_right` any of 62 bits, of which half match.
    """
    rng = np.random.default_rng(7)
    many = max(rows // FEW, 1)
    _save(
        folder / "rows",
        pa.table(
            {
                "id1": _names(rng, rows, FEW, "id%03d"),
                "id3": _names(rng, rows, many, "id%010d"),
                "id4": rng.integers(1, FEW, rows, endpoint=True),
                "id6": rng.integers(1, many, rows, endpoint=True),
                "v1": rng.integers(1, 5, rows, endpoint=True),
                "v3": rng.uniform(0, 100, rows).round(6),
            }
        ),
        files,
    )
    _save(folder / "small", pa.table({"id6": rng.permutation(many) + 1, "w": rng.random(many).round(4)}), 1)
    _save_pair(folder, "dense", rng, np.arange(1, rows + 1), np.arange(1, rows + 1), files)
    keys = np.unique(rng.integers(0, 1 << 62, rows + rows // 1000 + 10))[:rows]
    half = keys.copy()
    half[::2] += 1
    _save_pair(folder, "sparse", rng, keys, half, files)


def _save_pair(
    folder: Path, name: str, rng: np.random.Generator, left: np.ndarray, right: np.ndarray, files: int
) -> None:
    for side, keys, value in (("left", left, "v"), ("right", right, "w")):
        table = pa.table({"k": rng.permutation(keys), value: rng.random(len(keys)).round(4)})
        _save(folder / f"{name}_{side}", table, files)


def _names(rng: np.random.Generator, rows: int, values: int, form: str) -> pa.Array:
    names = pa.array([form % i for i in range(1, values + 1)])
    return names.take(pa.array(rng.integers(0, values, rows)))


def _save(folder: Path, table: pa.Table, files: int) -> None:
    folder.mkdir()
    size = -(-len(table) // files)
    for part in range(files):
        pq.write_table(table.slice(part * size, size), folder / f"part-{part:03d}.parquet")
