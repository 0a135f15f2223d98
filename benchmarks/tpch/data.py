"""The tables of TPC-H as Parquet files, made by ``tpchgen-cli``.

Each table is a folder of files of at most 500,000 rows. Prices and quantities are float64 and dates timestamps, as
pandas has no decimals and no dates of its own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.tpch.tables import NAMES

ROWS = 500_000
"""Rows of a file."""


def generator() -> str | None:
    """The path of the program, if it is installed in this environment."""
    return shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")


def write(folder: Path, scale: float, *, rows: int = ROWS) -> None:
    """Write all tables into a folder, one folder each.

    Raises
    ------
    ModuleNotFoundError
        The generator is not installed.
    """
    program = generator()
    if program is None:
        raise ModuleNotFoundError("TPC-H's data come from tpchgen-cli: pip install tpchgen-cli")
    with tempfile.TemporaryDirectory(dir=folder) as raw:
        subprocess.run([program, "parquet", "-s", str(scale), "--output-dir", raw, "--quiet"], check=True)
        for name in NAMES:
            _rewrite(Path(raw) / f"{name}.parquet", folder / name, rows)


def _rewrite(source: Path, target: Path, rows: int) -> None:
    target.mkdir()
    with pq.ParquetFile(source) as file:
        schema = pa.schema([pa.field(field.name, _plain(field.type)) for field in file.schema_arrow])
        for part, batch in enumerate(file.iter_batches(rows)):
            pq.write_table(pa.table(batch).cast(schema), target / f"part-{part:03d}.parquet")


def _plain(dtype: pa.DataType) -> pa.DataType:
    """The type that pandas computes with."""
    if pa.types.is_decimal(dtype):
        return pa.float64()
    if pa.types.is_date(dtype):
        return pa.timestamp("us")
    return pa.string() if pa.types.is_string_view(dtype) else dtype
