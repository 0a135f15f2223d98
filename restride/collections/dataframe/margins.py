"""Margins of pivot tables: a row and columns of aggregates over all of a key, put to the table as pandas puts them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Margins:
    """Aggregates that the margins of a table are made of, by the labels of its values."""

    of_rows: pd.DataFrame | None
    """Of each row of the table; None where there is no key in columns."""
    of_columns: pd.DataFrame | None
    """Of each column."""
    of_all: Mapping[Hashable, Any]
    """Of everything."""
    name: str

    def put_to(self, table: pd.DataFrame, fill_value: Any) -> pd.DataFrame:
        """A table, with the labels of its values before the other keys in its columns, and its margins.

        Raises
        ------
        ValueError
            A key has the name of the margins for a value.
        """
        if self.of_rows is not None and not table.shape[1]:
            return table  # all cells are missing: pandas puts no margin to it
        levels = [table.index.get_level_values(i) for i in range(table.index.nlevels)]
        levels += [table.columns.get_level_values(i) for i in range(1, table.columns.nlevels)]
        if any(self.name in level for level in levels):
            raise ValueError(f'Conflicting name "{self.name}" in margins')
        result = table if self.of_rows is None else self._with_columns(table, self.of_rows)
        last = self._last_row(result.columns).infer_objects().reindex(result.columns, fill_value=fill_value)
        key = (self.name, *[""] * (table.index.nlevels - 1)) if table.index.nlevels > 1 else self.name
        row = pd.DataFrame(last, columns=pd.Index([key])).T
        fitted = {i: _fitted(row.iloc[:, i], dtype) for i, dtype in enumerate(result.dtypes)}
        row = pd.DataFrame(fitted, index=row.index).set_axis(result.columns, axis=1)
        return pd.concat([result, row]).rename_axis(index=result.index.names)

    def _with_columns(self, table: pd.DataFrame, of_rows: pd.DataFrame) -> pd.DataFrame:
        pieces = []
        for label, turned in table.T.groupby(level=0):
            piece = turned.T
            piece[self._column(label, table.columns)] = of_rows[label]
            pieces.append(piece)
        return pd.concat(pieces, axis=1) if pieces else table

    def _column(self, label: Hashable, columns: pd.Index) -> tuple[Hashable, ...]:
        """The column that has the margin of a value."""
        return (label, self.name, *[""] * (columns.nlevels - 2))

    def _last_row(self, columns: pd.Index) -> pd.Series:
        if self.of_columns is None:
            return pd.Series(self.of_all, dtype=object).reindex(columns)
        row = self.of_columns.stack()
        row = row.reorder_levels([row.index.nlevels - 1, *range(row.index.nlevels - 1)])
        for label, value in self.of_all.items():
            row[self._column(label, columns)] = value
        return row


def _fitted(values: pd.Series, dtype: Any) -> pd.Series:
    """Values as a dtype that holds them."""
    if dtype in (object, values.dtype):
        return values
    if values.dtype == object or not isinstance(dtype, np.dtype):
        return values.astype(dtype)
    fits = dtype.kind in "iu" and bool(values.notna().all()) and bool((values == values.round()).all())
    return values.astype(dtype) if fits else values
