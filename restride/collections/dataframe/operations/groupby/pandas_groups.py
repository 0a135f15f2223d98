"""Groups as pandas has them: for what there is no kernel for, and for the user's functions.

Rows are split by the hashes of their keys, so that each group is in one partition, and pandas does the rest there. Rows
of a result that is row by row go back to where they were; for others see `groups_of_rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, NewRows, Wanted
from restride.collections.dataframe.kernels.group_tree import Keys
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.layout import layout_of
from restride.collections.dataframe.meta import (
    Meta,
    column_dtypes,
    index_of,
    is_frame_like,
    is_unknown_categorical,
    series_of,
)
from restride.collections.dataframe.operations.completeness import can_miss
from restride.collections.dataframe.operations.groupby.levels import RowPositions
from restride.collections.dataframe.operations.groupby.put_back import PutBack, ShuffleBack
from restride.collections.dataframe.operations.looking import task_count
from restride.collections.dataframe.operations.rowwise import Assign
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle import HashShuffle
from restride.collections.dataframe.partition import (
    Partition,
    columns_of,
    from_pandas,
    index_to_pandas,
    levels_of,
    table_of,
    to_pandas,
)

POSITION = "__row__"
"""Label of the column that has the positions of rows."""

FEWEST, GROUPS_LOOKED_AT, ROWS_LOOKED_AT = 10, 1000, 1 << 16
"""Groups of which a user's function is called for the dtypes of its result, and about how many rows these may have."""

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
        there = np.ones(len(value), bool)
        for key in self.keys if self.dropna else ():
            column = value.iloc[:, key]
            if can_miss(column.dtype):
                there &= column.notna().to_numpy()
        return there

    def some_groups(self, value: pd.DataFrame) -> pd.DataFrame:
        """The first groups of a frame, each whole: enough to see what a function makes of groups."""
        numbers = self.grouped(value, self.keys[0], sort=False, observed=True).ngroup().fillna(-1).to_numpy(np.int64)
        rows = np.cumsum(np.bincount(numbers + 1)[1:])
        n = min(max(FEWEST, int(np.searchsorted(rows, ROWS_LOOKED_AT, side="right"))), GROUPS_LOOKED_AT)
        return value if n >= len(rows) else value[numbers < n]

    def of_kernels(self, meta: Meta) -> Keys:
        """The same for kernels, of partitions of a meta; groups are in any order, and all have rows."""
        dtypes = [column_dtypes(meta)[key] for key in self.keys]
        known = [isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype) for dtype in dtypes]
        categories = tuple(len(dtype.categories) if has else None for dtype, has in zip(dtypes, known))
        return Keys(self.keys, categories, self.dropna)

    def over(self, place: dict[int, int]) -> PandasKeys:
        """The same where columns are at other positions."""
        keys = tuple(place[key] for key in self.keys)
        return PandasKeys(keys, self.names, self.in_list, self.sort, self.group_keys, self.observed, self.dropna)


class GroupNumbers:
    """A grouping by the numbers of rows' groups, -1 or `n` for none, for frames of the grouped columns alone.

    Pandas takes categories as they are, where it would look up each key.
    """

    def __init__(self, codes: np.ndarray, n: int) -> None:
        if codes.max(initial=-1) == n:
            codes = np.where(codes == n, -1, codes)
        self.groups = pd.Categorical.from_codes(codes, categories=pd.RangeIndex(n), validate=False)

    def grouped(self, value: pd.DataFrame, positions: Sequence[int] | int) -> Any:
        """What pandas has for some columns, or one."""
        if isinstance(positions, int):
            return value.iloc[:, positions].groupby(self.groups, observed=False)
        chosen = value if len(positions) == value.shape[1] else value.iloc[:, list(positions)]
        return chosen.groupby(self.groups, observed=False)


