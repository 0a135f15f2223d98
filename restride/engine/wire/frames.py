"""Framing, without I/O: packets to buffers to send, and received bytes to packets.

A packet is a header and frames, all of them just bytes here. On the wire it is a prefix of fixed size (magic number,
length of the header, number of frames, sequence number, acknowledged sequence number), the lengths of the frames, the
header and the frames, the latter each filled up to a multiple of 8 bytes: so whatever the buffer, columns are aligned.
All integers are little-endian.

Whoever reads asks the `Parser` where to put the next bytes. Packets that are small are copied out of one read buffer;
a large frame is received straight into the memory where it stays.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from restride.errors import WireError

Buffer = bytes | bytearray | memoryview
"""Contiguous, of single bytes: its `len` is its size."""

PREFIX = struct.Struct("<4sIIxxxxQQ")
MAGIC = b"RSW1"
ALIGNMENT = 8
MAX_HEADER = 64 << 20
MAX_FRAMES = 1 << 20
READ_BUFFER = 64 << 10
LARGE = 16 << 10
"""Bytes from which a buffer is sent, and received, by itself."""
_PADDING = [b"\0" * (-length % ALIGNMENT) for length in range(ALIGNMENT)]


@dataclass(frozen=True, slots=True)
class Packet:
    """What has been received."""

    header: bytes
    frames: Sequence[memoryview]
    """Writable."""
    sequence: int
    ack: int


@dataclass(frozen=True, slots=True)
class Body:
    """What is to be sent, without its prefix: this can be sent again under another."""

    header_length: int
    frame_count: int
    parts: list[Buffer]
    """None of them empty."""
    nbytes: int


def pack(header: bytes, frames: Sequence[Buffer], limit: int) -> Body:
    """Lay out a packet; small parts are copied together, large ones are not copied.

    Raises
    ------
    WireError
        It has more than `limit` bytes, or too many frames.
    """
    lengths = [len(frame) for frame in frames]
    parts: list[Buffer] = [pack_lengths(lengths), header, _PADDING[len(header) % ALIGNMENT]]
    for frame, length in zip(frames, lengths):
        parts.append(frame)
        if length % ALIGNMENT:
            parts.append(_PADDING[length % ALIGNMENT])
    nbytes = sum(map(len, parts))
    if nbytes > limit or len(frames) > MAX_FRAMES or len(header) > MAX_HEADER:
        raise WireError(
            f"a message of {nbytes} bytes ({len(frames)} frames, header of {len(header)} bytes) is too large to send: "
            f"comm.max_message is {limit} bytes, and there can be {MAX_FRAMES} frames and {MAX_HEADER} bytes of header"
        )
    parts = list(_joined(parts)) if nbytes > LARGE else [b"".join(parts)] if nbytes else []
    parts = [part for part in parts if len(part)]  # the kernel would take nothing of an empty one, over and over
    return Body(len(header), len(frames), parts, nbytes)


def pack_lengths(lengths: Sequence[int]) -> bytes:
    """A column of lengths, uint64."""
    if len(lengths) > 64:  # struct would compile, and keep, a format for each number of frames
        return np.array(lengths, "<u8").tobytes()
    return struct.pack(f"<{len(lengths)}Q", *lengths)


def pack_prefix(body: Body, sequence: int = 0, ack: int = 0) -> bytes:
    """What goes before a body on the wire."""
    return PREFIX.pack(MAGIC, body.header_length, body.frame_count, sequence, ack)


class Parser:
    """Received bytes to packets: receive into `buffer()`, then say with `received` how many bytes that were."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._read = memoryview(bytearray(READ_BUFFER))
        self._begin = self._end = 0
        self._large: _LargePacket | None = None

    def buffer(self) -> memoryview:
        """Where the next bytes go; never empty."""
        if self._large is not None:
            return self._large.target
        if self._begin == self._end:
            self._begin = self._end = 0
        elif self._end > READ_BUFFER // 2:
            left = self._end - self._begin
            self._read[:left] = self._read[self._begin : self._end]
            self._begin, self._end = 0, left
        return self._read[self._end :]

    def received(self, nbytes: int) -> list[Packet]:
        """Packets that are complete, now that `nbytes` more have been put into the buffer.

        Raises
        ------
        WireError
            What came is no packet, or one beyond the limits. There is no going on from here.
        """
        if self._large is None:
            self._end += nbytes
            return self._packets()
        packet = self._large.advance(nbytes)
        if packet is None:
            return []
        self._large = None
        return [packet]

    @property
    def midway(self) -> bool:
        """Whether a packet has begun and not ended."""
        return self._large is not None or self._begin != self._end

    def _packets(self) -> list[Packet]:
        packets: list[Packet] = []
        while self._end - self._begin >= PREFIX.size:
            prefix = _unpack_prefix(self._read, self._begin, self._limit)
            header_length, count, sequence, ack = prefix
            table_at = self._begin + PREFIX.size
            frames_at = table_at + _table_length(header_length, count)
            if frames_at - self._begin > READ_BUFFER:
                self._begin_large(prefix)
                break
            if frames_at > self._end:
                break
            lengths = struct.unpack_from(f"<{count}Q", self._read, table_at) if count else ()
            spans, total = _spans(lengths, self._limit)
            if frames_at + total - self._begin > READ_BUFFER:
                self._begin_large(prefix)
                break
            if frames_at + total > self._end:
                break
            header_at = table_at + 8 * count
            content = memoryview(bytearray(self._read[frames_at : frames_at + total]))
            frames = [content[start:stop] for start, stop in spans]
            header = bytes(self._read[header_at : header_at + header_length])
            packets.append(Packet(header, frames, sequence, ack))
            self._begin = frames_at + total
        return packets

    def _begin_large(self, prefix: tuple[int, int, int, int]) -> None:
        self._large = _LargePacket(*prefix, self._limit)
        rest = self._read[self._begin + PREFIX.size : self._end]
        self._begin = self._end = 0
        while rest:
            taken = min(len(rest), len(self._large.target))
            self._large.target[:taken] = rest[:taken]
            self._large.advance(taken)
            rest = rest[taken:]


