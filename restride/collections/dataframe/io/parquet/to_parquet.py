"""to_parquet: what is checked before anything is written, and how files are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.io.files import Options, file_system_of, find_files
from restride.collections.dataframe.io.folder import folder_at
from restride.collections.dataframe.io.parquet.footers import footer_of
from restride.collections.dataframe.io.parquet.hive import hive_columns
from restride.collections.dataframe.io.parquet.writing import Format, checked_partition_on, parquet_sink
from restride.collections.dataframe.io.schema import check_together
from restride.collections.dataframe.io.writing import part_names, write_frame
from restride.collections.dataframe.meta import has_default_index
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.writing import Writing


def write_parquet(
    frame: FrameExpr,
    path: Any,
    *,
    partition_on: Any,
    write_index: bool | None,
    overwrite: bool,
    append: bool,
    name_function: Callable[[int], str] | None,
    schema: pa.Schema | None,
    storage_options: Options,
    filesystem: Any,
    compute: bool,
    options: dict[str, Any],
    kind: Format = "parquet",
) -> Writing | None:
    """Write a frame; see `DataFrame.to_parquet`."""
    if not isinstance(frame.meta, pd.DataFrame):
        raise TypeError(f"to_{kind} is for frames; make one of a series by to_frame()")
    suffix = f".{kind}"
    if overwrite and append:
        raise ValueError("overwrite replaces what is there, append adds to it: choose one")
    if write_index is False:
        frame = without_index(frame)
    elif write_index:
        frame = labelled(frame)
    positions = checked_partition_on(frame.meta, partition_on)
    folder = folder_at(
        path, suffix, overwrite=overwrite, append=append, storage_options=storage_options, filesystem=filesystem
    )
    first = 0
    if append:
        first = _checked_append(frame, path, positions, storage_options, filesystem)
    if name_function is not None:
        names = part_names(frame.npartitions, suffix, name_function)
    else:
        names = part_names(frame.npartitions, suffix, first=first)
    sink = parquet_sink(frame.meta, folder, names, positions, schema, options, kind)
    return write_frame(frame, sink, compute)


def _checked_append(
    frame: FrameExpr, path: Any, partition_on: tuple[int, ...], storage_options: Options, filesystem: Any
) -> int:
    """The number of the first new file.

    Raises
    ------
    ValueError
        The files that there are have other columns, or other ones of these are in their directories.
    SchemaError
        A column has a dtype there that could not be read together with that of the frame.
    """
    system, place = file_system_of(str(path), storage_options, filesystem)
    if not system.is_directory(place):
        return 0
    try:
        found = find_files(path, storage_options, filesystem)
    except FileNotFoundError:
        return 0
    last = footer_of(found.system, found.files[-1])
    metadata = last.schema.pandas_metadata or {}
    index = [level for level in metadata.get("index_columns", []) if isinstance(level, str)]
    have = [name for name in last.schema.names if name not in index]
    ours = [str(label) for i, label in enumerate(frame.meta.columns) if i not in partition_on]
    folders = [one.name for one in hive_columns(found.files)]
    our_folders = [str(frame.meta.columns[i]) for i in partition_on]
    if sorted([*have, *folders]) != sorted([*ours, *our_folders]):
        raise ValueError(
            f"{path} has the columns {[*have, *folders]}, and frames of columns {[*ours, *our_folders]} cannot be "
            "appended to it"
        )
    if folders != our_folders:
        raise ValueError(
            f"{path} has directories by {folders or 'no columns'}, the frame to append by {our_folders or 'none'}: "
            f"pass partition_on={folders or None}"
        )
    if have != ours:
        raise ValueError(f"{path} has the columns in the order {have}, the frame to append has {ours}")
    there = last.schema.empty_table().to_pandas()
    dtypes = [dtype for i, dtype in enumerate(frame.meta.dtypes) if i not in partition_on]
    for name, one, other in zip(ours, there.dtypes, dtypes):
        check_together(name, one, other, found.files[-1].path, "the frame to append")
    if bool(index) == has_default_index(frame.meta):
        raise ValueError(
            f"{path} has {'the index ' + str(index) if index else 'no stored index'}, the frame to append has "
            f"{'a default one' if index else 'one'}: set write_index="
        )
    names = [file.path.replace("\\", "/").rpartition("/")[2] for file in found.files]
    numbers = [int(match.group(1)) for name in names if (match := re.search(r"part-(\d+)", name))]
    return max(numbers, default=len(names) - 1) + 1
