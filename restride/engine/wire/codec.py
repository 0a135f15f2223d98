"""Messages to header and frames and back, as the type hints of their fields say.

A column (``NDArray``) is a frame of its items, a `Blob` a frame as it is; `Blobs` are a column of lengths and one frame
with all of them where they are small on average, else a frame each; `ParamPages` are their columns. Everything else is
JSON, and stands in the header: ``[kind, value, value, ...]``. Whatever comes that does not fit the hints is a
`WireError`. Columns and blobs are not copied on decoding: they are views of the frames.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import operator
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.engine import messages
from restride.engine.graphs.params import ParamPages
from restride.engine.messages import Blob, Blobs
from restride.engine.wire.frames import ALIGNMENT, Buffer, pack_lengths
from restride.errors import WireError

SMALL_BLOB = 16 << 10
"""Bytes that blobs have on average at least where each travels by itself."""
COPIED_COLUMN = 4096
"""Bytes up to which copying a column is cheaper than handing it on."""
FEW = 64
"""Items up to which Python is quicker than numpy."""
IN_PROCESS = (messages.Kernels, messages.Failed, messages.Broken, messages.TaskFailure)
"""Messages that carry Python objects, and so do not travel."""
SAME_LENGTH: Mapping[type, tuple[tuple[str, ...], ...]] = {
    messages.PackedKernels: (("numbers", "kernel", "has_param", "resources"), ("digests", "kernels")),
    messages.Place: (("ids", "attempts", "layers", "params", "wanted"), ("deps", "homes")),
    messages.Moved: (("ids", "homes"),),
    messages.Replicate: (("ids", "homes"),),
    messages.Await: (("ids", "attempts"),),
    messages.Deliver: (("ids", "workers"),),
    messages.Workers: (("numbers", "addresses"),),
    messages.Finished: (("ids", "attempts", "nbytes", "seconds"), ("result_ids", "results")),
    messages.GivenBack: (("ids", "attempts"),),
    messages.Submit: (
        ("layer", "index"),
        ("names", "origins", "kernel", "first_page", "rows_per_page"),
        ("digests", "kernels"),
    ),
    messages.Done: (("ids", "workers"), ("result_ids", "results")),
}
"""Fields that have one item for each of the same things."""
CSR: Mapping[type, tuple[str, str, str]] = {
    messages.Place: ("ids", "indptr", "deps"),
    messages.Submit: ("layer", "indptr", "indices"),
}
"""Rows, row pointers and indices of messages that hold a graph."""

_Frames = Iterator[memoryview]
_Put = Callable[[Any, list[Any], list[Buffer]], None]
"""Append a field's value to the header, or its frames to the frames."""
_Take = Callable[[Iterator[Any], _Frames], Any]
"""The field's value again."""


def encode(message: Any) -> tuple[bytes, list[Buffer]]:
    """Lay a message out as header and frames; large columns and blobs are not copied.

    Raises
    ------
    TypeError
        This is no message, or holds something that its type hints do not promise.
    """
    kind = _BY_CLASS.get(message.__class__)
    if kind is None:
        raise TypeError(f"{type(message).__name__} is no message that travels between processes")
    plain: list[Any] = [kind.name]
    frames: list[Buffer] = []
    for put, value in zip(kind.puts, kind.values(message)):
        put(value, plain, frames)
    return kind.header if len(plain) == 1 else _to_json(plain).encode(), frames


def decode(header: bytes, frames: Sequence[memoryview]) -> Any:
    """Make the message again.

    Raises
    ------
    WireError
        Header and frames are no message.
    """
    try:
        text = header.decode("ascii")
        plain, end = _from_json(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"the header of a message is no JSON: {error}") from None
    if end != len(text):
        raise WireError(f"the header of a message goes on after the JSON: {header[end:][:60]!r}")
    kind = _BY_NAME.get(plain[0]) if isinstance(plain, list) and plain and isinstance(plain[0], str) else None
    if kind is None:
        raise WireError(f"there is no message {header[:60]!r}")
    rest, columns = iter(plain), iter(frames)
    next(rest)
    try:
        message = kind.cls(*[take(rest, columns) for take in kind.takes])
        kind.check(message)
    except StopIteration:
        raise WireError(f"{kind.name} message: values or frames are missing") from None
    except ValueError as error:
        raise WireError(f"{kind.name} message: {error}") from None
    if next(rest, _END) is not _END or next(columns, _END) is not _END:
        raise WireError(f"{kind.name} message: there are more values or frames than fields")
    return message


