"""Row by row: operations whose result has the same rows in the same partitions, each made of its own row alone.

`Rowwise` calls any function that pandas objects know: an operator, a method, a method of an accessor. The function sees
rows that are numbered, so that nothing is aligned, and its result gets the labels of the first operand. Its meta is
what the function makes of the operands' metas, which is pandas' own business: it is never a user's function.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.layout import layout_of
from restride.collections.dataframe.meta import Meta, is_frame_like, with_index
from restride.collections.dataframe.operations.by_value import is_by_value, made_by_value, worth_it
from restride.collections.dataframe.operations.formulas import literal
from restride.collections.dataframe.operations.selection import (
    Project,
    narrow,
    narrowed_kind,
    projected_meta,
    without_index,
)
from restride.collections.dataframe.partition import (
    Partition,
    column_from_pandas,
    columns_of,
    from_pandas,
    levels_of,
    n_rows,
    table_of,
    to_pandas,
)
from restride.collections.expression import Expr


@dataclass(frozen=True)
class Method:
    """A method of pandas objects as a function: ``Method("str.upper")(series)``.

    Examples
    --------
    >>> Method("str.upper")(pd.Series(["a"])).tolist()
    ['A']
    """

    path: str

    @property
    def __name__(self) -> str:
        return self.path

    def __call__(self, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        return operator.attrgetter(self.path)(value)(*args, **kwargs)


@dataclass(frozen=True)
class Attribute:
    """An attribute of pandas objects as a function: ``Attribute("dt.year")(series)``."""

    path: str

    @property
    def __name__(self) -> str:
        return self.path

    def __call__(self, value: Any) -> Any:
        return operator.attrgetter(self.path)(value)


@dataclass(frozen=True, eq=False, repr=False)
class Rowwise(FrameExpr):
    """``function(*args, **kwargs)``, row by row."""

    any_partitions = True
    partitionwise = True

    function: Callable[..., Any]
    args: tuple[Any, ...]
    """Frames and series of the same rows, of which the first gives the labels; scalars; plain values."""
    kwargs: tuple[tuple[str, Any], ...] = ()
    columnwise: bool = False
    """Whether a column of the result is made of the columns at its place alone."""
    declared: Any = None
    """The meta, where pandas cannot tell it; its index is not looked at."""

    @property
    def label(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    @property
    def detail(self) -> str:
        plain = [literal(arg) for arg in self.args if not isinstance(arg, Expr)]
        plain += [f"{name}={literal(value)}" for name, value in self.kwargs if type(value) is not tuple or value]
        return f"({', '.join(plain)})" if plain else ""

    def _meta(self) -> Meta:
        index = self._first().meta.index
        if self.declared is not None:
            return with_index(self.declared, index)
        return with_index(rowwise_meta(self.function, self.args, dict(self.kwargs)), index)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        first = self._first()
        args: tuple[Any, ...]
        if self.columnwise and wanted.columns and len(wanted.columns) < self.layout.n_columns:
            args = tuple(
                narrow(arg, Wanted(wanted.columns, wanted.index and arg is first)) if is_frame(arg) else arg
                for arg in self.args
            )
            meta = projected_meta(self.meta, wanted, narrowed_kind(self.meta, wanted))
            return Rowwise(self.function, args, self.kwargs, True, meta)
        if not wanted.columns:
            return narrow(first, Wanted((), wanted.index))
        if wanted.index or not self.has_index:
            return None
        args = tuple(without_index(arg) if isinstance(arg, FrameExpr) else arg for arg in self.args)
        plain: FrameExpr = self.replace(args=args, declared=self.meta)
        return narrow(plain, wanted)

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.npartitions
        operands = [arg for arg in self.args if isinstance(arg, Expr)]
        return Map(
            n=n,
            inputs=children,
            index=tuple(every(n) if isinstance(arg, FrameExpr) else np.zeros(n, np.int64) for arg in operands),
            kernel=RowwiseBlock(self.function, template_of(self.args), self.kwargs, self.meta),
            name=self.label,
            origin=self.origin,
        )


Template = tuple[tuple[str, Any], ...]
"""For each argument of a function: ``("frame", meta)``, ``("scalar", None)``, or ``("value", the value)``."""


def template_of(args: Sequence[Any]) -> Template:
    """How the arguments of a function are made of blocks."""
    return tuple(
        ("frame", arg.meta)
        if isinstance(arg, FrameExpr)
        else ("scalar", None)
        if isinstance(arg, ScalarExpr)
        else ("value", arg)
        for arg in args
    )


def evaluated(function: Callable[..., Any], template: Template, kwargs: dict[str, Any], blocks: Sequence[Any]) -> Any:
    """What a function makes of blocks, as pandas objects without labels, and plain values."""
    given = iter(blocks)
    args = []
    for kind, value in template:
        if kind == "value":
            args.append(value)
        else:
            block = next(given)
            args.append(to_pandas(block, value, index=False) if kind == "frame" else block)
    with warnings.catch_warnings():
        # numpy's of divisions by zero, which pandas keeps to itself where it calls numpy
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(*args, **kwargs)


class RowwiseBlock:
    """Kernel: a function of the pandas objects that partitions stand for."""

    def __init__(self, function: Callable[..., Any], template: Template, kwargs: Any, meta: Meta) -> None:
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.function, self.template, self.kwargs, self.meta = function, template, dict(kwargs), meta
        frames = [kind for kind, _ in template if kind != "value"]
        self.first = frames.index("frame")
        self.rows_meta = next(value for kind, value in template if kind == "frame")
        self.by_value = is_by_value(function, template, self.kwargs) and not layout_of(meta).opaque

    def __call__(self, *blocks: Any) -> Partition:
        if self.by_value and worth_it(blocks[0]):
            return made_by_value(lambda strings: self._of(strings, *blocks[1:]), blocks[0], self.rows_meta, self.meta)
        return from_pandas(self._of(*blocks), self.meta, rows_of=blocks[self.first], rows_meta=self.rows_meta)

    def _of(self, *blocks: Any) -> Any:
        return evaluated(self.function, self.template, self.kwargs, blocks)


def is_frame(arg: Any) -> bool:
    """Whether an operand has columns."""
    return isinstance(arg, FrameExpr) and isinstance(arg.meta, pd.DataFrame)


def rowwise(
    function: Callable[..., Any], *args: Any, columnwise: bool = False, declared: Any = None, **kwargs: Any
) -> FrameExpr:
    """A function of frames and series of the same rows, row by row; see `Rowwise`.

    Raises
    ------
    ValueError
        The operands have not the same rows.
    """
    frames = [arg for arg in args if isinstance(arg, FrameExpr)]
    check_rows(frames)
    args = tuple(without_index(arg) if isinstance(arg, FrameExpr) and arg is not frames[0] else arg for arg in args)
    return Rowwise(function, args, tuple(kwargs.items()), columnwise, declared)


def check_rows(frames: Sequence[FrameExpr]) -> None:
    """See that frames can be used row by row together."""
    for other in frames[1:]:
        if other.rows != frames[0].rows:
            raise ValueError(
                f"{other!r} has not the rows of {frames[0]!r} in the same partitions; "
                "merge or join them, or give both divisions by set_index"
            )


def rowwise_meta(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Meta:
    """What pandas makes of metas."""
    metas = []
    for arg in args:
        if isinstance(arg, FrameExpr):
            metas.append(arg.meta.set_axis(pd.RangeIndex(0), axis=0))
        elif isinstance(arg, ScalarExpr):
            metas.append(arg.sample())
        else:
            metas.append(arg)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        meta = function(*metas, **kwargs)
    if not is_frame_like(meta):
        raise TypeError(f"{function!r} of {[type(m).__name__ for m in metas]} is {type(meta).__name__}, not row by row")
    return meta


@dataclass(frozen=True, eq=False, repr=False)
class Filter(FrameExpr):
    """The rows of a frame for which a series of truth values, of the same rows, is true."""

    any_partitions = True
    partitionwise = True

    frame: FrameExpr
    mask: FrameExpr

    def _lengths(self) -> None:
        return None

    def _rows(self) -> str:
        return f"{self.frame.rows}[{self.mask.name}]"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return Filter(narrow(self.frame, wanted), self.mask)

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(filter_rows, *children)


def filter_rows(partition: Partition, mask: Partition) -> Partition:
    """Kernel: the rows for which a mask is true."""
    return true_rows(partition, truth(mask))


def true_rows(partition: Partition, true: np.ndarray) -> Partition:
    """The rows of a partition for which truth values are true."""
    if not isinstance(partition, pa.Table):
        return partition[true]
    rows = np.flatnonzero(true)
    return partition if len(rows) == len(true) else pc.take(partition, pa.array(rows), boundscheck=False)


def truth(mask: Partition) -> np.ndarray:
    """A partition of truth values as numpy's; missing ones are false."""
    if not isinstance(mask, pa.Table):
        return np.asarray(mask.fillna(False), dtype=bool)
    values = mask.column(0)
    if values.null_count:
        values = values.fill_null(False)
    return values.to_numpy()


