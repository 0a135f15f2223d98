"""Answers: ours as a frame, the text of the questions in SQL, and what the Transaction Processing Council gives out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.frames import assert_same_answer, computed
from benchmarks.tpch.queries import QUERIES
from benchmarks.tpch.tables import Tables

CENT = 0.005 * (1 + 1e-6)
"""Official answers are rounded to two digits."""


def sql(number: int, scale: float) -> str:
    """The text of a question for tables of a scale factor."""
    text: str = QUERIES[number].SQL
    return text.replace("$scale", str(scale))


def answer(number: int, tables: Tables, columns: list[str]) -> pd.DataFrame:
    """The computed answer to a question, with those columns; a number is a frame of one."""
    value: Any = computed(QUERIES[number].query(tables))
    if not isinstance(value, pd.DataFrame):
        value = pd.DataFrame({columns[0]: [value]})
    if list(value.columns) != columns:
        raise AssertionError(f"question {number} has columns {list(value.columns)}, expected {columns}")
    return value.reset_index(drop=True)


def check_official(actual: pd.DataFrame, folder: Path, number: int) -> None:
    """AssertionError if the official answer is another; `folder` has ``q1.out`` to ``q22.out`` of TPC's tools."""
    expected = pd.read_csv(folder / f"q{number}.out", sep="|", skipinitialspace=True, dtype=object)
    expected.columns = actual.columns  # abbreviated there
    assert_same_answer(actual, expected, rtol=1e-7, atol=CENT)