class _Kind:
    """How one class of messages travels."""

    def __init__(self, cls: type) -> None:
        hints = typing.get_type_hints(cls)
        names = [field.name for field in dataclasses.fields(cls)]
        fields = [_field(hints[name]) for name in names]
        self.cls, self.name = cls, cls.__name__
        self.header = _to_json([self.name]).encode()
        self.puts = [put for put, _ in fields]
        self.takes = [take for _, take in fields]
        get = operator.attrgetter(*names)
        self.values: Callable[[Any], tuple[Any, ...]] = get if len(names) > 1 else lambda message: (get(message),)
        self._same_length = [(group, operator.attrgetter(*group)) for group in SAME_LENGTH.get(cls, ())]
        self._csr = CSR.get(cls)

    def check(self, message: Any) -> None:
        """Raise ValueError if what belongs together does not fit together."""
        for group, get in self._same_length:
            if len(set(map(len, get(message)))) > 1:
                raise ValueError(f"{', '.join(group)} have {', '.join(str(len(part)) for part in get(message))} items")
        if self._csr is not None:
            rows, indptr, indices = (getattr(message, name) for name in self._csr)
            if len(indptr) != len(rows) + 1 or indptr[0] != 0 or indptr[-1] != len(indices):
                raise ValueError(f"{self._csr[1]} does not divide {self._csr[2]} among {self._csr[0]}")
            if len(indptr) > 2 and not (indptr[:-1] <= indptr[1:]).all():
                raise ValueError(f"{self._csr[1]} decreases")


def _field(hint: Any) -> tuple[_Put, _Take]:
    if typing.get_origin(hint) is np.ndarray:
        dtype = np.dtype(typing.get_args(typing.get_args(hint)[1])[0])
        return (_put_column(dtype), _take_flags if dtype == np.bool_ else _take_column(dtype))
    if hint == Blob:
        return _put_blob, _take_blob
    if hint == Blobs:
        return _put_blobs, _take_blobs
    if hint == list[Any] | ParamPages:
        return _put_pages, _take_pages
    return _put_plain, _take_plain(hint)


# ---- columns


def _put_column(dtype: np.dtype[Any]) -> _Put:
    def put(value: Any, plain: list[Any], frames: list[Buffer]) -> None:
        if value.__class__ is not np.ndarray or value.dtype is not dtype:
            value = np.asarray(value).astype(dtype, casting="same_kind", copy=False)
        if value.ndim != 1:
            raise TypeError(f"a column has one dimension, not {value.ndim}")
        if value.nbytes <= COPIED_COLUMN:
            frames.append(value.tobytes())
        else:
            frames.append(np.ascontiguousarray(value).data.cast("B"))

    return put


def _take_column(dtype: np.dtype[Any]) -> _Take:
    def take(plain: Iterator[Any], frames: _Frames) -> NDArray[Any]:
        return np.frombuffer(next(frames), dtype)

    return take


def _take_flags(plain: Iterator[Any], frames: _Frames) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = np.frombuffer(next(frames), np.uint8) != 0  # another byte than 0 and 1 is no bool
    return flags


# ---- blobs


def _put_blob(value: Blob, plain: list[Any], frames: list[Buffer]) -> None:
    frames.append(_flat(value))


def _take_blob(plain: Iterator[Any], frames: _Frames) -> memoryview:
    return next(frames)


def _put_blobs(value: Blobs, plain: list[Any], frames: list[Buffer]) -> None:
    """The header says how many there are, or -1 that they share a frame."""
    blobs = [_flat(blob) for blob in value]
    lengths = [len(blob) for blob in blobs]
    if not blobs or sum(lengths) >= SMALL_BLOB * len(blobs):
        plain.append(len(blobs))
        frames.extend(blobs)
        return
    plain.append(-1)
    frames.append(pack_lengths(lengths))
    frames.append(b"".join([part for blob in blobs for part in (blob, bytes(-len(blob) % ALIGNMENT))]))


