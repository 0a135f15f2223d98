"""Groups as pandas has them: for what there is no kernel for, and for the user's functions.

Rows are split by the hashes of their keys, so that each group is in one partition, and pandas does the rest there. Rows
of a result that is row by row go back to where they were; groups of others come in their order into one partition.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Gather, every
from restride.collections.dataframe.expr import Divisions, FrameExpr, Lengths, NewRows, Wanted, unknown_divisions
from restride.collections.dataframe.kernels.sort_keys import SortKey
from restride.collections.dataframe.meta import Meta, column_dtypes, has_default_index, index_of, is_frame_like
from restride.collections.dataframe.operations.groupby.levels import RowPositions
from restride.collections.dataframe.operations.rowwise import Assign
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle import HashShuffle, RangeShuffle
from restride.collections.dataframe.operations.shuffle_keys import KeyPlace
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas

POSITION = "__row__"
"""Label of the column that has the positions of rows."""

Function = Callable[..., Any]
"""``function(by, value, values)``: made of some columns of a frame by keys; see `PandasKeys.grouped`."""


@dataclass(frozen=True)
class PandasKeys:
    """The keys of a grouping, and its options, for frames of pandas."""

    keys: tuple[int, ...]
    """Positions of the key columns."""
    names: tuple[Hashable, ...]
    in_list: bool
    sort: bool
    group_keys: bool
    observed: bool
    dropna: bool

    def grouped(self, value: pd.DataFrame, positions: Sequence[int] | int, **changes: Any) -> Any:
        """What pandas has for some columns, or one."""
        chosen = value.iloc[:, positions if isinstance(positions, int) else list(positions)]
        keys = [value.iloc[:, key].rename(name) for key, name in zip(self.keys, self.names)]
        options = {"sort": self.sort, "group_keys": self.group_keys, "observed": self.observed, "dropna": self.dropna}
        return chosen.groupby(keys if self.in_list or len(keys) > 1 else keys[0], **{**options, **changes})

    def any_group(self, value: pd.DataFrame) -> bool:
        """Whether any row of a frame is in a group."""
        return bool(self.in_groups(value).any())

    def in_groups(self, value: pd.DataFrame) -> np.ndarray:
        """Which rows of a frame are in a group."""
        if not self.dropna:
            return np.ones(len(value), bool)
        return value.iloc[:, list(self.keys)].notna().all(axis=1).to_numpy()

    def over(self, place: dict[int, int]) -> PandasKeys:
        """The same where columns are at other positions."""
        keys = tuple(place[key] for key in self.keys)
        return PandasKeys(keys, self.names, self.in_list, self.sort, self.group_keys, self.observed, self.dropna)


@dataclass(frozen=True)
class Call:
    """A method of a groupby of pandas, as a function of keys, a frame, and the columns that are grouped."""

    method: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    @property
    def __name__(self) -> str:
        return self.method

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> Any:
        return getattr(by.grouped(value, values), self.method)(*self.args, **dict(self.kwargs))


@dataclass(frozen=True)
class SomeRows:
    """What a function makes of a frame that is not a row for each row."""

    value: Any
    rows: np.ndarray
    """Which row of the frame each row is of."""


@dataclass(frozen=True)
class CallForRows(Call):
    """A method that gives some of the rows as they are."""

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> SomeRows:
        numbered = value.set_axis(pd.RangeIndex(len(value)), axis=0)
        result = super().__call__(by, numbered, values)
        return SomeRows(result, result.index.to_numpy())


@dataclass(frozen=True)
class KeepGroups:
    """The rows of groups for which a user's function is true."""

    function: Callable[..., Any]
    dropna: bool
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    __name__ = "filter"

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> SomeRows:
        grouped = by.grouped(value, values)
        keep = []
        for _, group in grouped:
            answer = self.function(group, *self.args, **dict(self.kwargs))
            if not isinstance(answer, (bool, np.bool_)) and not pd.isna(answer):
                raise TypeError(f"filter function returned a {type(answer).__name__}, but expected a scalar bool")
            keep.append(bool(answer) if not pd.isna(answer) else False)
        kept = np.append(np.array(keep, bool), False)[grouped.ngroup().fillna(-1).astype(np.int64).to_numpy()]
        chosen = value.iloc[:, values if isinstance(values, int) else list(values)]
        if not self.dropna:
            return SomeRows(chosen.where(kept), np.arange(len(value)))
        return SomeRows(chosen[kept], np.flatnonzero(kept))


