"""Functions of strings that repeat: where a column is a dictionary, each different string is looked at once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import one_array
from restride.collections.dataframe.layout import is_string
from restride.collections.dataframe.meta import Meta, with_index
from restride.collections.dataframe.partition import Partition, from_pandas, levels_of, table_of

_COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)
_RAISING = ("str.index", "str.rindex", "str.decode")
"""These raise for some strings, and the dictionary may have strings that no row has any more."""
ROWS_PER_VALUE = 2
"""How many times as many rows as different strings there are to be."""


def is_by_value(function: Callable[..., Any], template: Sequence[tuple[str, Any]], kwargs: dict[str, Any]) -> bool:
    """Whether what a function makes of a row depends on the one string in it alone, and is quietly made of any."""
    frames = [value for kind, value in template if kind == "frame"]
    if len(frames) != 1 or not isinstance(frames[0], pd.Series) or template[0][0] != "frame":
        return False
    if any(callable(value) for kind, value in template if kind == "value") or any(map(callable, kwargs.values())):
        return False  # a function of the user's is called with values of rows alone
    path = str(getattr(function, "path", ""))
    if path.startswith("str.") or path == "isin":
        return path not in _RAISING
    return function in _COMPARISONS and all(
        kind != "value" or pd.api.types.is_scalar(value) for kind, value in template[1:]
    )


def worth_it(partition: Partition) -> bool:
    """Whether a partition's one column is a dictionary of strings with far fewer entries than rows."""
    if not isinstance(partition, pa.Table) or not partition.num_columns:
        return False
    column = partition.column(0)
    if not pa.types.is_dictionary(column.type) or not is_string(column.type) or not column.num_chunks:
        return False
    return ROWS_PER_VALUE * sum(len(chunk.dictionary) for chunk in column.chunks) <= len(column)


def made_by_value(function: Callable[[Partition], Any], partition: Partition, of: Meta, meta: Meta) -> Partition:
    """What a function makes of a partition of one column of strings, by way of the strings in its dictionary.

    Parameters
    ----------
    function : callable
        Makes a pandas object of a partition.
    partition : Partition
        It is `worth_it`.
    of, meta : Meta
        Of the partition, and of the result, which is not opaque.
    """
    column = partition.column(0).unify_dictionaries()
    values = column.chunk(0).dictionary
    codes = one_array(pa.chunked_array([chunk.indices for chunk in column.chunks]))
    if column.null_count:
        codes = pc.fill_null(codes, len(values))
        values = pa.concat_arrays([values, pa.nulls(1, values.type)])
    made = from_pandas(function(table_of([values], [], len(values))), with_index(meta, pd.RangeIndex(0)))
    columns = [_taken(one_array(one), codes) for one in made.columns]
    return table_of(columns, levels_of(partition, of), partition.num_rows)


def _taken(values: pa.Array, codes: pa.Array) -> pa.Array:
    if not pa.types.is_string(values.type):
        return pc.take(values, codes)
    encoded = values.dictionary_encode()  # different strings may have become one
    return pa.DictionaryArray.from_arrays(pc.take(encoded.indices, codes), encoded.dictionary)
