"""What `agg` is asked for, in any of pandas' forms, as a list of outputs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.typing import SeriesGroupBy

from restride.collections.dataframe.hints import no_label
from restride.collections.dataframe.meta import positions_of

ALIASES: dict[Any, tuple[str, dict[str, Any]]] = {
    np.sum: ("sum", {}),
    np.mean: ("mean", {}),
    np.min: ("min", {}),
    np.max: ("max", {}),
    np.prod: ("prod", {}),
    np.std: ("std", {"ddof": 0}),
    np.var: ("var", {"ddof": 0}),
    np.any: ("any", {}),
    np.all: ("all", {}),
    len: ("size", {}),
    list: ("list", {}),
}
"""Functions that are aggregates of the kernels."""


@dataclass(frozen=True)
class Aggregation:
    """A reduction of one's own, from partial results, for `agg`.

    Parameters
    ----------
    name : str
        Of the result's columns, where there are several aggregates.
    chunk : callable
        Called with a `SeriesGroupBy` of pandas for a part of the rows; returns a series with a row for each group, or a
        tuple of such.
    agg : callable
        Called with a `SeriesGroupBy` of such rows of several parts, one for each series that `chunk` returns; returns a
        series, or a tuple of such, like `chunk`'s.
    finalize : callable, optional
        Called with the series of the last `agg`; returns the result.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
    >>> extent = rd.Aggregation(
    ...     "extent", lambda s: (s.max(), s.min()), lambda a, b: (a.max(), b.min()), lambda high, low: high - low
    ... )
    >>> df.groupby("k").agg(extent).compute()
       x
    k
    a  3
    b  0
    """

    name: str
    chunk: Callable[..., Any]
    agg: Callable[..., Any]
    finalize: Callable[..., Any] | None = None

    @property
    def __name__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Output:
    """One column of a result."""

    label: Hashable
    column: int
    """Position of the column that it is made of."""
    function: str | Callable[..., Any]
    options: tuple[tuple[str, Any], ...] = ()
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Asked:
    """The columns of a result, or the one series."""

    outputs: tuple[Output, ...]
    columns: pd.Index | None
    """Their labels; None for a series, named by its output's label."""


def of_frame(
    meta: pd.DataFrame, values: Sequence[int], func: Any, named: dict[str, Any], args: tuple[Any, ...]
) -> Asked:
    """What ``agg`` of some columns of a frame is asked for.

    Raises
    ------
    KeyError
        A label that no column has.
    TypeError
        Neither functions nor named aggregates are given.
    """
    if func is None or (callable(func) is False and not func and not isinstance(func, str)):
        return _named(meta, values, named)
    if isinstance(func, dict):
        return _by_column(meta, values, func, named, args)
    if isinstance(func, (list, tuple)):
        outputs = [o for v in values for o in _several(meta.columns[v], v, func, named, args)]
        return Asked(tuple(outputs), _nested([o.label for o in outputs], meta.columns))
    outputs = [_output(meta.columns[v], v, func, named, args) for v in values]
    return Asked(tuple(outputs), meta.columns[list(values)])


def of_series(name: Hashable, column: int, func: Any, named: dict[str, Any], args: tuple[Any, ...]) -> Asked:
    """What ``agg`` of one column is asked for."""
    if func is None:
        if not named:
            raise TypeError("Must provide 'func' or tuples of '(column, aggfunc).")
        outputs = [_output(label, column, one, {}, ()) for label, one in named.items()]
        return Asked(tuple(outputs), pd.Index(list(named)))
    if isinstance(func, dict):
        raise pd.errors.SpecificationError("nested renamer is not supported")
    if isinstance(func, (list, tuple)):
        outputs = [_output(o.label[-1], o.column, o.function, dict(o.options), o.args) for o in  # type: ignore[index]
                   _several(name, column, func, named, args)]  # fmt: skip
        return Asked(tuple(outputs), pd.Index([o.label for o in outputs]))
    return Asked((_output(name, column, func, named, args),), None)


