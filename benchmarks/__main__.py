"""The command line: ``python -m benchmarks NAME [--quick] [--json FILE]``."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import restride

NAMES = (
    "overhead", "metg", "shuffle", "restride", "fft2", "workflows", "transfer", "network", "kills", "order", "micro",
    "frame", "frame_shuffle", "h2o", "tpch", "label_encoding",
)  # fmt: skip

PEERS = ("dask", "distributed", "ray", "pyspark", "polars", "duckdb")

Row = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks of restride.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds, to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows to FILE")
    options = parser.parse_args(arguments)

    tables: dict[str, list[Row]] = importlib.import_module(f"benchmarks.{options.name}").run(quick=options.quick)
    console = Console(width=None if sys.stdout.isatty() else 160)
    for title, rows in tables.items():
        console.print(table(title, rows))
    if options.json:
        report = {"benchmark": options.name, "quick": options.quick, **machine(), "tables": tables}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def table(title: str, rows: list[Row]) -> Table:
    """Rows as a table with the columns of all of them, numbers to the right."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    result = Table(title=title)
    for column in columns:
        numeric = all(isinstance(row.get(column, 0), (int, float)) for row in rows)
        result.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        result.add_row(*(cell(row.get(column, "")) for column in columns))
    return result


def cell(value: object) -> str:
    """Text of a value, numbers to three significant digits."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
        case _:
            return str(value)


def machine() -> dict[str, Any]:
    """What the figures depend on beside the code."""
    return {
        "restride": restride.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        **{peer: version(peer) for peer in PEERS if find_spec(peer)},
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
