"""The wire by itself: what a message costs to encode and decode, how long it is on its way, how fast bulk goes.

The other end is a process that sends back what is small, and confirms what is large.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from restride.config import Settings
from restride.engine.graphs.params import ParamPages
from restride.engine.messages import Done, Drop, Finished, Outputs, Place, Stopped, Submit
from restride.engine.wire.certificates import create_certificates
from restride.engine.wire.codec import decode, encode
from restride.engine.wire.connection import Connection
from restride.engine.wire.frames import Parser, pack, pack_prefix
from restride.engine.wire.listen import Listener, dial
from restride.engine.wire.security import Security

Row = dict[str, Any]

ONE, ONE_32, NONE, NONE_32 = np.arange(1), np.zeros(1, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int32)
ROWS = np.zeros(2, np.int64)
PAGES = ParamPages(ONE_32, ONE_32, np.array([50]), bytes(50))
SUBMIT = Submit(
    token=0,
    nested=False,
    options={},
    layer=ONE_32,
    index=ONE_32,
    indptr=ROWS,
    indices=NONE,
    wanted=ONE,
    inputs=NONE,
    names=["inc"],
    counts=np.ones(1, np.int64),
    origins=["script.py:3"],
    kernel=ONE_32,
    first_page=ONE,
    rows_per_page=ONE,
    page_lengths=PAGES.lengths,
    pages=PAGES.blob,
    digests=["ab" * 16],
    kernels=[bytes(200)],
)
SMALL = [
    SUBMIT,
    Place(ONE, ONE_32, ONE_32, PAGES, ROWS, NONE, NONE_32, np.ones(1, bool)),
    Finished(ONE, ONE_32, ONE, np.ones(1), ONE, [bytes(20)]),
    Done(1, ONE, ONE_32, ONE, [bytes(20)]),
    Drop(ONE),
]
LIMIT = 1 << 40
IN_FLIGHT = 64 << 20


def run(*, quick: bool = False) -> dict[str, list[Row]]:
    security = Security.temporary()
    with tempfile.TemporaryDirectory() as folder:
        create_certificates(folder)
        security = Security(security.secret, Path(folder))
        addresses = [f"unix://{folder}/socket", "tcp://127.0.0.1:0", "tls://127.0.0.1:0"]
        connections = [_between_processes(address, security, quick) for address in addresses]
    return {"wire: one message of one task": [_codec(message, quick) for message in SMALL], "wire": connections}


def _codec(message: Any, quick: bool) -> Row:
    header, frames = encode(message)
    received = [memoryview(bytearray(frame)) for frame in frames]
    body = pack(header, frames, LIMIT)
    wire = pack_prefix(body) + b"".join(body.parts)
    parser = Parser(LIMIT)

    def parse() -> None:
        parser.buffer()[: len(wire)] = wire
        parser.received(len(wire))

    parts: dict[str, Callable[[], object]] = {
        "encode µs": lambda: encode(message),
        "pack µs": lambda: pack_prefix(pack(header, frames, LIMIT)),
        "parse µs": parse,
        "decode µs": lambda: decode(header, received),
    }
    row = {part: _microseconds(call, 100 if quick else 2000) for part, call in parts.items()}
    return {"message": type(message).__name__, "bytes": len(wire), **row}


def _microseconds(call: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(5):
        start = perf_counter()
        for _ in range(times):
            call()
        best = min(best, perf_counter() - start)
    return best / times * 1e6


def _between_processes(address: str, security: Security, quick: bool) -> Row:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(address, security, theirs))
    process.start()
    try:
        return {"scheme": address.partition(":")[0], **asyncio.run(_measure(ours.recv(), security, quick))}
    finally:
        process.terminate()
        process.join()


def _answer(address: str, security: Security, pipe: Pipe) -> None:
    async def main() -> None:
        left = 0

        def on_message(connection: Connection, message: Any) -> None:
            nonlocal left
            match message:
                case Stopped():
                    left = message.number
                case Outputs():
                    left -= sum(map(len, message.buffers))
                    if left <= 0:
                        connection.send(Stopped(0))
                case _:
                    connection.send(message)

        def on_hello(hello: dict[str, Any]) -> Any:
            return {}, lambda connection: connection.start(on_message, lambda connection, reason: None)

        listener = Listener(address, security, on_hello, Settings.current())
        await listener.start()
        pipe.send(listener.address)
        await asyncio.Event().wait()

    asyncio.run(main())


async def _measure(address: str, security: Security, quick: bool) -> Row:
    connection = await dial(address, security, {}, Settings.current())
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[None] = loop.create_future()
    trips: list[float] = []
    rounds = 100 if quick else 3000
    start = 0.0

    def on_message(connection: Connection, message: Any) -> None:
        nonlocal start
        if isinstance(message, Drop):
            trips.append(perf_counter() - start)
            if len(trips) < rounds:
                start = perf_counter()
                connection.send(message)
                return
        answered.set_result(None)

    connection.start(on_message, lambda connection, reason: None)
    start = perf_counter()
    connection.send(Drop(ONE))
    await answered

    total = (1 << 28) if quick else (2 << 30)
    block = np.random.default_rng(0).integers(0, 256, 1 << 22, np.uint8).data
    best = float("inf")
    for _ in range(3):
        answered = loop.create_future()
        start = perf_counter()
        connection.send(Stopped(total))
        for _ in range(total // len(block)):
            connection.send(Outputs(ONE, b"", [block]))
            while connection.queued > IN_FLIGHT:
                await asyncio.sleep(0)
        await answered
        best = min(best, perf_counter() - start)
    connection.close()
    await connection.wait_closed()
    there_and_back = np.percentile(np.array(trips) * 1e6, [50, 99])
    return {
        "there and back p50 µs": float(there_and_back[0]),
        "p99 µs": float(there_and_back[1]),
        "GB/s": total / best / 1e9,
    }
