"""numpy's functions of frames and series: lazy where pandas has a method for them, or where they go row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand, new_collection
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import rowwise

REDUCTIONS: dict[Callable[..., Any], str] = {
    np.all: "all", np.any: "any", np.max: "max", np.mean: "mean", np.min: "min", np.prod: "prod", np.std: "std",
    np.sum: "sum", np.var: "var",
}  # fmt: skip
BY_ELEMENT: dict[Callable[..., Any], str] = {
    np.clip: "clip", np.cumprod: "cumprod", np.cumsum: "cumsum", np.round: "round",
}  # fmt: skip
DIVIDED = ("std", "var")
"""What numpy divides by the number of values, and pandas by one less."""


class NumpyFunctions(FrameBase):
    """What numpy's functions make of frames and series; those that are not lazy compute, and give arrays."""

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if args and isinstance(args[0], NumpyFunctions):
            if func in BY_ELEMENT:
                return getattr(args[0], BY_ELEMENT[func])(*args[1:], **kwargs)
            if func in REDUCTIONS:
                name = REDUCTIONS[func]
                defaults: dict[str, Any] = {"axis": None} if len(args) == 1 else {}
                defaults |= {"ddof": 0} if name in DIVIDED else {}
                return getattr(args[0], name)(*args[1:], **{**defaults, **kwargs})
        if func is np.where and len(args) == 3 and _are_rows(args):
            return _chosen(where_rows, args)
        if func is np.select and (operands := _operands_of_select(*args, **kwargs)) is not None:
            return _chosen(select_rows, operands)
        return func._implementation(*args, **kwargs)  # type: ignore[attr-defined]  # numpy's own, as of any arrays


def _are_rows(values: Any) -> bool:
    """Whether values are series of ours, one at least, and single values."""
    series = [value for value in values if isinstance(value, NumpyFunctions)]
    others = (value for value in values if not isinstance(value, NumpyFunctions))
    return (
        bool(series)
        and all(isinstance(value.expr.meta, pd.Series) for value in series)
        and all(pd.api.types.is_scalar(value) for value in others)
    )


def _operands_of_select(condlist: Any, choicelist: Any, default: Any = 0) -> tuple[Any, ...] | None:
    """The operands of `numpy.select` one after the other; None if these are not all series and single values."""
    operands = (*condlist, *choicelist, default)
    return operands if len(condlist) == len(choicelist) and _are_rows(operands) else None


def _chosen(function: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    """What `numpy.where` or `numpy.select` make of conditions, then choices, then what there is otherwise."""
    n = len(values) // 2
    taken = np.eye(n + 1, dtype=bool)
    choices = [_repeated(value, n + 1) for value in values[n:]]
    dtype = function(*(pd.Series(taken[i]) for i in range(n)), *choices).dtype
    operands = [as_operand(value, values[0]) for value in values]
    together = iter(aligned([value for value in operands if isinstance(value, FrameExpr)]))
    args = [next(together) if isinstance(value, FrameExpr) else value for value in operands]
    return new_collection(rowwise(function, *args, declared=pd.Series([], dtype=dtype), dtype=dtype))


def _repeated(value: Any, n: int) -> Any:
    return one_row(value.expr.meta).iloc[[0] * n] if isinstance(value, NumpyFunctions) else value


def where_rows(mask: Any, one: Any, other: Any, dtype: Any = None) -> pd.Series:
    """Kernel: `numpy.where` as a series; `dtype` is that of objects, which may all be missing."""
    return _series(np.where(*_arrays(mask, one, other)), dtype)


def select_rows(*operands: Any, dtype: Any = None) -> pd.Series:
    """Kernel: `numpy.select` as a series; see `where_rows`."""
    n = len(operands) // 2
    arrays = _arrays(*operands)
    return _series(np.select(arrays[:n], arrays[n:-1], arrays[-1]), dtype)


def _arrays(*values: Any) -> list[Any]:
    return [np.asarray(value) if isinstance(value, pd.Series) else value for value in values]


def _series(values: np.ndarray, dtype: Any) -> pd.Series:
    return pd.Series(values, dtype=dtype if values.dtype.kind == "O" else None)
