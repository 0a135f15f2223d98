"""Pieces: what a shuffle's tasks hand on. A partition that is split is one table in the order of its buckets.

A piece is the rows of one bucket: a reference to the whole and a number. Nothing is cut until it is gathered, and
pieces that travel together travel as one table. Each bucket has its number of rows and a checksum from
where it was split, to be compared where it is gathered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.kernels.checksums import checksums
from restride.collections.dataframe.kernels.splitting import Codes, bucket_order
from restride.collections.dataframe.kernels.taking import take
from restride.engine.arrow import copy_of_table
from restride.engine.serialize import travel_together
from restride.engine.worker.sizes import MEASURES, Size, size_of

SMALL = 64 * 1024
"""Parts of fewer bytes on average are copied together to travel."""
ARROW = (pa.RecordBatch, pa.Table)
"""What rows are that Arrow holds."""


class Buckets:
    """The rows of a partition, or of some buckets of it, in the order of their buckets.

    Attributes
    ----------
    rows : pyarrow.RecordBatch or pandas object
        A table where no batch can hold all of them.
    bounds : list of int
        The first row of each bucket, and the number of rows.
    sums : list of int
        The checksum of each bucket.
    """

    __slots__ = ("bounds", "nbytes", "rows", "sums")

    def __init__(self, rows: Any, bounds: Sequence[int], sums: Sequence[int], nbytes: int | None = None) -> None:
        self.rows, self.bounds, self.sums = rows, bounds, sums
        self.nbytes = _nbytes(rows) if nbytes is None else nbytes

    def __reduce__(self) -> Any:
        return Buckets, (self.rows, self.bounds, self.sums, self.nbytes)

    def __len__(self) -> int:
        return len(self.sums)

    def cut(self, bucket: int) -> Any:
        """The rows of a bucket; they keep those of the others alive."""
        return self.cut_run(bucket, bucket)

    def cut_run(self, first: int, last: int) -> Any:
        """The rows of buckets `first` to `last`, both included."""
        start, stop = self.bounds[first], self.bounds[last + 1]
        rows = self.rows
        return rows.slice(start, stop - start) if isinstance(rows, ARROW) else _cut(rows, start, stop)


class Piece:
    """One bucket of a split partition."""

    __slots__ = ("bucket", "of")

    def __init__(self, of: Buckets, bucket: int) -> None:
        self.of, self.bucket = of, bucket

    def __reduce__(self) -> Any:
        return Piece, (self.of, self.bucket)

    def copy(self) -> Piece:
        """The same piece, that keeps nothing else alive."""
        (copy,) = packed([self], copy=True)
        return copy

    @staticmethod
    def copied_together(pieces: Sequence[Piece]) -> list[Piece]:
        """The same pieces, that keep nothing else alive."""
        return packed(pieces, copy=True)


def split_rows(rows: Any, codes: Codes, n_buckets: int) -> Buckets:
    """The rows of a partition in the order of their buckets, with counts and checksums.

    Parameters
    ----------
    rows : pyarrow.Table or pandas object
    codes : ndarray of unsigned integers
        The bucket of each row.
    n_buckets : int

    Examples
    --------
    >>> buckets = split_rows(pa.table({"x": [7, 8, 9]}), np.array([1, 0, 1], np.uint8), 2)
    >>> buckets.cut(1)["x"].to_pylist(), buckets.sums
    ([7, 9], [8, 16])
    """
    order, bounds = bucket_order(codes, n_buckets)
    return cut_rows(_take(rows, order), bounds)


def cut_rows(rows: Any, bounds: np.ndarray) -> Buckets:
    """Rows that are in the order of their buckets already; `bounds` has where each begins, and the number of rows."""
    batch = _as_batch(rows)
    return Buckets(batch, bounds.tolist(), checksums(batch, bounds).tolist())


def gathered(parts: Sequence[tuple[Buckets, int]]) -> tuple[list[Any], int, int]:
    """Buckets brought together.

    Parameters
    ----------
    parts : sequence of (Buckets, int)
        Each with the number of the bucket; one at least.

    Returns
    -------
    parts : list of pyarrow.RecordBatch, or of other kinds of rows
        Those that have rows, one at least.
    n_rows : int
        How many rows there should be.
    checksum : int
        What their checksum should be.
    """
    rows: list[Any] = []
    n = checksum = 0
    for of, bucket in parts:
        bounds = of.bounds
        start, stop = bounds[bucket], bounds[bucket + 1]
        if start == stop:
            continue
        n += stop - start
        checksum += of.sums[bucket]
        whole = of.rows
        rows.append(whole.slice(start, stop - start) if isinstance(whole, ARROW) else _cut(whole, start, stop))
    if not rows:
        of, bucket = parts[0]
        rows.append(of.cut(bucket))
    return rows, n, checksum & 0xFFFF_FFFF_FFFF_FFFF


def packed(pieces: Sequence[Piece], *, copy: bool = False) -> list[Piece]:
    """The same pieces, those of one schema as the buckets of one table that has no other rows.

    Mostly they are the pieces of one new partition, or of a few, of many old ones. Large ones stay where they are
    unless they are to be copied.
    """
    result = list(pieces)
    for places in _by_schema(pieces):
        places.sort(key=lambda place: (id(pieces[place].of), pieces[place].bucket))
        runs: list[list[Any]] = []
        for place in places:
            piece = pieces[place]
            if runs and runs[-1][0] is piece.of and piece.bucket <= runs[-1][2] + 1:
                runs[-1][2] = piece.bucket
            else:
                runs.append([piece.of, piece.bucket, piece.bucket])
        chosen = _buckets_of(runs, copy=copy)
        numbers: dict[tuple[int, int], int] = {}
        for of, first, last in runs:
            for bucket in range(first, last + 1):
                numbers[id(of), bucket] = len(numbers)
        for place in places:
            piece = pieces[place]
            result[place] = Piece(chosen, numbers[id(piece.of), piece.bucket])
    return result


def _by_schema(pieces: Sequence[Piece]) -> list[list[int]]:
    """The places of pieces that can be in one table."""
    groups: list[tuple[Any, list[int]]] = []
    known: dict[int, list[int]] = {}
    for place, piece in enumerate(pieces):
        places = known.get(id(piece.of))
        if places is None:
            schema = _schema(piece.of.rows)
            places = next((places for have, places in groups if have.equals(schema)), None)
            if places is None:
                places = []
                groups.append((schema, places))
            known[id(piece.of)] = places
        places.append(place)
    return [places for _, places in groups]


def _buckets_of(runs: Sequence[Sequence[Any]], *, copy: bool) -> Buckets:
    """Runs of buckets, each given as ``(buckets, first, last)``, as buckets of one table."""
    bounds, sums, nbytes = [0], [], 0
    for of, first, last in runs:
        shift = bounds[-1] - of.bounds[first]
        bounds += [bound + shift for bound in of.bounds[first + 1 : last + 2]]
        sums += of.sums[first : last + 1]
        nbytes += of.nbytes * (of.bounds[last + 1] - of.bounds[first]) // (of.bounds[-1] or 1)
    parts = [of.cut_run(first, last) for of, first, last in runs]
    if not isinstance(parts[0], ARROW):
        whole = joined_objects(parts) if len(parts) > 1 else parts[0].copy() if copy else parts[0]
        return Buckets(whole, bounds, sums, nbytes)
    if len(parts) == 1 and copy:
        return Buckets(copy_of_table(parts[0]), bounds, sums, nbytes)
    return Buckets(joined(parts, copy=copy or nbytes < SMALL * len(parts)), bounds, sums, nbytes)


def joined(parts: Sequence[Any], *, copy: bool) -> Any:
    """Batches and tables of one schema one below the other: a table of chunks, or copied to one batch."""
    if all(isinstance(part, pa.RecordBatch) for part in parts):
        if len(parts) == 1:
            return parts[0]
        table = pa.Table.from_batches(parts)
    else:
        table = pa.concat_tables([as_table(part) for part in parts])
    return _as_batch(table.combine_chunks()) if copy else table


def as_table(rows: Any) -> Any:
    """A batch as a table; what is none as it is."""
    return pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows


def joined_objects(parts: Sequence[Any]) -> Any:
    """Pandas objects one below the other."""
    return parts[0].append(list(parts[1:])) if isinstance(parts[0], pd.Index) else pd.concat(parts)


def _as_batch(rows: Any) -> Any:
    """A table of one chunk as a batch, which is quicker to slice; the table where that cannot be."""
    if not isinstance(rows, pa.Table) or not rows.num_rows:
        return rows
    batches = rows.combine_chunks().to_batches()
    return batches[0] if len(batches) == 1 else rows


def _schema(rows: Any) -> Any:
    return rows.schema if isinstance(rows, ARROW) else _objects_schema(rows)


def _objects_schema(value: Any) -> Any:
    empty = value[:0]
    return empty.to_frame() if isinstance(empty, pd.MultiIndex) else empty


def _take(rows: Any, numbers: np.ndarray) -> Any:
    return take(as_table(rows), numbers) if isinstance(rows, ARROW) else rows.take(numbers)


def _cut(rows: Any, start: int, stop: int) -> Any:
    return rows.iloc[start:stop] if hasattr(rows, "iloc") else rows[start:stop]


def _nbytes(rows: Any) -> int:
    size = size_of(rows)
    return size if isinstance(size, int) else size[0]


def _size_of_buckets(buckets: Buckets) -> Size:
    return buckets.nbytes, id(buckets), buckets.nbytes


def _size_of_piece(piece: Piece) -> Size:
    of, bucket = piece.of, piece.bucket
    bounds = of.bounds
    shown = of.nbytes * (bounds[bucket + 1] - bounds[bucket]) // (bounds[-1] or 1)
    return shown, id(of), of.nbytes


MEASURES[Buckets] = _size_of_buckets
MEASURES[Piece] = _size_of_piece
travel_together(Piece, packed)
