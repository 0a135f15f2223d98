"""Strings as integers without loss: the bits in which some of them differ, side by side, or digits as numbers.

Keys are often of one form: a prefix and some digits, a date, a code. Most of their bits are the same in all of them.
What is left fits into an integer that is in the order of the strings, and, where there are few such integers, addresses
a table: that takes a third of what hashing the strings does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from restride.collections.dataframe.kernels.memory import valid_mask
from restride.collections.dataframe.kernels.narrowing import Runs, runs_of, squeezed
from restride.collections.dataframe.kernels.words import Word, Words
from restride.engine.graphs.csr import Ints

_BLOCK = 1 << 16
"""Strings whose words are worked on at once, so that they stay in the processor's cache."""
_STEP = 1 << 14
"""Words that become numbers at once: larger arrays that come and go are memory that malloc returns in between."""
_SAMPLE = 1 << 10
"""Strings that are looked at first, as most columns show in them that their strings differ in many bits."""


@dataclass(frozen=True)
class Bits:
    """The bits of a word that differ, side by side."""

    common: int
    """The word's other bits."""
    runs: Runs

    @property
    def size(self) -> int:
        """The integers are below this."""
        return 1 << sum(n for _, n in self.runs)

    def numbers(self, words: Word) -> Word:
        """The integers of words, which may be written to."""
        numbers: Word = squeezed(words, self.runs)
        return numbers

    def words(self, numbers: Word) -> Word:
        """The words of integers."""
        words = np.full(len(numbers), self.common, np.uint64)
        for first, n in self.runs:
            words |= (numbers & np.uint64((1 << n) - 1)) << np.uint64(first)
            numbers = numbers >> np.uint64(n)
        return words


