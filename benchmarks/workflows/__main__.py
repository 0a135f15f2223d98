"""The command line: ``python -m benchmarks.workflows [NAME ...] [--quick] [--on threads|processes]``."""

from __future__ import annotations

import argparse

from rich.console import Console

from benchmarks.__main__ import table
from benchmarks.workflows.cases import CASES
from benchmarks.workflows.compare import run
from benchmarks.workflows.contender import PEERS


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workflows", description="Some of the workflows.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(case.name for case in CASES))
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds, to see that it runs")
    parser.add_argument("--on", choices=["threads", "processes"], help="both, if not given")
    options = parser.parse_args(arguments)

    systems = [ours for ours in PEERS if options.on is None or ours.endswith(options.on)]
    console = Console(width=160)
    for title, rows in run(quick=options.quick, names=options.names, systems=systems).items():
        console.print(table(title, rows))


if __name__ == "__main__":
    main()
