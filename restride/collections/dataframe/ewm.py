"""`ExponentialWindows`: what ``df.ewm(...)`` gives: each row with all rows before it, which count for less and less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expanding import WindowsBefore
from restride.collections.dataframe.operations.exponential import Decay, exponential


class ExponentialWindows(WindowsBefore):
    """Each row with all rows before it, weighted; its methods make a value of each.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1.0, 4.0, 4.0]), npartitions=2)
    >>> x.ewm(alpha=0.5).mean().round(2).compute().tolist()
    [1.0, 3.0, 3.57]
    """

    def __init__(self, frame: FrameBase, options: Mapping[str, Any]) -> None:
        frame.expr.meta.ewm(**options)  # what pandas says against the arguments it says now
        self._frame = frame
        self._options = dict(options)

    def _of(self, frame: FrameBase) -> ExponentialWindows:
        return ExponentialWindows(frame, self._options)

    @property
    def _alpha(self) -> float:
        given = self._options
        if given["alpha"] is not None:
            return float(given["alpha"])
        if given["com"] is not None:
            return float(1 / (1 + given["com"]))
        return float(
            2 / (given["span"] + 1) if given["span"] is not None else -np.expm1(-np.log(2) / given["halflife"])
        )

    def _made(self, how: str, *, bias: bool = False, numeric_only: bool = False) -> Any:
        frame = self._numbers(numeric_only=numeric_only)
        decay = Decay(self._alpha, self._options["adjust"], self._options["ignore_na"], how in ("var", "std"))
        least = self._options["min_periods"] or 0
        return frame._new(exponential(frame.expr, how, decay, least, self._options, bias=bias))

    def mean(self, numeric_only: bool = False) -> Any:
        """Their mean."""
        return self._made("mean", numeric_only=numeric_only)

    def sum(self, numeric_only: bool = False) -> Any:
        """Their sum; where weights are adjusted."""
        return self._made("sum", numeric_only=numeric_only)

    def var(self, bias: bool = False, numeric_only: bool = False) -> Any:
        """Their variance."""
        return self._made("var", bias=bias, numeric_only=numeric_only)

    def std(self, bias: bool = False, numeric_only: bool = False) -> Any:
        """Their standard deviation."""
        return self._made("std", bias=bias, numeric_only=numeric_only)
