"""Operators of frames and series, and the methods that do the same with arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.places import AsRowsOf
from restride.collections.dataframe.operations.rowwise import Method, rowwise
from restride.collections.dataframe.operations.scalars import AsValue


def reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operator with its operands the other way round."""
    return Reflected(function)


class Reflected:
    """An operator whose first operand is on its right."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self.function = function
        self.__name__ = f"r{function.__name__}"
        self.__qualname__ = self.__name__

    def __call__(self, left: Any, right: Any) -> Any:
        return self.function(right, left)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reflected) and other.function is self.function

    def __hash__(self) -> int:
        return hash((Reflected, self.function))


def _operator(function: Callable[[Any, Any], Any], name: str) -> Any:
    def method(self: Operators, other: Any) -> Any:
        return self._binary(function, other)

    method.__name__ = name
    method.__doc__ = f"Element by element, as pandas' ``{name}``."
    return method


def _reflected_operator(function: Callable[[Any, Any], Any], name: str) -> Any:
    def method(self: Operators, other: Any) -> Any:
        if _is_plain(other):
            return self._new(rowwise(function, as_operand(other, self.expr), self.expr, columnwise=True))
        return self._binary(reflected(function), other)

    method.__name__ = name
    method.__doc__ = f"Element by element, as pandas' ``{name}``."
    return method


def _method(name: str) -> Any:
    def method(self: Operators, other: Any, *, axis: Any = "columns", level: Any = None, fill_value: Any = None) -> Any:
        if level is not None:
            raise NotImplementedError(f"{name} with level=; reset the index and merge instead")
        kwargs = {} if fill_value is None else {"fill_value": fill_value}
        if isinstance(self.expr.meta, pd.DataFrame):
            kwargs["axis"] = axis
        return self._binary(Method(name), other, **kwargs)

    method.__name__ = name
    method.__doc__ = f"""As pandas' ``{name}``: the operator, with missing values taken for `fill_value`.

        Parameters
        ----------
        other : frame, series, scalar
        axis : {{0, 1, "index", "columns"}}
            Along which labels of a frame those of a series go.
        fill_value : scalar, optional
        """
    return method


class Operators(FrameBase):
    """Arithmetic, comparisons, logic."""

    __pandas_priority__ = 5000
    """Above those of pandas' objects, which leave it to us then what they make with ours."""

    def _binary(self, function: Callable[..., Any], other: Any, **kwargs: Any) -> Any:
        left: Any = self.expr
        right = _operand(other, left)
        if not isinstance(right, FrameExpr):
            return self._new(rowwise(function, left, right, columnwise=_is_plain(right), **kwargs))
        over_columns = isinstance(left.meta, pd.DataFrame) and isinstance(right.meta, pd.Series)
        if over_columns and kwargs.get("axis", "columns") in (1, "columns"):
            if right.npartitions > 1:
                raise NotImplementedError(
                    "a series beside a frame has a value for each of its columns; this one has a label for each row: "
                    "say so by a method with axis=0, such as df.sub(series, axis=0)"
                )
            by_column = other if isinstance(other, pd.Series) else AsValue(right, left.meta.columns)
            return self._new(rowwise(function, left, by_column, **kwargs))
        left, right = aligned([left, right])
        same = isinstance(right.meta, pd.DataFrame) and left.meta.columns.equals(right.meta.columns)
        return self._new(rowwise(function, left, right, columnwise=same, **kwargs))

    def _unary(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """The same for each column by itself."""
        new: Self = self._new(rowwise(function, self.expr, *args, columnwise=True, **kwargs))
        return new

    def __neg__(self) -> Self:
        return self._unary(operator.neg)

    def __pos__(self) -> Self:
        return self._unary(operator.pos)

    def __abs__(self) -> Self:
        return self._unary(operator.abs)

    def __invert__(self) -> Self:
        return self._unary(operator.invert)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs or ufunc.nout != 1:
            return NotImplemented
        operands = [_operand(x, self.expr) for x in inputs]
        frames = [x for x in operands if isinstance(x, FrameExpr)]
        together = iter(aligned(frames))
        return self._new(
            rowwise(
                ufunc,
                *[next(together) if isinstance(x, FrameExpr) else x for x in operands],
                columnwise=len(frames) == 1,
            )
        )


def _operand(value: Any, like: FrameExpr) -> Any:
    """What an operand is in an expression; arrays beside a series have a value for each row."""
    if isinstance(value, (list, np.ndarray)) and np.ndim(value) and isinstance(like.meta, pd.Series):
        return _row_by_row(value, like)
    return as_operand(value, like)


def _row_by_row(values: Any, series: FrameExpr) -> FrameExpr:
    """An array or list as a series of the rows of another one."""
    if series.lengths is None:
        raise NotImplementedError(
            "an array beside a series needs to know how many rows partitions have; give a series of ours"
        )
    if sum(series.lengths) != len(values):
        raise ValueError(f"Lengths must match: {len(values)} values beside {sum(series.lengths)} rows")
    return AsRowsOf(as_operand(pd.Series(values, name=series.meta.name), series), series.rows)


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (list, tuple, dict, pd.Series)) and getattr(value, "ndim", 0) == 0


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    _function = getattr(operator, _name)
    setattr(Operators, f"__{_name}__", _operator(_function, f"__{_name}__"))
    setattr(Operators, f"__r{_name}__", _reflected_operator(_function, f"__r{_name}__"))
for _name in ("and_", "or_", "xor"):
    _function, _dunder = getattr(operator, _name), _name.rstrip("_")
    setattr(Operators, f"__{_dunder}__", _operator(_function, f"__{_dunder}__"))
    setattr(Operators, f"__r{_dunder}__", _reflected_operator(_function, f"__r{_dunder}__"))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Operators, f"__{_name}__", _operator(getattr(operator, _name), f"__{_name}__"))
for _name in (
    "add", "sub", "mul", "truediv", "div", "floordiv", "mod", "pow", "radd", "rsub", "rmul", "rtruediv", "rdiv",
    "rfloordiv", "rmod", "rpow", "lt", "le", "gt", "ge", "eq", "ne", "divide", "multiply", "subtract",
):  # fmt: skip
    setattr(Operators, _name, _method(_name))
Operators.__hash__ = object.__hash__  # type: ignore[method-assign]
