"""Functions of series and frames that pandas has at its top: dates, numbers and durations of other values, melting."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.methods.elementwise import row_by_row
from restride.collections.dataframe.methods.partitions import make_meta


def to_datetime(
    arg: Any,
    errors: str = "raise",
    dayfirst: bool = False,
    yearfirst: bool = False,
    utc: bool = False,
    format: str | None = None,  # noqa: A002  # pandas' name
    exact: Any = None,
    unit: str | None = None,
    origin: Any = "unix",
    *,
    meta: Any = None,
) -> Any:
    """Dates of strings, numbers, or of the columns of a frame that has years, months and days.

    Parameters
    ----------
    arg : Series, Index or DataFrame
        Anything else goes to `pandas.to_datetime`.
    errors : {"raise", "coerce"}
        What cannot be a date is an error of the tasks, or missing.
    format : str, optional
        Of strings. Without it the first string that is not missing decides for all partitions; it is computed.
    dayfirst, yearfirst, utc, exact, unit, origin
        As in pandas.
    meta : dtype, optional
        Of the result. Without it strings become dates in microseconds, or what `format` has a place for, without a zone
        unless `utc`.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> s = rd.from_pandas(pd.Series(["13.01.2024", "02.03.2024"]), npartitions=2)
    >>> rd.to_datetime(s, dayfirst=True).dt.month.compute().tolist()
    [1.0, 3.0]
    """
    kwargs: dict[str, Any] = {"errors": errors, "dayfirst": dayfirst, "yearfirst": yearfirst, "utc": utc}
    kwargs |= {
        key: value for key, value in {"format": format, "exact": exact, "unit": unit}.items() if value is not None
    }
    if origin != "unix":
        kwargs["origin"] = origin
    if not isinstance(arg, FrameBase):
        return pd.to_datetime(arg, **kwargs)
    have = arg.expr.meta
    if isinstance(have, pd.DataFrame):
        sample = pd.DataFrame({label: [2000 if str(label).startswith("year") else 1] for label in have.columns})
        return row_by_row(arg, pd.to_datetime, declared=pd.to_datetime(sample, **kwargs).iloc[:0], **kwargs)
    if pd.api.types.is_string_dtype(have.dtype) and meta is None:
        first = first_value(arg)
        if format is None and isinstance(first, str):
            guessed = guess_datetime_format(first, dayfirst=dayfirst)
            kwargs |= {} if guessed is None else {"format": guessed}
        sample = pd.to_datetime(pd.Series([first], dtype=have.dtype), **kwargs)
        return row_by_row(arg, pd.to_datetime, declared=sample.iloc[:0].rename(have.name), **kwargs)
    if meta is not None:
        declared = _declared(meta, have)
    else:
        number = pd.api.types.is_numeric_dtype(have.dtype)
        values = pd.Series([1] if number else [], dtype=have.dtype, name=have.name)
        declared = pd.to_datetime(values, **kwargs).iloc[:0]
    return row_by_row(arg, pd.to_datetime, declared=declared, **kwargs)


def to_timedelta(arg: Any, unit: str | None = None, errors: str = "raise") -> Any:
    """Durations of strings or numbers; see `pandas.to_timedelta`.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> s = rd.from_pandas(pd.Series(["1 day", "2h"]), npartitions=2)
    >>> rd.to_timedelta(s).dt.total_seconds().compute().tolist()
    [86400.0, 7200.0]
    """
    kwargs: dict[str, Any] = {"errors": errors} if unit is None else {"errors": errors, "unit": unit}
    if not isinstance(arg, FrameBase):
        return pd.to_timedelta(arg, **kwargs)
    have = arg.expr.meta
    sample = (
        pd.Series(["1s"], dtype=have.dtype)
        if pd.api.types.is_string_dtype(have.dtype)
        else pd.Series([1], dtype=have.dtype)
    )
    return row_by_row(
        arg, pd.to_timedelta, declared=pd.to_timedelta(sample, **kwargs).iloc[:0].rename(have.name), **kwargs
    )


def to_numeric(arg: Any, errors: str = "raise", downcast: None = None, *, meta: Any = None) -> Any:
    """Numbers of strings; see `pandas.to_numeric`.

    Parameters
    ----------
    arg : Series or Index
        Anything else goes to `pandas.to_numeric`.
    errors : {"raise", "coerce"}
        What is no number is an error of the tasks, or missing.
    downcast : None
        Depends on all values; use `astype`.
    meta : dtype, optional
        Of the result; floats if left out, as whether there are integers alone is not known before all are seen.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> s = rd.from_pandas(pd.Series(["1", "2.5", "?"]), npartitions=2)
    >>> rd.to_numeric(s, errors="coerce").compute().tolist()
    [1.0, 2.5, nan]
    """
    if not isinstance(arg, FrameBase):
        return pd.to_numeric(arg, errors=errors, downcast=downcast)
    if downcast is not None:
        raise NotImplementedError("to_numeric(downcast=): the dtype would depend on the values; use astype")
    have = arg.expr.meta
    if pd.api.types.is_numeric_dtype(have.dtype):
        return row_by_row(arg, pd.to_numeric, errors=errors)
    declared = pd.Series([], dtype="float64", name=have.name) if meta is None else _declared(meta, have)
    return row_by_row(arg, as_numbers, declared.dtype, declared=declared, errors=errors)


def as_numbers(series: pd.Series, dtype: Any, errors: str) -> pd.Series:
    """Kernel: numbers of one dtype, whichever a partition's own values would have."""
    return pd.to_numeric(series, errors=errors).astype(dtype)


def isna(obj: Any) -> Any:
    """Whether each value is missing; see `pandas.isna`."""
    return obj.isna() if isinstance(obj, FrameBase) else pd.isna(obj)  # type: ignore[attr-defined]


def notna(obj: Any) -> Any:
    """Whether each value is there; see `pandas.notna`."""
    return obj.notna() if isinstance(obj, FrameBase) else pd.notna(obj)  # type: ignore[attr-defined]


isnull, notnull = isna, notna


def unique(values: Any) -> Any:
    """The different values, in the order in which they appear; see `Series.unique`."""
    return values.unique() if isinstance(values, FrameBase) else pd.unique(values)  # type: ignore[attr-defined]


def factorize(values: Any, sort: bool = False, use_na_sentinel: bool = True) -> Any:
    """Numbers for values, and the values; see `Series.factorize`."""
    if isinstance(values, FrameBase):
        return values.factorize(sort, use_na_sentinel)  # type: ignore[attr-defined]
    return pd.factorize(values, sort, use_na_sentinel)


def melt(
    frame: Any,
    id_vars: Any = None,
    value_vars: Any = None,
    var_name: Hashable = None,
    value_name: Hashable = "value",
    col_level: Any = None,
    ignore_index: bool = True,
) -> Any:
    """Columns one below the other; see `DataFrame.melt`."""
    return frame.melt(id_vars, value_vars, var_name, value_name, col_level, ignore_index)


def first_value(series: FrameBase) -> Any:
    """The first value of a series or index that is not missing, computed; missing if there is none."""
    for partition in series.partitions:  # type: ignore[attr-defined]
        values = pd.Series(partition.compute()).dropna()
        if len(values):
            return values.iloc[0]
    return np.nan


def _declared(meta: Any, have: Any) -> pd.Series:
    declared: pd.Series = make_meta(meta)
    return declared.rename(have.name)
