"""The table of statistics that `describe` gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

NUMBERS, TIMES, OTHERS = "numbers", "times", "others"


def kind_of_values(dtype: Any) -> str:
    """Which statistics a column of a dtype has."""
    if pd.api.types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return OTHERS
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return TIMES
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return NUMBERS
    return OTHERS


@dataclass(frozen=True)
class DescribeColumns:
    """Kernel: the table of statistics of a frame's columns, or of a series, given each of them."""

    kinds: tuple[str, ...]
    dtypes: tuple[Any, ...]
    """Of the results, by column."""
    rows: tuple[str, ...]
    labels: Any
    """Of the columns of the result; the name of a series."""
    series: bool
    __name__ = "describe"

    def __call__(self, *statistics: Any) -> Any:
        given = iter(statistics)
        columns = [self._column(kind, dtype, given) for kind, dtype in zip(self.kinds, self.dtypes)]
        if self.series:
            return columns[0].rename(self.labels)
        table = pd.DataFrame(dict(enumerate(columns)), index=pd.Index(self.rows, dtype="str"))
        table.columns = self.labels
        return table

    def _column(self, kind: str, dtype: Any, given: Any) -> pd.Series:
        if kind == OTHERS:
            counts = next(given)
            counts = counts[counts > 0]  # those of categories may be none
            values = {"count": counts.sum(), "unique": len(counts), "top": np.nan, "freq": np.nan}
            if len(counts):
                values |= {"top": counts.index[0], "freq": counts.iloc[0]}
        else:
            count, mean, least, greatest, quantiles = (next(given) for _ in range(5))
            values = {"count": count, "mean": mean, "min": least, "max": greatest}
            values |= dict(zip(percent_names(quantiles.index), quantiles))
            if kind == NUMBERS:
                values["std"] = next(given)
        wanted = [values.get(row, np.nan) for row in self.rows]
        made = pd.Series(wanted, index=pd.Index(self.rows, dtype="str"), dtype=object)
        return made.astype(dtype)


def percent_names(quantiles: Sequence[float]) -> list[str]:
    """Names of the rows of quantiles, such as ``25%``."""
    return [f"{100 * float(q):.10g}%" for q in quantiles]
