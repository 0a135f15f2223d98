"""Answer the 22 questions on restride and on dask by turns, in seconds, once the answers are right.

duckdb's times stand beside them; it has a planner that knows all of SQL, and orders joins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import restride.dataframe as rd
from benchmarks.datasets import dataset
from benchmarks.frames import PLACES, Row, assert_same_answer, at_work, duckdb_tables, to_arrow
from benchmarks.systems import installed
from benchmarks.timing import alternate
from benchmarks.tpch import answers, data
from benchmarks.tpch.queries import QUERIES
from benchmarks.tpch.tables import NAMES, Tables

ROUNDS = 2


def run(
    *,
    quick: bool = False,
    scale: float | None = None,
    keep: bool = False,
    numbers: Sequence[int] = (),
    places: Sequence[str] = tuple(PLACES),
    official: Path | None = None,
) -> dict[str, list[Row]]:
    """Tables by where restride runs; of the questions with these numbers, or of all.

    With `official`, a folder of the official answers, which are for scale 1, ours are compared with those too.
    """
    scale = scale or (0.05 if quick else 1.0)
    chosen = [number for number in QUERIES if not numbers or number in numbers]
    if not (data.generator() and installed("duckdb")):
        return {"TPC-H": [{"question": "none", "note": "needs tpchgen-cli and duckdb"}]}
    with dataset(f"tpch-{scale:g}", partial(data.write, scale=scale), keep=keep) as folder:
        return {
            f"TPC-H at scale {scale:g}, in {place}": compare(
                chosen, folder, scale, place, rounds=1 if quick else ROUNDS, official=official
            )
            for place in places
            if installed("distributed" if place == "processes" else "dask")
        }


def compare(
    numbers: Sequence[int], folder: Path, scale: float, place: str, *, rounds: int, official: Path | None
) -> list[Row]:
    """Rows of seconds, and a last one with their sums."""
    import dask.dataframe as dd

    peer = PLACES[place]
    duckdb = duckdb_tables(folder, NAMES)
    rows: list[Row] = []
    with at_work(place):
        for number in numbers:
            sql = answers.sql(number, scale)
            expected = to_arrow(duckdb, sql).to_pandas()
            columns = list(expected.columns)
            contenders: dict[str, Callable[[], Any]] = {
                "restride": partial(answers.answer, number, Tables(folder, rd.read_parquet, scale), columns),
                peer: partial(answers.answer, number, Tables(folder, dd.read_parquet, scale), columns),
                "duckdb": partial(to_arrow, duckdb, sql),
            }
            assert_same_answer(contenders["restride"](), expected)
            if official is not None:
                answers.check_official(contenders["restride"](), official, number)
            taken = {name: timing.best for name, timing in alternate(contenders, rounds).items()}
            rows.append({"question": str(number), **{f"{name} s": seconds for name, seconds in taken.items()}})
    total = {name: sum(row[name] for row in rows) for name in rows[0] if name != "question"}
    rows.append({"question": "all", **total})
    return [{**row, f"of {peer}": row["restride s"] / row[f"{peer} s"]} for row in rows]
