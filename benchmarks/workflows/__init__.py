"""The work of spatial time series, on synthetic data: restride and dask by turns, in time and memory.

What each workflow does stands in `climate`, `maps`, `spectra` and `stores`, written once for both; sizes and checks are
in `cases`. ``python -m benchmarks.workflows`` takes names of workflows.
"""

from __future__ import annotations

from typing import Any


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    from benchmarks.workflows.compare import run  # not in the processes of the contenders

    return run(quick=quick)
