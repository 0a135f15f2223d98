"""read_json: a frame of JSON files, of which those with a record a line are read in parts."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import Wanted, unknown_divisions
from restride.collections.dataframe.io.files import FileSystem, Found, Options, find_files, naming
from restride.collections.dataframe.io.parts import ReadParts
from restride.collections.dataframe.io.sizes import parsed_blocksize
from restride.collections.dataframe.io.text.parts import TextPart, compression_of, plan_parts, read_records
from restride.collections.dataframe.io.text.records import Dialect
from restride.collections.dataframe.meta import has_default_index, meta_of
from restride.collections.expression import tokenize
from restride.errors import SchemaError

LINES = Dialect(quote=b"")
"""A line break in a string of JSON is written otherwise."""
SAMPLE = 1024 * 1024


@dataclass(frozen=True)
class JsonReader:
    """Reads parts of JSON files by pandas."""

    system: FileSystem
    lines: bool
    """Whether each line is a record."""
    split: bool
    """Whether files are read in parts."""
    options: tuple[tuple[str, Any], ...]
    """For `pandas.read_json`."""
    compression: str | None
    meta: Any
    word: str = "read_json"

    def read(self, part: TextPart, wanted: Wanted) -> Any:
        """The frame of a part."""
        frame = self._parsed(part)
        new = [label for label in frame.columns if label not in self.meta.columns]
        if new:
            raise SchemaError(
                f"columns {new} occur first in {part}, and not in the rows that tell which there are: pass a larger "
                "sample=, or their dtypes by dtype="
            )
        missing = [label for label in self.meta.columns if label not in frame.columns]
        return frame.assign(**{str(label): None for label in missing}) if missing else frame

    def _parsed(self, part: TextPart) -> Any:
        options = dict(self.options)
        if self.split:
            _, records = read_records(self.system, part, LINES, 0)
            if not records.strip():
                return self.meta.copy()
            return pd.read_json(io.BytesIO(records), lines=True, **options)
        with self.system.open(part.file.path) as file:
            compression: Any = compression_of(part.file.path, self.compression)
            return pd.read_json(file, lines=self.lines, compression=compression, **options)


def read_json(
    path: Any,
    *,
    orient: str = "records",
    lines: bool | None = None,
    blocksize: int | str | None = "auto",
    dtype: Any = None,
    sample: int = SAMPLE,
    compression: str | None = "infer",
    storage_options: Options = None,
    filesystem: Any = None,
    **options: Any,
) -> Any:
    r"""Read JSON files as one frame; those with a record a line in parts that end where lines do.

    Columns and their dtypes are those of the first records, where `dtype` does not say otherwise; values of another
    dtype, and columns that occur later, are an error that names file, partition and column.

    Parameters
    ----------
    path : str, path, or list of such
        A file, a directory, a glob, or a URL of any of them.
    orient : str
        How records lie in the file, as for `pandas.read_json`.
    lines : bool, optional
        Whether each line is a record. By itself if `orient` is ``"records"``.
    blocksize : int, str or None
        About how many bytes of text a partition is made of; None for a file a partition, as it is for compressed files
        and those without a record a line.
    dtype : dict, optional
        Dtypes of columns, also of such as do not occur in the first records.
    sample : int
        Bytes to take columns and dtypes from.
    compression : str or None
        ``"infer"``: by the name of the file.
    storage_options : dict, optional
        For the file system of a URL.
    filesystem : optional
        A file system of fsspec or pyarrow to find the path in.
    **options
        What `pandas.read_json` takes.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileNotFoundError
        There are no such files.
    ValueError
        As pandas; `lines` with another `orient`.
    SchemaError
        On compute: other columns or dtypes than the first records have; a ValueError.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "x.json")
    >>> _ = path.write_text('{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}\n')
    >>> rd.read_json(path).compute()
       x  y
    0  1  a
    1  2  b
    >>> folder.cleanup()
    """
    lines = orient == "records" if lines is None else lines
    if lines and orient != "records":
        raise ValueError(f"lines are records: orient={orient!r} has none")
    size = parsed_blocksize(blocksize)
    found = find_files(path, storage_options, filesystem)
    compressed = any(compression_of(file.path, compression) for file in found.files)
    split = lines and not compressed
    if isinstance(size, int) and not split:
        raise ValueError("these files can only be read whole: leave out blocksize")
    options |= {"orient": orient}
    if dtype is not None:
        options["dtype"] = dtype
    meta: Any = meta_of(_sample(found, options, lines, split, compression, sample))
    if isinstance(dtype, dict):
        later = {label: pd.Series([], dtype=kind) for label, kind in dtype.items() if label not in meta.columns}
        meta = meta.assign(**{str(label): series for label, series in later.items()})
    reader = JsonReader(found.system, lines, split, tuple(options.items()), compression, meta)
    parts = plan_parts(found.files, size if split else None)
    files = [(file.path, file.size, file.version) for file in found.files]
    token = tokenize(found.system.token, files, size, list(options.items()), lines)
    everything = Wanted(tuple(range(meta.shape[1])), not has_default_index(meta))
    return new_collection(ReadParts(reader, parts, everything, token, found.given, unknown_divisions(len(parts))))


def _sample(found: Found, options: dict[str, Any], lines: bool, split: bool, compression: str | None, size: int) -> Any:
    """The first records."""
    file = next((file for file in found.files if file.size), found.files[0])
    with naming(found.system.shown(file.path)), found.system.open(file.path) as opened:
        if not split:
            kind: Any = compression_of(file.path, compression)
            return pd.read_json(opened, lines=lines, compression=kind, **options)
        text = opened.read(size)
        while len(text) < file.size and b"\n" not in text:
            text += opened.read(len(text))
        if len(text) < file.size:
            text = text[: text.rindex(b"\n") + 1]
        return pd.read_json(io.BytesIO(text), lines=True, **options) if text.strip() else pd.DataFrame()
