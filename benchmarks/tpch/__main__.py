"""The command line: ``python -m benchmarks.tpch [NUMBER ...] [--scale F] [--on PLACE] [--answers FOLDER]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks.__main__ import table
from benchmarks.frames import PLACES
from benchmarks.tpch.compare import run


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tpch", description="Some of TPC-H's 22 questions.")
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="all, if not given")
    parser.add_argument("--scale", type=float, help="scale factor, gigabytes of text; 1, if not given")
    parser.add_argument("--on", choices=list(PLACES), help="both, if not given")
    parser.add_argument("--answers", type=Path, help="the official answers for scale 1: q1.out to q22.out")
    parser.add_argument("--quick", action="store_true", help="little data and few rounds, to see that it runs")
    parser.add_argument("--keep", action="store_true", help="leave the files for the next time")
    options = parser.parse_args(arguments)

    places = [options.on] if options.on else list(PLACES)
    tables = run(
        quick=options.quick,
        scale=options.scale,
        keep=options.keep,
        numbers=options.numbers,
        places=places,
        official=options.answers,
    )
    console = Console(width=160)
    for title, rows in tables.items():
        console.print(table(title, rows))


if __name__ == "__main__":
    main()
