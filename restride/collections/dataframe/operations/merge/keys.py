"""Key columns of two sides made comparable: one Arrow type for both, categories as what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import one_array
from restride.collections.dataframe.layout import CODES, arrow_type, is_string
from restride.collections.dataframe.meta import is_unknown_categorical
from restride.collections.dataframe.partition import column_from_pandas

KeyColumn = Any
"""An Arrow column, or a numpy array of objects that Arrow cannot hold."""


LOOKUP = "looked up in an array where keys are integers or times close to each other, else in a hash table"
"""By what rule rows are looked up by key, for people."""


@dataclass(frozen=True)
class AsKey:
    """Kernel: a key column of one side as it is compared with that of the other."""

    dtype: Any
    """The pandas dtype of the column."""
    type: pa.DataType | None
    """The Arrow type that it becomes; None for objects, which are compared as Python does."""
    values: pa.Array | None = None
    """What the codes of a categorical stand for, or the codes that the other side has for them."""
    labels: bool = False
    """Whether it is the whole index, joined with a whole index."""

    @property
    def nulls_first(self) -> bool:
        """Whether pandas sorts a missing key before all others.

        It does where that is the least integer inside, but for times that are an index which it joins as such.
        """
        if _is_categorical(self.dtype) and self.type == CODES:
            return True
        times = isinstance(self.dtype, pd.DatetimeTZDtype) or getattr(self.dtype, "kind", " ") in "mM"
        return times and not self.labels

    def __call__(self, column: Any) -> KeyColumn:
        if isinstance(column, (pa.Array, pa.ChunkedArray)):
            arrow = self._of_codes(column) if self.values is not None else column
            if self.type is None:
                return np.asarray(arrow.to_pandas(), dtype=object)
            if arrow.type == self.type or (is_string(arrow.type) and is_string(self.type)):
                return arrow
            return pc.cast(arrow, self.type, safe=False)
        if self.type is None:
            return np.asarray(column, dtype=object)
        return self(column_from_pandas(column, self.dtype))

    def _of_codes(self, codes: Any) -> pa.Array:
        assert self.values is not None
        numbers = one_array(codes)
        if pa.types.is_integer(self.values.type) and self.type == CODES and _is_categorical(self.dtype):
            recoded = np.append(self.values.to_numpy(), -1).astype(np.int32)  # the code -1 is the last
            return pa.array(recoded[numbers.to_numpy()])
        places = pc.if_else(pc.less(numbers, 0), None, numbers)
        if is_string(self.values.type):
            return pa.DictionaryArray.from_arrays(places, self.values)
        return pc.take(self.values, places)


def comparable(left: Any, right: Any) -> tuple[AsKey, AsKey]:
    """How key columns of two pandas dtypes, which pandas lets be joined, become comparable."""
    if left == right and not _is_categorical(left):
        kind = _key_type(left)
        return AsKey(left, kind), AsKey(right, kind)
    if _is_categorical(left) and _is_categorical(right) and set(left.categories) == set(right.categories):
        recoded = None if left == right and left.categories.equals(right.categories) else _codes_in(left, right)
        return AsKey(left, CODES), AsKey(right, CODES, recoded)
    dtypes = [dtype.categories.dtype if _is_categorical(dtype) else _plain(dtype) for dtype in (left, right)]
    kind = _common(dtypes[0], dtypes[1])
    return AsKey(left, kind, _values_of(left)), AsKey(right, kind, _values_of(right))


def _is_categorical(dtype: Any) -> bool:
    """Whether columns of a dtype are codes into categories of the meta."""
    return isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype)


def _plain(dtype: Any) -> Any:
    return dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype


def _codes_in(of: pd.CategoricalDtype, these: pd.CategoricalDtype) -> pa.Array:
    """For each code of one dtype the code of the same category in another, of the same categories."""
    return pa.array(of.categories.get_indexer(these.categories).astype(np.int32))


def _values_of(dtype: Any) -> pa.Array | None:
    if not _is_categorical(dtype):
        return None
    return one_array(column_from_pandas(dtype.categories.to_series(), dtype.categories.dtype))


def _key_type(dtype: Any) -> pa.DataType | None:
    return arrow_type(_plain(dtype))


def _common(left: Any, right: Any) -> pa.DataType | None:
    """The Arrow type in which values of two dtypes are compared; None where they are compared as objects."""
    types = arrow_type(left), arrow_type(right)
    if None in types:
        return None
    one, two = types
    assert one is not None
    assert two is not None
    if one == two or (is_string(one) and is_string(two)):
        return one
    if pa.types.is_temporal(one) and pa.types.is_temporal(two):
        return _finer(one, two)
    if any(pa.types.is_boolean(kind) for kind in types):
        return pa.float64() if any(pa.types.is_floating(kind) for kind in types) else pa.int64()
    if not all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in types):
        return None
    return pa.from_numpy_dtype(np.result_type(one.to_pandas_dtype(), two.to_pandas_dtype()))


def _finer(one: pa.DataType, two: pa.DataType) -> pa.DataType | None:
    units = ("s", "ms", "us", "ns")
    if not (hasattr(one, "unit") and hasattr(two, "unit")):
        return None
    return one if units.index(one.unit) > units.index(two.unit) else two