def filtered(frame: FrameExpr, mask: FrameExpr) -> FrameExpr:
    """The rows where a series of truth values of the same rows is true; they keep their labels.

    Raises
    ------
    KeyError, ValueError
        The mask is not of truth values; or has other rows.
    """
    if mask.meta.dtype != bool and str(mask.meta.dtype) not in ("boolean", "bool[pyarrow]"):
        raise KeyError(f"a mask must be of truth values, this is of {mask.meta.dtype}")
    check_rows([frame, mask])
    return Filter(labelled(frame), without_index(mask))


@dataclass(frozen=True, eq=False, repr=False)
class Assign(FrameExpr):
    """A frame with further, or other, columns, given as series of the same rows."""

    any_partitions = True
    partitionwise = True

    frame: FrameExpr
    places: tuple[int, ...]
    """For each series where its column comes; at the number of columns or above: as a new one, in order."""
    labels: tuple[Hashable, ...]
    """The label of each."""
    series: tuple[FrameExpr, ...]

    @property
    def detail(self) -> str:
        return f"[{', '.join(map(str, self.labels[:8]))}]"

    def _meta(self) -> Meta:
        meta = self.frame.meta
        n = meta.shape[1]
        columns = {i: meta.iloc[:, i] for i in range(n)}
        for place, one in zip(self.places, self.series):
            columns[place] = one.meta.set_axis(meta.index)
        labels = list(meta.columns) + [label for place, label in zip(self.places, self.labels) if place >= n]
        new = pd.DataFrame(columns, index=meta.index)  # columns by place
        new.columns = _extended(meta.columns, labels)
        return new

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        if place in self.places:
            return self.series[self.places.index(place)], 0
        n = self.frame.layout.n_columns
        return self.frame, place if place < n else place - (self.layout.n_columns - n)

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        n = self.frame.layout.n_columns
        given = dict(zip(self.places, zip(self.labels, self.series)))
        old = tuple(i for i in wanted.columns if i < n and i not in given)
        base = narrow(self.frame, Wanted(old, wanted.index))
        new = [i for i in wanted.columns if i in given]
        if not new:
            return base
        places = tuple(len(old) + i for i in range(len(new)))
        labels = tuple(given[i][0] for i in new)
        widened = Assign(base, places, labels, tuple(given[i][1] for i in new))
        order = [(*old, *new).index(i) for i in wanted.columns]
        return widened if order == sorted(order) else narrow(widened, Wanted(tuple(order), wanted.index))

    def passed(self, wanted: Wanted, kind: str) -> FrameExpr | None:
        if not any(i in self.places for i in wanted.columns):
            return Project(self.frame, wanted, kind)  # type: ignore[arg-type]
        if kind != "series" or wanted.index:
            return None
        which = self.places.index(wanted.columns[0])
        renamed = self.labels[which] != self.series[which].meta.name
        return None if renamed else without_index(self.series[which])

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = AssignBlock(self.frame.meta, self.places, tuple(one.meta for one in self.series), self.meta)
        return self.by_partition(kernel, *children)


