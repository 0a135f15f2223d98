"""H2O.ai's ten questions of grouping and five of joining, on restride and on duckdb.

``python -m benchmarks.h2o`` takes a number of rows.
"""

from __future__ import annotations

from typing import Any


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    from benchmarks.h2o.compare import run  # loads all contenders

    return run(quick=quick)
