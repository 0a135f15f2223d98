"""Messages survive the way through header and frames; what is no message raises a WireError and nothing else."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import typing
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine import messages as m
from restride.engine.graphs.params import ParamPages
from restride.engine.wire.codec import _BY_CLASS, CSR, IN_PROCESS, SAME_LENGTH, SMALL_BLOB, decode, encode
from restride.errors import WireError

TRAVEL: list[type] = [
    cls
    for cls in vars(m).values()
    if isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__ == m.__name__
    if cls not in IN_PROCESS
]
texts = st.text(max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
blobs = st.binary(max_size=20) | st.just(b"x" * (3 * SMALL_BLOB))


def values(hint: Any, size: int | None) -> st.SearchStrategy[Any]:
    """Values of a type, with `size` items where they are columns or sequences that have to fit others."""
    sizes = st.just(size) if size is not None else st.integers(0, 5)
    if typing.get_origin(hint) is np.ndarray:
        dtype = typing.get_args(typing.get_args(hint)[1])[0]
        return st.tuples(sizes, st.integers(0, 2**32)).map(lambda drawn: column(dtype, *drawn))
    if hint == m.Blob:
        return blobs
    if hint == list[Any] | ParamPages:
        return sizes.map(pages)
    if typing.get_origin(hint) is collections.abc.Sequence:
        item = blobs if hint == m.Blobs else values(typing.get_args(hint)[0], None)
        return sizes.flatmap(lambda size: st.lists(item, min_size=size, max_size=size))
    if typing.get_origin(hint) is collections.abc.Mapping:
        return st.dictionaries(texts, values(typing.get_args(hint)[1], None), max_size=3)
    if hint is Any:
        return plain
    if hint is int:
        return st.integers(-(2**63), 2**63 - 1)
    if hint is float:
        return st.floats(allow_nan=False)
    return st.from_type(hint)


def column(dtype: type, size: int, seed: int) -> np.ndarray[Any, Any]:
    items = np.random.default_rng(seed).integers(0, 2**62, size)
    return items % 2 == 0 if dtype is np.bool_ else items.astype(dtype)


def pages(size: int) -> ParamPages:
    lengths = np.array([3, 5])
    page = np.arange(size, dtype=np.int32) % 3 - 1
    return ParamPages(page, np.zeros(size, np.int32), lengths, b"12345678")


@st.composite
def messages(draw: st.DrawFn, cls: type) -> Any:
    hints = typing.get_type_hints(cls)
    least = 1 if cls in CSR else 0  # without rows there can be no indices
    sizes: dict[str, int] = {}
    for group in SAME_LENGTH.get(cls, ()):
        sizes.update(dict.fromkeys(group, draw(st.integers(least, 5))))
    drawn = {field.name: draw(values(hints[field.name], sizes.get(field.name))) for field in dataclasses.fields(cls)}
    if cls in CSR:
        rows, indices = drawn[CSR[cls][0]], drawn[CSR[cls][2]]
        cuts = draw(st.lists(st.integers(0, len(indices)), min_size=len(rows) - 1, max_size=len(rows) - 1))
        drawn[CSR[cls][1]] = np.array([0, *sorted(cuts), len(indices)])
    return cls(**drawn)


def received(frames: Sequence[Any]) -> list[memoryview]:
    return [memoryview(bytearray(frame)) for frame in frames]


def same(sent: Any, came: Any) -> bool:
    if isinstance(sent, np.ndarray):
        return sent.dtype == came.dtype and bool(np.array_equal(sent, came))
    if isinstance(sent, ParamPages):
        return all(same(getattr(sent, n), getattr(came, n)) for n in ("page", "offset", "lengths", "blob"))
    if isinstance(sent, (list, tuple)) and isinstance(came, list):
        return len(sent) == len(came) and all(map(same, sent, came))
    return bool(sent == came)


@pytest.mark.parametrize("cls", TRAVEL, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_every_message_survives(cls: type, data: st.DataObject) -> None:
    sent = data.draw(messages(cls))
    header, frames = encode(sent)
    came = decode(header, received(frames))
    assert type(came) is cls
    for field in dataclasses.fields(cls):
        assert same(getattr(sent, field.name), getattr(came, field.name)), field.name


@pytest.mark.parametrize("cls", TRAVEL, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_a_mutated_message_is_another_message_or_a_wire_error(cls: type, data: st.DataObject) -> None:
    header, frames = encode(data.draw(messages(cls)))
    parts = [bytearray(header), *(bytearray(frame) for frame in frames)]
    for _ in range(data.draw(st.integers(1, 3))):
        part = data.draw(st.sampled_from(parts))
        match data.draw(st.sampled_from(["flip", "cut", "grow", "swap", "lose"])):
            case "flip" if part:
                part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))
            case "cut":
                del part[data.draw(st.integers(0, len(part))) :]
            case "grow":
                part += data.draw(st.binary(min_size=1, max_size=16))
            case "swap" if len(parts) > 2:
                parts[1:] = data.draw(st.permutations(parts[1:]))
            case "lose" if len(parts) > 1:
                del parts[-1]
    try:
        came = decode(bytes(parts[0]), received(parts[1:]))
    except WireError:
        return
    assert type(came) in TRAVEL


@given(
    st.one_of(plain.map(lambda value: json.dumps(value).encode()), st.binary(max_size=40)), st.lists(blobs, max_size=3)
)
def test_a_header_that_is_no_message_is_a_wire_error(header: bytes, frames: list[bytes]) -> None:
    with pytest.raises(WireError):
        decode(header, received(frames))


@pytest.mark.parametrize(
    ("header", "frames", "match"),
    [
        (b"[" * 100_000, [], "no JSON"),
        (b'["Drop"] ["Drop"]', [b""], "goes on after"),
        (b'["Drop"]', [b"123"], "Drop message: buffer size must be a multiple"),
        (b'["Drop"]', [], "Drop message: values or frames are missing"),
        (b'["Drop"]', [b"", b""], "more values or frames"),
        (b'["Drop",1]', [b""], "more values or frames"),
        (b'["Stopped","1"]', [], "'1' where <class 'int'>"),
        (b'["Stopped",true]', [], "'True' where <class 'int'>"),
        (b'["Stopped",%d]' % 2**63, [], "where <class 'int'>"),
        (b'["TaskFailure",1,1,"",""]', [], "there is no message"),
        (b'["Moved"]', [bytes(8), b""], "ids, homes have 1, 0 items"),
        (b'["Outputs",2]', [b"", b"", b""], "values or frames are missing"),
        (b'["Outputs",-2]', [b"", b""], "-2 is no number of blobs"),
        (b'["Outputs",-1]', [b"", b"", b"\xff" * 8, b""], "do not fit"),
        (b'["Outputs",-1]', [b"", b"", bytes(8), b"12345678"], "do not fit"),
    ],
)
def test_what_is_wrong_is_said(header: bytes, frames: list[bytes], match: str) -> None:
    with pytest.raises(WireError, match=match):
        decode(header, received(frames))


@pytest.mark.parametrize("indptr", [[], [0], [0, 1], [1, 1, 2], [0, 2, 1], [0, 3, 2]])
def test_row_pointers_that_do_not_fit_are_a_wire_error(indptr: list[int]) -> None:
    ids, one, two = np.arange(2), np.zeros(2, np.int32), np.zeros(2, np.int32)
    place = m.Place(ids, one, one, pages(2), np.array(indptr, np.int64), np.arange(2), two, np.ones(2, bool))
    header, frames = encode(place)
    with pytest.raises(WireError, match="Place message: indptr"):
        decode(header, received(frames))


@pytest.mark.parametrize(
    ("lengths", "page"), [([8, 1], 0), ([9, -1], 0), ([8], 1), ([], 0)], ids=["sum", "negative", "page", "none"]
)
def test_pages_that_do_not_fit_are_a_wire_error(lengths: list[int], page: int) -> None:
    params = ParamPages(np.array([page], np.int32), np.zeros(1, np.int32), np.array(lengths, np.int64), bytes(8))
    one = np.zeros(1, np.int32)
    header, frames = encode(
        m.Place(np.arange(1), one, one, params, np.zeros(2, np.int64), np.zeros(0, np.int64), one[:0], one == 0)
    )
    with pytest.raises(WireError, match="page"):
        decode(header, received(frames))


def test_columns_and_blobs_are_views_of_what_came() -> None:
    header, frames = encode(m.Outputs(np.arange(3), b"head", [bytes(SMALL_BLOB)]))
    came = received(frames)
    outputs = decode(header, came)
    outputs.ids[0] = 7
    assert np.frombuffer(came[0], np.int64)[0] == 7
    assert outputs.buffers[0].obj is came[2].obj


def test_large_columns_and_blobs_are_not_copied() -> None:
    ids, blob = np.arange(10_000), bytes(SMALL_BLOB)
    _, frames = encode(m.Outputs(ids, blob, [blob, blob]))
    assert np.shares_memory(np.frombuffer(frames[0], np.int64), ids)
    assert all(frame is blob for frame in frames[1:])


def test_small_blobs_share_a_frame_and_stay_aligned() -> None:
    header, frames = encode(m.Outputs(np.arange(2), b"", [b"abc", b"defg"]))
    assert len(frames) == 4
    buffers = decode(header, received(frames)).buffers
    assert [bytes(buffer) for buffer in buffers] == [b"abc", b"defg"]
    assert np.frombuffer(buffers[1], np.uint8).ctypes.data % 8 == 0


def test_numbers_of_numpy_and_columns_of_other_integers_are_taken() -> None:
    header, frames = encode(m.Died("w", "killed", np.arange(3, dtype=np.int32)[::-1], np.bool_(True)))
    assert decode(header, received(frames)).running.tolist() == [2, 1, 0]
    header, frames = encode(m.Accepted(np.int64(3), np.int64(4)))
    assert decode(header, received(frames)) == m.Accepted(3, 4)


@pytest.mark.parametrize(
    ("message", "match"),
    [
        (m.Failed(1, 1, ValueError(), None), "Failed is no message that travels"),
        ("text", "str is no message"),
        (m.Drop(np.zeros((2, 2), np.int64)), "one dimension, not 2"),
        (m.Drop(np.zeros(2)), "Cannot cast"),
        (m.PackedFailure(1, 1, "text"), "a blob is bytes"),
        (m.Reply(1, {1, 2}), "set is no plain value"),
    ],
)
def test_what_cannot_travel_is_a_type_error_where_it_is_sent(message: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        encode(message)


def test_fields_that_belong_together_exist() -> None:
    for cls, groups in SAME_LENGTH.items():
        assert {name for group in groups for name in group} <= {field.name for field in dataclasses.fields(cls)}
    assert set(_BY_CLASS) == set(TRAVEL)
