"""Framing: packets survive however the bytes arrive, and what is no packet raises a WireError and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.wire.frames import (
    ALIGNMENT,
    LARGE,
    MAX_FRAMES,
    PREFIX,
    READ_BUFFER,
    Packet,
    Parser,
    pack,
    pack_prefix,
)
from restride.errors import WireError

LIMIT = 1 << 22
numbers = st.integers(0, 2**64 - 1)
sizes = st.one_of(st.integers(0, 40), st.integers(0, 2 * LARGE), st.just(READ_BUFFER + 3))
frame_sizes = st.lists(sizes, max_size=8)


def frames_of(sizes: list[int]) -> list[bytes]:
    return [bytes([7 * size % 251, size % 256]) * (size // 2) + b"!" * (size % 2) for size in sizes]


def wire(header: bytes, frames: list[bytes], sequence: int = 0, ack: int = 0) -> bytes:
    body = pack(header, frames, LIMIT)
    return pack_prefix(body, sequence, ack) + b"".join(body.parts)


def feed(parser: Parser, data: bytes, pieces: Any) -> list[Packet]:
    """Hand the data on in pieces, each of them no longer than the parser has room for."""
    packets = []
    while data:
        target = parser.buffer()
        size = min(len(target), len(data), pieces())
        target[:size] = data[:size]
        packets += parser.received(size)
        data = data[size:]
    return packets


def content(packet: Packet) -> tuple[bytes, list[bytes], int, int]:
    return packet.header, [bytes(frame) for frame in packet.frames], packet.sequence, packet.ack


@given(st.lists(st.tuples(st.binary(max_size=30), frame_sizes, numbers, numbers), max_size=4), st.data())
def test_packets_survive_however_the_bytes_are_cut(packets: list[Any], data: st.DataObject) -> None:
    sent = [(header, frames_of(sizes), sequence, ack) for header, sizes, sequence, ack in packets]
    cut = data.draw(st.sampled_from([1000, 4099, READ_BUFFER, 10**9]))
    parser = Parser(LIMIT)
    received = feed(parser, b"".join(wire(*packet) for packet in sent), lambda: cut)
    assert [content(packet) for packet in received] == sent
    assert not parser.midway


@given(st.lists(st.integers(0, 60), max_size=5), st.lists(st.integers(1, 50), min_size=1))
def test_small_packets_survive_cuts_at_any_place(sizes: list[int], cuts: list[int]) -> None:
    sent = [(b"[1]", frames_of(sizes), 1, 0), (b"", [], 2, 1), (b"x", [b""], 3, 1)]
    endless = iter(cuts * 1000)
    received = feed(Parser(LIMIT), b"".join(wire(*packet) for packet in sent), lambda: next(endless))
    assert [content(packet) for packet in received] == sent


@pytest.mark.parametrize("sizes", [[], [5], [LARGE], [1, READ_BUFFER, 3, 4]])
def test_a_packet_cut_off_anywhere_is_no_packet_and_no_error(sizes: list[int]) -> None:
    data = wire(b'["Drop"]', frames_of(sizes))
    for end in {*range(min(len(data), 100)), *range(0, len(data), 4001), len(data) - 1}:
        parser = Parser(LIMIT)
        assert feed(parser, data[:end], lambda: 10**9) == []
        assert parser.midway == (end > 0)


@given(st.binary(min_size=PREFIX.size, max_size=200))
def test_random_bytes_are_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError, match="no message of restride"):
        feed(Parser(LIMIT), b"?" + data, lambda: 10**9)


@given(frame_sizes, st.integers(0, 10**6), st.integers(1, 255))
def test_a_mutated_packet_is_another_packet_or_a_wire_error(sizes: list[int], where: int, change: int) -> None:
    data = bytearray(wire(b'["Drop"]', frames_of(sizes)))
    data[where % min(len(data), PREFIX.size + 8 * len(sizes) + 8)] ^= change
    try:
        feed(Parser(LIMIT), bytes(data), lambda: 10**9)
    except WireError:
        return


@pytest.mark.parametrize(
    "prefix",
    [
        (LIMIT + 1, 0, b""),
        (0, MAX_FRAMES + 1, b""),
        (0, 1, np.array([LIMIT + 8], "<u8").tobytes()),
        (0, 1, np.array([2**64 - 1], "<u8").tobytes()),
        (0, 3, np.array([LIMIT // 2] * 3, "<u8").tobytes()),
    ],
)
def test_more_than_allowed_is_refused_before_it_is_received(prefix: tuple[int, int, bytes]) -> None:
    header, count, lengths = prefix
    with pytest.raises(WireError, match="announces"):
        feed(Parser(LIMIT), PREFIX.pack(b"RSW1", header, count, 1, 0) + lengths, lambda: 10**9)


def test_a_table_of_lengths_beyond_the_read_buffer_is_checked_as_well() -> None:
    lengths = np.full(READ_BUFFER // 8, LIMIT // 100, "<u8").tobytes()
    with pytest.raises(WireError, match="announces"):
        feed(Parser(LIMIT), PREFIX.pack(b"RSW1", 0, READ_BUFFER // 8, 1, 0) + lengths, lambda: 10**9)


def test_too_large_a_message_is_not_sent() -> None:
    with pytest.raises(WireError, match=r"too large to send: comm.max_message is 1000 bytes"):
        pack(b"", [bytes(1001)], 1000)


@pytest.mark.parametrize("size", [3, LARGE, READ_BUFFER * 2])
def test_frames_are_writable_and_aligned(size: int) -> None:
    (packet,) = feed(Parser(LIMIT), wire(b"123", frames_of([size, 5, size])), lambda: 10**9)
    for frame in packet.frames:
        assert not frame.readonly
        assert np.frombuffer(frame, np.uint8).ctypes.data % ALIGNMENT == 0


def test_a_large_frame_is_received_where_it_stays() -> None:
    data = wire(b"", frames_of([READ_BUFFER, 2 * READ_BUFFER]))
    parser = Parser(LIMIT)
    packets, targets = [], []
    while data:
        target = parser.buffer()
        size = min(len(target), len(data))
        target[:size] = data[:size]
        targets.append(np.frombuffer(target, np.uint8))
        packets += parser.received(size)
        data = data[size:]
    (packet,) = packets
    assert np.shares_memory(targets[-1], np.frombuffer(packet.frames[1], np.uint8))


def test_a_large_frame_is_sent_from_where_it_is() -> None:
    frame = np.zeros(LARGE, np.uint8).data
    assert any(part is frame for part in pack(b"", [b"small", frame], LIMIT).parts)