@dataclass(frozen=True)
class Digits:
    """The digits of a word that differ, from the first to the last of them, as the number that they are."""

    common: int
    """The word's other bits."""
    mask: int
    """The lower halves of the bytes that differ."""
    shift: int
    """Where the last digit is."""
    n: int

    @property
    def size(self) -> int:
        """The integers are below this."""
        return int(10**self.n)

    def numbers(self, words: Word) -> Word:
        """The integers of words, in their place."""
        for start in range(0, len(words), _STEP):
            self._make_number(words[start : start + _STEP])
        return words

    def _make_number(self, numbers: Word) -> None:
        numbers &= np.uint64(self.mask)
        if self.shift:
            numbers >>= np.uint64(self.shift)
        # Two digits, four and eight at a time: those of higher value are in higher places.
        for width, low in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0xFFFFFFFF)):
            if 8 * self.n <= width:
                break
            high = numbers >> np.uint64(width)
            high &= np.uint64(low)
            high *= np.uint64(10 ** (width // 8))
            numbers &= np.uint64(low)
            numbers += high

    def words(self, numbers: Word) -> Word:
        """The words of integers."""
        words = np.full(len(numbers), self.common, np.uint64)
        for place in range(self.n):
            numbers, digit = np.divmod(numbers, np.uint64(10))
            words |= digit << np.uint64(self.shift + 8 * place)
        return words


@dataclass(frozen=True)
class Packing:
    """How strings become integers, and integers strings.

    Examples
    --------
    >>> strings = pa.array(["id07", "id03", "id12"])
    >>> packing = packing_of([strings], 1 << 16)
    >>> codes = packing.codes(strings)
    >>> codes.tolist(), packing.decode(codes).to_pylist()
    ([3, 1, 4], ['id07', 'id03', 'id12'])
    """

    length: int | None
    """Of each string; None if they are not all of one."""
    words: tuple[Bits | Digits, ...]
    """What becomes of each 8 bytes, of which the first is the greatest."""

    @property
    def size(self) -> int:
        """The integers are below this."""
        return math.prod(word.size for word in self.words)

    def codes(self, strings: pa.Array) -> Ints:
        """The integers of strings among those that the packing is of, in their order; -1 for null."""
        valid = valid_mask(strings)
        if valid is not None:
            codes = np.full(len(strings), -1, np.int64)
            codes[valid] = self.codes(strings.drop_null())
            return codes
        codes = np.zeros(len(strings), np.int64)
        start = 0
        for block in _blocks(strings):
            self._pack(block, codes[start : start + len(block)].view(np.uint64))
            start += len(block)
        return codes

    def _pack(self, block: Words, codes: Word) -> None:
        """Write the integers of a block of strings to their place, which is zero."""
        is_first = True
        for j, word in enumerate(self.words):
            if word.size > 1:
                if not is_first:
                    codes *= np.uint64(word.size)
                codes += word.numbers(block.big(j))
                is_first = False

    def decode(self, codes: Ints) -> pa.Array:
        """The strings of some integers."""
        words = np.empty((len(codes), len(self.words)), ">u8")
        left = codes.astype(np.uint64)
        for j, word in reversed(list(enumerate(self.words))):
            left, own = np.divmod(left, np.uint64(word.size))
            words[:, j] = word.words(own)
        letters = words.view(np.uint8).reshape(len(codes), 8 * len(self.words))
        if self.length is not None:
            offsets = np.arange(len(codes) + 1, dtype=np.int32) * np.int32(self.length)
            text = np.ascontiguousarray(letters[:, : self.length])
        else:
            there = letters != 0
            offsets = np.zeros(len(codes) + 1, np.int32)
            np.cumsum(there.sum(axis=1), out=offsets[1:])
            text = letters[there]
        return pa.StringArray.from_buffers(len(codes), pa.py_buffer(offsets), pa.py_buffer(text))


def packing_of(parts: Sequence[pa.Array], most: int) -> Packing | None:
    """The packing of strings into integers below `most`; None if that is not possible.

    500,000 strings of 12 bytes take 1.3 ms, or 0.1 ms where the first of them tell that it is not possible; their
    integers then take 5 ms. Arrow hashes them in 18 ms.

    Parameters
    ----------
    parts : sequence of pyarrow.Array
        Of strings, without nulls.
    most : int
        Up to 2**62.

    Examples
    --------
    >>> packing_of([pa.array(["id07", "something else"])], 1 << 16) is None
    True
    """
    filled = [part for part in parts if len(part)]
    if not filled or _widened(None, Words(filled[0].slice(0, _SAMPLE)), most) is None:
        return None
    form: _Form | None = None
    for part in filled:
        for block in _blocks(part):
            form = _widened(form, block, most)
            if form is None:
                return None
    assert form is not None
    if form.shortest < form.longest and any(block.has_zeros for part in filled for block in _blocks(part)):
        return None  # a zero byte looks like the end of a string
    length = form.longest if form.longest == form.shortest else None
    packing = Packing(length, tuple(map(_word, form.first, form.differing, form.above)))
    return packing if packing.size <= most else None


@dataclass(frozen=True)
class _Form:
    """What is known of strings once some have been looked at."""

    longest: int
    shortest: int
    first: tuple[int, ...]
    """The words of the first string."""
    differing: tuple[int, ...]
    """The bits of each word that are not the same in all."""
    above: tuple[int, ...]
    """What of each word tells bytes whose lower half is above 9 in some; where more differs, that does not matter."""


def _widened(form: _Form | None, block: Words, most: int) -> _Form | None:
    """What is known with some more strings; None if they differ in too many bits."""
    is_first = form is None
    if form is None:
        form = _Form(block.longest, block.shortest, (), (), ())
    longest = max(form.longest, block.longest)
    n_words = -(-longest // 8)
    first, differing, above = list(form.first), list(form.differing), list(form.above)
    least = 1
    """Packed by digits, strings take fewer integers than bits have: at most by as much for each digit."""
    for j in range(n_words):
        words = block.little(j)
        if j == len(first):
            # Strings that were looked at before have no bytes here.
            first.append(_swapped(words[0]) if is_first else 0)
            differing.append(0)
            above.append(0)
        some, every = _swapped(np.bitwise_or.reduce(words)), _swapped(np.bitwise_and.reduce(words))
        differing[j] |= (some ^ first[j]) | (every ^ first[j])
        if not differing[j] & ~_LOW_HALVES:
            above[j] |= _above(words)
        bits = differing[j].bit_count()
        least *= 10 ** (bits // 4) << bits % 4 if _only_digits(differing[j], above[j]) else 1 << bits
        if least > most:
            return None
    shortest = min(form.shortest, block.shortest)
    return _Form(longest, shortest, tuple(first), tuple(differing), tuple(above))


_LOW_HALVES = 0x0F0F0F0F0F0F0F0F


def _above(words: Word) -> int:
    """Bit 4 of each byte of which the lower half is above 9 in some words, and other bits that say nothing."""
    halves = words & np.uint64(_LOW_HALVES)
    halves += np.uint64(0x0606060606060606)
    return _swapped(np.bitwise_or.reduce(halves))


def _swapped(word: Any) -> int:
    """A word whose first byte is the least as one whose first byte is the greatest."""
    return int.from_bytes(int(word).to_bytes(8, "little"), "big")


def _only_digits(differing: int, above: int) -> bool:
    """Whether words differ in lower halves of bytes alone, and these are not above 9."""
    if differing & ~_LOW_HALVES:
        return False
    differing |= differing >> 2
    differing |= differing >> 1
    return not (differing << 4) & above & 0x1010101010101010


def _word(first: int, differing: int, above: int) -> Bits | Digits:
    """The packing of a word that takes fewer integers."""
    bits = Bits(first & ~differing, runs_of(differing))
    if not differing or not _only_digits(differing, above):
        return bits
    low, high = ((differing & -differing).bit_length() - 1) // 8, (differing.bit_length() - 1) // 8
    mask = sum(0x0F << 8 * byte for byte in range(low, high + 1) if differing >> 8 * byte & 0x0F)
    digits = Digits(first & ~mask, mask, 8 * low, high - low + 1)
    return digits if digits.size < bits.size else bits


def _blocks(strings: pa.Array) -> Iterator[Words]:
    for start in range(0, len(strings), _BLOCK):
        yield Words(strings.slice(start, _BLOCK))