class _LargePacket:
    """A packet that does not fit in the read buffer, received into its own memory: first the table, then the frames."""

    def __init__(self, header_length: int, count: int, sequence: int, ack: int, limit: int) -> None:
        self._header_length, self._count, self._sequence, self._ack = header_length, count, sequence, ack
        self._limit = limit
        self._table = _allocate(_table_length(header_length, count))
        self._frames: list[memoryview] = []
        self._blocks = [self._table]
        """What is to be filled yet, the next at the end."""
        self._in_frames = False
        self.target = self._table
        """Where the next bytes go."""

    def advance(self, nbytes: int) -> Packet | None:
        """So many bytes have been put into the target; returns the packet if it is complete."""
        self.target = self.target[nbytes:]
        while not self.target:
            self._blocks.pop()
            if not self._blocks and not self._in_frames:
                self._lay_out_frames()
            if not self._blocks:
                header_at = 8 * self._count
                header = bytes(self._table[header_at : header_at + self._header_length])
                return Packet(header, self._frames, self._sequence, self._ack)
            self.target = self._blocks[-1]
        return None

    def _lay_out_frames(self) -> None:
        """Give each large frame memory of its own, and runs of small ones some together."""
        self._in_frames = True
        lengths = np.frombuffer(self._table, "<u8", self._count).tolist()
        _spans(lengths, self._limit)
        begin = 0
        while begin < len(lengths):
            end = begin + 1
            if lengths[begin] < LARGE:
                while end < len(lengths) and lengths[end] < LARGE:
                    end += 1
            spans, total = _spans(lengths[begin:end], self._limit)
            block = _allocate(total)
            self._frames += [block[start:stop] for start, stop in spans]
            if total:
                self._blocks.append(block)
            begin = end
        self._blocks.reverse()


def _unpack_prefix(view: memoryview, at: int, limit: int) -> tuple[int, int, int, int]:
    magic, header_length, count, sequence, ack = PREFIX.unpack_from(view, at)
    if magic != MAGIC:
        raise WireError(f"what came is no message of restride's: it begins with {bytes(magic)!r}")
    if header_length > min(MAX_HEADER, limit) or count > MAX_FRAMES:
        raise WireError(
            f"a message announces {count} frames and a header of {header_length} bytes; "
            f"{MAX_FRAMES} and {min(MAX_HEADER, limit)} are allowed"
        )
    return header_length, count, sequence, ack


def _spans(lengths: Sequence[int], limit: int) -> tuple[list[tuple[int, int]], int]:
    """Where in their common memory frames begin and end, and how much of it they take."""
    at = 0
    spans = []
    for length in lengths:
        spans.append((at, at + length))
        at += (length + ALIGNMENT - 1) & -ALIGNMENT
    if at > limit:
        raise WireError(f"a message announces {at} bytes of frames; comm.max_message is {limit} bytes")
    return spans, at


def _table_length(header_length: int, count: int) -> int:
    return 8 * count + ((header_length + ALIGNMENT - 1) & -ALIGNMENT)


def _allocate(nbytes: int) -> memoryview:
    try:
        return np.empty(nbytes, np.uint8).data
    except MemoryError:
        raise WireError(f"there is no memory for a frame of {nbytes} bytes; lower comm.max_message?") from None


def _joined(parts: Sequence[Buffer]) -> Iterator[Buffer]:
    """Runs of small parts as one each, large ones as they are."""
    run: list[Buffer] = []
    size = 0
    for part in parts:
        if 0 < len(part) < LARGE:
            run.append(part)
            size += len(part)
        if run and (size >= LARGE or len(part) >= LARGE):
            yield b"".join(run)
            run, size = [], 0
        if len(part) >= LARGE:
            yield part
    if run:
        yield b"".join(run)
