"""Strings as rows of 8-byte words, read from a column's memory without a copy: what hashes and radix sorts work on."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

Rows = np.ndarray[Any, np.dtype[np.int64]]
Word = np.ndarray[Any, np.dtype[np.uint64]]

_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], np.uint64)
"""What keeps the first `n` bytes of a little-endian word."""
_WORD = np.dtype("<u8")


class Words:
    r"""The bytes of each string of an array, in words of 8; the last is filled up by zeros, and so are words beyond it.

    Parameters
    ----------
    array : pyarrow.Array
        Of strings or bytes. What is at nulls is not said.

    Examples
    --------
    >>> words = Words(pa.array(["restride", "rest", ""]))
    >>> [word.tobytes() for word in words.little(0)]
    [b'restride', b'rest\x00\x00\x00\x00', b'\x00\x00\x00\x00\x00\x00\x00\x00']
    """

    def __init__(self, array: pa.Array) -> None:
        self._offsets, buffer = _layout(array)
        lengths = self._offsets[1:] - self._offsets[:-1]
        self.longest = int(lengths.max(initial=0))
        self.shortest = int(lengths.min(initial=self.longest))
        if buffer is None or buffer.size < 8:
            buffer = pa.py_buffer((buffer.to_pybytes() if buffer else b"") + bytes(8))
        self._buffer = buffer
        self._last = buffer.size - 8
        """Where the last whole word begins."""
        self._view = np.ndarray((self._last + 1,), _WORD, buffer, 0, (1,))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @cached_property
    def starts(self) -> Rows:
        """Where each string begins, int64."""
        starts: Rows = self._offsets[:-1].astype(np.int64, copy=False)
        return starts

    @cached_property
    def lengths(self) -> Rows:
        """How many bytes each string has, int64."""
        lengths: Rows = np.diff(self._offsets).astype(np.int64, copy=False)
        return lengths

    @property
    def n_words(self) -> int:
        """How many words the longest string has."""
        return -(-self.longest // 8)

    @cached_property
    def has_zeros(self) -> bool:
        """Whether there are zero bytes in any string, which look like the end of one."""
        if not len(self):
            return False
        start, stop = int(self._offsets[0]), int(self._offsets[-1])
        return bytes(1) in memoryview(self._buffer)[start:stop].tobytes()

    def little(self, j: int, rows: Rows | None = None) -> Word:
        """Word `j` of all strings, or of some, with the first byte the least: for hashes, which need no order."""
        if rows is None and self.shortest == self.longest:
            return self._of_one_length(j, _WORD)
        starts = self.starts if rows is None else self.starts[rows]
        lengths = self.lengths if rows is None else self.lengths[rows]
        words = self._load(starts + 8 * j if j else starts, sorted_starts=rows is None)
        if self.shortest < 8 * (j + 1):
            words &= _MASKS[np.clip(lengths - 8 * j, 0, 8) if j else np.minimum(lengths, 8)]
        return words

    def big(self, j: int, rows: Rows | None = None) -> Word:
        """Word `j` with the first byte the greatest: words are in the order of the strings."""
        if rows is None and self.shortest == self.longest:
            return self._of_one_length(j, _WORD.newbyteorder())
        words = self.little(j, rows)
        return words.byteswap(inplace=True)

    def _load(self, starts: Rows, *, sorted_starts: bool) -> Word:
        """The words at positions; what is beyond the end of the memory reads as zero."""
        last = self._last
        first = int(np.searchsorted(starts, last, side="right")) if sorted_starts else 0
        if first == len(starts) or (not sorted_starts and int(starts.max(initial=0)) <= last):
            return self._view[starts]
        beyond = starts[first:] - last
        words = np.empty(len(starts), np.uint64)
        words[:first] = self._view[starts[:first]]
        tail = self._view[np.minimum(starts[first:], last)]
        shifts = np.clip(beyond, 0, 8).astype(np.uint64) * np.uint64(8)
        # A shift by 64 bits is no shift to the processor.
        words[first:] = np.where(shifts < 64, tail >> np.minimum(shifts, np.uint64(63)), np.uint64(0))
        return words

    def _of_one_length(self, j: int, order: np.dtype[Any]) -> Word:
        """Word `j` of all strings, with its bytes in an order."""
        n, length = len(self), self.longest
        left = length - 8 * j
        if n == 0 or left <= 0:
            return np.zeros(n, np.uint64)
        first = int(self._offsets[0]) + 8 * j
        whole = min(n, max(0, (self._last - first) // length + 1))
        words = np.empty(n, np.uint64)
        if whole:
            words[:whole] = np.ndarray((whole,), order, self._buffer, first, (length,))
        if whole < n:
            words[whole:] = self._load(self.starts[whole:] + 8 * j, sorted_starts=True).view(order)
        if left < 8:
            words &= _MASKS[left : left + 1].view(order)
        return words


def _layout(array: pa.Array) -> tuple[np.ndarray, pa.Buffer | None]:
    """Where each string begins and the last one ends, and the memory that they are in."""
    assert sys.byteorder == "little"
    n, kind, buffers = len(array), array.type, array.buffers()
    if pa.types.is_fixed_size_binary(kind):
        return (np.arange(n + 1) + array.offset) * kind.byte_width, buffers[1]
    if not (
        pa.types.is_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_large_binary(kind)
    ):
        raise TypeError(f"no words in an array of type {kind}")
    large = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    dtype = np.dtype(np.int64 if large else np.int32)
    if n == 0 or buffers[1] is None:
        return np.zeros(n + 1, dtype), buffers[2]
    return np.frombuffer(buffers[1], dtype, count=n + 1, offset=array.offset * dtype.itemsize), buffers[2]
