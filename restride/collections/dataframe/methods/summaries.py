"""What a frame is made of: its size, its memory, its first values; the same values as arrays."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.meta import labels_of
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.places import numbered
from restride.collections.dataframe.operations.reductions import AddUp, count_rows
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.tree import Reduced, ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas


class Summaries(FrameBase):
    """What a frame or series is made of."""

    def memory_usage(self, index: bool = True, deep: bool = False) -> Any:
        """Bytes of each column as pandas has them once the frame is computed; of a series in all.

        Parameters
        ----------
        index : bool
            Count the index, too.
        deep : bool
            Look into objects.

        Returns
        -------
        Series by column, or Scalar
        """
        frame = labelled(self.expr) if index else self.expr
        steps = Steps(BytesOf(index, deep, frame.meta), add_lists, FinishBytes(frame.meta, index))
        if isinstance(frame.meta, pd.Series):
            return self._new(ReducedScalar(frame, steps, np.dtype(np.int64), "memory_usage"))
        return self._new(Reduced(frame, steps, bytes_meta(frame.meta, index), "memory_usage"))

    def memory_usage_per_partition(self, index: bool = True, deep: bool = False) -> Any:
        """Bytes of each partition as pandas has them, a series with a row for each."""
        total = PartitionBytes(index, deep)
        meta = pd.Series([], dtype="int64")
        made = MapPartitions(total, (labelled(self.expr),), (), meta, "memory_usage")
        return self._new(made)

    @property
    def nbytes(self) -> Any:
        """Bytes of the values as pandas has them, without the index; a `Scalar`."""
        usage = self.memory_usage(index=False)
        return usage.sum() if isinstance(self.expr.meta, pd.DataFrame) else usage

    def first_valid_index(self) -> Any:
        """The label of the first row with a value; computed, a partition at a time, as far as it takes."""
        for partition in self.partitions:  # type: ignore[attr-defined]
            found = partition.compute().first_valid_index()
            if found is not None:
                return found
        return None

    def last_valid_index(self) -> Any:
        """The label of the last row with a value; computed, a partition at a time, as far as it takes."""
        for number in reversed(range(self.npartitions)):
            found = self.get_partition(number).compute().last_valid_index()  # type: ignore[attr-defined]
            if found is not None:
                return found
        return None

    def equals(self, other: Any) -> bool:
        """Whether another object has the same values, dtypes and labels, missing ones at the same places; computed.

        Parameters
        ----------
        other : collection or pandas object
        """
        theirs = other.compute() if isinstance(other, FrameBase) else other
        return bool(self.compute().equals(theirs))

    def to_numpy(self, dtype: Any = None) -> np.ndarray:
        """Compute, and return the values as an array of numpy."""
        values: np.ndarray = self.compute().to_numpy(dtype=dtype)
        return values

    def to_string(self, *args: Any, **kwargs: Any) -> str:
        """Compute, and return as text; see `pandas.DataFrame.to_string`. A few rows are `head`'s."""
        text: str = self.compute().to_string(*args, **kwargs)
        return text

    def to_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Compute, and return as a dict; see `pandas.DataFrame.to_dict`."""
        return self.compute().to_dict(*args, **kwargs)

    def to_markdown(self, *args: Any, **kwargs: Any) -> Any:
        """Compute, and return as a table of Markdown; see `pandas.DataFrame.to_markdown`."""
        return self.compute().to_markdown(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.compute(), dtype=dtype, copy=copy or None)

    @property
    def values(self) -> Any:
        """The values as an array in blocks, which is not computed yet."""
        return self.to_array()  # type: ignore[attr-defined]

    def __bool__(self) -> bool:
        raise ValueError(
            f"The truth value of a {type(self).__name__} is ambiguous. Use a.empty, a.item(), a.any() or a.all()."
        )

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return other // self, other % self


class FrameSummaries(FrameBase):
    """What a frame is made of."""

    def to_html(self, *args: Any, **kwargs: Any) -> str:
        """Compute, and return as a table of HTML; see `pandas.DataFrame.to_html`."""
        text: str = self.compute().to_html(*args, **kwargs)
        return text

    def dot(self, other: Any) -> Any:
        """The product with a matrix of a row for each column, or with a vector of a value for each.

        Parameters
        ----------
        other : pandas.DataFrame, pandas.Series, or collections, which are computed
        """
        other = other.compute() if isinstance(other, FrameBase) else other
        columns = self.expr.meta.columns
        if not columns.sort_values().equals(pd.Index(other.index).sort_values()):
            raise ValueError("matrices are not aligned")
        by_row: Any = self.map_partitions(_dot, other, meta=self.expr.meta.dot(other), keeps_rows=True)  # type: ignore[attr-defined]
        return by_row if self.expr.has_index else self._new(numbered(by_row.expr, self.expr.meta.index.name))

    __matmul__ = dot

    @property
    def size(self) -> Any:
        """Rows times columns, a `Scalar` unless the number of rows is known."""
        rows = self.expr.length
        count = self._new(count_rows(self.expr)) if rows is None else rows
        return count * self.expr.layout.n_columns

    def info(
        self,
        verbose: bool | None = None,
        buf: TextIO | None = None,
        max_cols: int | None = None,
        memory_usage: bool | str = False,
        show_counts: bool | None = None,
    ) -> None:
        """Print the columns with their dtypes; counts and memory are computed if they are asked for.

        Parameters
        ----------
        verbose : bool, optional
            List the columns; left out: unless there are more than `max_cols`.
        buf : file, optional
            Where to print to, instead of the screen.
        max_cols : int, optional
            100 if left out.
        memory_usage : bool or "deep"
            Compute how many bytes pandas would need.
        show_counts : bool, optional
            Compute how many values are not missing.
        """
        meta = self.expr.meta
        labels = labels_of(meta)
        lines = [f"<class '{type(self).__module__.split('.')[0]}.dataframe.DataFrame'>"]
        rows = "" if self.expr.length is None else f"{self.expr.length:,} rows, "
        lines.append(f"{rows}{self.npartitions:,} partitions, index of {meta.index.dtype}")
        counts = self.count().compute().tolist() if show_counts else None  # type: ignore[attr-defined]
        if verbose or (verbose is None and len(labels) <= (max_cols or 100)):
            lines.append(f"{len(labels)} columns:")
            width = max([len(str(label)) for label in labels], default=0)
            for i, (label, dtype) in enumerate(zip(labels, meta.dtypes)):
                there = "" if counts is None else f"{counts[i]:>14,} non-null  "
                lines.append(f"  {label!s:<{width}}  {there}{dtype}")
        else:
            lines.append(f"{len(labels)} columns")
        if memory_usage:
            total = int(self.memory_usage(deep=memory_usage == "deep").sum().compute())  # type: ignore[attr-defined]
            lines.append(f"memory: {total:,} bytes")
        (sys.stdout if buf is None else buf).write("\n".join(lines) + "\n")


def _dot(frame: pd.DataFrame, other: Any) -> Any:
    return frame.dot(other)


@dataclass(frozen=True)
class BytesOf:
    """Kernel: bytes of a partition by column, the index first."""

    index: bool
    deep: bool
    meta: Any
    __name__ = "memory_usage"

    def __call__(self, partition: Partition) -> list[int]:
        usage = to_pandas(partition, self.meta).memory_usage(index=self.index, deep=self.deep)
        return [int(usage)] if isinstance(usage, (int, np.integer)) else [int(count) for count in usage]


def add_lists(*parts: list[int]) -> list[int]:
    """Kernel: sums, place by place."""
    return [AddUp()(*column) for column in zip(*parts)]


@dataclass(frozen=True)
class FinishBytes:
    """Kernel: bytes as a series by column, or of the one series."""

    meta: Any
    index: bool
    __name__ = "memory_usage"

    def __call__(self, counts: list[int]) -> Any:
        if isinstance(self.meta, pd.Series):
            return counts[0]
        empty = bytes_meta(self.meta, self.index)
        labels = self.meta.memory_usage(index=self.index).index
        return from_pandas(pd.Series(counts, index=labels, dtype="int64"), empty)


def bytes_meta(meta: pd.DataFrame, index: bool) -> pd.Series:
    """The meta of `memory_usage`."""
    usage: pd.Series = meta.memory_usage(index=index)
    return usage.iloc[:0]


@dataclass(frozen=True)
class PartitionBytes:
    """Bytes of a partition."""

    index: bool
    deep: bool
    __name__ = "memory_usage"

    def __call__(self, value: Any) -> int:
        usage = value.memory_usage(index=self.index, deep=self.deep)
        return int(usage) if isinstance(usage, (int, np.integer)) else int(usage.sum())
