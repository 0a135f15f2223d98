"""Values of frames, series and indexes, each by itself: other dtypes, rounded, limited, replaced, looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from restride.collections.collection import Collection
from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.layout import arrow_type
from restride.collections.dataframe.meta import unknown_categorical
from restride.collections.dataframe.methods.elementwise import back_to_index, row_by_row
from restride.collections.dataframe.methods.mapping import map_by
from restride.collections.dataframe.methods.partitions import make_meta, meta_from_data
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.categorizing import with_categories
from restride.collections.dataframe.operations.distinct import distinct
from restride.collections.dataframe.operations.mapping import IsIn, IsInThese, MakeIsIn
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import Assign, Method, Rowwise
from restride.collections.dataframe.operations.samples import extreme_rows, made_of, ordinary_row, rows_with
from restride.collections.dataframe.operations.scalars import ScalarOf
from restride.collections.dataframe.operations.selection import without_index

FEW_VALUES = 1000
"""Values up to which a list is named by what it has in it, and can be compared with what is known of files."""


class Elements(FrameBase):
    """What is done to each value by itself."""

    def astype(self, dtype: Any, copy: bool | None = None, errors: str = "raise") -> Any:
        """Cast to a dtype.

        Parameters
        ----------
        dtype : dtype, or dict of dtypes by column
            The categories of ``"category"`` are not known until the result is computed; see `Series.cat`.
        errors : {"raise"}
            Values that cannot be cast raise when they are computed.

        Raises
        ------
        KeyError
            A column in `dtype` is not one of the frame's.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}), npartitions=2)
        >>> df.astype({"x": "float32"}).dtypes.to_dict()
        {'x': dtype('float32'), 'y': dtype('float64')}
        """
        if errors != "raise":
            raise NotImplementedError("astype(errors='ignore'): dtypes would depend on values")
        meta = self.expr.meta
        if isinstance(meta, pd.DataFrame) and isinstance(dtype, (dict, pd.Series)):
            for label in dtype.keys():  # noqa: SIM118  # of a series, too
                if label not in meta.columns:
                    raise KeyError(
                        "Only a column name can be used for the key in a dtype mappings argument. "
                        f"{label!r} not found in columns."
                    )
            return self._by_column(
                "astype", {i: (dtype[label],) for i, label in enumerate(meta.columns) if label in dtype}
            )
        if isinstance(dtype, dict):
            if len(dtype) > 1 or meta.name not in dtype:
                raise KeyError("Only the Series name can be used for the key in Series dtype mappings.")
            dtype = dtype[meta.name]
        if isinstance(meta, pd.Series) and isinstance(dtype, pd.CategoricalDtype) and dtype.categories is not None:
            return self._new(with_categories(self.expr, dtype))
        if not _is_categorical(dtype):
            return row_by_row(self, Method("astype"), dtype, columnwise=True)
        if isinstance(meta, pd.DataFrame):
            return self._by_column("astype", dict.fromkeys(range(meta.shape[1]), (dtype,)))
        if isinstance(meta.dtype, pd.CategoricalDtype) and isinstance(dtype, str):
            return self
        ordered = bool(getattr(dtype, "ordered", False))
        of = meta.dtype.categories.dtype if isinstance(meta.dtype, pd.CategoricalDtype) else meta.dtype
        declared = pd.Series([], dtype=unknown_categorical(of, ordered=ordered), name=meta.name)
        return row_by_row(self, Method("astype"), dtype, declared=declared)

    def _by_column(self, name: str, arguments: Mapping[int, tuple[Any, ...]]) -> Any:
        """The frame with the columns at some places made anew, each by a method of its series, with its arguments."""
        frame = self.expr
        if not arguments:
            return self
        made = {
            i: getattr(new_collection(selection.column(frame, i)), name)(*args).expr for i, args in arguments.items()
        }
        labels = tuple(frame.meta.columns[i] for i in made)
        return self._new(Assign(frame, tuple(made), labels, tuple(map(without_index, made.values()))))

    def abs(self) -> Self:
        """Absolute values."""
        new: Self = row_by_row(self, Method("abs"), columnwise=True)
        return new

    def round(self, decimals: Any = 0) -> Any:
        """Round to a number of decimals, or to one by column given as a dict or series of pandas."""
        if isinstance(decimals, (dict, pd.Series)):
            columns = self.expr.meta.columns
            places = {i: label for i, label in enumerate(columns) if label in decimals}
            return self._by_column("round", {i: (int(decimals[label]),) for i, label in places.items()})
        return row_by_row(self, Method("round"), decimals, columnwise=True)

    def clip(self, lower: Any = None, upper: Any = None, *, axis: Any = None) -> Any:
        """Values below a lower limit, or above an upper one, set to it.

        Parameters
        ----------
        lower, upper : scalar, Series, optional
            Integers limited by a float become floats.
        axis : {0, "index"}, optional
            Series have a limit for each row.
        """
        if isinstance(self.expr.meta, pd.DataFrame) and any(isinstance(x, FrameBase) for x in (lower, upper)):
            if axis not in (0, "index"):
                raise ValueError("limits that are series have one for each row: say so by axis=0")
            n = self.expr.layout.n_columns
            return self._by_column("clip", dict.fromkeys(range(n), (lower, upper)))
        plain = not any(isinstance(x, (Collection, pd.Series, pd.DataFrame)) for x in (lower, upper))
        declared = None
        if not isinstance(self.expr.meta, pd.Index):
            limits = [_sample_of(limit) for limit in (lower, upper)]
            limits = [limit.iloc[0] if isinstance(limit, pd.Series) else limit for limit in limits]
            declared = made_of(lambda rows: rows.clip(*limits), extreme_rows(self.expr.meta), self.expr.meta)
        return row_by_row(self, clipped, lower, upper, columnwise=plain, declared=declared)

    def isin(self, values: Any) -> Any:
        """Whether each value is one of some.

        Parameters
        ----------
        values : list, set, array, Index or Series; dict by column; DataFrame
            The values of a collection are collected once, before the rows are looked at. Those of a frame or, for a
            frame, of a series are compared row by row.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> s = rd.from_pandas(pd.Series(["a", "b", "c"]), npartitions=2)
        >>> s.isin(["a", "c"]).compute().tolist()
        [True, False, True]
        """
        if not (isinstance(values, FrameBase) or pd.api.types.is_list_like(values)):
            raise TypeError(
                f"only list-like objects are allowed to be passed to isin(), you passed a `{type(values).__name__}`"
            )
        whole = isinstance(self.expr.meta, pd.DataFrame)
        if isinstance(values, FrameBase) and not (whole and not isinstance(values.expr.meta, pd.Index)):
            if isinstance(values.expr.meta, pd.DataFrame):
                values = list(values.expr.meta.columns)  # what pandas iterates over
            else:
                meta = self.expr.meta
                declared = pd.Series([], dtype=bool) if isinstance(meta, pd.Index) else meta.isin([])
                occurring = distinct(values.expr, missing=True)
                if not whole and _is_looked_up(meta.dtype) and values.expr.meta.dtype == meta.dtype:
                    among = new_collection(ScalarOf(MakeIsIn(meta.dtype), (occurring,)))
                    return row_by_row(self, IsInThese(), among, columnwise=True, declared=declared)
                return row_by_row(self, Method("isin"), new_collection(occurring), columnwise=True, declared=declared)
        if isinstance(values, (FrameBase, pd.DataFrame)) or (whole and isinstance(values, pd.Series)):
            return row_by_row(self, Method("isin"), values)
        if isinstance(values, dict):
            return row_by_row(self, Method("isin"), values, columnwise=True)
        values = _as_values(values)
        if isinstance(values, np.ndarray) and not whole:
            dtype = self.expr.meta.dtype
            if _is_looked_up(dtype) and pd.Series(values).infer_objects().dtype == dtype:
                return row_by_row(self, IsIn(values, dtype), columnwise=True)
        return row_by_row(self, Method("isin"), values, columnwise=True)

    def where(self, cond: Any, other: Any = np.nan, *, axis: Any = None) -> Any:
        """Values where a condition is true, others elsewhere.

        Parameters
        ----------
        cond : Series, DataFrame or callable
            Of truth values for the same rows; a function is called with this.
        other : scalar, Series, DataFrame or callable
            Integers become floats, and truth values objects, if it is missing, as they do in pandas where a value is
            replaced.
        axis : {0, "index"}, optional
            How a series beside a frame goes; it has a value for each row.
        """
        return self._chosen("where", cond, other, axis)

    def mask(self, cond: Any, other: Any = np.nan, *, axis: Any = None) -> Any:
        """Values where a condition is false, others elsewhere; see `where`."""
        return self._chosen("mask", cond, other, axis)

    def _chosen(self, name: str, cond: Any, other: Any, axis: Any) -> Any:
        cond = cond(self) if callable(cond) and not isinstance(cond, Collection) else cond
        other = other(self) if callable(other) and not isinstance(other, Collection) else other
        meta = self.expr.meta
        if isinstance(meta, pd.Index):
            raise NotImplementedError(f"Index.{name}; take index.to_series()")
        by_row = isinstance(other, (FrameBase, pd.Series)) and getattr(other, "ndim", 1) == 1
        if isinstance(meta, pd.DataFrame) and by_row and axis not in (0, "index"):
            raise ValueError("a series beside a frame has a value for each row: say so by axis=0")
        kwargs = {} if axis is None else {"axis": axis}
        sample = one_row(meta)
        none = (
            pd.DataFrame(name == "mask", index=sample.index, columns=sample.columns)
            if sample.ndim == 2
            else [name == "mask"]
        )
        filler = _sample_of(other)
        declared = made_of(lambda rows: getattr(rows, name)(none, filler, **kwargs), sample, meta)
        plain = not isinstance(other, (FrameBase, pd.Series, pd.DataFrame)) and getattr(cond, "ndim", 1) == 1
        return row_by_row(self, Method(name), cond, other, columnwise=plain, declared=declared, **kwargs)

    def replace(self, to_replace: Any = None, value: Any = pd.api.extensions.no_default, *, regex: Any = False) -> Any:
        """Values replaced by others.

        Parameters
        ----------
        to_replace : scalar, str, list, dict
            As pandas takes it: values, regular expressions, others by value, or by column and value.
        value : scalar, list, dict
        regex : bool or str
        """
        arguments: dict[str, Any] = {} if value is pd.api.extensions.no_default else {"value": value}
        if regex is not False:
            arguments["regex"] = regex
        meta = self.expr.meta
        declared = None
        if not isinstance(meta, pd.Index):
            sample = rows_with(meta, _keys_of(to_replace))
            declared = made_of(lambda rows: rows.replace(to_replace, **arguments), sample, meta)
        return row_by_row(self, Method("replace"), to_replace, columnwise=True, declared=declared, **arguments)

    def map(
        self, arg: Any = None, na_action: str | None = None, meta: Any = None, func: Any = None, **kwargs: Any
    ) -> Any:
        """Each value through a function, or looked up in a mapping.

        Parameters
        ----------
        arg : callable, dict, Series
            Mappings are for series and indexes; what they do not have is missing.
        na_action : {"ignore"}, optional
            Leave missing values as they are.
        meta : dtype, ``(name, dtype)`` or an empty pandas object, optional
            What the result is. Without it the function is called now with the first partition that has rows, which is
            computed for that.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> s = rd.from_pandas(pd.Series([1, 2, 3]), npartitions=2)
        >>> s.map(lambda x: x**2, meta="int64").compute().tolist()
        [1, 4, 9]
        >>> s.map({1: "one", 2: "two"}).compute().tolist()
        ['one', 'two', nan]
        """
        arg = func if arg is None else arg
        if isinstance(arg, (Mapping, pd.Series, FrameBase)):
            if isinstance(self.expr.meta, pd.DataFrame):
                raise TypeError("a frame is mapped by a function; use replace for values by column")
            return self._looked_up(arg, na_action, meta)
        if not callable(arg):
            raise TypeError(f"the first argument must be a function or a mapping, not {type(arg).__name__}")
        return self._through("map", (arg,), {"na_action": na_action, **kwargs}, meta)

    def applymap(self, func: Any, na_action: str | None = None, meta: Any = None, **kwargs: Any) -> Any:
        """`map`, by its old name."""
        return self.map(func, na_action, meta, **kwargs)

    def _looked_up(self, mapping: Any, na_action: str | None, meta: Any) -> Any:
        return map_by(self, mapping, na_action, meta)

    def _through(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], meta: Any) -> Any:
        """What a method of pandas makes of each value with a user's function."""
        expr = self.expr
        frame = index_as_series(expr) if isinstance(expr.meta, pd.Index) else expr
        given = {key: value for key, value in kwargs.items() if value is not None}
        declared = (
            meta_from_data(Method(name), frame, list(args), given) if meta is None else declared_like(meta, frame.meta)
        )
        made = Rowwise(Method(name), (frame, *args), tuple(given.items()), True, declared)
        return self._new(back_to_index(expr, made))

    def copy(self, deep: bool = False) -> Self:
        """Another object of the same expression; `deep` makes no difference, as expressions do not change."""
        return type(self)(self.expr)

    def pipe(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """``func(self, *args, **kwargs)``; with a pair ``(func, name)`` this is the argument of that name."""
        if isinstance(func, tuple):
            function, name = func
            if name in kwargs:
                raise ValueError(f"{name} is both the pipe target and a keyword argument")
            return function(*args, **{name: self, **kwargs})
        return func(self, *args, **kwargs)


def declared_like(meta: Any, like: Any) -> Any:
    """What users declare as the result of a function of each row; a name that is left out is that of the data."""
    made = make_meta(meta)
    if (
        isinstance(made, pd.Series)
        and isinstance(like, pd.Series)
        and not isinstance(meta, (pd.Series, tuple, Collection))
    ):
        return made.rename(like.name)
    return made


def clipped(values: Any, lower: Any, upper: Any) -> Any:
    """Kernel: values within limits."""
    return values.clip(lower, upper)


def _sample_of(value: Any) -> Any:
    """A value, or row of values, as those of an operand are."""
    if isinstance(value, FrameBase):
        return ordinary_row(value.expr.meta)
    if isinstance(value, Collection):
        sample = value.expr.sample()  # type: ignore[attr-defined]
        return 0.5 if getattr(sample, "dtype", np.dtype(type(sample))).kind == "f" else sample
    return ordinary_row(value.iloc[:0]) if isinstance(value, (pd.Series, pd.DataFrame)) else value


def _is_categorical(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        return dtype.categories is None
    return isinstance(dtype, str) and dtype == "category"


def _as_values(values: Any) -> Any:
    if isinstance(values, (list, tuple, set, frozenset, dict)) or not hasattr(values, "dtype"):
        values = list(values)
        return values if len(values) <= FEW_VALUES else np.asarray(pd.Index(values, dtype=object).infer_objects())
    if len(values) <= FEW_VALUES:
        return list(pd.Series(values))
    return np.asarray(values)


def _is_looked_up(dtype: Any) -> bool:
    """Whether values of a dtype can be looked up among many, if these are of the same."""
    known = isinstance(dtype, np.dtype) or dtype == "str" or isinstance(dtype, pd.DatetimeTZDtype)
    return known and arrow_type(dtype) is not None


def _keys_of(to_replace: Any) -> list[Any]:
    """All plain values that a `to_replace` of pandas may stand for."""
    if isinstance(to_replace, Mapping):
        found = list(to_replace)
        for value in to_replace.values():
            found += _keys_of(value) if pd.api.types.is_list_like(value) else [value]
        return found
    if pd.api.types.is_list_like(to_replace):
        return list(to_replace)
    return [to_replace]
