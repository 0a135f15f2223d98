"""The kernels of shuffles: rows to buckets, samples to splitters, buckets to new partitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.expr import Divisions
from restride.collections.dataframe.kernels.checksums import checksums
from restride.collections.dataframe.kernels.hot_keys import is_hot
from restride.collections.dataframe.kernels.pieces import (
    ARROW,
    Buckets,
    Piece,
    as_table,
    gathered,
    joined,
    split_rows,
)
from restride.collections.dataframe.kernels.radix import argsort
from restride.collections.dataframe.kernels.sort_keys import KeyColumn
from restride.collections.dataframe.kernels.splitters import Sample, choose_splitters, sample
from restride.collections.dataframe.kernels.splitting import hash_buckets, range_buckets, spread_buckets
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.shuffle_keys import (
    KeyPlace,
    hash_keys,
    key_dtypes,
    pandas_column,
    sort_columns,
)
from restride.collections.dataframe.partition import Partition, column_to_pandas, concat, concat_tables, n_rows
from restride.errors import ShuffleError

MANY_PARTS = 64
"""Of more parts than this rows are copied together before anything else, as every chunk costs something."""


@dataclass(frozen=True)
class SplitByHash:
    """Kernel: the rows of a partition, or of several, by the hash of their keys."""

    meta: Any
    on: tuple[int, ...]
    n: int
    types: tuple[str | None, ...] = ()
    spread: tuple[int, ...] = ()
    copied: tuple[int, ...] = ()
    n_splits: int = 1
    """How many partitions are split."""
    __name__ = "split"

    def __call__(self, number: int, partition: Partition | tuple[Partition, ...]) -> Buckets:
        rows, n = _together(partition, self.meta), self.n
        hashes = hash_keys(rows, self.meta, self.on, self.types)
        codes = hash_buckets(hashes, n)
        if self.spread:
            codes[is_hot(hashes, self.spread)] = int(number) * n // self.n_splits
        if self.copied:
            hot = is_hot(hashes, self.copied)
            once, everywhere = np.flatnonzero(~hot), np.flatnonzero(hot)
            codes = np.concatenate([codes[once], np.repeat(np.arange(n, dtype=codes.dtype), len(everywhere))])
            numbers = np.concatenate([once, np.tile(everywhere, n)])
            rows = take(rows, numbers) if isinstance(rows, pa.Table) else rows.take(numbers)
        return split_rows(rows, codes, n)


@dataclass(frozen=True)
class SplitByRange:
    """Kernel: the rows of a partition, or of several, by ranges of their keys."""

    meta: Any
    by: tuple[KeyPlace, ...]
    n: int
    splitters: Any = None
    """The key columns of the splitters, where they do not come as the first block."""
    limits: tuple[Any, Any] | None = None
    """The least and the greatest key that there may be."""
    n_splits: int = 0
    """How many partitions are split, if rows of frequent keys may be in several buckets."""
    __name__ = "split"

    def __call__(self, number: int, *blocks: Any) -> Buckets:
        splitters = blocks[0] if self.splitters is None else self.splitters
        rows = _together(blocks[-1], self.meta)
        keys = sort_columns(rows, self.meta, self.by)
        if self.limits is not None:
            self._check_limits(rows)
        sort_keys = [place.key for place in self.by]
        if self.n_splits:
            codes = spread_buckets(keys, splitters, sort_keys, int(number) / self.n_splits)
        else:
            codes = range_buckets(keys, splitters, sort_keys)
        return split_rows(rows, codes, self.n)

    def _check_limits(self, rows: Partition) -> None:
        assert self.limits is not None
        values = pd.Series(pandas_column(rows, self.meta, self.by[0].position))
        if not values.notna().any():
            return
        least, most = values.min(), values.max()
        first, last = self.limits
        if least < first or most > last:
            raise ValueError(
                f"divisions go from {first!r} to {last!r}, and there are values from {least!r} to {most!r}; "
                "give divisions that have room for all of them"
            )


@dataclass(frozen=True)
class SampleKeys:
    """Kernel: the keys of some rows of a partition."""

    meta: Any
    by: tuple[KeyPlace, ...]
    size: int
    __name__ = "sample"

    def __call__(self, partition: Partition) -> Sample:
        return sample(sort_columns(partition, self.meta, self.by), self.size)


@dataclass(frozen=True)
class SampleAndEnds:
    """Kernel: the keys of some rows of a partition, and the least and the greatest of all of them."""

    meta: Any
    place: KeyPlace
    size: int
    __name__ = "sample"

    def __call__(self, partition: Partition) -> tuple[Sample, Any, Any]:
        values = pd.Series(pandas_column(partition, self.meta, self.place.position)).dropna()
        ends = (values.min(), values.max()) if len(values) else (None, None)
        return sample(sort_columns(partition, self.meta, (self.place,)), self.size), *ends


@dataclass(frozen=True)
class ChooseDivisions:
    """Kernel: divisions, of the samples and the ends of all partitions."""

    meta: Any
    n: int
    place: KeyPlace
    __name__ = "divisions"

    def __call__(self, *samples: tuple[Sample, Any, Any]) -> Divisions | None:
        ends = [(least, most) for _, least, most in samples if least is not None]
        if not ends:
            return None
        first, last = min(least for least, _ in ends), max(most for _, most in ends)
        (splitters,) = choose_splitters([one for one, _, _ in samples], self.n, [self.place.key])
        dtype = key_dtypes(self.meta)[self.place.position]
        values = splitters if isinstance(splitters, pd.Series) else pd.Series(column_to_pandas(splitters, dtype))
        inner = [value for value in values.dropna().drop_duplicates() if first < value <= last]
        return (first, *inner, last)


@dataclass(frozen=True)
class ChooseSplitters:
    """Kernel: the splitters, of the samples of all partitions."""

    n: int
    by: tuple[KeyPlace, ...]
    __name__ = "splitters"

    def __call__(self, *samples: Sample) -> list[KeyColumn]:
        return choose_splitters(samples, self.n, [place.key for place in self.by])


# ---- kernels that gather


@dataclass(frozen=True)
class GatherBuckets:
    """Kernel: the new partition of a number, of partitions that are split; every row is accounted for."""

    meta: Any
    finish: Callable[[Partition], Partition] | None
    shuffle: str
    origin: str | None
    __name__ = "gather"

    def __call__(self, bucket: int, *splits: Buckets) -> Partition:
        bucket = int(bucket)
        return self.gathered([(split, bucket) for split in splits], f"partition {bucket}")

    def gathered(self, buckets: Sequence[tuple[Buckets, int]], what: str) -> Partition:
        """The rows of buckets as they are to be, if they are as many as were split off and have their checksum."""
        parts, expected, checksum = gathered(buckets)
        rows = self._joined(parts)
        del parts
        if n_rows(rows) != expected:
            raise ShuffleError(
                f"{self._described(what)} should have got {expected} rows, and got {n_rows(rows)}; "
                "please report this, rows are not to be lost"
            )
        if int(checksums(rows)[0]) != checksum:
            raise ShuffleError(
                f"the {expected} rows that {self._described(what)} got are not those that were sent: "
                "their checksum is another; please report this"
            )
        return rows if self.finish is None else self.finish(rows)

    def _joined(self, parts: Sequence[Any]) -> Partition:
        """Rows in memory of their own, as pieces keep all that they were cut from alive; unless a sort copies few."""
        if not isinstance(parts[0], ARROW):
            return concat(parts, self.meta)
        copy = self.finish is None or len(parts) > MANY_PARTS
        schema = parts[0].schema
        if any(part.schema != schema for part in parts[1:]):
            rows = concat_tables([as_table(part) for part in parts])
            return rows.combine_chunks() if copy else rows
        rows = as_table(joined(parts, copy=copy))
        return rows if copy or not any(map(pa.types.is_dictionary, schema.types)) else rows.unify_dictionaries()

    def _described(self, what: str) -> str:
        return f"{what} of the {self.shuffle} made at {self.origin}" if self.origin else f"{what} of the {self.shuffle}"


class GatherPieces(GatherBuckets):
    """Kernel: a new partition, of its pieces."""

    __name__ = "gather"

    def __call__(self, number: int, *pieces: Piece) -> Partition:  # type: ignore[override]
        return self.gathered([(piece.of, piece.bucket) for piece in pieces], f"partition {int(number)}")


@dataclass(frozen=True)
class GatherAll:
    """Kernel: all partitions as one."""

    meta: Any
    finish: Callable[[Partition], Partition] | None
    __name__ = "gather"

    def __call__(self, *partitions: Partition) -> Partition:
        rows = concat(partitions, self.meta)
        return rows if self.finish is None else self.finish(rows)


@dataclass(frozen=True)
class SortRows:
    """Kernel: the rows of a partition in the order of their keys; equal ones stay as they are."""

    meta: Any
    by: tuple[KeyPlace, ...]
    __name__ = "sort"

    def __call__(self, rows: Partition) -> Partition:
        order = argsort(sort_columns(rows, self.meta, self.by), [place.key for place in self.by])
        return take(rows, order) if isinstance(rows, pa.Table) else rows.take(order)


# ---- in between


def piece_of(bucket: int, of: Buckets) -> Piece:
    """Kernel: one bucket of a partition that is split."""
    return Piece(of, int(bucket))


def as_tuple(*partitions: Partition) -> tuple[Partition, ...]:
    """Kernel: partitions that are split together."""
    return partitions


def _together(partition: Partition | tuple[Partition, ...], meta: Meta) -> Partition:
    return concat(partition, meta) if isinstance(partition, tuple) else partition
