"""Parts of text files: ranges of bytes that are planned by size alone, and read to the ends of records."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from restride.collections.dataframe.io.files import DataFile, FileSystem
from restride.collections.dataframe.io.text.records import Dialect, ends_outside, next_record

LEAST = 4 * 1024**2
"""Bytes of text below which a part costs more than its task is worth."""
FEW = 16
"""Parts of text that is not much, so that all threads have some to read."""
USUAL = 16 * 1024**2
MOST = 128 * 1024**2
PARTS = 1000
"""Parts of more text have `USUAL` bytes of it, or as many more, up to `MOST`, as make about this number of them."""
COMPRESSION = {".gz": "gzip", ".bz2": "bz2", ".zip": "zip", ".xz": "xz", ".zst": "zstd", ".tar": "tar"}


@dataclass(frozen=True)
class TextPart:
    """Bytes of a file, from the first record that begins in them to the end of the last that does."""

    file: DataFile
    start: int
    stop: int

    def __str__(self) -> str:
        return f"bytes {self.start} to {self.stop} of {self.file.path}"


def plan_parts(files: Sequence[DataFile], blocksize: int | str | None) -> list[TextPart]:
    """Ranges of bytes, about equal in each file.

    Parameters
    ----------
    files : sequence of DataFile
    blocksize : int, "auto" or None
        About how many bytes a part has; None for whole files.

    Examples
    --------
    >>> parts = plan_parts([DataFile("a", 10, ""), DataFile("b", 3, "")], 4)
    >>> [(part.file.path, part.start, part.stop) for part in parts]
    [('a', 0, 3), ('a', 3, 7), ('a', 7, 10), ('b', 0, 3)]
    """
    if blocksize is None:
        return [TextPart(file, 0, file.size) for file in files]
    total = sum(file.size for file in files)
    size = usual_size(total) if isinstance(blocksize, str) else blocksize
    parts = []
    for file in files:
        n = max(-(-file.size // size), 1)
        ends = [round(file.size * i / n) for i in range(n + 1)]
        parts += [TextPart(file, start, stop) for start, stop in pairwise(ends)]
    return parts


def usual_size(total: int) -> int:
    """About how many bytes a part has, of so many in all.

    Examples
    --------
    >>> [usual_size(total * 1024**2) // 1024**2 for total in (1, 100, 1000, 100_000)]
    [4, 6, 16, 100]
    """
    if total < FEW * USUAL:
        return max(total // FEW, LEAST)
    return min(max(USUAL, total // PARTS), MOST)


def compression_of(path: str, compression: str | None) -> str | None:
    """How a file is compressed, where that is to be inferred from its name."""
    if compression != "infer":
        return compression
    return COMPRESSION.get(os.path.splitext(path)[1].lower())


def read_records(system: FileSystem, part: TextPart, dialect: Dialect, head: int) -> tuple[bytes, bytes]:
    """The first bytes of a part's file, and the records that begin in the part: none where there is less than the head.

    Parameters
    ----------
    system : FileSystem
    part : TextPart
    dialect : Dialect
    head : int
        How many bytes of the file are no records: of what is at its beginning.

    Raises
    ------
    ValueError
        The part does not begin or end between records, as a line break in a quoted field was taken for the end of one;
        or the file has changed.
    """
    file = part.file
    with system.open(file.path) as opened:
        opened.seek(0, os.SEEK_END)
        if opened.tell() != file.size:
            raise ValueError(f"{system.shown(file.path)} has changed since the frame was made of it: read it again")

        def read(start: int, stop: int) -> bytes:
            opened.seek(start)
            return opened.read(stop - start)

        beginning = read(0, head)
        if len(beginning) < head:
            return beginning, b""
        start = max(next_record(read, max(part.start, head), file.size, dialect), head)
        stop = max(next_record(read, max(part.stop, head), file.size, dialect), head)
        records = read(start, max(stop, start))
    whole = part.start <= 0 and stop == file.size  # then there is nothing to be wrong about
    # Where the part before found its end beyond this one's, one of the two was wrong about quotes.
    if not whole and (start > stop or not ends_outside(records, dialect)):
        raise ValueError(
            f"bytes {start} to {stop} of {system.shown(file.path)} do not end between two records, as far as their "
            "quotes tell: a field with line breaks lies across the end. Read whole files, by blocksize=None"
        )
    return beginning, records
