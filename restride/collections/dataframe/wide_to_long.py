"""`wide_to_long`: columns of one beginning below each other, beside a level of what their labels end with."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.concatenating import concat
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.places import numbered
from restride.collections.dataframe.operations.reductions import one_row


def wide_to_long(df: Any, stubnames: Any, i: Any, j: Hashable, sep: str = "", suffix: str = r"\d+") -> Any:
    r"""Columns whose labels begin alike below each other, by what the labels end with.

    Parameters
    ----------
    df : DataFrame
    stubnames : str or list of str
        What labels begin with; the labels of the new columns.
    i : label or list of labels
        Columns that tell rows apart: that they do so is checked in each partition.
    j : label
        Of the level of what labels end with.
    sep : str
        Between the two.
    suffix : str
        A regular expression of what labels end with.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> df = rd.from_pandas(pd.DataFrame({"id": [0, 1], "x1": [1, 2], "x2": [3, 4]}), npartitions=2)
    >>> rd.wide_to_long(df, "x", "id", "n").compute()
          x
    id n
    0  1  1
    1  1  2
    0  2  3
    1  2  4
    """
    if not isinstance(df, FrameBase) or not isinstance(df.expr.meta, pd.DataFrame):
        raise TypeError(f"wide_to_long takes a DataFrame, not {type(df).__name__}")
    frame = numbered(df.expr)
    arguments = {"stubnames": stubnames, "i": i, "j": j, "sep": sep, "suffix": suffix}
    sample = pd.wide_to_long(one_row(frame.meta), **arguments)
    long = MapPartitions(Lengthened(sample.iloc[:0]), (frame,), tuple(arguments.items()), sample.iloc[:0], "long")
    several = isinstance(i, (list, tuple, pd.Index)) and len(i) > 1
    if several or frame.npartitions == 1 or len(sample) < 2:
        return new_collection(long)
    # The rows of one ending come before those of the next.
    runs = [MapPartitions(RunOf(n, len(sample)), (long,), (), long.meta, "long-run") for n in range(len(sample))]
    return concat([new_collection(run) for run in runs])


@dataclass(frozen=True)
class Lengthened:
    """Kernel: pandas' own of a partition, which has dtypes of its own where there are no rows."""

    meta: Any
    __name__ = "wide_to_long"

    def __call__(self, frame: pd.DataFrame, **arguments: Any) -> pd.DataFrame:
        return pd.wide_to_long(frame, **arguments) if len(frame) else self.meta


@dataclass(frozen=True)
class RunOf:
    """Kernel: one of some runs of rows, all of the same length."""

    number: int
    of: int
    __name__ = "long-run"

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        n = len(frame) // self.of
        return frame.iloc[self.number * n : (self.number + 1) * n]
