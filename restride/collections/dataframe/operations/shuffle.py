"""Shuffles: rows to partitions by the hash of key columns, or by ranges of them.

Both are the same tables of tasks. Each partition is put in the order of its rows' buckets and counted (split); on many
processes a task each says which bucket goes where (piece); a task a new partition brings its buckets together, in the
order of the old partitions, and compares counts and checksums with those of the splits (gather).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import Divisions, FrameExpr, NewRows, ScalarExpr, Wanted, unknown_divisions
from restride.collections.dataframe.kernels.pieces import (
    Buckets,
)
from restride.collections.dataframe.kernels.splitters import sample_size
from restride.collections.dataframe.operations.places import dtypes_of
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle_kernels import (
    ChooseDivisions,
    ChooseSplitters,
    GatherAll,
    GatherBuckets,
    GatherPieces,
    SampleAndEnds,
    SampleKeys,
    SortRows,
    SplitByHash,
    SplitByRange,
    as_tuple,
    piece_of,
)
from restride.collections.dataframe.operations.shuffle_keys import KeyPlace, key_labels, key_values, placed
from restride.collections.dataframe.partition import (
    Partition,
)
from restride.collections.expression import Expr
from restride.shuffle.frame import ShufflePlan, plan_shuffle


@dataclass(frozen=True, eq=False, repr=False)
class Shuffle(NewRows):
    """Base of shuffles of a frame's rows into `n` partitions; rows of one are in the order that they were in before."""

    frame: FrameExpr
    n: int

    @property
    def label(self) -> str:
        return "shuffle"

    def _npartitions(self) -> int:
        return self.n

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def key_positions(self) -> tuple[int, ...]:
        """Where in a partition's table the key columns are: data columns first, levels of the index after them."""
        raise NotImplementedError(type(self).__name__)

    def over(self, frame: FrameExpr, positions: tuple[int, ...]) -> Shuffle:
        """The same shuffle of another frame, whose keys are at other positions."""
        raise NotImplementedError(type(self).__name__)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        """The keys are needed in any case."""
        n_columns = self.layout.n_columns
        keys = self.key_positions()
        columns = tuple(dict.fromkeys((*wanted.columns, *(i for i in keys if i < n_columns))))
        index = wanted.index or any(i >= n_columns for i in keys)
        needed = Wanted(columns, index)
        if len(columns) == n_columns and index == self.has_index:
            return None
        below = narrow(self.frame, needed)
        positions = tuple(columns.index(i) if i < n_columns else len(columns) + i - n_columns for i in keys)
        new = self.over(below, positions)
        if columns == wanted.columns and index == wanted.index:
            return new
        return narrow(new, Wanted(tuple(range(len(wanted.columns))), wanted.index))

    @property
    def bytes_moved(self) -> int | None:
        return self.frame.nbytes

    def plan(self) -> ShufflePlan:
        """Which partitions are split together, and what goes where."""
        return plan_shuffle(self.frame.npartitions, self.n, self.frame.lengths, self.frame.row_bytes)


@dataclass(frozen=True, eq=False, repr=False)
class HashShuffle(Shuffle):
    """Rows by the hash of their keys: rows of equal keys are in one partition.

    Two shuffles of as many partitions, by keys of the same types, have rows of equal keys in partitions of one number.
    """

    any_partitions = True

    on: tuple[int, ...]
    """Positions in the table of a partition: data columns first, levels of the index after them."""
    types: tuple[str | None, ...] = ()
    """Numpy names of types that keys are cast to for that, as "float64" for an int beside a float; none if empty."""
    pieces: bool = False
    """Whether pieces are tasks of their own, so that no worker gets what it does not need."""
    spread: tuple[int, ...] = ()
    """Hashes of frequent keys, whose rows stay with others of their old partition: there are too many for one task."""
    copied: tuple[int, ...] = ()
    """Hashes of keys whose rows go to all partitions, to be met by rows of another frame that are spread."""

    @property
    def detail(self) -> str:
        frequent = len(self.spread) + len(self.copied)
        return f" by hash of {key_labels(self.frame, self.on)}" + (f", {frequent} frequent" if frequent else "")

    def key_positions(self) -> tuple[int, ...]:
        return self.on

    def over(self, frame: FrameExpr, positions: tuple[int, ...]) -> Shuffle:
        return self.replace(frame=frame, on=positions)

    def simplified(self) -> Expr:
        """No shuffle of what is in such partitions already."""
        return self.frame if self.n == self.frame.npartitions and _is_shuffled(self.frame, self) else self

    def shipped(self) -> Expr:
        return self if self.pieces else self.replace(pieces=True).made_at(self.origin)

    def blocks(self, *children: Blocks) -> Blocks:
        n_splits = self.plan().n_splits
        kernel = SplitByHash(self.frame.meta, self.on, self.n, self.types, self.spread, self.copied, n_splits)
        return shuffled_blocks(self, children[0], kernel, (), None, pieces=self.pieces)


