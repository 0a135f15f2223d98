"""read_parquet: frames of Parquet files."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import Wanted
from restride.collections.dataframe.io.files import Options, find_files
from restride.collections.dataframe.io.parquet.dataset import open_dataset
from restride.collections.dataframe.io.parquet.node import ReadParquet
from restride.collections.dataframe.io.parquet.planning import may_match, plan_pieces, pruned
from restride.collections.dataframe.io.predicates import names_in, parsed_filters
from restride.collections.dataframe.io.sizes import parsed_blocksize

OPENING, ASKING = 256 * 1024, 4 * 1024**2
"""Bytes that could be read while a file is opened, here and in an object store."""


def read_parquet(
    path: Any,
    columns: Sequence[Hashable] | None = None,
    filters: Any = None,
    index: Any = None,
    *,
    dtype_backend: str | None = None,
    storage_options: Options = None,
    filesystem: Any = None,
    blocksize: int | str | None = "auto",
) -> Any:
    """Read Parquet files as one frame; only what is used of them is read, and only when it is computed.

    What the footers of all files tell is known at once: dtypes (one a column, for all files together), the number of
    rows, divisions where the index is sorted. Columns that are not used are not read, nor are parts of files in which
    statistics tell that no row passes a filter.

    Parameters
    ----------
    path : str, path, or list of such
        A file, a directory, a glob, or a URL of any of them. Directories may have hive partitions, ``key=value``: these
        become categorical columns.
    columns : list of labels, optional
        The columns to read; all if not given. The index is read besides.
    filters : list of (column, op, value), or list of such lists, optional
        The rows to read: those that satisfy all of a list, or of any of the lists. Ops are ``==``, ``!=``, ``<``,
        ``<=``, ``>``, ``>=``, ``in`` and ``not in``. ``df[df.x > 0]`` does the same where the files are read.
    index : label, list of labels, or False, optional
        What to make the index; False for a default one. As pandas wrote it if not given.
    dtype_backend : {"numpy_nullable", "pyarrow"}, optional
        Which dtypes to use, as for pandas.
    storage_options : dict, optional
        For the file system of a URL.
    filesystem : optional
        A file system of fsspec or pyarrow to find the path in.
    blocksize : int, str or None
        About how many bytes a partition should take in memory, such as ``"64 MiB"``; None for a file a partition. By
        itself, between 16 and 256 MiB, by how many the data take. Row groups are never split.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileNotFoundError
        There are no such files.
    ValueError
        A file is no Parquet file or is cut short, a column is in no file; the message names them.
    SchemaError
        A column has dtypes in two files that have none in common; a ValueError that names both.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "x.parquet")
    >>> pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "a"]}).to_parquet(path)
    >>> df = rd.read_parquet(path)
    >>> len(df), int(df[df.y == "a"].x.sum().compute())
    (3, 4)
    >>> folder.cleanup()
    """
    if dtype_backend not in (None, "numpy_nullable", "pyarrow"):
        raise ValueError(f"dtype_backend is 'numpy_nullable' or 'pyarrow', got {dtype_backend!r}")
    if isinstance(columns, str):
        raise TypeError(f"columns is a list of labels; for the one column {columns!r} write columns=[{columns!r}]")
    found = find_files(path, storage_options, filesystem)
    dataset = open_dataset(found, columns=columns, index=index, dtype_backend=dtype_backend)
    facts, schema = dataset.facts, dataset.schema
    names = [source.name for source in schema.sources if source.kind == "file"]
    sizes = facts.bytes_in_memory(names) + facts.rows * 4  # codes of hive partitions, or counted rows alone
    sizes += np.where(facts.number == 0, OPENING if found.system.remote is None else ASKING, 0)
    pieces = plan_pieces(sizes, facts.rows, facts.file, parsed_blocksize(blocksize))
    parsed = () if filters is None else parsed_filters(filters)
    if parsed:
        known = {name for footer in facts.footers for name in footer.leaves} | {one.name for one in dataset.hive}
        missing = [name for name in names_in(parsed) if name not in known]
        if missing:
            raise ValueError(f"filters name columns {missing} that {found.given} does not have; it has {sorted(known)}")
        pieces = pruned(pieces, may_match(facts, dataset.hive, parsed))
    everything = Wanted(tuple(range(len(schema.columns))), bool(schema.levels))
    return new_collection(ReadParquet(dataset, pieces, everything, parsed))