@dataclass(frozen=True)
class Applied:
    """``apply`` of a user's function."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    __name__ = "apply"

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> Any:
        return by.grouped(value, values).apply(self.function, *self.args, **dict(self.kwargs))

    def with_positions(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> tuple[Any, np.ndarray | None]:
        """The result, and the positions of its rows if these are those of the groups, in their order."""
        same: list[bool] = []

        def watched(group: Any, *args: Any, **kwargs: Any) -> Any:
            made = self.function(group, *args, **kwargs)
            same.append(is_frame_like(made) and made.index.equals(group.index))
            return made

        made = by.grouped(value, values).apply(watched, *self.args, **dict(self.kwargs))
        if not all(same):
            return made, None
        positions = by.grouped(value, value.shape[1] - 1)
        return made, np.concatenate([np.asarray(group) for _, group in positions])


@dataclass(frozen=True)
class Windowed:
    """A method of windows over each group, such as ``rolling(3).sum()``."""

    window: Call
    method: Call

    @property
    def __name__(self) -> str:
        return f"{self.window.method}-{self.method.method}"

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> Any:
        window = self.window(by, value, values)
        return getattr(window, self.method.method)(*self.method.args, **dict(self.method.kwargs))


@dataclass(frozen=True, eq=False, repr=False)
class SplitGroups(NewRows):
    """Base of what pandas makes of each partition of a frame whose groups are in one partition each."""

    frame: FrameExpr
    by: PandasKeys
    values: Any
    """Positions of the columns, or of the one, that is grouped."""
    function: Function
    of_meta: Any

    @property
    def label(self) -> str:
        return f"groupby-{getattr(self.function, '__name__', 'apply').strip('<>')}"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta


@dataclass(frozen=True, eq=False, repr=False)
class RowsOfGroups(SplitGroups):
    """Rows made of rows; the last column of the frame, and of the result, has their positions."""

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = RowsOfGroupsBlock(self.frame.meta, self.by, self.values, self.function, self.meta)
        return self.by_partition(kernel, *children)


class RowsOfGroupsBlock:
    """Kernel: what pandas makes of the rows of whole groups, row by row."""

    def __init__(self, of: Any, by: PandasKeys, values: Any, function: Function, meta: Any) -> None:
        self.__name__ = f"groupby-{getattr(function, '__name__', 'apply')}"
        self.of, self.by, self.values, self.function, self.meta = of, by, values, function, meta

    def __call__(self, partition: Partition) -> Partition:
        value = to_pandas(partition, self.of)
        index, positions = value.index, value.iloc[:, -1].to_numpy()
        if not self.by.any_group(value):
            # All that is made of rows in no group is missing, where something is made of them.
            rows = [] if isinstance(self.function, (CallForRows, KeepGroups)) else range(len(value))
            lacking = self.meta.iloc[:, :-1].reindex(range(len(rows))).set_axis(index[: len(rows)], axis=0)
            lacking[POSITION] = positions[: len(rows)]
            return from_pandas(lacking.set_axis(self.meta.columns, axis=1), self.meta)
        result = self.function(self.by, value, self.values)
        if isinstance(result, SomeRows):
            index, positions = index[result.rows], positions[result.rows]
            result = result.value
        columns = [result] if isinstance(result, pd.Series) else [result.iloc[:, i] for i in range(result.shape[1])]
        data = {i: column.array for i, column in enumerate([*columns, pd.Series(positions)])}
        frame = pd.DataFrame(data, index=index)
        return from_pandas(frame.set_axis(self.meta.columns, axis=1), self.meta)


@dataclass(frozen=True, eq=False, repr=False)
class PutBack(FrameExpr):
    """Rows that have come back to the partitions of a frame, whose rows they are; all of them, or some."""

    frame: FrameExpr
    """The last column has the positions."""
    rows_of: FrameExpr
    of_meta: Any
    all_rows: bool
    grouped_meta: Any = None
    """The meta where no row is without a group; None where that makes no difference."""

    @property
    def label(self) -> str:
        return "put-back"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _lengths(self) -> Lengths | None:
        return self.rows_of.lengths if self.all_rows else None

    def _divisions(self) -> Divisions:
        return self.rows_of.divisions if self.all_rows else unknown_divisions(self.npartitions)

    def _rows(self) -> str:
        return self.rows_of.rows if self.all_rows else f"{self.rows_of.rows}[{self.frame.name}]"

    def narrower(self, place: int) -> Any:
        """The dtype where no row is without a group."""
        return dtype_if_grouped(self.meta, self.grouped_meta, place)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "children", (self.frame,))  # of the other only what is known of it is used

    def with_children(self, children: Sequence[Any]) -> FrameExpr:
        return self.replace(frame=children[0])

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(DropPositions(self.frame.meta, self.meta), *children)


@dataclass(frozen=True)
class DropPositions:
    """Kernel: the rows without their positions, and without labels that need not be stored."""

    of: Any
    meta: Any
    __name__ = "put-back"

    def __call__(self, partition: Partition) -> Partition:
        value = to_pandas(partition, self.of).iloc[:, :-1]
        if has_default_index(self.meta):
            value = value.set_axis(pd.RangeIndex(len(value)), axis=0)
        if isinstance(self.meta, pd.Series):
            value = value.iloc[:, 0].rename(self.meta.name)
        return from_pandas(value, self.meta)


def rows_of_groups(
    frame: FrameExpr,
    by: PandasKeys,
    values: Sequence[int] | int,
    function: Function,
    meta: Meta,
    *,
    all_rows: bool,
    grouped_meta: Meta | None = None,
) -> FrameExpr:
    """What a function of a groupby of pandas makes of a frame's rows, row by row, in the order of the rows.

    Parameters
    ----------
    frame : FrameExpr
        Its index is stored where the function looks at labels, or leaves out rows.
    by : PandasKeys
    values : int or sequence of int
    function : callable
    meta : Meta
        Of the result.
    all_rows : bool
        Whether there is a row for each row.
    grouped_meta : Meta, optional
        Of the result where no row is without a group.
    """
    singular = isinstance(values, int)
    chosen = (values,) if isinstance(values, int) else tuple(values)
    used = tuple(sorted({*by.keys, *chosen}))
    place = {position: number for number, position in enumerate(used)}
    rows = narrow(frame, Wanted(used, frame.has_index))
    numbered = Assign(rows, (len(used),), (POSITION,), (RowPositions(rows),))
    split: FrameExpr = numbered
    if frame.npartitions > 1:
        split = HashShuffle(numbered, frame.npartitions, tuple(place[key] for key in by.keys))
    plain = meta.to_frame() if isinstance(meta, pd.Series) else meta
    columns = {i: plain.iloc[:, i].set_axis(index_of(rows.meta)) for i in range(plain.shape[1])}
    columns[len(columns)] = pd.Series([], dtype="int64", index=index_of(rows.meta))
    with_position = pd.DataFrame(columns, index=index_of(rows.meta))
    new_values: Any = place[chosen[0]] if singular else tuple(place[value] for value in chosen)
    made: FrameExpr = RowsOfGroups(split, by.over(place), new_values, function, with_position)
    if frame.npartitions > 1:
        starts = tuple((np.arange(1, frame.npartitions) << 40).tolist())
        made = RangeShuffle(made, frame.npartitions, (KeyPlace(plain.shape[1], SortKey()),), starts)
    return PutBack(made, frame, meta, all_rows, grouped_meta)


def dtype_if_grouped(meta: Meta, grouped_meta: Meta | None, place: int) -> Any:
    """The dtype that a column has if no row is without a group; None if that makes no difference."""
    if grouped_meta is None:
        return None
    dtype = column_dtypes(grouped_meta)[place]
    return dtype if dtype != column_dtypes(meta)[place] else None


@dataclass(frozen=True, eq=False, repr=False)
class GroupsOfRows(SplitGroups):
    """What pandas makes of groups, in one partition: in the order of the groups."""

    drops_keys: bool
    """Whether rows that have labels of their own are known by these alone."""

    def _npartitions(self) -> int:
        return 1

    def blocks(self, *children: Blocks) -> Blocks:
        alone = self.frame.npartitions == 1
        kernel = GroupsOfRowsBlock(self.frame.meta, self.by, self.values, self.function, alone)
        made = self.frame.by_partition(kernel, *children)
        return Gather(
            n=1,
            inputs=(made,),
            kernel=InOrder(self.by, self.meta, self.drops_keys),
            indptr=np.array([0, made.n]),
            indices=every(made.n),
            name=self.label,
            origin=self.origin,
        )


class GroupsOfRowsBlock:
    """Kernel: what pandas makes of whole groups, and the first row of each of these."""

    def __init__(self, of: Any, by: PandasKeys, values: Any, function: Function, alone: bool) -> None:
        self.__name__ = f"groupby-{getattr(function, '__name__', 'apply')}"
        self.of, self.by, self.values, self.function, self.alone = of, by, values, function, alone

    def __call__(self, partition: Partition) -> Any:
        value = to_pandas(partition, self.of)
        if not self.alone and not self.by.any_group(value):
            return None
        if self.alone:
            return self.function(self.by, value, self.values), None, None
        by, positions = replace(self.by, group_keys=True), None
        if isinstance(self.function, Applied):
            made, positions = self.function.with_positions(by, value, self.values)
        else:
            made = self.function(by, value, self.values)
        first = self.by.grouped(value, value.shape[1] - 1, observed=True).min()
        return made, first, positions


class InOrder:
    """Kernel: what was made of groups in several places, in the order of the groups."""

    __name__ = "groupby-order"

    def __init__(self, by: PandasKeys, meta: Any, drops_keys: bool) -> None:
        self.by, self.meta, self.drops_keys = by, meta, drops_keys

    def __call__(self, *parts: Any) -> Partition:
        there = [part for part in parts if part is not None and len(part[0])]
        if not there:
            return from_pandas(self.meta, self.meta)
        if there[0][1] is None:
            return from_pandas(there[0][0], self.meta)
        made = pd.concat([part[0] for part in there])
        firsts = pd.concat([part[1] for part in there])
        n_keys = len(self.by.keys)
        inner = list(range(n_keys, made.index.nlevels))
        keys = made.index.droplevel(inner) if inner else made.index
        order = self._order(keys, firsts)
        if self.drops_keys and all(part[2] is not None for part in there):
            order = np.argsort(np.concatenate([part[2] for part in there]))
        made = made.iloc[order]
        if self.drops_keys and made.index.nlevels > n_keys:
            made = made.droplevel(list(range(n_keys)))
        return from_pandas(made, self.meta)

    def _order(self, keys: pd.Index, firsts: pd.Series) -> np.ndarray:
        frame = keys.to_frame(index=False)
        frame.columns = range(frame.shape[1])
        columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
        if self.by.sort:
            groups = frame.groupby(columns, sort=True, dropna=False, observed=True).ngroup()
            return np.argsort(groups.to_numpy(), kind="stable")
        places = firsts.to_numpy()[firsts.index.get_indexer(keys)]
        return np.argsort(places, kind="stable")


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
    chosen = (values,) if isinstance(values, int) else tuple(values)
    used = tuple(sorted({*by.keys, *chosen}))
    place = {position: number for number, position in enumerate(used)}
    rows = narrow(frame, Wanted(used, frame.has_index))
    split: FrameExpr = Assign(rows, (len(used),), (POSITION,), (RowPositions(rows),))
    if frame.npartitions > 1:
        # Of combinations of categories that do not occur, one partition has to know all.
        n = frame.npartitions if by.observed and not together else 1
        split = HashShuffle(split, n, tuple(place[key] for key in by.keys))
    new_values: Any = place[chosen[0]] if isinstance(values, int) else tuple(place[value] for value in chosen)
    return GroupsOfRows(split, by.over(place), new_values, function, meta, drops_keys)
