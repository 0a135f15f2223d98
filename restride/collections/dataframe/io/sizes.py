"""Sizes of partitions, as people give them."""

from __future__ import annotations

from typing import Any

from restride.config import parse_bytes


def parsed_blocksize(blocksize: Any) -> int | str | None:
    """Bytes, ``"auto"`` or None, of anything that says how large partitions should be.

    Raises
    ------
    ValueError
        It is none of these, or not positive.

    Examples
    --------
    >>> parsed_blocksize("64 MiB")
    67108864
    """
    if blocksize is None or blocksize == "auto":
        return blocksize
    try:
        size = parse_bytes(blocksize)
    except (TypeError, ValueError):
        size = 0
    if size <= 0:
        raise ValueError(f"blocksize is a number of bytes, a size such as '64 MiB', 'auto' or None, got {blocksize!r}")
    return size
