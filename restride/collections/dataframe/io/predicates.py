"""Predicates that readers know: conjunctions of a column compared with a literal, as `filters=` of pandas has them.

They do two things: statistics tell that a run of rows cannot hold any that is wanted, and rows are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Predicate = tuple[Any, str, Any]
"""A column, how it is compared, and with what."""
Filters = tuple[tuple[Predicate, ...], ...]
"""Any of several conjunctions, each of predicates that all hold."""

OPS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
COMPARED = {
    "==": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal,
}  # fmt: skip


def parsed_filters(filters: Any) -> Filters:
    """Filters as pandas takes them: a list of predicates that all hold, or a list of such lists, one of which does.

    Raises
    ------
    ValueError
        They are of another form.

    Examples
    --------
    >>> parsed_filters([("x", ">", 1), ("y", "in", {2})])
    ((('x', '>', 1), ('y', 'in', [2])),)
    """
    if not isinstance(filters, (list, tuple)) or not filters:
        raise ValueError(f"filters are a list of (column, op, value), or a list of such lists, got {filters!r}")
    nested = filters if isinstance(filters[0], (list, tuple)) and not _is_predicate(filters[0]) else [filters]
    return tuple(tuple(_predicate(one) for one in conjunction) for conjunction in nested)


def _is_predicate(value: Any) -> bool:
    return len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], str)


def _predicate(value: Any) -> Predicate:
    if not isinstance(value, (list, tuple)) or not _is_predicate(value):
        raise ValueError(f"a filter is (column, op, value), got {value!r}")
    column, op, literal = value
    op = {"=": "=="}.get(op, op)
    if op not in OPS:
        raise ValueError(f"the op of a filter is one of {', '.join(OPS)}, got {op!r}")
    if op in ("in", "not in"):
        if isinstance(literal, str) or not hasattr(literal, "__iter__"):
            raise ValueError(f"{op!r} wants a list of values, got {literal!r}")
        literal = list(literal)
    return column, op, literal


def may_hold(least: Any, greatest: Any, nulls: int, rows: int, op: str, literal: Any) -> bool:
    """Whether a value between two bounds may satisfy a predicate; missing values satisfy none but `!=`.

    Parameters
    ----------
    least, greatest
        Bounds of the values that are not missing; None if unknown.
    nulls : int
        How many values are missing; -1 if unknown.
    rows : int
        How many values there are, missing ones too.
    op : str
    literal

    Examples
    --------
    >>> may_hold(3, 7, 0, 10, ">", 7), may_hold(3, 7, 0, 10, "in", [1, 5])
    (False, True)
    """
    if op in ("!=", "not in"):  # and floats that are not a number are in no statistics
        return True
    if nulls == rows:
        return False
    if least is None or _is_rounded(least) or _is_rounded(greatest):
        return True
    if isinstance(least, pd.Timestamp) and isinstance(literal, str):
        try:
            literal = pd.Timestamp(literal)
        except ValueError:
            return True
    try:
        match op:
            case "==":
                return bool(least <= literal <= greatest)
            case "<":
                return bool(least < literal)
            case "<=":
                return bool(least <= literal)
            case ">":
                return bool(greatest > literal)
            case ">=":
                return bool(greatest >= literal)
            case "in":
                return any(least <= value <= greatest for value in literal)
    except TypeError:  # not comparable: the comparison itself says so where it runs
        return True
    return True


def _is_rounded(value: Any) -> bool:
    """Whether a value is an integer that changes where it is compared as a float."""
    return isinstance(value, int) and abs(value) > 2**53


def rows_that_hold(columns: dict[str, Any], n: int, filters: Filters) -> np.ndarray:
    """Numbers of the rows that satisfy filters, int64.

    Parameters
    ----------
    columns : dict
        Arrow columns by name.
    n : int
        How many rows there are.
    filters : Filters
    """
    chosen: Any = None
    for conjunction in filters:
        mask: Any = None
        for name, op, literal in conjunction:
            one = compared(columns[name], op, literal)
            mask = one if mask is None else pc.and_kleene(mask, one)
        if mask is None:
            return np.arange(n)
        chosen = mask if chosen is None else pc.or_kleene(chosen, mask)
    if isinstance(chosen, pa.ChunkedArray):
        chosen = chosen.combine_chunks()
    if chosen.null_count:
        chosen = pc.fill_null(chosen, False)
    return np.flatnonzero(chosen.to_numpy(zero_copy_only=False))


def compared(column: Any, op: str, literal: Any) -> Any:
    """A column of booleans: whether each value satisfies a predicate; null for missing ones.

    Raises
    ------
    TypeError
        The literal is of a type that the column's values cannot be compared with.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    try:
        if op in ("in", "not in"):
            values = pa.array([value for value in literal if value is not None], kind, from_pandas=True)
            if pa.types.is_dictionary(column.type):
                column = pc.cast(column, kind)
            held = pc.is_in(column, value_set=values)
            held = pc.if_else(pc.is_null(column), None, held)
            return pc.invert(held) if op == "not in" else held
        return COMPARED[op](column, _scalar(literal, kind))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise TypeError(f"values of type {kind} cannot be compared with {literal!r} by {op!r}: {error}") from error


def _scalar(literal: Any, kind: pa.DataType) -> pa.Scalar:
    if isinstance(literal, pd.Timestamp):
        literal = literal.to_datetime64() if literal.tz is None else literal
    if isinstance(literal, str) and pa.types.is_temporal(kind):
        literal = pd.Timestamp(literal)
    scalar = pa.scalar(literal)
    # Strings of any kind go together, as do numbers.
    return scalar.cast(kind) if pa.types.is_string(scalar.type) or pa.types.is_temporal(kind) else scalar


def evaluated(value: Any, op: str, literal: Any) -> bool:
    """Whether one value satisfies a predicate."""
    column = pa.chunked_array([pa.array([value], from_pandas=True)])
    return bool(len(rows_that_hold({"x": column}, 1, ((("x", op, literal),),))))


def names_in(filters: Sequence[Sequence[Predicate]]) -> list[str]:
    """The columns that filters are about."""
    return list(dict.fromkeys(name for conjunction in filters for name, _, _ in conjunction))