def _is_shuffled(frame: FrameExpr, like: HashShuffle) -> bool:
    """Whether a frame's rows are in the partitions where a shuffle of it would bring them."""
    steps = [_shuffle_below(frame, position) for position in like.on]
    shuffles = {step[0] for step in steps if step is not None}
    if None in steps or len(shuffles) != 1:
        return False
    (shuffle,) = shuffles
    places = tuple(step[1] for step in steps if step is not None)
    return (shuffle.n, shuffle.on, shuffle.types) == (like.n, places, like.types)


def are_together(frame: FrameExpr, on: Sequence[int]) -> bool:
    """Whether rows of equal keys are in one partition, as rows of equal values in some of the keys are."""
    below: dict[HashShuffle, set[int]] = {}
    for position in on:
        step = _shuffle_below(frame, position)
        if step is not None:
            below.setdefault(step[0], set()).add(step[1])
    return any(places.issuperset(shuffle.on) for shuffle, places in below.items())


def _shuffle_below(frame: FrameExpr, place: int) -> tuple[HashShuffle, int] | None:
    """The shuffle that has brought rows where they are, and the place there of what is at one of a frame."""
    while not isinstance(frame, HashShuffle):
        step = frame.partition_source(place)
        if step is None or dtypes_of(step[0].meta)[step[1]] != dtypes_of(frame.meta)[place]:
            return None
        frame, place = step
    return None if frame.spread or frame.copied else (frame, place)