def _named(meta: pd.DataFrame, values: Sequence[int], named: dict[str, Any]) -> Asked:
    if not named:
        raise TypeError("Must provide 'func' or tuples of '(column, aggfunc).")
    outputs = []
    for label, pair in named.items():
        if isinstance(pair, pd.NamedAgg):
            chosen, function, args, options = pair.column, pair.aggfunc, *_arguments(pair)
        elif isinstance(pair, tuple) and len(pair) == 2:
            chosen, function, args, options = *pair, (), {}
        else:
            raise TypeError("Must provide 'func' or tuples of '(column, aggfunc).")
        outputs.append(_output(label, _position(meta, values, chosen), function, options, args))
    return Asked(tuple(outputs), pd.Index(list(named)))


def _arguments(pair: pd.NamedAgg) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What goes to the function of a named aggregate, where pandas has a place for it."""
    return tuple(getattr(pair, "args", ()) or ()), dict(getattr(pair, "kwargs", {}) or {})


def _by_column(
    meta: pd.DataFrame, values: Sequence[int], func: dict[Any, Any], named: dict[str, Any], args: tuple[Any, ...]
) -> Asked:
    missing = [label for label in func if label not in meta.columns]
    if missing:
        raise no_label(missing[0], meta.columns, f"Label(s) {missing} do not exist")
    places = {label: _position(meta, values, label) for label in func}
    if any(isinstance(one, dict) for one in func.values()):
        raise pd.errors.SpecificationError("nested renamer is not supported")
    if any(isinstance(one, (list, tuple)) for one in func.values()):
        outputs = []
        for label, functions in func.items():
            several = functions if isinstance(functions, (list, tuple)) else [functions]
            outputs += _several(label, places[label], several, named, args)
        return Asked(tuple(outputs), _nested([o.label for o in outputs], meta.columns))
    outputs = [_output(label, places[label], one, named, args) for label, one in func.items()]
    return Asked(tuple(outputs), meta.columns[[places[label] for label in func]])


def _several(
    label: Hashable, column: int, functions: Sequence[Any], named: dict[str, Any], args: tuple[Any, ...]
) -> list[Output]:
    names = []
    for function in functions:
        renamed = isinstance(function, tuple)
        names.append(function[0] if renamed else name_of(function))
    repeated = {name for name in names if names.count(name) > 1}
    if repeated - {"<lambda>"}:
        raise pd.errors.SpecificationError(
            f"Function names must be unique, found multiple named {min(map(str, repeated - {'<lambda>'}))}"
        )
    if "<lambda>" in repeated:
        numbers = iter(range(len(names)))
        names = [f"<lambda_{next(numbers)}>" if name == "<lambda>" else name for name in names]
    prefix = label if isinstance(label, tuple) else (label,)
    chosen = [function[1] if isinstance(function, tuple) else function for function in functions]
    return [_output((*prefix, name), column, one, named, args) for name, one in zip(names, chosen)]


def _output(label: Hashable, column: int, function: Any, options: dict[str, Any], args: tuple[Any, ...]) -> Output:
    if isinstance(function, Hashable) and function in ALIASES and not args:
        name, extra = ALIASES[function]
        return Output(label, column, name, tuple((options | extra).items()))
    if isinstance(function, str):
        return Output(label, column, _known_name(function), tuple(options.items()), args)
    name = getattr(function, "__name__", "")
    if name and getattr(pd.Series, name, None) is function:
        return Output(label, column, name, tuple(options.items()), args)
    if not callable(function) and not isinstance(function, Aggregation):
        raise TypeError(f"{function!r} is no function to aggregate with")
    return Output(label, column, function, tuple(options.items()), args)


def _known_name(name: str) -> str:
    if name == "product":
        return "prod"
    if name not in ("list", "size") and not hasattr(SeriesGroupBy, name):
        raise AttributeError(f"'SeriesGroupBy' object has no attribute '{name}'")
    return name


def name_of(function: Any) -> str:
    """What pandas labels a function's results by."""
    if isinstance(function, str):
        return function
    name = getattr(function, "__name__", None)
    return name if name is not None else name_of(function.func) if hasattr(function, "func") else repr(function)


def _position(meta: pd.DataFrame, values: Sequence[int], label: Hashable) -> int:
    found = positions_of(meta, [label])
    if len(found) > 1:
        raise ValueError(f"several columns are labelled {label!r}")
    (position,) = found
    if position not in values and operator.length_hint(values):
        raise KeyError(f"Column(s) [{label!r}] do not exist")
    return position


def _nested(labels: Sequence[Any], columns: pd.Index) -> pd.MultiIndex:
    return pd.MultiIndex.from_tuples(labels, names=[*columns.names, None])
