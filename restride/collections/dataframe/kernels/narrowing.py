"""Unsigned integers in as few bits as tell them apart, in the same order: what makes radix sorts and searches short.

Two ways, whichever leaves fewer bits: the least value is subtracted, or bits that are alike everywhere are left out.
The first suits numbers; the second suits strings, as digits differ in four bits of eight, and letters in five.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from restride.collections.dataframe.kernels.sort_keys import Level, Unsigned
from restride.collections.dataframe.kernels.words import Rows

Runs = tuple[tuple[int, int], ...]
"""Runs of bits: for each its lowest bit and how many there are in it, the lowest first."""

_BLOCK = 16 * 1024
"""Values that are worked on at once, so that what comes in between stays in the processor's cache."""
_DIGIT = 16
"""Bits that a pass of a radix sort takes."""


def narrow(parts: Sequence[Unsigned]) -> tuple[list[Unsigned], int]:
    """Arrays of one unsigned type in fewer bits, all by the same function, which keeps the order among all of them.

    Returns
    -------
    parts : list of ndarray
        Of the narrowest type but uint8; an array may be returned as it is.
    bits : int
        How many bits they take; 0 if all values are the same.

    Examples
    --------
    >>> parts, bits = narrow([np.array([1_000_003, 1_000_000], np.uint64), np.array([1_000_001], np.uint64)])
    >>> [part.tolist() for part in parts], bits
    ([[3, 0], [1]], 2)
    """
    filled = [part for part in parts if len(part)]
    if not filled:
        return list(parts), 0
    least, most = min(int(part.min()) for part in filled), max(int(part.max()) for part in filled)
    bits = (most - least).bit_length()
    if bits <= _DIGIT:
        return [_as_bits(_minus(part, least), bits) for part in parts], bits
    differing = 0
    for part in filled:
        differing |= int(np.bitwise_or.reduce(part ^ part.dtype.type(least)))
    runs = runs_of(differing)
    kept = differing.bit_count()
    # A bit run to move costs about a fourth of what a pass costs.
    if _passes(bits) - _passes(kept) > (len(runs) - 1) // 4:
        return [_as_bits(squeezed(part, runs), kept) for part in parts], kept
    return [_as_bits(_minus(part, least), bits) for part in parts], bits


def next_words(
    levels: Sequence[list[Level]], rows: Sequence[Rows | None], limit: int = 64
) -> tuple[list[Unsigned], int]:
    """The next levels of rows as one word: as many as go into 64 bits, which are taken off the lists.

    Parameters
    ----------
    levels : sequence of list of Level
        Of one or several tables of the same keys; changed.
    rows : sequence of (ndarray of int64 or None)
        Which rows of each table; None for all of them.
    limit : int
        How many bits a word has.

    Returns
    -------
    words : list of ndarray of unsigned integers
        For each table, to be compared with those of the others.
    bits : int
        How many they take.
    """
    words, bits = narrow([of.pop(0)(which) for of, which in zip(levels, rows)])
    while levels[0]:
        more, n_bits = narrow([of[0](which) for of, which in zip(levels, rows)])
        if bits + n_bits > limit:
            break
        for of in levels:
            del of[0]
        if bits == 0:
            words, bits = more, n_bits
        elif n_bits:
            words = [_joined(word, low, n_bits) for word, low in zip(words, more)]
            bits += n_bits
    return words, bits


def _passes(bits: int) -> int:
    return -(-bits // _DIGIT)


def _minus(values: Unsigned, least: int) -> Unsigned:
    return values - values.dtype.type(least) if least else values


def _as_bits(values: Unsigned, bits: int) -> Unsigned:
    return values.astype(np.uint16 if bits <= 16 else np.uint32 if bits <= 32 else np.uint64, copy=False)


def _joined(high: Unsigned, low: Unsigned, bits: int) -> Unsigned:
    word = high.astype(np.uint64)
    word <<= np.uint64(bits)
    word |= low
    return word


def runs_of(mask: int) -> Runs:
    """Where each run of set bits begins, the lowest first, and how many there are in it."""
    runs: list[tuple[int, int]] = []
    at = 0
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        mask >>= zeros
        ones = (~mask & (mask + 1)).bit_length() - 1
        runs.append((at + zeros, ones))
        mask >>= ones
        at += zeros + ones
    return tuple(runs)


def squeezed(values: Unsigned, runs: Runs) -> Unsigned:
    """The bits of these runs side by side."""
    kind = values.dtype.type
    squeezed = np.empty(len(values), values.dtype)
    for start in range(0, len(values), _BLOCK):
        block, out = values[start : start + _BLOCK], squeezed[start : start + _BLOCK]
        out[:] = 0
        at = 0
        for first, n in runs:
            bits = block >> kind(first - at) if first > at else block.copy()
            bits &= kind(((1 << n) - 1) << at)
            out |= bits
            at += n
    return squeezed