@dataclass(frozen=True, eq=False, repr=False)
class Splitters(ScalarExpr):
    """The keys that part the rows of a frame into `n` ranges of about equal size, chosen from samples.

    Its value are the key columns of the ``n - 1`` splitters.
    """

    any_partitions = True

    frame: FrameExpr
    n: int
    by: tuple[KeyPlace, ...]

    @property
    def detail(self) -> str:
        return " of a sample"

    def blocks(self, *children: Blocks) -> Blocks:
        frame = self.frame
        size = sample_size(frame.npartitions, self.n)
        samples = frame.by_partition(SampleKeys(frame.meta, self.by, size), *children)
        return Gather(
            n=1,
            inputs=(samples,),
            kernel=ChooseSplitters(self.n, self.by),
            indptr=np.array([0, frame.npartitions]),
            indices=every(frame.npartitions),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class KeyDivisions(ScalarExpr):
    """Divisions that part the rows of a frame, sorted by one key, into `n` ranges of about equal size, or fewer.

    Its value is a tuple: the least key, the splitters without repetition, the greatest; None if there are no keys.
    """

    any_partitions = True

    frame: FrameExpr
    n: int
    place: KeyPlace

    def blocks(self, *children: Blocks) -> Blocks:
        frame = self.frame
        size = sample_size(frame.npartitions, self.n)
        samples = frame.by_partition(SampleAndEnds(frame.meta, self.place, size), *children)
        return Gather(
            n=1,
            inputs=(samples,),
            kernel=ChooseDivisions(frame.meta, self.n, self.place),
            indptr=np.array([0, frame.npartitions]),
            indices=every(frame.npartitions),
            name="divisions",
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class RangeShuffle(Shuffle):
    """Rows by ranges of their keys: all rows of a partition come before those of the next."""

    any_partitions = True

    by: tuple[KeyPlace, ...]
    splitters: Any
    """`Splitters`; or a tuple of the ``n - 1`` values that open partitions but the first, where there is one key."""
    sort: bool = True
    """Whether rows are sorted in each partition, too; rows of equal keys stay in the order they are in."""
    known: Divisions = ()
    """The divisions of the result, where they are known; a key outside of them is an error."""
    spread: bool = False
    """Whether rows of a key that is very frequent may be in several partitions, one after the other."""
    pieces: bool = False
    """Whether pieces are tasks of their own, so that no worker gets what it does not need."""

    @property
    def label(self) -> str:
        return "sort" if self.sort else "shuffle"

    @property
    def detail(self) -> str:
        ranges = "" if self.sort else "ranges of "
        return f" by {ranges}{key_labels(self.frame, self.key_positions())}"

    @property
    def kernel_rule(self) -> str:
        return "a radix sort of the bits by which a task's keys differ" if self.sort else ""

    def _divisions(self) -> Divisions:
        return self.known or unknown_divisions(self.n)

    def key_positions(self) -> tuple[int, ...]:
        return tuple(place.position for place in self.by)

    def over(self, frame: FrameExpr, positions: tuple[int, ...]) -> Shuffle:
        known = self.known if frame.has_index else ()
        return self.replace(frame=frame, by=placed(self.by, positions), known=known)

    def shipped(self) -> Expr:
        return self if self.pieces else self.replace(pieces=True).made_at(self.origin)

    def blocks(self, *children: Blocks) -> Blocks:
        frame, meta = self.frame, self.frame.meta
        finish = SortRows(meta, self.by) if self.sort else None
        if self.n == 1 and not self.known:
            n = frame.npartitions
            kernel = GatherAll(meta, finish)
            if n == 1:
                return self.by_partition(kernel, children[0])
            return Gather(
                n=1, inputs=children[:1], kernel=kernel, indptr=np.array([0, n]), indices=every(n), name=self.label,
                origin=self.origin,
            )  # fmt: skip
        given = limits = None
        if not isinstance(self.splitters, Expr):
            given = (key_values(self.splitters, meta, self.by[0].position),)
            limits = (self.known[0], self.known[-1]) if self.known else None
        split = SplitByRange(meta, self.by, self.n, given, limits, self.plan().n_splits if self.spread else 0)
        return shuffled_blocks(self, children[0], split, children[1:], finish, pieces=self.pieces)


def range_shuffle(
    frame: FrameExpr, n: int, by: Sequence[KeyPlace], *, sort: bool = True, spread: bool = False
) -> RangeShuffle:
    """A frame's rows in `n` partitions by ranges of keys, of about equal size."""
    if n == 1:
        return RangeShuffle(frame, n, tuple(by), (), sort)
    n_columns = frame.layout.n_columns
    positions = [place.position for place in by]
    columns = tuple(dict.fromkeys(position for position in positions if position < n_columns))
    needs_index = any(position >= n_columns for position in positions)
    keys = narrow(frame, Wanted(columns, needs_index))
    moved = [columns.index(i) if i < n_columns else len(columns) + i - n_columns for i in positions]
    return RangeShuffle(frame, n, tuple(by), Splitters(keys, n, placed(by, moved)), sort, spread=spread)


def shuffled_blocks(
    expr: Shuffle,
    partitions: Blocks,
    split: Callable[..., Buckets],
    common: tuple[Blocks, ...],
    finish: Callable[[Partition], Partition] | None,
    *,
    pieces: bool,
) -> Blocks:
    """The tables of a shuffle.

    Parameters
    ----------
    expr : Shuffle
    partitions : Blocks
        What is split.
    split : callable
        Kernel: takes a number, the blocks of `common`, then a partition or several; gives their rows by bucket.
    common : tuple of Blocks
        Tables of one block that all splits use.
    finish : callable, optional
        Kernel: takes a gathered partition, and gives the one that results.
    pieces : bool
        Whether pieces are tasks of their own.
    """
    plan, name, origin = expr.plan(), expr.label, expr.origin
    if plan.merges:
        partitions = Gather(
            n=plan.n_splits, inputs=(partitions,), kernel=as_tuple, indptr=np.array(plan.runs),
            indices=every(partitions.n), name=f"{name}-together", origin=origin,
        )  # fmt: skip
    n = plan.n_splits
    splits: Blocks = Map(
        n=n, inputs=(*common, partitions), index=(*[np.zeros(n, np.int64)] * len(common), every(n)),
        kernel=split, params=every(n), name=f"{name}-split", origin=origin,
    )  # fmt: skip
    indptr, indices = plan.gathers()
    if pieces:
        of, buckets = plan.pieces()
        splits = Map(
            n=plan.n_pieces, inputs=(splits,), index=(of,), kernel=piece_of, params=buckets, name=f"{name}-piece",
            origin=origin,
        )  # fmt: skip
        gather: Any = GatherPieces(expr.frame.meta, finish, name, origin)
        return Gather(
            n=plan.n_outputs, inputs=(splits,), kernel=gather, indptr=indptr, indices=indices,
            params=np.arange(plan.n_outputs), name=name, origin=origin,
        )  # fmt: skip
    of = np.tile(np.arange(n), plan.n_outputs)
    return Gather(
        n=plan.n_outputs, inputs=(splits,), kernel=GatherBuckets(expr.frame.meta, finish, name, origin), indptr=indptr,
        indices=of, params=np.arange(plan.n_outputs), name=name, origin=origin,
    )  # fmt: skip
