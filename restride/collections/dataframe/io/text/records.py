"""Where records begin and end in text, with quoted fields that may hold line breaks.

A file is split at places that each reader of a part finds for itself, from the bytes that follow a given offset.
Whether such an offset lies inside of a quoted field can only be guessed from there, well as it may. So each part is
checked when it is read: its first record begins outside of quotes, and so must what follows its last. If that holds for
all parts of a file, then all were split between records, by induction from the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WINDOW = 64 * 1024
"""Bytes after an offset that are looked at first to find the next record."""
NEWLINE = 10


@dataclass(frozen=True)
class Dialect:
    """How fields are delimited and quoted; single bytes."""

    delimiter: bytes = b","
    quote: bytes = b'"'
    """Empty where nothing is quoted."""
    escape: bytes = b""
    comment: bytes = b""
    spaces: bool = False
    """Whether spaces after a delimiter are skipped, also before a quote."""

    @property
    def is_plain(self) -> bool:
        """Whether each line break ends a record."""
        return not self.quote


def next_record(read: Callable[[int, int], bytes], offset: int, size: int, dialect: Dialect) -> int:
    r"""Where the first record begins that begins at an offset or after it.

    Parameters
    ----------
    read : callable
        ``read(start, stop)`` gives these bytes of the text.
    offset : int
    size : int
        Bytes of the text.
    dialect : Dialect

    Returns
    -------
    int
        `size` if there is none.

    Examples
    --------
    >>> text = b'a,"x\ny"\nb,"z"\n'
    >>> next_record(lambda start, stop: text[start:stop], 5, len(text), Dialect())
    8
    """
    if offset <= 0:
        return 0
    window = WINDOW
    while True:
        stop = min(offset - 1 + window, size)
        text = read(offset - 1, stop)
        end = _end_of_record(text, dialect, stop == size)
        if end is not None:
            return offset - 1 + end
        if stop == size:
            return size
        window *= 8


def _end_of_record(text: bytes, dialect: Dialect, is_end: bool) -> int | None:
    """The place after the first line break outside of quotes; None if there is none."""
    if dialect.is_plain or dialect.quote not in text:
        found = text.find(b"\n")
        return found + 1 if found >= 0 else None
    inside = _starts_inside(text, dialect)
    body = dialect.quote + text if inside else text
    shift = 1 if inside else 0
    ends = line_ends(body, dialect)
    return int(ends[0]) + 1 - shift if len(ends) else None


def _starts_inside(text: bytes, dialect: Dialect) -> bool:
    """Whether text seems to begin inside of a quoted field: by which its quotes are less often out of place."""
    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == ord(dialect.quote))
    doubled = np.zeros(len(quotes), bool)  # two in a row are one of the field's own, or an empty field
    doubled[1:] = np.diff(quotes) == 1
    openings = _may_open(data, quotes, dialect)
    closings = _may_close(data, quotes, dialect)

    def out_of_place(first_opens: bool) -> int:
        opens = (np.arange(len(quotes)) % 2 == 0) == first_opens
        beside = doubled | np.append(doubled[1:], False)
        wrong = np.where(opens, ~openings, ~closings) & ~beside
        return int(wrong.sum())

    return out_of_place(first_opens=False) < out_of_place(first_opens=True)


def _may_open(data: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> np.ndarray:
    """Whether what precedes each quote allows it to begin a field, bool."""
    before = data[np.maximum(quotes - 1, 0)]
    fine = (before == ord(dialect.delimiter)) | (before == NEWLINE) | (before == 13) | (quotes == 0)
    return fine | (before == ord(" ")) if dialect.spaces else fine


def _may_close(data: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> np.ndarray:
    after = data[np.minimum(quotes + 1, len(data) - 1)]
    last = quotes == len(data) - 1
    return (after == ord(dialect.delimiter)) | (after == NEWLINE) | (after == 13) | last


def line_ends(text: bytes, dialect: Dialect) -> np.ndarray:
    """Places of the line breaks that end records of text which begins with a record, int64."""
    inside, _ = _inside(text, dialect)
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == NEWLINE)
    return ends if inside is None else ends[~inside[ends]]


def ends_outside(text: bytes, dialect: Dialect) -> bool:
    r"""Whether text which begins with a record ends outside of quotes, so that a record may begin after it.

    Examples
    --------
    >>> [ends_outside(text, Dialect()) for text in (b'a,"x""y"\n', b'a,"x\n', b'5" pipe\n')]
    [True, False, True]
    """
    if dialect.is_plain or dialect.quote not in text:
        return True
    _, inside = _inside(text, dialect)
    return not inside


def _inside(text: bytes, dialect: Dialect) -> tuple[np.ndarray | None, bool]:
    """For each byte whether it is inside of quotes, bool, or None if none is; whether what follows would be."""
    if dialect.is_plain or dialect.quote not in text:
        return None, False
    if not dialect.escape and not dialect.comment:
        data = np.frombuffer(text, np.uint8)
        quotes = np.flatnonzero(data == ord(dialect.quote))
        opens = quotes[::2]
        # A quote opens a field at its beginning, or is doubled: the second of two then opens it again.
        again = np.zeros(len(opens), bool)
        again[1:] = opens[1:] - quotes[1::2][: len(opens) - 1] == 1
        if (_may_open(data, opens, dialect) | again).all():
            marks = np.zeros(len(data), bool)
            marks[quotes] = True
            inside = np.logical_xor.accumulate(marks)
            return inside, bool(len(quotes) % 2)
    return _inside_slowly(text, dialect)


def _inside_slowly(text: bytes, dialect: Dialect) -> tuple[np.ndarray, bool]:
    """The same for text with quotes in the middle of fields, escapes or comments: sign by sign."""
    inside = np.zeros(len(text), bool)
    signs = [dialect.delimiter, dialect.quote, dialect.escape, dialect.comment, b"\n"]
    pattern = re.compile(b"[" + b"".join(re.escape(sign) for sign in signs if sign) + b"]")
    at_start, opened, at = True, -1, 0
    while found := pattern.search(text, at):
        place = found.start()
        sign = found.group()
        if opened < 0:
            begins = at_start and (place == at or (dialect.spaces and not text[at:place].strip(b" ")))
            at_start = sign in (dialect.delimiter, b"\n")
            at = place + 1
            if sign == dialect.quote and begins:
                opened = place
            elif sign == dialect.escape:
                at += 1
            elif sign == dialect.comment:
                end = text.find(b"\n", place)
                at, at_start = (len(text), True) if end < 0 else (end + 1, True)
        elif sign == dialect.quote:
            if not dialect.escape and text[place + 1 : place + 2] == dialect.quote:
                at = place + 2
            else:
                inside[opened:place] = True
                opened, at_start, at = -1, False, place + 1
        else:
            at = place + (2 if sign == dialect.escape else 1)
    if opened >= 0:
        inside[opened:] = True
    return inside, opened >= 0
