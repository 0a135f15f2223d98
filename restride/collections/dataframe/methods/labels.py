"""Labels: names of columns and of levels of the index, which columns there are, the index as columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.methods.partitions import meta_from_data
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.dropping import without_labels
from restride.collections.dataframe.operations.places import (
    AsRowsOf,
    index_as_series,
    numbered,
    with_index_of,
    with_index_reset,
)
from restride.collections.dataframe.operations.rowwise import Method, Rowwise, filtered, labelled, rowwise

_UNSET: Any = pd.api.extensions.no_default


class Labels(FrameBase):
    """Labels of frames and series."""

    def rename_axis(self, mapper: Any = _UNSET, *, index: Any = _UNSET, columns: Any = _UNSET, axis: Any = 0) -> Self:
        """Name the index, or its levels, or the row of column labels.

        Parameters
        ----------
        mapper, index, columns : label, list, dict, callable or None
            As pandas takes them.
        axis : {0, 1, "index", "columns"}
            What `mapper` names.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1]}), npartitions=1)
        >>> df.rename_axis("row").index.name
        'row'
        """
        arguments = {"index": index, "columns": columns}
        given = {key: value for key, value in arguments.items() if value is not _UNSET}
        meta = self.expr.meta
        if mapper is not _UNSET:
            new = meta.rename_axis(mapper, axis=axis) if isinstance(meta, pd.DataFrame) else meta.rename_axis(mapper)
        else:
            new = meta.rename_axis(**given)
        made: Self = self._new(selection.renamed(self.expr, new))
        return made

    def set_axis(self, labels: Any, *, axis: Any = 0) -> Any:
        """Other labels for all rows, or for all columns.

        Parameters
        ----------
        labels : list or Index; for rows also a Series or Index of the same rows
        axis : {0, 1, "index", "columns"}
        """
        if axis in (1, "columns"):
            return self._new(selection.renamed(self.expr, self.expr.meta.set_axis(labels, axis=1)))
        frame = self.expr
        if isinstance(labels, FrameBase):
            level = index_as_series(labels.expr) if isinstance(labels.expr.meta, pd.Index) else labels.expr
            whole, level = aligned([frame, level])
            return self._new(with_index_of(whole, [level], [level.meta.name]))
        values = pd.Series(labels).reset_index(drop=True)
        if frame.lengths is None:
            raise NotImplementedError(
                "set_axis of a list needs to know how many rows partitions have; give a series of ours"
            )
        if frame.length != len(values):
            raise ValueError(
                f"Length mismatch: Expected axis has {frame.length} elements, new values have {len(values)} elements"
            )
        level = AsRowsOf(as_operand(values, frame), frame.rows)
        return self._new(with_index_of(frame, [level], [getattr(labels, "name", None)]))

    def add_prefix(self, prefix: str, axis: Any = None) -> Self:
        """A string before each label: of the columns of a frame, of the rows of a series."""
        return self._with_affix(prefix, "", axis)

    def add_suffix(self, suffix: str, axis: Any = None) -> Self:
        """A string after each label: of the columns of a frame, of the rows of a series."""
        return self._with_affix("", suffix, axis)

    def _with_affix(self, prefix: str, suffix: str, axis: Any) -> Any:
        meta = self.expr.meta
        if isinstance(meta, pd.DataFrame) and axis in (None, 1, "columns"):
            columns = meta.add_prefix(prefix).add_suffix(suffix).columns
            return self._new(selection.renamed(self.expr, meta.set_axis(columns, axis=1)))
        return self._relabelled(lambda labels: Rowwise(Affix(prefix, suffix), (labels,), declared=_text(labels)))

    def _relabelled(self, made_of: Callable[[FrameExpr], FrameExpr]) -> Any:
        """The same rows under labels that are made of those they have."""
        frame = labelled(self.expr)
        labels = index_as_series(selection.index(frame))
        return self._new(with_index_of(frame, [made_of(labels)], [labels.meta.name]))

    def _index_renamed(self, mapper: Any) -> Any:
        def renamed(labels: FrameExpr) -> FrameExpr:
            function = RenameLabels(mapper)
            return Rowwise(function, (labels,), (), False, meta_from_data(function, labels, [], {}))

        return self._relabelled(renamed)

    def reset_index(
        self,
        level: Any = None,
        *,
        drop: bool = False,
        name: Any = _UNSET,
        names: Any = None,
        allow_duplicates: Any = _UNSET,
        col_level: Hashable = 0,
        col_fill: Hashable = "",
    ) -> Any:
        """The index as columns, and rows numbered from 0 over the whole frame.

        Parameters
        ----------
        level : label, int, or list, optional
            Only these levels of the index; the others stay.
        drop : bool
            Leave the labels out.
        name : label
            For the values of a series, in the frame that it becomes.
        names : label or list, optional
            For the new columns.
        allow_duplicates : bool
        col_level, col_fill
            As in pandas, for labels of columns that have several levels.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}, index=list("abc")), npartitions=2)
        >>> df.reset_index().compute()
          index  x
        0     a  1
        1     b  2
        2     c  3
        """
        frame = self.expr
        if drop and level is None:
            return self._new(numbered(frame))
        frame = labelled(frame)
        kwargs: dict[str, Any] = {"level": level, "drop": drop}
        if isinstance(frame.meta, pd.DataFrame):
            kwargs |= {"names": names, "col_level": col_level, "col_fill": col_fill}
        elif name is not _UNSET:
            kwargs["name"] = name
        if allow_duplicates is not _UNSET:
            kwargs["allow_duplicates"] = allow_duplicates
        index = frame.meta.index
        meta = frame.meta.reset_index(**kwargs)
        if level is None:
            moved = list(range(index.nlevels))
        else:
            asked = (
                level
                if isinstance(level, (list, tuple)) and not (isinstance(level, tuple) and level in index.names)
                else [level]
            )
            moved = sorted(index._get_level_number(one) for one in asked)
        kept = [i for i in range(index.nlevels) if i not in moved]
        return self._new(with_index_reset(frame, keep=kept, move=[] if drop else moved, meta=meta))

    def squeeze(self, axis: Any = None) -> Any:
        """The column of a frame that has no others, as a series; anything else stays what it is.

        Whether there is but one row is not looked at, as it may not be known.
        """
        meta = self.expr.meta
        if isinstance(meta, pd.DataFrame) and axis not in (0, "index") and meta.shape[1] == 1:
            return self._new(selection.column(self.expr, 0))
        return self.copy()  # type: ignore[attr-defined]

    def to_timestamp(self, freq: Any = None, how: str = "start") -> Any:
        """An index of periods as one of the moments at which they start, or end."""
        return self._relabelled(lambda labels: rowwise(Method("dt.to_timestamp"), labels, freq=freq, how=how))

    def filter(
        self,
        items: Sequence[Hashable] | None = None,
        like: str | None = None,
        regex: str | None = None,
        axis: Any = None,
    ) -> Any:
        """Columns, or rows, by their labels.

        Parameters
        ----------
        items : list, optional
            The labels, as far as there are some.
        like : str, optional
            What must occur in the label.
        regex : str, optional
            What must match somewhere in the label.
        axis : {0, 1, "index", "columns"}, optional
            Columns of a frame and rows of a series unless said.
        """
        if sum(rule is not None for rule in (items, like, regex)) != 1:
            raise TypeError(
                "Keyword arguments `items`, `like`, or `regex` are mutually exclusive, and one must be passed"
            )
        meta = self.expr.meta
        if isinstance(meta, pd.DataFrame) and axis in (None, 1, "columns"):
            numbered = pd.DataFrame([range(meta.shape[1])], columns=meta.columns)
            chosen: Any = numbered.filter(items=items, like=like, regex=regex, axis=1)
            places = chosen.iloc[0].tolist()
            return self._new(selection.Project(self.expr, Wanted(tuple(places), self.expr.has_index), "frame"))
        if items is not None:
            raise NotImplementedError("filter(items=) of rows; use loc with a list of labels that are there")
        frame = labelled(self.expr)
        labels = index_as_series(selection.index(frame))
        return self._new(filtered(frame, rowwise(LabelHas(like, regex), labels)))

    def drop(
        self,
        labels: Any = None,
        *,
        axis: Any = 0,
        index: Any = None,
        columns: Any = None,
        level: Any = None,
        errors: str = "raise",
    ) -> Any:
        """Without some columns, or some rows by their labels.

        Parameters
        ----------
        labels : label or list
        axis : {0, 1, "index", "columns"}
            What `labels` are labels of.
        index, columns : label or list
            Of rows and of columns, instead.
        errors : {"raise", "ignore"}
            For labels that there are not; those of rows are looked for when the result is computed.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), npartitions=2)
        >>> df.drop(columns="x").columns.tolist()
        ['y']
        """
        if level is not None:
            raise NotImplementedError("drop(level=); filter by reset_index instead")
        if labels is not None:
            if index is not None or columns is not None:
                raise ValueError("Cannot specify both 'labels' and 'index'/'columns'")
            index, columns = (None, labels) if axis in (1, "columns") else (labels, None)
        elif index is None and columns is None:
            raise ValueError("Need to specify at least one of 'labels', 'index' or 'columns'")
        frame = self.expr
        if columns is not None and isinstance(frame.meta, pd.DataFrame):
            numbered = pd.DataFrame([range(frame.meta.shape[1])], columns=frame.meta.columns)
            places = numbered.drop(columns=columns, errors=errors).iloc[0].tolist()
            frame = selection.Project(frame, Wanted(tuple(places), frame.has_index), "frame")
        if index is not None:
            listed = list(index) if pd.api.types.is_list_like(index) and not isinstance(index, tuple) else [index]
            frame = without_labels(labelled(frame), listed, check=errors == "raise")
        return self._new(frame)

    def keys(self) -> Any:
        """The columns of a frame, the index of a series."""
        return self.expr.meta.columns if isinstance(self.expr.meta, pd.DataFrame) else self.index  # type: ignore[attr-defined]


def _text(labels: FrameExpr) -> pd.Series:
    return pd.Series([], dtype="str", name=labels.meta.name)


@dataclass(frozen=True)
class Affix:
    """Kernel: labels between two strings."""

    prefix: str
    suffix: str
    __name__ = "affix"

    def __call__(self, labels: pd.Series) -> pd.Series:
        return pd.Series([f"{self.prefix}{label}{self.suffix}" for label in labels], dtype="str", name=labels.name)


@dataclass(frozen=True)
class RenameLabels:
    """Kernel: labels through a user's function, or looked up in a dict where it has them."""

    mapper: Any
    __name__ = "rename"

    def __call__(self, labels: pd.Series) -> pd.Series:
        index = pd.Series(0, index=pd.Index(labels)).rename(index=self.mapper).index
        return pd.Series(index, name=labels.name)


@dataclass(frozen=True)
class LabelHas:
    """Kernel: whether a string occurs in labels, or an expression matches."""

    like: str | None
    regex: str | None
    __name__ = "label_has"

    def __call__(self, labels: pd.Series) -> pd.Series:
        if self.like is not None:
            found = [self.like in str(label) for label in labels]
        else:
            pattern = re.compile(str(self.regex))
            found = [pattern.search(str(label)) is not None for label in labels]
        return pd.Series(found, dtype=bool)
