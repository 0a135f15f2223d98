"""Rows whose keys differ: of each group of equal ones the first row, or the last, or those that are alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa

from restride.collections.dataframe.kernels.accumulators import add_at
from restride.collections.dataframe.kernels.direct_groups import DirectKeys, FirstRows, LastRows, direct_keys
from restride.collections.dataframe.kernels.encoding import to_numpy
from restride.collections.dataframe.kernels.grouping import group
from restride.collections.dataframe.kernels.memory import Column
from restride.engine.graphs.csr import Ints

Keep = Literal["first", "last"]


def distinct_rows(
    columns: Sequence[Column], categories: Sequence[int | None], keep: Keep = "first"
) -> tuple[Ints, Ints]:
    """For each group of rows with equal keys one of them, in the order of these rows, and how many rows it has.

    Missing keys are equal to each other.

    Parameters
    ----------
    columns : sequence of pyarrow columns
        At least one.
    categories : sequence of int or None
        See `restride.collections.dataframe.kernels.grouping.group`.
    keep : {"first", "last"}

    Examples
    --------
    >>> distinct_rows([pa.array(["b", "a", "b"])], [None])
    (array([0, 1]), array([2, 1]))
    """
    direct = direct_keys(columns, categories, dropna=False)
    if direct is not None:
        rows, counts = _directly(direct, keep)
    elif len(columns) == 1 and pa.types.is_string(columns[0].type):
        rows, counts = _of_strings(columns[0], keep)
    else:
        groups = group(columns, categories=categories, dropna=False)
        rows, counts = groups.first_rows() if keep == "first" else groups.last_rows(), groups.sizes()
    if len(rows) > 1 and not bool((rows[1:] > rows[:-1]).all()):
        order = np.argsort(rows)
        rows, counts = rows[order], counts[order]
    return rows, counts


def _directly(keys: DirectKeys, keep: Keep) -> tuple[Ints, Ints]:
    counts = np.zeros(keys.size + 1, np.int64)
    edges = FirstRows(keys) if keep == "first" else LastRows(keys)
    for slots, _ in keys.blocks([]):
        add_at(counts, slots)
        edges.add(slots, int(np.count_nonzero(counts)))
    present = np.flatnonzero(counts)
    return edges.rows[present], counts[present]


def _of_strings(column: Column, keep: Keep) -> tuple[Ints, Ints]:
    """By Arrow, which keeps no group number a row."""
    table = pa.table({"key": column, "row": np.arange(len(column))})
    function = "min" if keep == "first" else "max"
    found = table.group_by("key", use_threads=False).aggregate([("row", function), ("row", "count")])
    return to_numpy(found.column(f"row_{function}")), to_numpy(found.column("row_count"))
