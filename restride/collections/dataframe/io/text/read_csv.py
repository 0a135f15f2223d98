"""read_csv, read_table, read_fwf: what is looked at before parts are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import Wanted, unknown_divisions
from restride.collections.dataframe.io.files import DataFile, Found, Options, find_files, naming
from restride.collections.dataframe.io.parts import ReadParts
from restride.collections.dataframe.io.sizes import parsed_blocksize
from restride.collections.dataframe.io.text.csv import (
    CsvReader,
    date_formats,
    dtypes_to_read,
    header_end,
    sample_meta,
)
from restride.collections.dataframe.io.text.parts import compression_of, plan_parts
from restride.collections.dataframe.io.text.records import Dialect, line_ends
from restride.collections.dataframe.meta import has_default_index
from restride.collections.expression import tokenize

SAMPLE = 256 * 1024
SAMPLE_ROWS = 5000
"""Of a file that cannot be split, and so not be cut short either."""
ASCII_LIKE = ("utf-8", "utf8", "utf-8-sig", "ascii", "latin-1", "latin1", "iso-8859-1", "cp1252", "windows-1252")
"""Encodings in which the bytes of a line break, a quote, a delimiter are nothing else."""
REFUSED = {
    "nrows": "read less with head(n)",
    "iterator": "a frame is read in partitions by itself",
    "chunksize": "say how large partitions are by blocksize=",
    "skipfooter": "no part knows that it is the last; drop the rows afterwards",
    "low_memory": "partitions are small",
}


def read_csv(
    path: Any,
    *,
    blocksize: int | str | None = "auto",
    dtype: Any = None,
    sample: int = SAMPLE,
    assume_missing: bool = False,
    include_path_column: bool | str = False,
    compression: str | None = "infer",
    storage_options: Options = None,
    filesystem: Any = None,
    **options: Any,
) -> Any:
    r"""Read CSV files as one frame, in parts of files that end where records do.

    Dtypes are those of the first rows of the first file, where `dtype` does not say otherwise. Every partition is read
    with these, and where its values do not fit that is an error that names file, partition, column and dtype.

    Parameters
    ----------
    path : str, path, or list of such
        A file, a directory, a glob, or a URL of any of them.
    blocksize : int, str or None
        About how many bytes of text a partition is made of, such as ``"64 MiB"``; None for a file a partition, as it is
        for compressed files, and for what makes records hard to find: encodings unlike ASCII, rows to skip listed one
        by one, delimiters of several signs. Quoted fields may hold line breaks.
    dtype : dtype or dict, optional
        Of columns.
    sample : int
        Bytes to take dtypes from.
    assume_missing : bool
        Take columns of integers without a `dtype` for floats, as later rows may have missing values.
    include_path_column : bool or label
        Add a categorical column with the path of each row's file.
    compression : str or None
        ``"infer"``: by the name of the file.
    storage_options : dict, optional
        For the file system of a URL.
    filesystem : optional
        A file system of fsspec or pyarrow to find the path in.
    **options
        What `pandas.read_csv` takes: ``sep``, ``usecols``, ``parse_dates``, ``na_values``, ``engine``, ...

    Returns
    -------
    DataFrame
        With a default index over all files, or what ``index_col`` names.

    Raises
    ------
    FileNotFoundError
        There are no such files.
    ValueError
        As pandas: options that make no sense, columns that are missing.
    SchemaError
        On compute: values of another dtype than the first rows have; a ValueError.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "x.csv")
    >>> _ = path.write_text("x,y\n1,a\n2,b\n3,c\n")
    >>> rd.read_csv(path, blocksize=8).compute()
       x  y
    0  1  a
    1  2  b
    2  3  c
    >>> folder.cleanup()
    """
    return _read(
        "read_csv",
        path,
        blocksize=blocksize,
        dtype=dtype,
        sample=sample,
        assume_missing=assume_missing,
        include_path_column=include_path_column,
        compression=compression,
        storage_options=storage_options,
        filesystem=filesystem,
        options=options,
    )


def read_table(path: Any, *, blocksize: int | str | None = "auto", **options: Any) -> Any:
    r"""Read files of fields between tabs as one frame; as `read_csv` otherwise.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "x.tsv")
    >>> _ = path.write_text("x\ty\n1\ta\n")
    >>> rd.read_table(path).compute()
       x  y
    0  1  a
    >>> folder.cleanup()
    """
    return read_csv(path, blocksize=blocksize, **{"sep": "\t", **options})


def read_fwf(
    path: Any,
    *,
    colspecs: Any = "infer",
    widths: Any = None,
    infer_nrows: int = 100,
    blocksize: int | str | None = "auto",
    dtype: Any = None,
    sample: int = SAMPLE,
    assume_missing: bool = False,
    include_path_column: bool | str = False,
    compression: str | None = "infer",
    storage_options: Options = None,
    filesystem: Any = None,
    **options: Any,
) -> Any:
    r"""Read files of fields of fixed width as one frame.

    Parameters
    ----------
    path : str, path, or list of such
    colspecs : list of (int, int), or "infer"
        First place of each field, and the one after its last. By themselves from the first rows of the first file.
    widths : list of int, optional
        The same, as lengths of fields that follow each other.
    infer_nrows : int
        How many rows to infer them from.
    blocksize, dtype, sample, assume_missing, include_path_column, compression, storage_options, filesystem
        As for `read_csv`.
    **options
        What `pandas.read_fwf` takes.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileNotFoundError, ValueError, SchemaError
        As `read_csv`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "x.txt")
    >>> _ = path.write_text("x   y\n1   a\n22  b\n")
    >>> rd.read_fwf(path).compute()
        x  y
    0   1  a
    1  22  b
    >>> folder.cleanup()
    """
    options |= {"colspecs": colspecs, "widths": widths, "infer_nrows": infer_nrows}
    return _read(
        "read_fwf",
        path,
        blocksize=blocksize,
        dtype=dtype,
        sample=sample,
        assume_missing=assume_missing,
        include_path_column=include_path_column,
        compression=compression,
        storage_options=storage_options,
        filesystem=filesystem,
        options=options,
    )


def _read(
    word: str,
    path: Any,
    *,
    blocksize: int | str | None,
    dtype: Any,
    sample: int,
    assume_missing: bool,
    include_path_column: bool | str,
    compression: str | None,
    storage_options: Options,
    filesystem: Any,
    options: dict[str, Any],
) -> Any:
    for name, instead in REFUSED.items():
        if options.get(name):
            raise ValueError(f"{word} takes no {name}=: {instead}")
    size = parsed_blocksize(blocksize)
    found = find_files(path, storage_options, filesystem)
    dialect = _dialect(word, options)
    if any(compression_of(file.path, compression) for file in found.files):
        dialect = None
    if dialect is None and isinstance(size, int):
        raise ValueError(
            "these files can only be read whole, for their compression, encoding, delimiter or what is skipped of "
            "them: leave out blocksize"
        )
    if word == "read_fwf":
        options = _with_colspecs(found, options, compression, sample)
    text, file = _sample(found, dialect, sample)
    head = b"" if dialect is None else text[: header_end(text, dialect, options)]

    def parse(**changes: Any) -> pd.DataFrame:
        function, kwargs = getattr(pd, word), options | changes
        with naming(found.system.shown(file.path)):
            if dialect is not None:
                return function(io.BytesIO(text), **kwargs)
            with found.system.open(file.path) as opened:
                rows = {"nrows": SAMPLE_ROWS} | changes
                return function(opened, compression=compression_of(file.path, compression), **options | rows)

    first = parse(dtype=dtype)
    dtypes = dtypes_to_read(first, dtype, options, assume_missing)
    meta = sample_meta(first, dtypes)
    options = _with_date_formats(options, first, parse)
    names = _names(first, options, parse)
    if names is not None:
        options = _by_label(options, names, meta)
    path_column = None
    if include_path_column:
        path_column = "path" if include_path_column is True else include_path_column
        if path_column in meta.columns:
            raise ValueError(f"the files have a column {path_column!r} already: choose another include_path_column=")
        paths = pd.Index([found.system.shown(one.path) for one in found.files], dtype="str").unique()
        meta[path_column] = pd.Categorical([], dtype=pd.CategoricalDtype(paths))
    reader = CsvReader(
        system=found.system,
        word=word,
        options=tuple(options.items()),
        dialect=dialect,
        head=head,
        names=names,
        dtypes=tuple(dtypes.items()),
        compression=compression,
        meta=meta,
        path_column=path_column,
    )
    parts = plan_parts(found.files, None if dialect is None else size)
    files = [(one.path, one.size, one.version) for one in found.files]
    token = tokenize(found.system.token, files, size, word, list(options.items()), str(dtypes), head, path_column)
    everything = Wanted(tuple(range(meta.shape[1])), not has_default_index(meta))
    return new_collection(ReadParts(reader, parts, everything, token, found.given, unknown_divisions(len(parts))))


def _dialect(word: str, options: dict[str, Any]) -> Dialect | None:
    """How records are found; None where files must be read whole."""
    skipped = options.get("skiprows") or 0
    encoding = str(options.get("encoding") or "utf-8").lower()
    if not isinstance(skipped, int) or encoding not in ASCII_LIKE or options.get("lineterminator") not in (None, "\n"):
        return None
    comment = str(options.get("comment") or "").encode()
    if word == "read_fwf":
        return Dialect(quote=b"", comment=comment)
    sep = options.get("sep", options.get("delimiter", ",")) or None
    if sep is None or len(sep.encode()) != 1:
        return None
    quoted = options.get("quoting", csv.QUOTE_MINIMAL) != csv.QUOTE_NONE
    quote = str(options.get("quotechar", '"') or "") if quoted else ""
    escape = str(options.get("escapechar") or "")
    if max(map(len, (quote.encode(), escape.encode(), comment))) > 1:
        return None
    spaces = bool(options.get("skipinitialspace"))
    return Dialect(sep.encode(), quote.encode(), escape.encode(), comment, spaces)


def _sample(found: Found, dialect: Dialect | None, size: int) -> tuple[bytes, DataFile]:
    """The first records of the first file that has any, and the file."""
    if dialect is None:
        return b"", found.files[0]
    for file in found.files:
        if file.size:
            break
    else:
        return b"", found.files[0]
    with found.system.open(file.path) as opened:
        text = opened.read(size)
        while len(text) < file.size:
            ends = line_ends(text, dialect)
            if len(ends) > 1:
                return text[: ends[-1] + 1], file
            more = opened.read(max(len(text), 1))
            if not more:
                break
            text += more
    return text, file


def _names(first: pd.DataFrame, options: dict[str, Any], parse: Any) -> tuple[Hashable, ...] | None:
    """The labels of all columns in the files, by which columns can be chosen; None if that is not so simple."""
    asked = options.get("index_col")
    if isinstance(first.columns, pd.MultiIndex) or asked is False or callable(options.get("usecols")):
        return None
    without = {"usecols": None, "index_col": None, "parse_dates": None, "converters": None, "date_format": None}
    names = tuple(parse(nrows=0, **{key: value for key, value in without.items() if key in options}).columns)
    if not isinstance(first.index, pd.RangeIndex) and (asked is None or not set(first.index.names) <= set(names)):
        return None
    return names if set(first.columns) <= set(names) else None


def _by_label(options: dict[str, Any], names: tuple[Hashable, ...], meta: pd.DataFrame) -> dict[str, Any]:
    """The options with labels where the user gives places of columns: these change as columns are chosen."""
    changes: dict[str, Any] = {}
    if not has_default_index(meta):
        changes["index_col"] = list(meta.index.names)
    dates = options.get("parse_dates")
    if isinstance(dates, list):
        changes["parse_dates"] = [names[d] if isinstance(d, int) and d not in names else d for d in dates]
    return options | changes


def _with_date_formats(options: dict[str, Any], first: pd.DataFrame, parse: Any) -> dict[str, Any]:
    """The options with the formats of dates that have been parsed, where the user does not give any."""
    dates = [label for label in first.columns if getattr(first.dtypes[label], "kind", "") == "M"]
    if not dates or options.get("date_format") is not None or not options.get("parse_dates"):
        return options
    text = parse(parse_dates=None, dtype=dict.fromkeys(dates, "str"))
    formats = date_formats(text, dates, dayfirst=bool(options.get("dayfirst")))
    return options | {"date_format": formats} if formats else options


def _with_colspecs(found: Found, options: dict[str, Any], compression: str | None, size: int) -> dict[str, Any]:
    """The options with the places of fields, where they are to be inferred."""
    if options["widths"] is not None or options["colspecs"] != "infer":
        return {key: value for key, value in options.items() if key != "infer_nrows" and value is not None}
    from pandas.io.common import get_handle
    from pandas.io.parsers.python_parser import FixedWidthReader

    file = found.files[0]
    with found.system.open(file.path) as opened:
        kind = compression_of(file.path, compression)
        encoding = options.get("encoding") or "utf-8"
        with get_handle(opened, "r", compression=kind, encoding=encoding, is_text=True) as handles:
            text = io.StringIO(handles.handle.read(size))
    skipped = options.get("skiprows")
    rows = set(range(skipped)) if isinstance(skipped, int) else None if callable(skipped) else skipped
    inferred = FixedWidthReader(
        text, "infer", options.get("delimiter"), options.get("comment"), rows, options["infer_nrows"]
    )
    rest = {key: value for key, value in options.items() if key not in ("infer_nrows", "widths")}
    return rest | {"colspecs": inferred.colspecs}
