"""The command line: ``python -m benchmarks.h2o [--rows N] [--keep]``."""

from __future__ import annotations

import argparse

from rich.console import Console

from benchmarks.__main__ import table
from benchmarks.h2o.compare import ROWS, run


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.h2o", description="H2O.ai's questions.")
    parser.add_argument("--rows", type=int, help=f"{ROWS:,}, if not given")
    parser.add_argument("--quick", action="store_true", help="few rows and rounds, to see that it runs")
    parser.add_argument("--keep", action="store_true", help="leave the files for the next time")
    options = parser.parse_args(arguments)

    console = Console(width=160)
    for title, rows in run(quick=options.quick, rows=options.rows, keep=options.keep).items():
        console.print(table(title, rows))


if __name__ == "__main__":
    main()
