"""The 22 questions of TPC-H in pandas' API, on restride and on dask: `queries` has one module for each.

``python -m benchmarks.tpch`` takes numbers of questions and a scale factor, and compares with the official answers,
which come with TPC's tools.
"""

from __future__ import annotations

from typing import Any


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    from benchmarks.tpch.compare import run  # loads all contenders

    return run(quick=quick)
