"""`Scalar`: one value that is not computed yet, such as the sum of a series."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from restride.collections.collection import Collection
from restride.collections.dataframe.base import collection_of, new_collection
from restride.collections.dataframe.expr import FrameExpr, PersistedScalar, ScalarExpr
from restride.collections.dataframe.operations.scalars import ScalarOf
from restride.collections.expression import Expr

if TYPE_CHECKING:
    from restride.engine.client.futures import Future


@collection_of(ScalarExpr)
class Scalar(Collection):
    """One value that is not computed yet.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1.0, 2.0, 6.0]), npartitions=2)
    >>> (x - x.mean()).compute().tolist()
    [-2.0, -1.0, 3.0]
    >>> print((x.max() - x.min()).compute())
    5.0
    """

    expr: ScalarExpr

    def __init__(self, expr: ScalarExpr) -> None:
        self.expr = expr

    @property
    def dtype(self) -> Any:
        """The type of the value; None where it is not known."""
        return self.expr.dtype

    def _computation(self, *, here: bool) -> tuple[Expr, Callable[[list[Any]], Any]]:
        return self.expr, lambda blocks: blocks[0]

    def _over_futures(self, futures: Sequence[Future]) -> Self:
        return type(self)(PersistedScalar(futures, self.expr.dtype))

    def __repr__(self) -> str:
        return f"<Scalar: {self.expr.label}, {self.dtype}>"

    def __bool__(self) -> bool:
        raise TypeError(f"Trying to convert {self!r} to a truth value; compute it first")

    def __format__(self, spec: str) -> str:
        return format(self.compute(), spec) if spec else repr(self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return new_collection(ScalarOf(round, (self.expr, ndigits)))

    def __float__(self) -> float:
        return float(self.compute())

    def __int__(self) -> int:
        return int(self.compute())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.compute(), dtype=dtype)

    def _binary(self, function: Callable[[Any, Any], Any], other: Any, *, mirrored: bool = False) -> Any:
        operand = other.expr if isinstance(other, Collection) else other
        if isinstance(operand, FrameExpr):
            return NotImplemented
        args = (operand, self.expr) if mirrored else (self.expr, operand)
        return new_collection(ScalarOf(function, args))


def _operator(function: Callable[..., Any], *, mirrored: bool = False) -> Any:
    def method(self: Scalar, other: Any) -> Any:
        return self._binary(function, other, mirrored=mirrored)

    return method


def _unary(function: Callable[[Any], Any]) -> Any:
    def method(self: Scalar) -> Any:
        return new_collection(ScalarOf(function, (self.expr,)))

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor"):
    _function, _dunder = getattr(operator, _name), _name.rstrip("_")
    setattr(Scalar, f"__{_dunder}__", _operator(_function))
    setattr(Scalar, f"__r{_dunder}__", _operator(_function, mirrored=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Scalar, f"__{_name}__", _operator(getattr(operator, _name)))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Scalar, f"__{_name}__", _unary(getattr(operator, _name)))
Scalar.__hash__ = object.__hash__  # type: ignore[method-assign]
