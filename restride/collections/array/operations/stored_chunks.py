"""In what chunks an object outside is stored, as far as it tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from restride.collections.array.chunks import Shape


def own_chunks(source: Any) -> Shape | None:
    """The shape of the chunks that an object is stored in; None where it does not tell.

    Examples
    --------
    >>> import zarr
    >>> own_chunks(zarr.create_array({}, shape=(10, 10), chunks=(5, 2), dtype="f8")), own_chunks([1, 2])
    ((5, 2), None)
    """
    chunks = getattr(source, "shards", None) or getattr(source, "chunks", None)
    if chunks is None and hasattr(source, "chunking"):
        chunks = source.chunking()
    if not isinstance(chunks, (tuple, list)) or len(chunks) != len(source.shape):
        return None
    if not all(isinstance(length, (int, np.integer)) and length > 0 for length in chunks):
        return None
    return tuple(map(int, chunks))
