"""The node of frames that are read part by part by an object that knows how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.expr import Divisions, FrameExpr, Lengths, Wanted, default_divisions
from restride.collections.dataframe.meta import Meta, has_default_index
from restride.collections.dataframe.operations.selection import choose, narrowed_kind, projected_meta
from restride.collections.dataframe.operations.sources import Source
from restride.collections.dataframe.partition import Partition, from_pandas
from restride.engine.graphs.graph import Params


def columns_text(n: int, of: int) -> str:
    """How many columns are read, for people.

    Examples
    --------
    >>> columns_text(2, 19), columns_text(1, 1)
    ('2 of 19 columns', '1 column')
    """
    return (f"{n} of " if n != of else "") + f"{of} column{'' if of == 1 else 's'}"


class PartReader(Protocol):
    """Reads parts of something as pandas frames. It travels to the workers."""

    @property
    def word(self) -> str:
        """What people see of the node."""

    @property
    def meta(self) -> Any:
        """Of all that is read."""

    def read(self, part: Any, wanted: Wanted) -> Any:
        """A frame with at least the wanted columns, by position in the meta; the index if it is stored and wanted.

        Or a table as partitions have it, of just these.
        """


@dataclass(frozen=True, eq=False, repr=False)
class ReadParts(Source):
    """Frames of parts of files, tables of a database, or the like."""

    reader: PartReader
    parts: Sequence[Any]
    wanted: Wanted
    token: str
    """The same for the same parts of the same things."""
    place: str
    """What people call the place that is read."""
    known: Divisions
    known_lengths: Lengths | None = None

    def identity(self) -> Iterable[Any]:
        return [self.token, self.wanted]

    @property
    def label(self) -> str:
        return self.reader.word

    @property
    def detail(self) -> str:
        return f" {self.place}, {columns_text(len(self.wanted.columns), self.reader.meta.shape[1])}"

    @property
    def bytes_read(self) -> list[int] | None:
        if not all(hasattr(part, "stop") for part in self.parts):
            return None
        return [part.stop - part.start for part in self.parts]

    def _meta(self) -> Meta:
        whole = self.reader.meta
        if has_default_index(whole):
            columns: pd.DataFrame = whole.iloc[:, list(self.wanted.columns)]
            return columns
        return projected_meta(whole, self.wanted, narrowed_kind(whole, self.wanted))

    def _npartitions(self) -> int:
        return len(self.parts)

    def _lengths(self) -> Lengths | None:
        return self.known_lengths

    def _divisions(self) -> Divisions:
        if has_default_index(self.meta) and self.known_lengths is not None:
            return default_divisions(self.known_lengths)
        return self.known

    def _rows(self) -> str:
        return self.token

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        columns = tuple(self.wanted.columns[i] for i in wanted.columns)
        return self.replace(wanted=Wanted(columns, wanted.index))

    def kernel(self) -> Callable[..., Partition]:
        return ReadPart(self.reader, self.meta, self.wanted)

    def params(self) -> Params:
        return list(enumerate(self.parts))


@dataclass(frozen=True)
class ReadPart:
    """Kernel: a partition, given its number and the part that it is made of."""

    reader: PartReader
    meta: Any
    wanted: Wanted

    @property
    def __name__(self) -> str:
        return self.reader.word

    def __call__(self, param: tuple[int, Any]) -> Partition:
        number, part = param
        try:
            read = self.reader.read(part, self.wanted)
            return read if isinstance(read, pa.Table) else from_pandas(self._shaped(read), self.meta)
        except Exception as error:
            error.add_note(f"while reading {part} for partition {number}")
            raise

    def _shaped(self, frame: pd.DataFrame) -> Any:
        """The wanted columns in order."""
        whole = self.reader.meta
        labels = [whole.columns[i] for i in self.wanted.columns]
        missing = [label for label in labels if label not in frame.columns]
        if missing:
            raise ValueError(f"columns {missing} are missing here; there are {list(frame.columns)}")
        if labels == list(frame.columns):
            chosen = frame
        elif whole.columns.is_unique:
            chosen = frame[labels]
        else:
            chosen = choose(frame, Wanted(self.wanted.columns, True), "frame")
        return chosen if self.wanted.index else chosen.set_axis(pd.RangeIndex(len(chosen)), axis=0)