class Used(NamedTuple):
    """The columns that something of groups is made of, and where keys and grouped columns are among them."""

    columns: tuple[int, ...]
    """Their positions in the whole frame, ascending."""
    place: dict[int, int]
    """For each its position among them."""
    values: Sequence[int] | int
    """The positions of the grouped columns, or of the one, among them."""


def used_columns(keys: Sequence[int], values: Sequence[int] | int) -> Used:
    """The columns that are used, by positions of keys and of the grouped columns, or of the one."""
    chosen = (values,) if isinstance(values, int) else tuple(values)
    columns = tuple(sorted({*keys, *chosen}))
    place = {position: number for number, position in enumerate(columns)}
    return Used(columns, place, place[values] if isinstance(values, int) else tuple(place[one] for one in chosen))


@dataclass(frozen=True)
class Call:
    """A method of a groupby of pandas, as a function of keys, a frame, and the columns that are grouped."""

    method: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    @property
    def __name__(self) -> str:
        return self.method

    @property
    def sees_keys(self) -> bool:
        """Whether a function of the user's is called, which may ask for the name of a group."""
        return any(map(callable, self.args))

    def __call__(self, by: PandasKeys | GroupNumbers, value: pd.DataFrame, values: Any) -> Any:
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

    @property
    def sees_values(self) -> bool:
        """Whether it looks at more than how many rows of its group come before each."""
        return self.method == "nth" and self.args[1] is not None

    def __call__(self, by: PandasKeys | GroupNumbers, value: pd.DataFrame, values: Any) -> SomeRows:
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
            mask = np.broadcast_to(kept if chosen.ndim == 1 else kept[:, None], chosen.shape)
            return SomeRows(chosen.where(mask), np.arange(len(value)))
        return SomeRows(chosen[kept], np.flatnonzero(kept))


