"""The node of frames that are read from Parquet: any columns of any row groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import (
    Divisions,
    FrameExpr,
    Lengths,
    Wanted,
    default_divisions,
    unknown_divisions,
)
from restride.collections.dataframe.io.parquet.dataset import Dataset
from restride.collections.dataframe.io.parquet.planning import Pieces, divisions_of, may_match, ranges_of
from restride.collections.dataframe.io.parquet.reading import Piece, ReadPartition
from restride.collections.dataframe.io.parts import columns_text
from restride.collections.dataframe.io.predicates import Filters, names_in
from restride.collections.dataframe.io.predicates import Predicate as Condition
from restride.collections.dataframe.io.schema import Source as ColumnSource
from restride.collections.dataframe.kernels.ranges import Ranges, can_be_cut
from restride.collections.dataframe.layout import STRING
from restride.collections.dataframe.meta import Meta, column_dtypes, has_default_index, level_dtypes
from restride.collections.dataframe.operations.formulas import literal
from restride.collections.dataframe.operations.selection import narrowed_kind, projected_meta
from restride.collections.dataframe.operations.sources import Source
from restride.collections.dataframe.optimize.filters import Predicate
from restride.collections.dataframe.partition import Partition
from restride.collections.expression import tokenize
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class ReadParquet(Source):
    """Columns of a Parquet data set, in partitions of whole row groups."""

    dataset: Dataset
    pieces: Pieces
    wanted: Wanted
    """Positions among the columns of the data set's schema, and whether its index is read."""
    filters: Filters = ()
    """Rows that satisfy none of these are left out; () for all rows."""
    predicates: tuple[Predicate, ...] = ()
    """What rows that are used satisfy, by position in the schema: partitions with none of them are made empty."""

    def identity(self) -> Iterable[Any]:
        return [self._token, self.wanted, self._described]

    @property
    def _described(self) -> list[tuple[int, str, str]]:
        """The predicates, in plain values."""
        return [(one.column, one.op, repr(one.value)) for one in self.predicates]

    @cached_property
    def _token(self) -> str:
        return tokenize(self.dataset.token, self.pieces.groups, self.pieces.starts, self.filters)

    @property
    def label(self) -> str:
        return "read_parquet"

    @property
    def detail(self) -> str:
        columns = columns_text(len(self.wanted.columns), len(self.dataset.schema.columns))
        read, total = sum(map(len, self._groups)), len(self.dataset.facts.rows)
        groups = (f"{read:,} of " if read != total else "") + f"{total:,} row group{'' if total == 1 else 's'}"
        return f" {self.dataset.given}, {columns}, {groups}"

    @property
    def kernel_rule(self) -> str:
        columns = self.dataset.schema.columns
        kept = [(columns[one.column].name, one.op, one.value) for one in self.predicates]
        told = [f"rows where {' or '.join(map(_conjunction, self.filters))}"] if self.filters else []
        told += [f"partitions where {_conjunction(kept)}"] if kept else []
        told += [f"strings of few values stay codes: {', '.join(self._as_codes)}"] if self._as_codes else []
        return "; ".join(told)

    @property
    def bytes_read(self) -> list[int]:
        sizes = self.dataset.facts.bytes_in_files(list({*self._names, *names_in(self.filters)}))
        return [int(sizes[groups].sum()) for groups in self._groups]

    def _meta(self) -> Meta:
        whole = self.dataset.schema.meta
        if not self.dataset.schema.levels:
            return projected_meta(whole, Wanted(self.wanted.columns, True), "frame")
        return projected_meta(whole, self.wanted, narrowed_kind(whole, self.wanted))

    def _npartitions(self) -> int:
        return self.pieces.npartitions

    def _lengths(self) -> Lengths | None:
        return None if self.filters else self.pieces.lengths(self.dataset.facts)

    def _divisions(self) -> Divisions:
        if has_default_index(self.meta):
            return default_divisions(self.lengths) if self.lengths is not None else unknown_divisions(self.npartitions)
        levels = self.dataset.schema.levels
        dtypes = level_dtypes(self.meta)
        if len(levels) != 1 or self.filters or isinstance(dtypes[0], pd.CategoricalDtype):
            return unknown_divisions(self.npartitions)
        if levels[0].kind == "range":
            return self._range_divisions()
        if levels[0].kind != "file":
            return unknown_divisions(self.npartitions)
        return divisions_of(self.pieces, self.dataset.facts.bounds(levels[0].name), dtypes[0])

    def _range_divisions(self) -> Divisions:
        schema = self.dataset.schema
        ends = default_divisions(self.lengths or ())
        if schema.range_step < 0 or not ends or ends[0] is None:
            return unknown_divisions(self.npartitions)
        return tuple(schema.range_start + schema.range_step * end for end in ends)

    def _rows(self) -> str:
        return tokenize(self._token, self._described)

    @property
    def reads_apart(self) -> bool:
        return not self.filters

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        columns = tuple(self.wanted.columns[i] for i in wanted.columns)
        return self.replace(wanted=Wanted(columns, wanted.index))

    def with_predicates(self, predicates: Sequence[Predicate]) -> FrameExpr:
        """The same partitions, but empty where statistics tell that no row satisfies all of the predicates."""
        mine = [Predicate(self.wanted.columns[one.column], one.op, one.value) for one in predicates]
        return self.replace(predicates=(*self.predicates, *mine))

    def value_range(self, place: int) -> tuple[int, int] | None:
        source, dtype = self._sources[place], self._dtypes[place]
        if source.kind != "file" or not isinstance(dtype, np.dtype) or dtype.kind not in "iu":
            return None
        bounds = self.dataset.facts.bounds(source.name)
        groups = self.pieces.groups
        if not len(groups) or not bounds.known[groups].all():
            return None
        numbers = groups.tolist()
        return int(min(bounds.least[i] for i in numbers)), int(max(bounds.greatest[i] for i in numbers))

    def value_ranges(self, place: int) -> Ranges | None:
        source, dtype = self._sources[place], self._dtypes[place]
        of_codes = isinstance(dtype, pd.CategoricalDtype)
        if source.kind != "file" or of_codes or not can_be_cut(self.layout.types[place]):
            return None
        return ranges_of(self.pieces, self.dataset.facts.bounds(source.name))

    def is_complete(self, place: int) -> bool:
        source, dtype = self._sources[place], self._dtypes[place]
        if source.kind == "hive":
            return not any(-1 in column.codes for column in self.dataset.hive if column.name == source.name)
        if source.kind == "range":
            return True
        if isinstance(dtype, np.dtype) and dtype.kind == "f":
            return False  # nan is no missing value in files
        return self.dataset.facts.may_have_nulls(source.name) is False

    @property
    def _dtypes(self) -> list[Any]:
        return [*column_dtypes(self.meta), *level_dtypes(self.meta)]

    def kernel(self) -> Callable[..., Partition]:
        schema = self.dataset.schema
        return ReadPartition(
            system=self.dataset.system,
            meta=self.meta,
            sources=self._sources,
            as_codes=self._as_codes,
            hive=tuple((column.name, column.dtype) for column in self.dataset.hive),
            filters=self.filters,
            range_start=schema.range_start,
            range_step=schema.range_step,
        )

    def params(self) -> Params:
        facts, files = self.dataset.facts, self.dataset.files
        starts = np.cumsum(facts.rows) - facts.rows
        params = []
        for number, groups in enumerate(self._groups):
            pieces = []
            runs = [groups] if len(groups) else []
            if len(groups) > 1:
                runs = np.split(groups, np.flatnonzero(np.diff(facts.file[groups])) + 1)
            for run in runs:
                file = int(facts.file[run[0]])
                pieces += [
                    Piece(
                        files[file],
                        tuple(facts.number[part].tolist()),
                        int(facts.rows[part].sum()),
                        int(starts[part[0]]),
                        tuple(column.codes[file] for column in self.dataset.hive),
                    )
                    for part in self._consecutive(run)
                ]
            params.append((number, pieces))
        return params

    def _consecutive(self, run: np.ndarray) -> list[np.ndarray]:
        """Row groups of one file, apart where rows are left out between them and rows are counted."""
        if not any(source.kind == "range" for source in self._sources):
            return [run]
        return np.split(run, np.flatnonzero(np.diff(run) > 1) + 1)

    def _is_told(self, predicate: Predicate) -> bool:
        """Whether statistics have to do with a predicate: categories have an order of their own."""
        of_categories = isinstance(self.dataset.schema.meta.dtypes.iloc[predicate.column], pd.CategoricalDtype)
        return not of_categories or predicate.op in ("==", "in")

    @cached_property
    def _groups(self) -> list[np.ndarray]:
        """The row groups of each partition, without those of partitions in which no row satisfies the predicates."""
        runs = [self.pieces.groups[start:stop] for start, stop in pairwise(self.pieces.starts.tolist())]
        if not self.predicates:
            return runs
        schema = self.dataset.schema
        told = [one for one in self.predicates if self._is_told(one)]
        conjunction = tuple((schema.columns[one.column].name, one.op, one.value) for one in told)
        keep = may_match(self.dataset.facts, self.dataset.hive, (conjunction,))
        return [run if keep[run].any() else run[:0] for run in runs]

    @property
    def _columns(self) -> list[ColumnSource]:
        return [self.dataset.schema.columns[i] for i in self.wanted.columns]

    @property
    def _sources(self) -> tuple[ColumnSource, ...]:
        return (*self._columns, *(self.dataset.schema.levels if self.wanted.index else ()))

    @property
    def _names(self) -> list[str]:
        return [source.name for source in self._sources if source.kind == "file"]

    @cached_property
    def _as_codes(self) -> tuple[str, ...]:
        """Columns of strings with few values."""
        names = [
            source.name
            for source, kind in zip(self._sources, self.layout.types)
            if kind == STRING and source.kind == "file"
        ]
        return tuple(name for name in names if self.dataset.facts.is_worth_codes(name))


def _conjunction(conditions: Sequence[Condition]) -> str:
    return " and ".join(f"{name} {op} {literal(value)}" for name, op, value in conditions)
