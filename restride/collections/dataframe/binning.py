"""`cut` and `qcut`: which of some intervals values are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.collection import compute
from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.methods.elementwise import row_by_row
from restride.collections.dataframe.operations.rowwise import Rowwise


def cut(
    x: Any,
    bins: Any,
    right: bool = True,
    labels: Any = None,
    retbins: bool = False,
    precision: int = 3,
    include_lowest: bool = False,
    duplicates: str = "raise",
    ordered: bool = True,
) -> Any:
    """The interval that each value is in, a categorical; see `pandas.cut`.

    Parameters
    ----------
    x : Series
        Anything else goes to `pandas.cut`.
    bins : int, sequence or IntervalIndex
        Edges; or into how many intervals the values are divided, for which the least and the greatest are computed now.
    right, labels, retbins, precision, include_lowest, duplicates, ordered
        As in pandas. With ``labels=False`` numbers of intervals are floats until they are computed: `compute` makes
        integers of them where each value is in one.

    Returns
    -------
    Series, or a pair of it and the edges

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1, 5, 9]), npartitions=2)
    >>> rd.cut(x, [0, 4, 10], labels=["low", "high"]).compute().tolist()
    ['low', 'high', 'high']
    """
    options = {
        "right": right, "labels": labels, "precision": precision, "include_lowest": include_lowest,
        "duplicates": duplicates, "ordered": ordered,
    }  # fmt: skip
    if not isinstance(x, FrameBase):
        return pd.cut(x, bins, retbins=retbins, **options)
    if not isinstance(x.expr.meta, pd.Series):
        raise ValueError("Input array must be 1 dimensional")
    if np.ndim(bins) == 0:
        ends = pd.Series(list(compute(x.min(), x.max())))  # type: ignore[attr-defined]
        if ends.isna().all():
            raise ValueError("Cannot cut empty array")
        bins = pd.cut(ends, bins, right=right, retbins=True)[1]
    return _with_edges(x, bins, options, retbins=retbins)


def qcut(
    x: Any, q: Any, labels: Any = None, retbins: bool = False, precision: int = 3, duplicates: str = "raise"
) -> Any:
    """The quantiles that each value is between, a categorical; see `pandas.qcut`.

    Parameters
    ----------
    x : Series
        Anything else goes to `pandas.qcut`.
    q : int or sequence of float
        How many intervals with as many values each, or the fractions; the quantiles are computed now.
    labels, retbins, precision, duplicates
        As in pandas.

    Returns
    -------
    Series, or a pair of it and the edges

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1, 5, 9, 7]), npartitions=2)
    >>> rd.qcut(x, 2, labels=["low", "high"]).compute().tolist()
    ['low', 'low', 'high', 'high']
    """
    if not isinstance(x, FrameBase):
        return pd.qcut(x, q, labels, retbins, precision, duplicates)
    fractions = np.linspace(0, 1, q + 1) if np.ndim(q) == 0 else np.asarray(q)
    edges = x.quantile(fractions.tolist()).compute().to_numpy()  # type: ignore[attr-defined]
    options = {"labels": labels, "precision": precision, "include_lowest": True, "duplicates": duplicates}
    return _with_edges(x, edges, options, retbins=retbins)


def _with_edges(x: FrameBase, edges: Any, options: dict[str, Any], *, retbins: bool) -> Any:
    """The intervals between known edges."""
    known = pd.cut(x.expr.meta.iloc[:0], edges, retbins=True, **options)[1]  # raises as pandas does
    options = {"bins": edges, **options}
    if options["labels"] is not False:
        made = row_by_row(x, pd.cut, **options)
    else:
        declared = pd.Series([], dtype=float, name=x.expr.meta.name)
        made = new_collection(IntervalNumbers(pd.cut, (x.expr,), tuple(options.items()), False, declared))
    return (made, known) if retbins else made


@dataclass(frozen=True, eq=False, repr=False)
class IntervalNumbers(Rowwise):
    """Numbers of intervals: floats, as some values may be in none; integers once it is known that none is."""

    def narrower(self, place: int) -> Any:
        """The dtype where no value is in none."""
        return np.dtype(np.int64)
