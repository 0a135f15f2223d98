"""Single values: arithmetic of sums and the like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Map
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr
from restride.collections.dataframe.partition import Partition, to_pandas
from restride.collections.expression import Expr


@dataclass(frozen=True, eq=False, repr=False)
class ScalarOf(ScalarExpr):
    """``function(*args)`` of single values, some of which are plain."""

    any_partitions = True

    function: Callable[..., Any]
    args: tuple[Any, ...]

    @property
    def label(self) -> str:
        return getattr(self.function, "__name__", "scalar")

    def _dtype(self) -> Any:
        samples = [arg.sample() if isinstance(arg, ScalarExpr) else arg for arg in self.args]
        try:
            with np.errstate(all="ignore"):
                result = self.function(*samples)
        except (TypeError, ValueError, ArithmeticError):
            return None
        dtype = np.asarray(result).dtype
        return dtype if dtype.kind != "O" else pd.Series([result]).dtype  # such as times

    def blocks(self, *children: Blocks) -> Blocks:
        template = tuple(None if isinstance(arg, Expr) else (arg,) for arg in self.args)
        return Map(
            n=1,
            inputs=children,
            index=(np.zeros(1, np.int64),) * len(children),
            kernel=CallOnScalars(self.function, template),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class AsValue(ScalarExpr):
    """A frame or series of one partition as one value, a pandas object: what is the same for all rows of others."""

    any_partitions = True

    frame: FrameExpr
    labels: Any
    """The labels of its rows, an index."""

    def sample(self) -> Any:
        filled: Any = self.frame.meta.reindex(self.labels)
        return filled.fillna(1) if filled.dtype.kind == "f" else filled

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=1,
            inputs=children,
            index=(np.zeros(1, np.int64),),
            kernel=ToPandas(self.frame.meta),
            name="value",
            origin=self.origin,
        )


@dataclass(frozen=True)
class ToPandas:
    """Kernel: the pandas object that a partition is."""

    meta: Any
    __name__ = "to_pandas"

    def __call__(self, partition: Partition) -> Any:
        return to_pandas(partition, self.meta)


@dataclass(frozen=True)
class CallOnScalars:
    """Kernel: a function of single values."""

    function: Callable[..., Any]
    template: tuple[tuple[Any] | None, ...]
    __name__ = "scalar"

    def __call__(self, *values: Any) -> Any:
        given = iter(values)
        return self.function(*[next(given) if plain is None else plain[0] for plain in self.template])
