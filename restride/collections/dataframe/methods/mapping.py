"""Values looked up in mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.meta import is_unknown_categorical
from restride.collections.dataframe.operations.mapping import MapValues
from restride.collections.dataframe.operations.places import index_as_series, series_as_index
from restride.collections.dataframe.operations.rowwise import Method, labelled, rowwise


def map_by(collection: FrameBase, mapping: Any, na_action: str | None, meta: Any) -> Any:
    """Each value of a series or index looked up in a mapping; see `Elements.map`.

    Raises
    ------
    pandas.errors.InvalidIndexError
        The mapping has a key twice; on compute, where it is one of our series.
    """
    if na_action not in (None, "ignore"):
        raise ValueError(f"na_action must either be 'ignore' or None, {na_action!r} was passed")
    if isinstance(mapping, Mapping):
        if hasattr(mapping, "__missing__"):
            return collection._through("map", (mapping,), {"na_action": na_action}, meta)  # type: ignore[attr-defined]
        mapping = pd.Series(mapping)
    if isinstance(mapping, pd.Series) and not len(mapping):
        mapping = pd.Series(dtype="float64")
    expr = collection.expr
    if isinstance(expr.meta, pd.Index):
        series = new_collection(index_as_series(expr))
        return new_collection(series_as_index(map_by(series, mapping, na_action, meta).expr))
    dtype = expr.meta.dtype
    if isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype):
        if isinstance(mapping, FrameBase):
            mapping = mapping.compute()
        if dtype.categories.map(mapping).is_unique and not mapping.index.hasnans:
            return new_collection(rowwise(Method("map"), expr, mapping, na_action=na_action))
    if isinstance(mapping, FrameBase):
        other = labelled(mapping.expr)
    else:
        other = mapping
        if not mapping.index.is_unique:
            raise pd.errors.InvalidIndexError("Reindexing only valid with uniquely valued Index objects")
    new = new_collection(MapValues(expr, other, na_action == "ignore"))
    return new if meta is None else new.astype(_dtype(meta))


def _dtype(meta: Any) -> Any:
    """The dtype that a `meta` argument means."""
    if isinstance(meta, (pd.Series, pd.Index)):
        return meta.dtype
    return meta[1] if isinstance(meta, tuple) else meta
