"""CSV, fields of fixed width, and other text that `pandas.read_csv` and its kin read, part by part."""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import Wanted
from restride.collections.dataframe.io.files import FileSystem
from restride.collections.dataframe.io.text.parts import TextPart, compression_of, read_records
from restride.collections.dataframe.io.text.records import Dialect, line_ends
from restride.collections.dataframe.meta import UNKNOWN_CATEGORIES
from restride.errors import SchemaError


@dataclass(frozen=True)
class CsvReader:
    """Reads parts of text files by one of pandas' functions."""

    system: FileSystem
    word: str
    """The name of the function: ``"read_csv"``, ``"read_fwf"``."""
    options: tuple[tuple[str, Any], ...]
    """For the function, apart from those below."""
    dialect: Dialect | None
    """None where files are read whole, as they cannot be split."""
    head: bytes
    """What is before the records of each file that is split."""
    names: tuple[Hashable, ...] | None
    """The labels of all columns in the file; None where columns cannot be chosen."""
    dtypes: tuple[tuple[Hashable, Any], ...]
    """The dtypes to read columns with."""
    compression: str | None
    meta: Any
    """Of all that is read."""
    path_column: Hashable = None
    """The label of a column with the path of each row's file, whose categories are all paths; None for none."""

    @cached_property
    def function(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(pd, self.word)
        return function

    def read(self, part: TextPart, wanted: Wanted) -> Any:
        """The frame of a part; at least those columns of it that are wanted, and the index."""
        options = dict(self.options) | self._chosen(wanted)
        try:
            frame = self._typed(part, options)
            if self.path_column is not None:
                kind = self.meta.dtypes[self.path_column]
                path = self.system.shown(part.file.path)
                frame[self.path_column] = pd.Categorical([path] * len(frame), dtype=kind)
            return frame
        except (ValueError, TypeError, OverflowError) as error:
            wrong = {} if isinstance(error, UnicodeError) else self._misfits(part, options)
            if not wrong:
                raise
            raise SchemaError(self._advice(wrong)) from error

    def _typed(self, part: TextPart, options: dict[str, Any]) -> Any:
        """The frame of a part with the dtypes that it is to have.

        pandas finds out by itself that a column is of strings, and twice as fast as if it is told so. It is told if it
        finds something else, as all strings of a part may look like numbers.
        """
        dtypes = dict(self.dtypes)
        strings = {label for label, dtype in dtypes.items() if _is_plain_string(dtype)}
        if not strings or options.get("engine", "c") != "c" or "dtype_backend" in options or self.word == "read_fwf":
            return self._parsed(part, options, dtypes)
        others = {label: dtype for label, dtype in dtypes.items() if label not in strings}
        frame = self._parsed(part, {"low_memory": False} | options, others)
        if all(_is_plain_string(frame.dtypes[label]) for label in strings if label in frame.columns):
            return frame
        return self._parsed(part, options, dtypes)

    def _parsed(self, part: TextPart, options: dict[str, Any], dtypes: dict[Hashable, Any]) -> Any:
        if self.dialect is None:
            with self.system.open(part.file.path) as file:
                compression = compression_of(part.file.path, self.compression)
                return self.function(file, compression=compression, dtype=dtypes or None, **options)
        beginning, records = read_records(self.system, part, self.dialect, len(self.head))
        if self.head and not beginning.strip():
            raise pd.errors.EmptyDataError(
                f"{self.system.shown(part.file.path)} is empty, where the first file begins with "
                f"{_first_line(self.head)!r}: leave it out of the files to read"
            )
        if beginning != self.head:
            raise ValueError(
                f"{self.system.shown(part.file.path)} begins with {_first_line(beginning)!r}, where the first file "
                f"begins with {_first_line(self.head)!r}: files of one frame have the same header"
            )
        return self.function(io.BytesIO(beginning + records), dtype=dtypes or None, **options)

    def _chosen(self, wanted: Wanted) -> dict[str, Any]:
        """The option by which no more than the wanted columns is parsed."""
        if self.names is None:
            return {}
        labels = [self.meta.columns[i] for i in wanted.columns]
        labels += [name for name in self.meta.index.names if name is not None]
        places = {label: place for place, label in enumerate(self.names)}
        chosen: dict[str, Any] = {"usecols": sorted({places[label] for label in labels if label in places} or {0})}
        dates = dict(self.options).get("parse_dates")
        if isinstance(dates, list):
            chosen["parse_dates"] = [label for label in dates if label in labels] or None
        return chosen

    def _misfits(self, part: TextPart, options: dict[str, Any]) -> dict[Hashable, tuple[Any, Any]]:
        """The columns whose values are not of the dtype that they are read with: that, and their own."""
        try:
            frame = self._parsed(part, options, {})
        except (ValueError, TypeError, OverflowError):
            return {}
        found = {}
        for label, dtype in self.dtypes:
            if label in frame.columns and not _fits(frame[label], dtype):
                found[label] = (dtype, frame[label].dtype)
        return found

    def _advice(self, wrong: dict[Hashable, tuple[Any, Any]]) -> str:
        text = ", ".join(f"{label!r} is {have} here, not {want}" for label, (want, have) in wrong.items())
        fix = ", ".join(f"{label!r}: {str(have)!r}" for label, (_, have) in wrong.items())
        return (
            f"column {text}. Dtypes are those of the first rows where nobody says otherwise: "
            f"pass dtype={{{fix}}} to {self.word}"
        )


def _fits(column: pd.Series, dtype: Any) -> bool:
    try:
        if isinstance(dtype, pd.StringDtype) or str(dtype) in ("category", "object"):
            return True
        cast = column.astype(dtype)
        return bool((cast == column).all()) or bool(column.isna().any())
    except (TypeError, ValueError, OverflowError):
        return False


def _is_plain_string(dtype: Any) -> bool:
    return isinstance(dtype, pd.StringDtype) and dtype == pd.StringDtype(na_value=np.nan)


def _first_line(text: bytes) -> str:
    return text.partition(b"\n")[0][:80].decode("utf-8", "replace")


def header_end(text: bytes, dialect: Dialect, options: dict[str, Any]) -> int:
    """How many bytes of text come before its first record: skipped lines and the header.

    Parameters
    ----------
    text : bytes
        The first bytes of a file, up to the end of a record.
    dialect : Dialect
    options : dict
        Of `pandas.read_csv`: ``skiprows``, ``header``, ``names``, ``skip_blank_lines``, as far as they are given.
    """
    skipped = options.get("skiprows") or 0
    header = options.get("header", "infer")
    if header == "infer":
        header = None if options.get("names") is not None else 0
    n_rows = 0 if header is None else max(header) + 1 if isinstance(header, (list, tuple)) else header + 1
    ends = [0, *(line_ends(text, dialect) + 1).tolist()]
    blank = options.get("skip_blank_lines", True)
    at = min(skipped, len(ends) - 1)
    while n_rows and at < len(ends) - 1:
        line = text[ends[at] : ends[at + 1]]
        empty = blank and not line.strip()
        if not empty and not (dialect.comment and line.startswith(dialect.comment)):
            n_rows -= 1
        at += 1
    return ends[at]


def dtypes_to_read(
    sample: pd.DataFrame, given: Any, options: dict[str, Any], assume_missing: bool
) -> dict[Hashable, Any]:
    """The dtypes to read every part with: those that the user gives, and those that the sample has.

    Dates are not among them, as they are parsed after the text; nor are columns of several types, or that a function of
    the user's makes.
    """
    made = set(options.get("converters") or ())
    listed = dict(given) if isinstance(given, dict) else {} if given is None else dict.fromkeys(sample.columns, given)
    found = dict(listed)
    for label in sample.columns:
        dtype = sample.dtypes[label]
        if label in listed or label in made or (dtype.kind in "OmM" and not isinstance(dtype, pd.StringDtype)):
            continue
        found[label] = np.dtype(float) if assume_missing and dtype.kind in "iu" else dtype
    return found


def sample_meta(sample: pd.DataFrame, dtypes: dict[Hashable, Any]) -> pd.DataFrame:
    """The meta of a frame, by its first rows; categories that nobody has listed are not known yet."""
    meta = sample.iloc[:0]
    if isinstance(sample.index, pd.RangeIndex):
        meta = meta.set_axis(pd.RangeIndex(0, name=sample.index.name), axis=0)
    changes: dict[Hashable, Any] = {}
    for label in sample.columns:
        have = sample.dtypes[label]
        if isinstance(have, pd.CategoricalDtype) and not isinstance(dtypes.get(label), pd.CategoricalDtype):
            changes[label] = pd.CategoricalDtype(pd.Index([UNKNOWN_CATEGORIES], dtype="str"))
        elif have.kind in "iu" and isinstance(dtypes.get(label), np.dtype) and dtypes[label].kind == "f":
            changes[label] = dtypes[label]
    return meta.astype(changes) if changes else meta


def date_formats(text: pd.DataFrame, dates: Sequence[Hashable], *, dayfirst: bool) -> dict[Hashable, str]:
    """The formats of dates by the first one of each column: a part must not have another idea of it."""
    found = {}
    for label in dates:
        values = text[label].dropna()
        first = str(values.iloc[0]) if len(values) else ""
        guessed = pd.tseries.api.guess_datetime_format(first, dayfirst=dayfirst)
        if guessed is not None:
            found[label] = guessed
    return found
