"""Columns at row numbers, where -1 stands for a row that is not there: a missing value takes its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import Column, one_array
from restride.engine.graphs.csr import Ints


@dataclass(frozen=True, slots=True)
class Missing:
    """How a column says that a value is missing."""

    kind: str
    """``nan``: floats, which numbers become; ``code``: -1, of categories; ``null``: Arrow's way."""
    type: pa.DataType
    """Of the column that results where values may be missing."""


class Rows:
    """Row numbers to take from several columns of one table.

    Parameters
    ----------
    numbers : int64 array or None
        None for all rows in order.
    some_missing : bool
        Whether there may be -1 among them.
    """

    def __init__(self, numbers: Ints | None, *, some_missing: bool = False) -> None:
        self.numbers = numbers
        self.missing = None
        self.indices = None
        if numbers is None:
            return
        if some_missing:
            missing = numbers < 0
            if missing.any():
                self.missing = missing
        self.indices = pa.array(numbers, mask=self.missing)

    def of(self, column: Column, missing: Missing | None = None) -> Column:
        """The values of a column at the rows; `missing` says how it lacks some, where it may."""
        if self.numbers is None:
            return _of_type(column, missing)
        array = one_array(column)
        if self.missing is None:
            return _of_type(pc.take(array, self.indices, boundscheck=False), missing)
        assert missing is not None, "rows that are not there, of a column that cannot lack values"
        if missing.kind == "null":
            return _of_type(pc.take(array, self.indices, boundscheck=False), missing)
        fill = np.nan if missing.kind == "nan" else -1
        dtype = missing.type.to_pandas_dtype()
        if not len(array):
            return pa.array(np.full(len(self.numbers), fill, dtype))
        values = array.to_numpy(zero_copy_only=False).take(self.numbers, mode="clip").astype(dtype)
        values[self.missing] = fill
        return pa.array(values)


def _of_type(column: Column, missing: Missing | None) -> Column:
    """A column of the type that results, where it may lack values; a dictionary of strings goes for strings."""
    if missing is None or column.type == missing.type or pa.types.is_dictionary(column.type):
        return column
    return pc.cast(column, missing.type, safe=False)
