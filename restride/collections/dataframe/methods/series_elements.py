"""What series can do with their values that frames cannot."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import Any

import pandas as pd

from restride.collections.collection import Collection
from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.methods.elementwise import row_by_row
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.samples import made_of


class SeriesElements(FrameBase):
    """Values of series."""

    def between(self, left: Any, right: Any, inclusive: str = "both") -> Any:
        """Whether values are between two others.

        Parameters
        ----------
        left, right : scalar or Series
        inclusive : {"both", "neither", "left", "right"}

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1, 5, 9]), npartitions=2)
        >>> x.between(2, 9, inclusive="left").compute().tolist()
        [False, True, False]
        """
        if inclusive not in ("both", "neither", "left", "right"):
            raise ValueError("Inclusive has to be either string of 'both','left', 'right', or 'neither'.")
        above = self >= left if inclusive in ("both", "left") else self > left
        below = self <= right if inclusive in ("both", "right") else self < right
        return above & below

    def case_when(self, caselist: Sequence[tuple[Any, Any]]) -> Any:
        """For each row the replacement of the first condition that is true, otherwise the value itself.

        Parameters
        ----------
        caselist : list of (condition, replacement)
            Conditions are series of truth values, or functions of this series; replacements are scalars, series or
            functions.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1, 5, 9]), npartitions=2)
        >>> x.case_when([(x < 3, 0), (x > 6, 10)]).compute().tolist()
        [0, 5, 10]
        """
        if not isinstance(caselist, list):
            raise TypeError(f"The caselist argument should be a list; instead got {type(caselist)}")
        if not caselist:
            raise ValueError("provide at least one boolean condition, with a corresponding replacement.")
        pairs = [tuple(self._called(one) for one in pair) for pair in caselist]
        for i, pair in enumerate(pairs):
            if len(pair) != 2:
                raise ValueError(
                    f"Argument {i} must have length 2; a condition and replacement; instead got length {len(pair)}."
                )
        flat = [one for pair in pairs for one in pair]
        sample = one_row(self.expr.meta)
        samples = [
            (pd.Series([True]), one_row(value.expr.meta) if isinstance(value, FrameBase) else _plain(value))
            for _, value in pairs
        ]
        makes = [made_of(partial(case_when_one, case=case), sample, self.expr.meta) for case in samples]
        wider = [one for one in makes if one.dtype != self.expr.meta.dtype]
        declared = makes[0] if not wider else pd.concat([one_row(one) for one in [self.expr.meta, *wider]]).iloc[:0]
        return row_by_row(self, case_when, *flat, declared=declared.rename(self.expr.meta.name))

    def _called(self, value: Any) -> Any:
        return value(self) if callable(value) and not isinstance(value, Collection) else value

    def rename(self, index: Any = None, *, axis: Any = 0, level: None = None, errors: str = "ignore") -> Any:
        """Another name for the series, or other labels for its rows.

        Parameters
        ----------
        index : label, dict or callable
            A label names the series. A dict or function makes labels of those there are; the function is called now
            with the labels of the first partition that has rows.
        axis : {0, "index"}
        level : None
            Not supported.
        errors : {"ignore"}
            Labels that no row has are of no matter.
        """
        if level is not None or errors != "ignore":
            raise NotImplementedError("rename(level=, errors='raise') of a series: labels would be looked for first")
        if callable(index) or isinstance(index, (dict, pd.Series)):
            return self._index_renamed(index)  # type: ignore[attr-defined]
        return self._new(selection.renamed(self.expr, self.expr.meta.rename(index)))

    def dot(self, other: Any) -> Any:
        """Sum of the products with another series of the same rows, a `Scalar`."""
        return (self * other).sum()

    __matmul__ = dot

    def autocorr(self, lag: int = 1) -> Any:
        """Correlation with itself, `lag` rows before; a `Scalar`."""
        return self.corr(self.shift(lag))  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[Any]:
        """The values, a partition at a time."""
        for partition in self.partitions:  # type: ignore[attr-defined]
            yield from partition.compute()

    def __contains__(self, label: Any) -> bool:
        """Whether a row has a label; computed."""
        return bool(self.index.isin([label]).any().compute())  # type: ignore[attr-defined]

    @property
    def axes(self) -> list[Any]:
        """The index, in a list."""
        return [self.index]  # type: ignore[attr-defined]

    @property
    def dtypes(self) -> Any:
        """The dtype of the values."""
        return self.expr.meta.dtype

    def to_list(self) -> list[Any]:
        """Compute, and return the values as a list."""
        return list(self.compute().tolist())

    tolist = to_list

    @property
    def array(self) -> Any:
        """Compute, and return the values as the array that pandas holds them in."""
        return self.compute().array

    def item(self) -> Any:
        """Compute the one value; a ValueError if there is not exactly one."""
        return self.head(2, npartitions=-1).item()  # type: ignore[attr-defined]

    def items(self) -> Iterator[tuple[Hashable, Any]]:
        """Each label with its value, a partition at a time."""
        for partition in self.partitions:  # type: ignore[attr-defined]
            yield from partition.compute().items()


def case_when_one(series: pd.Series, case: tuple[Any, Any]) -> pd.Series:
    """The replacement where the one condition is true."""
    return series.case_when([case])


def case_when(series: pd.Series, *flat: Any) -> pd.Series:
    """Kernel: replacements of the first conditions that are true."""
    return series.case_when(list(zip(flat[::2], flat[1::2])))


def _plain(value: Any) -> Any:
    return value.expr.sample() if isinstance(value, Collection) else value  # type: ignore[attr-defined]
