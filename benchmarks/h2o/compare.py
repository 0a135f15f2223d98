"""Answer the questions on restride and on duckdb by turns, to Arrow tables, once the answers agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

import restride as rs
import restride.dataframe as rd
from benchmarks.datasets import dataset
from benchmarks.frames import WORKERS, Row, assert_same_rows, duckdb_tables, to_arrow, with_summary
from benchmarks.h2o import data
from benchmarks.h2o.questions import GROUPBY, JOIN, Question
from benchmarks.systems import installed
from benchmarks.timing import alternate

ROWS = 10_000_000
ROUNDS = 2
CHECKED = 1_000_000
"""Rows at which the answers are compared in full; those to more rows by their numbers of rows."""


def run(*, quick: bool = False, rows: int | None = None, keep: bool = False) -> dict[str, list[Row]]:
    """Tables by kind of question."""
    rows = rows or (20_000 if quick else ROWS)
    if not installed("duckdb"):
        return {"H2O.ai": [{"question": "none", "note": "needs duckdb"}]}
    with dataset(f"h2o-{rows}", partial(data.write, rows=rows), keep=keep) as folder:
        return {
            f"H2O.ai, {rows:,} rows, {kind}": compare(questions, folder, rounds=1 if quick else ROUNDS)
            for kind, questions in (("groupby", GROUPBY), ("join", JOIN))
        }


def compare(questions: Sequence[Question], folder: Path, *, rounds: int) -> list[Row]:
    """Rows of milliseconds, and a last one with the median of the ratios."""
    duckdb = duckdb_tables(folder, data.TABLES)
    rows: list[Row] = []
    with rs.Client(threads=WORKERS):
        for question in questions:
            contenders: dict[str, Callable[[], Any]] = {
                "restride": partial(_restride, question, folder),
                "duckdb": partial(to_arrow, duckdb, question.sql),
            }
            answers = {name: contender() for name, contender in contenders.items()}
            if len(answers["duckdb"]) <= CHECKED:
                check(answers["restride"].to_pandas(), answers["duckdb"].to_pandas())
            assert len(answers["restride"]) == len(answers["duckdb"])
            del answers
            taken = {name: timing.best for name, timing in alternate(contenders, rounds).items()}
            row: Row = {"question": question.name, **{f"{name} ms": seconds * 1e3 for name, seconds in taken.items()}}
            rows.append(row | {"of duckdb": taken["restride"] / taken["duckdb"]})
    return with_summary(rows, "question", ["of duckdb"])


def _restride(question: Question, folder: Path) -> Any:
    return pa.table(ask(question, rd.read_parquet, folder))


def ask(question: Question, read: Any, folder: Path) -> Any:
    """The answer of a library, by its function that reads Parquet files; lazy where it is."""
    return question.ask(*(read(str(folder / name)) for name in question.tables))


def check(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    """AssertionError unless the rows are the same; spreads and correlations of a few numbers lose some digits."""
    assert_same_rows(actual, expected, rtol=1e-7, atol=1e-12)