def _extended(columns: pd.Index, labels: Sequence[Hashable]) -> pd.Index:
    if len(labels) == len(columns):
        return columns
    if isinstance(columns, pd.MultiIndex):
        full = [label if isinstance(label, tuple) else (label, *[""] * (columns.nlevels - 1)) for label in labels]
        return pd.MultiIndex.from_tuples(full, names=columns.names)
    if len(columns) == 0:
        return pd.Index(labels, tupleize_cols=False)
    return pd.Index(labels, name=columns.name, tupleize_cols=False)


class AssignBlock:
    """Kernel: a partition with further columns."""

    __name__ = "assign"

    def __init__(self, of: Any, places: Sequence[int], series: Sequence[Any], meta: Any) -> None:
        self.of, self.places, self.series, self.meta = of, tuple(places), tuple(series), meta

    def __call__(self, partition: Partition, *columns: Partition) -> Partition:
        n = self.of.shape[1]
        if isinstance(partition, pa.Table) and all(isinstance(column, pa.Table) for column in columns):
            data = dict(enumerate(columns_of(partition, self.of)))
            data |= {place: column.column(0) for place, column in zip(self.places, columns)}
            return table_of(list(data.values()), levels_of(partition, self.of), partition.num_rows)
        frame = to_pandas(partition, self.of, index=False)
        parts = {i: frame.iloc[:, i] for i in range(n)}
        parts |= {p: to_pandas(c, m, index=False) for p, c, m in zip(self.places, columns, self.series)}
        result = pd.DataFrame(parts, index=frame.index)
        return from_pandas(result, self.meta, rows_of=partition, rows_meta=self.of)


def assigned(frame: FrameExpr, columns: dict[Hashable, FrameExpr]) -> FrameExpr:
    """A frame with columns set, one after the other, each wherever its label is; all series have the frame's rows."""
    check_rows([frame, *columns.values()])
    made: list[tuple[int, Hashable, FrameExpr]] = []
    n = frame.layout.n_columns
    for label, series in columns.items():
        found = np.flatnonzero([label == have for have in frame.meta.columns]).tolist()
        made += [(place, label, without_index(series)) for place in found or [n]]
        n += not found
    return Assign(frame, *zip(*made))


