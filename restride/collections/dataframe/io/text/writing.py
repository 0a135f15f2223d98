"""CSV and JSON out: a file for each partition, or one file of all."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any, Literal, Self

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.io.files import Options
from restride.collections.dataframe.io.folder import Folder, SingleFile, folder_at, single_file_at
from restride.collections.dataframe.io.text.parts import compression_of
from restride.collections.dataframe.io.writing import part_names, write_frame
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.dataframe.partition import Partition, to_pandas
from restride.collections.writing import Writing

Format = Literal["csv", "json"]
SUFFIXES = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst", "zip": ".zip", None: ""}
JOINABLE = (None, "gzip", "bz2", "xz", "zstd")
"""Compressions of which several one after the other are one."""


@dataclass(frozen=True)
class TextSink:
    """Text files, one a partition, or one of all."""

    target: Folder | SingleFile
    meta: Any
    names: tuple[str, ...]
    format: Format
    compression: str | None
    options: tuple[tuple[str, Any], ...]
    """For `pandas.DataFrame.to_csv` or `to_json`."""

    @property
    def shown(self) -> str:
        return self.target.shown

    def begin(self, *, here: bool) -> Self:
        return replace(self, target=self.target.begin(here=here))

    def write(self, number: int, first_row: int, partition: Partition) -> None:
        frame = to_pandas(partition, self.meta)
        options = dict(self.options)
        if self.format == "csv" and isinstance(self.target, SingleFile) and number > 0:
            options["header"] = False
        text = io.BytesIO()
        function = frame.to_csv if self.format == "csv" else frame.to_json
        function(text, compression=self.compression, **options)

        def write(file: IO[bytes]) -> None:
            file.write(text.getbuffer())

        self.target.write(self.names[number], write)

    def finish(self, results: list[Any]) -> None:
        if isinstance(self.target, SingleFile):
            self.target.join(self.names)
        self.target.finish()

    def discard(self) -> None:
        self.target.discard()


def write_text(
    frame: FrameExpr,
    path: Any,
    kind: Format,
    *,
    index: bool,
    single_file: bool,
    overwrite: bool,
    name_function: Callable[[int], str] | None,
    compression: str | None,
    storage_options: Options,
    filesystem: Any,
    compute: bool,
    options: dict[str, Any],
) -> Writing | None:
    """Write a frame or series; see `DataFrame.to_csv` and `DataFrame.to_json`."""
    if "*" in str(path):
        raise ValueError(f"{path} is a pattern: give a directory, and names of the files in it by name_function=")
    frame = labelled(frame) if index else without_index(frame)
    target: Folder | SingleFile
    if single_file:
        compression = compression_of(str(path), compression)
        if compression not in JOINABLE:
            raise ValueError(f"a single file cannot be compressed by {compression!r} part by part")
        target = single_file_at(path, storage_options, filesystem)
    else:
        compression = None if compression == "infer" else compression
        suffix = f".{kind}{SUFFIXES.get(compression, '')}"
        target = folder_at(path, suffix, overwrite=overwrite, storage_options=storage_options, filesystem=filesystem)
    suffix = f".{kind}{SUFFIXES.get(compression, '')}"
    names = part_names(frame.npartitions, suffix, name_function)
    sink = TextSink(target, frame.meta, tuple(names), kind, compression, tuple(options.items()))
    return write_frame(frame, sink, compute)
