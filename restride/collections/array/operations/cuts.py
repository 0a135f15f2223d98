"""Cuts along one axis: slices and integers as numbers, without arrays.

A cut is an integer from 0, or a slice; the whole axis is `WHOLE`, and what is empty is ``slice(0, 0)``.
"""

from __future__ import annotations

from collections.abc import Sequence

Cut = slice | int
Cuts = tuple[Cut, ...]
"""One for each axis."""

WHOLE = slice(None)
NOTHING = slice(0, 0)


def cut_of(chosen: range, length: int) -> slice:
    """The slice that takes the elements `chosen` of an axis.

    Examples
    --------
    >>> cut_of(range(4, -1, -2), 5), cut_of(range(5), 5), cut_of(range(3, 3), 5)
    (slice(4, None, -2), slice(None, None, None), slice(0, 0, None))
    """
    if not chosen:
        return WHOLE if length == 0 else NOTHING
    if len(chosen) == length and chosen.step == 1:
        return WHOLE
    step = chosen.step if len(chosen) > 1 else 1
    stop = chosen[-1] + (1 if step > 0 else -1)
    return slice(chosen[0], stop if stop >= 0 else None, step)


def composed(first: slice, then: Cut, length: int) -> Cut:
    """The one cut that does what two do in a row.

    Examples
    --------
    >>> composed(slice(2, 10), slice(None, None, 3), 20), composed(slice(10, 4, -2), 1, 20)
    (slice(2, 9, 3), 8)
    """
    if first == WHOLE:
        return then
    if then == WHOLE:
        return first
    taken = range(length)[first][then]
    return taken if isinstance(taken, int) else cut_of(taken, length)


def span(cut: Cut, length: int) -> tuple[int, int]:
    """From which element on, and up to which, a cut takes any; two equal numbers if it takes none.

    Examples
    --------
    >>> span(slice(8, 1, -3), 10), span(4, 10), span(slice(0, 0), 10)
    ((2, 9), (4, 5), (0, 0))
    """
    if isinstance(cut, int):
        return cut, cut + 1
    taken = range(length)[cut]
    return (min(taken[0], taken[-1]), max(taken[0], taken[-1]) + 1) if taken else (0, 0)


def spanning(cuts: Sequence[Cut], length: int) -> slice:
    """The shortest slice of step 1 that has all that several cuts take; whole where one is, of whatever length."""
    if any(cut == WHOLE for cut in cuts):
        return WHOLE
    spans = [(start, stop) for start, stop in (span(cut, length) for cut in cuts) if start < stop]
    if not spans:
        return cut_of(range(0), length)
    starts, stops = zip(*spans)
    return cut_of(range(min(starts), max(stops)), length)


def within(cut: Cut, part: slice, length: int) -> Cut:
    """A cut, in terms of a slice of step 1 that has all it takes.

    Examples
    --------
    >>> within(slice(8, 1, -3), slice(2, 9), 10), within(4, slice(2, 9), 10)
    (slice(6, None, -3), 2)
    """
    if part == WHOLE:
        return cut
    start, stop = span(part, length)
    if isinstance(cut, int):
        return cut - start
    taken = range(length)[cut]
    return cut_of(range(taken.start - start, taken.stop - start, taken.step) if taken else taken, stop - start)


def cut_text(cut: Cut) -> str:
    """A cut as people write it.

    Examples
    --------
    >>> cut_text(slice(None, None, -1)), cut_text(slice(2, 4)), cut_text(3)
    ('::-1', '2:4', '3')
    """
    if isinstance(cut, int):
        return str(cut)
    ends = f"{'' if cut.start is None else cut.start}:{'' if cut.stop is None else cut.stop}"
    return ends if cut.step in (None, 1) else f"{ends}:{cut.step}"