@dataclass(frozen=True)
class OfOneGroup:
    """A user's function of a group; what it raises says which group it was called with."""

    function: Callable[..., Any]

    def __call__(self, group: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.function(group, *args, **kwargs)
        except Exception as error:
            error.add_note(f"called with the group {group.name!r}")
            raise


@dataclass(frozen=True)
class Applied:
    """``apply`` of a user's function."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    __name__ = "apply"

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> Any:
        return by.grouped(value, values).apply(OfOneGroup(self.function), *self.args, **dict(self.kwargs))

    def with_positions(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> tuple[Any, np.ndarray | None]:
        """The result, and the positions of its rows if these are those of the groups, in their order."""
        same: list[bool] = []
        function = OfOneGroup(self.function)

        def watched(group: Any, *args: Any, **kwargs: Any) -> Any:
            made = function(group, *args, **kwargs)
            same.append(is_frame_like(made) and made.index.equals(group.index))
            return made

        made = by.grouped(value, values).apply(watched, *self.args, **dict(self.kwargs))
        if not all(same):
            return made, None
        positions = by.grouped(value, value.shape[1] - 1)
        return made, np.concatenate([np.asarray(group) for _, group in positions])


@dataclass(frozen=True)
class AppliedAsFrame(Applied):
    """The same, of what is made of groups as a whole; single values are a column."""

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> Any:
        made = super().__call__(by, value, values)
        return made.to_frame(0) if isinstance(made, pd.Series) else made


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

    any_partitions = True

    frame: FrameExpr
    by: PandasKeys
    values: Any
    """Positions of the columns, or of the one, that is grouped."""
    function: Function
    of_meta: Any

    @property
    def label(self) -> str:
        return f"groupby-{getattr(self.function, '__name__', 'apply').strip('<>')}"

    @property
    def kernel_rule(self) -> str:
        return "pandas' own, of partitions that have all rows of their groups"

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
        self.keys = by.of_kernels(of)
        self.chosen = (values,) if isinstance(values, int) else tuple(values)
        unlabelled = pd.RangeIndex(0)
        self.chosen_meta = of.iloc[:, list(self.chosen)].set_axis(unlabelled, axis=0)
        self.made_frame = meta.iloc[:, :-1].set_axis(unlabelled, axis=0)
        self.made_series = self.made_frame.iloc[:, 0] if self.made_frame.shape[1] == 1 else None

    def __call__(self, partition: Partition) -> Partition:
        call = self.function if isinstance(self.function, Call) and not self.function.sees_keys else None
        if call is not None and isinstance(partition, pa.Table) and not layout_of(self.meta).opaque:
            return self._by_numbers(call, partition)
        value = to_pandas(partition, self.of)
        index, positions = value.index, value.iloc[:, -1].to_numpy()
        if (call is None or call.method == "transform") and not self.by.any_group(value):
            # Pandas fails to transform no group.
            return self._of_no_groups(index, positions)
        result = self.function(self.by, value, self.values)
        if isinstance(result, SomeRows):
            index, positions = index[result.rows], positions[result.rows]
            result = result.value
        columns = series_of(result)
        data = {i: column.array for i, column in enumerate([*columns, pd.Series(positions)])}
        frame = pd.DataFrame(data, index=index, copy=False)
        return from_pandas(frame.set_axis(self.meta.columns, axis=1), self.meta)

    def _by_numbers(self, call: Call, partition: pa.Table) -> pa.Table:
        """The same by a method of pandas: it sees numbers of groups and the grouped columns, nothing else."""
        groups = self.keys.numbers([partition.column(key) for key in self.by.keys])
        positions = partition.column(len(column_dtypes(self.of)) - 1)
        if call.method == "transform" and groups.codes.min(initial=groups.n) == groups.n:
            return self._of_no_groups(index_to_pandas(partition, self.of), positions.to_numpy())
        columns, levels = [partition.column(i) for i in self.chosen], levels_of(partition, self.of)
        numbers = GroupNumbers(groups.codes, groups.n)
        if isinstance(call, CallForRows) and not call.sees_values:
            chosen = call(numbers, pd.DataFrame(index=pd.RangeIndex(partition.num_rows)), ())
            return take(table_of([*columns, positions], levels, partition.num_rows), chosen.rows)
        value = to_pandas(table_of(columns, [], partition.num_rows), self.chosen_meta)
        result = call(numbers, value, 0 if isinstance(self.values, int) else range(len(columns)))
        if isinstance(result, SomeRows):
            return take(table_of([*columns, positions], levels, partition.num_rows), result.rows)
        meta = self.made_series if isinstance(result, pd.Series) else self.made_frame
        made = from_pandas(result, meta)
        return table_of([*columns_of(made, meta), positions], levels, partition.num_rows)

    def _of_no_groups(self, index: pd.Index, positions: np.ndarray) -> Partition:
        """What is made of rows without a group: missing values, where anything is made."""
        n = 0 if getattr(self.function, "dropna", False) else len(index)
        lacking = self.meta.iloc[:, :-1].reindex(range(n)).set_axis(index[:n], axis=0)
        lacking[POSITION] = positions[:n]
        return from_pandas(lacking.set_axis(self.meta.columns, axis=1), self.meta)


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
    used, place, new_values = used_columns(by.keys, values)
    rows = narrow(frame, Wanted(used, frame.has_index))
    numbered = Assign(rows, (len(used),), (POSITION,), (RowPositions(rows),))
    split: FrameExpr = numbered
    if frame.npartitions > 1:
        split = HashShuffle(numbered, task_count(frame), tuple(place[key] for key in by.keys))
    plain = meta.to_frame() if isinstance(meta, pd.Series) else meta
    columns = {i: plain.iloc[:, i].set_axis(index_of(rows.meta)) for i in range(plain.shape[1])}
    columns[len(columns)] = pd.Series([], dtype="int64", index=index_of(rows.meta))
    with_position = pd.DataFrame(columns, index=index_of(rows.meta))
    made: FrameExpr = RowsOfGroups(split, by.over(place), new_values, function, with_position)
    if frame.npartitions > 1:
        made = ShuffleBack(made, frame.npartitions, plain.shape[1])
    return PutBack(made, frame, meta, all_rows, grouped_meta)
