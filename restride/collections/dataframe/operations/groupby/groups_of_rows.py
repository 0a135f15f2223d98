"""What pandas makes of groups that is not row by row: groups come in their order into one partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, every
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.groupby.levels import RowPositions
from restride.collections.dataframe.operations.groupby.pandas_groups import (
    POSITION,
    Applied,
    Function,
    PandasKeys,
    SplitGroups,
    used_columns,
)
from restride.collections.dataframe.operations.looking import task_count
from restride.collections.dataframe.operations.rowwise import Assign
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle import HashShuffle
from restride.collections.dataframe.partition import Partition, concat, from_pandas, n_rows, to_pandas
from restride.engine.graphs.csr import positions, row_starts


@dataclass(frozen=True, eq=False, repr=False)
class GroupsOfRows(SplitGroups):
    """What pandas makes of groups, in one partition: in the order of the groups."""

    drops_keys: bool
    """Whether rows that have labels of their own are known by these alone."""

    def _npartitions(self) -> int:
        return 1

    def blocks(self, *children: Blocks) -> Blocks:
        kernel: Any
        if self.frame.npartitions == 1:
            kernel = AllGroupsBlock(self.frame.meta, self.by, self.values, self.function, self.meta)
            return self.by_partition(kernel, *children)
        kernel = GroupsOfRowsBlock(self.frame.meta, self.by, self.values, self.function, self.meta, self.drops_keys)
        made = self.by_partition(kernel, *children)
        return Gather(
            n=1,
            inputs=(made,),
            kernel=InOrder(self.by, self.meta),
            indptr=np.array([0, made.n]),
            indices=every(made.n),
            name=self.label,
            origin=self.origin,
        )


class AllGroupsBlock:
    """Kernel: what pandas makes of all groups, which are in one place."""

    def __init__(self, of: Any, by: PandasKeys, values: Any, function: Function, meta: Any) -> None:
        self.__name__ = f"groupby-{getattr(function, '__name__', 'apply')}"
        self.of, self.by, self.values, self.function, self.meta = of, by, values, function, meta

    def __call__(self, partition: Partition) -> Partition:
        made = self.function(self.by, to_pandas(partition, self.of), self.values)
        return from_pandas(made if len(made) else self.meta, self.meta)


class SomeGroups(NamedTuple):
    """What was made of the groups in one place: runs of rows, each of one group."""

    rows: Partition
    starts: np.ndarray
    """The first row of each run."""
    keys: pd.Index
    """The key of each run."""
    places: np.ndarray | None
    """For each run the first row of its group, where groups are in the order of these."""
    positions: np.ndarray | None
    """For each row its place among all, where they are rows of the frame."""


class GroupsOfRowsBlock:
    """Kernel: what pandas makes of some of the groups; the last column has positions where they are looked at."""

    def __init__(self, of: Any, by: PandasKeys, values: Any, function: Function, meta: Any, drops_keys: bool) -> None:
        self.__name__ = f"groupby-{getattr(function, '__name__', 'apply')}"
        self.of, self.by, self.values, self.function = of, by, values, function
        self.meta, self.drops_keys = meta, drops_keys

    def __call__(self, partition: Partition) -> SomeGroups | None:
        value = to_pandas(partition, self.of)
        if not self.by.any_group(value):
            return None
        by, places_of_rows = replace(self.by, group_keys=True), None
        if self.drops_keys and isinstance(self.function, Applied):
            made, places_of_rows = self.function.with_positions(by, value, self.values)
        else:
            made = self.function(by, value, self.values)
        if not len(made):
            return None
        made = _long(made, self.meta)
        starts = _runs(made.index, len(self.by.keys))
        inner = list(range(len(self.by.keys), made.index.nlevels))
        keys = made.index[starts].droplevel(inner) if inner else made.index
        if inner and self.drops_keys:
            made = made.droplevel(list(range(len(self.by.keys))))
        rows = from_pandas(made, self.meta)
        places = None if self.by.sort else self._first_rows(value, keys)
        return SomeGroups(rows, starts, keys, places, places_of_rows)

    def _first_rows(self, value: pd.DataFrame, keys: pd.Index) -> np.ndarray:
        firsts = self.by.grouped(value, value.shape[1] - 1, observed=True).min()
        places: np.ndarray = firsts.to_numpy()[firsts.index.get_indexer(keys)]
        return places


def _runs(index: pd.Index, n_keys: int) -> np.ndarray:
    """The first row of each group, by what is in front of other levels; each row where there is none."""
    if not isinstance(index, pd.MultiIndex) or index.nlevels == n_keys:
        return np.arange(len(index))
    new = np.zeros(len(index), bool)
    new[0] = True
    for codes in index.codes[:n_keys]:
        new[1:] |= codes[1:] != codes[:-1]
    return np.flatnonzero(new)


def _joined(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """Numbers of all parts, if each has them."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