@dataclass(frozen=True, eq=False, repr=False)
class Constant(FrameExpr):
    """A series of one value, of the rows of a frame."""

    any_partitions = True

    frame: FrameExpr
    value: Any

    def _meta(self) -> Meta:
        index = self.frame.meta.index
        one = pd.Series([self.value])
        return one.iloc[:0].set_axis(index)

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        if not wanted.columns:
            return narrow(self.frame, Wanted((), wanted.index))
        return Constant(narrow(self.frame, Wanted((), wanted.index)), self.value)

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(ConstantBlock(self.value, self.frame.meta, self.meta), *children)


@dataclass(frozen=True)
class ConstantBlock:
    """Kernel: one value as often as there are rows."""

    value: Any
    of: Any
    meta: Any
    __name__ = "constant"

    def __call__(self, partition: Partition) -> Partition:
        values = pd.Series([self.value]).repeat(n_rows(partition))
        return from_pandas(values, self.meta, rows_of=partition, rows_meta=self.of)


@dataclass(frozen=True, eq=False, repr=False)
class StoreIndex(FrameExpr):
    """A frame whose default index, the numbers of its rows, is stored with them.

    Where the lengths of partitions are not known, they are counted first, and the partitions held until all are there.
    """

    any_partitions = True
    partitionwise = True

    frame: FrameExpr

    def _meta(self) -> Meta:
        index = pd.Index([], dtype="int64", name=self.frame.meta.index.name)
        return with_index(self.frame.meta, index)

    @property
    def reads_apart(self) -> bool:
        return self.frame.reads_apart and self.lengths is not None

    def value_source(self, place: int) -> tuple[FrameExpr, int] | None:
        return (self.frame, place) if place < self.layout.n_columns else None

    def simplified(self) -> Expr:
        """The index is stored before columns are chosen or made, so that filters find nothing in their way."""
        frame = self.frame
        new: FrameExpr | None = None
        if isinstance(frame, Project) and not frame.frame.has_index and not isinstance(frame.frame.meta, pd.Index):
            new = Project(StoreIndex(frame.frame), Wanted(frame.wanted.columns, True), frame.kind)
        elif isinstance(frame, Assign):
            new = frame.replace(frame=StoreIndex(frame.frame))
        elif isinstance(frame, Rowwise):
            first = frame._first()
            args = tuple(StoreIndex(arg) if arg is first else arg for arg in frame.args)
            new = frame.replace(args=args, declared=frame.meta)
        return self if new is None else new.made_at(self.origin)

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        columns = narrow(self.frame, Wanted(wanted.columns, False))
        return StoreIndex(columns) if wanted.index else columns

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = NumberRows(self.frame.meta, self.meta)
        if self.lengths is not None:
            starts = np.cumsum([0, *self.lengths])[:-1]
            return self.by_partition(kernel, *children, params=starts.astype(np.int64))
        return from_starts(self, kernel, children[0])


def from_starts(expr: FrameExpr, kernel: Callable[[int, Partition], Partition], partitions: Blocks) -> Map:
    """Blocks made of each partition and the number of rows before it, where lengths are not known."""
    n = expr.npartitions
    counts = Map(n=n, inputs=(partitions,), kernel=n_rows, index=(every(n),), name="count", origin=expr.origin)
    starts = Gather(n=1, inputs=(counts,), kernel=_starts, indptr=np.array([0, n]), indices=every(n), name="starts")
    return Map(
        n=n,
        inputs=(starts, partitions),
        kernel=_AtStart(kernel),
        index=(np.zeros(n, np.int64), every(n)),
        params=every(n),
        name=expr.label,
        origin=expr.origin,
    )


def _starts(*counts: int) -> list[int]:
    return np.cumsum([0, *counts]).tolist()


@dataclass(frozen=True)
class _AtStart:
    kernel: Callable[[int, Partition], Partition]
    __name__ = "at_start"

    def __call__(self, number: int, starts: list[int], partition: Partition) -> Partition:
        return self.kernel(starts[number], partition)


@dataclass(frozen=True)
class NumberRows:
    """Kernel: a partition with the numbers of its rows as its index."""

    of: Any
    meta: Any
    __name__ = "number"

    def __call__(self, start: int, partition: Partition) -> Partition:
        numbers = np.arange(start, start + n_rows(partition))
        if isinstance(partition, pa.Table):
            return table_of(
                columns_of(partition, self.of), [column_from_pandas(numbers, np.dtype(np.int64))], len(numbers)
            )
        return partition.set_axis(pd.Index(numbers, name=self.meta.index.name), axis=0)


def labelled(frame: FrameExpr) -> FrameExpr:
    """A frame whose index is stored, so that rows keep their labels wherever they go."""
    return frame if frame.has_index else StoreIndex(frame)
