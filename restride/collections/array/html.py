"""How an array looks in a notebook: a small table, and a sketch of its first axes in blocks."""

from __future__ import annotations

import math

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, is_unknown

SIDE = 120
"""Pixels of the longer side of the sketch."""


def html_table(shape: Shape, chunks: Chunks, dtype: np.dtype) -> str:
    """An html fragment that tells shape, chunks, bytes and dtype of an array, with a sketch of its last two axes."""
    longest = tuple(map(max, chunks))
    rows = [
        ("", "Array", "Chunk"),
        ("Shape", str(shape), str(longest)),
        ("Bytes", format_bytes(math.prod(shape) * dtype.itemsize), format_bytes(math.prod(longest) * dtype.itemsize)),
        ("Count", f"{math.prod(shape):,} of {dtype}", f"{math.prod(map(len, chunks)):,} chunks"),
    ]
    cells = "".join(
        f"<tr><th>{what}</th>" + "".join(f"<{tag}>{value}</{tag}>" for value in values) + "</tr>"
        for (what, *values), tag in zip(rows, ["th", "td", "td", "td"])
    )
    table = f'<table style="border-collapse: collapse">{cells}</table>'
    return f"<table><tr><td>{table}</td><td>{sketch(chunks)}</td></tr></table>"


def sketch(chunks: Chunks) -> str:
    """An SVG drawing of the last two axes, with a line at each boundary of blocks where they are not too many."""
    if not chunks or any(sum(lengths) == 0 or is_unknown(lengths) for lengths in chunks):
        return ""
    down, across = (((1,), *chunks)[-2:]) if len(chunks) == 1 else chunks[-2:]
    longest = max(sum(down), sum(across))
    height, width = (max(SIDE * sum(lengths) / longest, 12) for lengths in (down, across))
    lines = [
        *(f'<path d="M0 {y:.1f}H{width:.1f}"/>' for y in _boundaries(down, height)),
        *(f'<path d="M{x:.1f} 0V{height:.1f}"/>' for x in _boundaries(across, width)),
    ]
    return (
        f'<svg width="{width + 2:.0f}" height="{height + 2:.0f}" viewBox="-1 -1 {width + 2:.1f} {height + 2:.1f}">'
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="#cfe3ee" stroke="#24566e"/>'
        f'<g stroke="#24566e" stroke-width="0.5">{"".join(lines)}</g></svg>'
    )


def format_bytes(n: int) -> str:
    """A number of bytes for people.

    Examples
    --------
    >>> format_bytes(512_000_000)
    '488.28 MiB'
    """
    if math.isnan(n):
        return "unknown"
    size, units = float(n), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{n} B" if units[0] == "B" else f"{size:.2f} {units[0]}"


def _boundaries(lengths: tuple[int, ...], pixels: float) -> list[float]:
    """Where inner boundaries lie, in pixels; every so many of them where they would be closer than 3 pixels."""
    stops = np.cumsum(lengths)[:-1]
    every = max(math.ceil(3 * len(lengths) / pixels), 1)
    return (stops[every - 1 :: every] * (pixels / sum(lengths))).tolist()