class InOrder:
    """Kernel: what was made of groups in several places, in the order of the groups; a sort of the groups."""

    __name__ = "groupby-order"

    def __init__(self, by: PandasKeys, meta: Any) -> None:
        self.by, self.meta = by, meta

    def __call__(self, *parts: SomeGroups | None) -> Partition:
        there = [part for part in parts if part is not None]
        if not there:
            return from_pandas(self.meta, self.meta)
        rows = concat([part.rows for part in there], self.meta)
        order = _joined([part.positions for part in there])
        order = self._of_runs(there) if order is None else np.argsort(order)
        return take(rows, order) if isinstance(rows, pa.Table) else rows.take(order)

    def _of_runs(self, parts: Sequence[SomeGroups]) -> np.ndarray:
        """The rows, run after run."""
        runs = self._order(parts)
        lengths = np.concatenate([np.diff(part.starts, append=n_rows(part.rows)) for part in parts])
        return positions(row_starts(lengths)[runs], lengths[runs])

    def _order(self, parts: Sequence[SomeGroups]) -> np.ndarray:
        places = _joined([part.places for part in parts])
        if places is not None:
            return np.argsort(places, kind="stable")
        levels = range(parts[0].keys.nlevels)  # two keys may have one name
        frame = pd.concat(
            [part.keys.set_names(list(levels)).to_frame(index=False) for part in parts], ignore_index=True
        )
        columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
        groups = frame.groupby(columns, sort=True, dropna=False, observed=True).ngroup()
        return np.argsort(groups.to_numpy(), kind="stable")


def _long(made: Any, meta: Any) -> Any:
    """What was made of groups as a series, where it is one: of groups with the same labels pandas makes a frame."""
    if not (isinstance(made, pd.DataFrame) and isinstance(meta, pd.Series)):
        return made
    index = pd.MultiIndex.from_tuples(
        [(*(key if isinstance(key, tuple) else (key,)), label) for key in made.index for label in made.columns],
        names=[*made.index.names, meta.index.names[-1]],
    )
    return pd.Series(made.to_numpy().ravel(), index=index, dtype=made.dtypes.iloc[0], name=meta.name)


def groups_of_rows(
    frame: FrameExpr,
    by: PandasKeys,
    values: Sequence[int] | int,
    function: Function,
    meta: Meta,
    *,
    drops_keys: bool = False,
    together: bool = False,
) -> FrameExpr:
    """What a function of a groupby of pandas makes of the groups of a frame, with the keys as the index.

    Parameters
    ----------
    frame : FrameExpr
        Its index is stored where the function looks at labels.
    by : PandasKeys
    values : int or sequence of int
    function : callable
    meta : Meta
        Of the result, which may have further levels of the index.
    drops_keys : bool
        Whether rows with such levels have no others.
    together : bool
        Whether all groups have to be in one place.
    """
    used, place, new_values = used_columns(by.keys, values)
    rows = narrow(frame, Wanted(used, frame.has_index))
    numbered = not by.sort or (drops_keys and isinstance(function, Applied))
    split: FrameExpr = Assign(rows, (len(used),), (POSITION,), (RowPositions(rows),)) if numbered else rows
    if frame.npartitions > 1:
        # Of combinations of categories that do not occur, one partition has to know all.
        n = task_count(frame) if by.observed and not together else 1
        split = HashShuffle(split, n, tuple(place[key] for key in by.keys))
    return GroupsOfRows(split, by.over(place), new_values, function, meta, drops_keys)