def _take_blobs(plain: Iterator[Any], frames: _Frames) -> list[memoryview]:
    count = next(plain)
    if count.__class__ is not int or count < -1:
        raise ValueError(f"{count!r} is no number of blobs")
    if count >= 0:
        return [next(frames) for _ in range(count)]
    lengths: list[int] = np.frombuffer(next(frames), np.uint64).tolist()
    joined = next(frames)
    blobs = []
    at = 0
    for length in lengths:
        blobs.append(joined[at : at + length])
        at += (length + ALIGNMENT - 1) & -ALIGNMENT
    if at != len(joined):
        raise ValueError("lengths of blobs that do not fit their frame")
    return blobs


def _flat(blob: Blob) -> Buffer:
    if isinstance(blob, memoryview) and (blob.itemsize != 1 or blob.ndim != 1):
        return blob.cast("B")
    if isinstance(blob, (bytes, bytearray, memoryview)):
        return blob
    raise TypeError(f"a blob is bytes or a memoryview, not {type(blob).__name__}")


# ---- parameters in pages

_put_positions, _take_positions = _put_column(np.dtype(np.int32)), _take_column(np.dtype(np.int32))
_put_lengths, _take_lengths = _put_column(np.dtype(np.int64)), _take_column(np.dtype(np.int64))


def _put_pages(value: ParamPages, plain: list[Any], frames: list[Buffer]) -> None:
    if not isinstance(value, ParamPages):
        raise TypeError("parameters travel in pages, not as objects")
    _put_positions(value.page, plain, frames)
    _put_positions(value.offset, plain, frames)
    _put_lengths(value.lengths, plain, frames)
    _put_blob(value.blob, plain, frames)


def _take_pages(plain: Iterator[Any], frames: _Frames) -> ParamPages:
    page, offset, lengths = _take_positions(plain, frames), _take_positions(plain, frames), _take_lengths(plain, frames)
    blob = next(frames)
    if len(page) != len(offset):
        raise ValueError(f"pages of {len(page)} parameters, offsets of {len(offset)}")
    bytes_of_pages: list[int] = lengths.tolist()
    if sum(bytes_of_pages) != len(blob) or min(bytes_of_pages, default=0) < 0:
        raise ValueError("lengths of pages that do not fit their frame")
    if len(page) and _maximum(page) >= len(lengths):
        raise ValueError(f"page {page.max()} of {len(lengths)}")
    return ParamPages(page, offset, lengths, blob)


def _maximum(column: NDArray[Any]) -> int:
    return int(max(column.tolist()) if len(column) <= FEW else column.max())


# ---- plain values


def _put_plain(value: Any, plain: list[Any], frames: list[Buffer]) -> None:
    plain.append(value)


def _take_plain(hint: Any) -> _Take:
    fits = _check(hint)

    def take(plain: Iterator[Any], frames: _Frames) -> Any:
        value = next(plain)
        if not fits(value):
            raise ValueError(f"{str(value)[:60]!r} where {hint} was expected")
        return value

    return take


def _check(hint: Any) -> Callable[[Any], bool]:
    """Whether a value that came as JSON is what a type hint says."""
    if hint is Any:
        return lambda value: True
    if hint is int:
        return lambda value: value.__class__ is int and -(2**63) <= value < 2**63
    if hint is float:
        return lambda value: value.__class__ in (int, float)
    if hint in (str, bool, types.NoneType):
        return lambda value: value.__class__ is hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        checks = [_check(argument) for argument in arguments]
        return lambda value: any(check(value) for check in checks)
    if origin is collections.abc.Sequence:
        check_item = _check(arguments[0])
        return lambda value: value.__class__ is list and all(map(check_item, value))
    if origin is collections.abc.Mapping:
        check_item = _check(arguments[1])
        return lambda value: value.__class__ is dict and all(map(check_item, value.values()))
    raise TypeError(f"values of type {hint} cannot travel")


def _simplest(value: Any) -> Any:
    """What JSON itself does not know, as what it knows."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.dtype.kind in "iufb"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no plain value that travels in a message")


_to_json = json.JSONEncoder(separators=(",", ":"), default=_simplest, check_circular=False).encode
_from_json = json.JSONDecoder().raw_decode
_END = object()
_BY_CLASS = {
    cls: _Kind(cls)
    for cls in vars(messages).values()
    if dataclasses.is_dataclass(cls) and isinstance(cls, type) and cls.__module__ == messages.__name__
    if cls not in IN_PROCESS
}
_BY_NAME = {kind.name: kind for kind in _BY_CLASS.values()}
