"""Chunks that are absurdly small or large: a warning, and what to do about it."""

from __future__ import annotations

import math
import warnings

from restride.collections.array.chunks import Chunks, Shape, is_unknown, normalize_chunks
from restride.config import Settings
from restride.errors import PerformanceWarning

MANY = 100_000
"""Chunks beyond which it matters how small they are."""
SMALL = 2**16
"""Mean bytes below which many chunks take longer to handle than to compute with."""
LARGE = 8
"""Times the size of ``"auto"`` from which on chunks are too large for several to be in memory at once."""


def warn_of_chunks(chunks: Chunks, itemsize: int, unit: Shape | None = None, *, stacklevel: int = 3) -> None:
    """Warn of chunks with which everything will be slow, and tell which would be better."""
    if any(map(is_unknown, chunks)):
        return
    shape = tuple(map(sum, chunks))
    n = math.prod(map(len, chunks))
    limit = Settings.current().array_chunk_size
    largest = math.prod(map(max, chunks)) * itemsize
    if n > MANY and math.prod(shape) * itemsize / n < SMALL:
        problem = f"{n:,} chunks of {largest:,} bytes: handling them will take longer than computing with them"
    elif largest > LARGE * limit:
        problem = f"chunks of {largest / 2**30:.1f} GiB, several of which are in memory at a time"
    else:
        return
    better = normalize_chunks("auto", shape, itemsize, unit=unit)
    sizes = tuple(map(max, better))
    if better == chunks or math.prod(sizes) * itemsize > LARGE * limit:
        better = normalize_chunks("auto", shape, itemsize)
        sizes = tuple(map(max, better))
    warnings.warn(
        f"an array of shape {shape} in {problem}. Pass chunks={sizes}, which is what chunks='auto' gives, "
        f"for {math.prod(map(len, better)):,} of {math.prod(sizes) * itemsize / 2**20:.1f} MiB",
        PerformanceWarning,
        stacklevel=stacklevel,
    )


def unit_of_chunks(chunks: Chunks, itemsize: int) -> Shape | None:
    """Lengths of which new chunks are best whole numbers, if old ones are to be joined; None if they are too large."""
    sizes = tuple(1 if is_unknown(lengths) else max(*lengths, 1) for lengths in chunks)
    return None if math.prod(sizes) * itemsize > Settings.current().array_chunk_size else sizes
