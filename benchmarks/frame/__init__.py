"""Operations on 10 million rows in 20 Parquet files: restride, polars, duckdb and dask by turns, results equal.

``python -m benchmarks.frame`` takes names of operations, other sizes, and keeps the files if told to.
"""

from __future__ import annotations

from typing import Any


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    from benchmarks.frame.compare import run  # loads all contenders

    return run(quick=quick)
