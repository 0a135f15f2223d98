"""The command line: ``python -m benchmarks.frame [NAME ...] [--rows N] [--against WHOM] [--keep]``."""

from __future__ import annotations

import argparse

from rich.console import Console

from benchmarks.__main__ import table
from benchmarks.frame.compare import ROWS, run
from benchmarks.frame.operations import OPERATIONS
from benchmarks.frames import PLACES


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frame", description="Operations on dataframes.")
    names = ", ".join(operation.name for operation in OPERATIONS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"how names begin: {names}")
    parser.add_argument("--rows", type=int, help=f"{ROWS:,}, if not given")
    parser.add_argument("--rounds", type=int, help="how often each contender runs; the best counts")
    parser.add_argument("--against", choices=["engines", *PLACES], help="all, if not given")
    parser.add_argument("--quick", action="store_true", help="few rows and rounds, to see that it runs")
    parser.add_argument("--keep", action="store_true", help="leave the files for the next time")
    options = parser.parse_args(arguments)

    against = [options.against] if options.against else ["engines", *PLACES]
    tables = run(
        quick=options.quick,
        rows=options.rows,
        rounds=options.rounds,
        keep=options.keep,
        names=options.names,
        against=against,
    )
    console = Console(width=160)
    for title, rows in tables.items():
        console.print(table(title, rows))


if __name__ == "__main__":
    main()
