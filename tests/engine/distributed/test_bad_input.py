"""What must not get into a cluster, through its ports or its tasks: everybody else's work goes on."""

from __future__ import annotations

import os
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restride as rs
from restride.engine.wire.address import parse_address
from restride.engine.wire.frames import MAGIC, PREFIX
from restride.engine.wire.handshake import PAYLOAD, dial_steps
from restride.engine.wire.security import Security
from tests.engine.distributed.harm import PATIENCE, inc, pids, until

Attack = Callable[[str, Security], None]


class Cluster:
    """A cluster, a client of it, and what its processes have logged."""

    def __init__(self, cluster: rs.LocalCluster, client: rs.Client, log: Path) -> None:
        self.cluster, self.client, self._log = cluster, client, log

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def ports(self) -> dict[str, str]:
        """Where the scheduler, and a worker, listen beside their unix sockets."""
        worker = next(iter(self.client.info()["workers"].values()))
        return {"scheduler": self.cluster.addresses[1], "worker": worker["addresses"][1]}


@contextmanager
def stderr_to(path: Path) -> Iterator[None]:
    kept = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    log = tmp_path_factory.mktemp("watched") / "log"
    with rs.config.set({"comm.handshake_timeout": 2.0}), stderr_to(log):
        cluster = rs.LocalCluster(workers=2)
    with cluster, rs.Client(cluster) as client:
        client.wait_for_workers(2, PATIENCE)
        yield Cluster(cluster, client, log)


@pytest.fixture
def client(watched: Cluster) -> Iterator[rs.Client]:
    """After each test both workers are the same processes as before."""
    before = pids(watched.client)
    with rs.Client(watched.cluster) as client:
        yield client
    assert pids(watched.client) == before


# ---- ports


def dial(address: str) -> socket.socket:
    parsed = parse_address(address)
    return socket.create_connection((parsed.host, parsed.port), timeout=PATIENCE)


def shake_hands(channel: socket.socket, secret: bytes, hello: dict[str, Any]) -> list[bytes]:
    """What was sent by it."""
    sent = []
    steps = dial_steps(secret, hello)
    answer: bytes | None = None
    with suppress(StopIteration):
        while True:
            step = next(steps) if answer is None else steps.send(answer)
            answer = None
            if isinstance(step, int):
                answer = channel.recv(step, socket.MSG_WAITALL)
            else:
                channel.sendall(step)
                sent.append(step)
    return sent


def session_hello() -> dict[str, Any]:
    return {"role": "client", "name": "mallory", "session": secrets.token_hex(16), "received": 0, "resume": False,
            "versions": {}}  # fmt: skip


def hello_for(address: str, watched: Cluster) -> dict[str, Any]:
    return session_hello() if address == watched.ports["scheduler"] else {"role": "peer", "name": "m", "host": "h"}


def is_closed(channel: socket.socket) -> bool:
    """Whether the other end hangs up, whatever it says before."""
    try:
        while channel.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def random_bytes(channel: socket.socket, watched: Cluster, address: str) -> None:
    with suppress(ConnectionError):
        channel.sendall(np.random.default_rng(0).bytes(100_000))


def half_a_handshake(channel: socket.socket, watched: Cluster, address: str) -> None:
    channel.sendall(b"RSTR\x01")
    channel.shutdown(socket.SHUT_WR)


def silence(channel: socket.socket, watched: Cluster, address: str) -> None:
    pass


def another_secret(channel: socket.socket, watched: Cluster, address: str) -> None:
    with pytest.raises(rs.AuthenticationError):
        shake_hands(channel, b"x" * 32, hello_for(address, watched))


def a_replay(channel: socket.socket, watched: Cluster, address: str) -> None:
    with dial(address) as other:
        sent = shake_hands(other, watched.cluster.security.secret, hello_for(address, watched))
    with suppress(ConnectionError):
        channel.sendall(b"".join(sent))


def no_json(channel: socket.socket, watched: Cluster, address: str) -> None:
    steps = dial_steps(watched.cluster.security.secret, {})
    channel.sendall(next(steps))  # type: ignore[arg-type]
    answer = None
    for _ in range(6):
        step = next(steps) if answer is None else steps.send(answer)
        answer = None
        if isinstance(step, int):
            answer = channel.recv(step, socket.MSG_WAITALL)
        elif len(step) == 12 + 2:  # the empty hello
            channel.sendall(struct.pack("<4sHHI", b"RSTR", 1, PAYLOAD, 4) + b"\xff\x00{[")
            return
        else:
            channel.sendall(step)


def garbage_after_the_handshake(channel: socket.socket, watched: Cluster, address: str) -> None:
    shake_hands(channel, watched.cluster.security.secret, hello_for(address, watched))
    random_bytes(channel, watched, address)


def a_packet_that_announces_far_too_much(channel: socket.socket, watched: Cluster, address: str) -> None:
    shake_hands(channel, watched.cluster.security.secret, hello_for(address, watched))
    channel.sendall(PREFIX.pack(MAGIC, 8, 1, 1, 0) + struct.pack("<Q", 1 << 60) + b"[1, 2,3]")


def a_header_that_is_no_message(channel: socket.socket, watched: Cluster, address: str) -> None:
    shake_hands(channel, watched.cluster.security.secret, hello_for(address, watched))
    header = b'{"kind": "Destroy", "everything": true}'
    channel.sendall(PREFIX.pack(MAGIC, len(header), 0, 1, 0) + header + b"\0" * (-len(header) % 8))


def half_a_packet(channel: socket.socket, watched: Cluster, address: str) -> None:
    shake_hands(channel, watched.cluster.security.secret, hello_for(address, watched))
    channel.sendall(PREFIX.pack(MAGIC, 1000, 3, 1, 0)[:20])
    channel.shutdown(socket.SHUT_WR)


ATTACKS = [
    random_bytes, half_a_handshake, silence, another_secret, a_replay, no_json, garbage_after_the_handshake,
    a_packet_that_announces_far_too_much, a_header_that_is_no_message, half_a_packet,
]  # fmt: skip


@pytest.mark.parametrize("port", ["scheduler", "worker"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_who_sends_nonsense_is_cut_off_and_others_work_on(
    watched: Cluster, client: rs.Client, port: str, attack: Callable[..., None]
) -> None:
    address = watched.ports[port]
    working = client.map(inc, range(2000))
    with dial(address) as channel:
        attack(channel, watched, address)
        assert is_closed(channel)
    assert sum(client.gather(client.map(inc, working))) == 2_003_000
    secret = watched.cluster.security.secret
    assert not any(form in watched.log for form in (secret.hex(), repr(secret)[2:-1]))


@pytest.mark.parametrize("port", ["scheduler", "worker"])
def test_refusals_are_logged_with_where_they_come_from(watched: Cluster, client: rs.Client, port: str) -> None:
    address = watched.ports[port]
    with dial(address) as channel:
        another_secret(channel, watched, address)
        stranger = "{}:{}".format(*channel.getsockname())
    until(lambda: f"{address}: refused {stranger}: the secret is another one here" in watched.log
          or "more before" in watched.log)  # fmt: skip


@pytest.mark.parametrize("port", ["scheduler", "worker"])
def test_thousands_of_connections_that_never_speak_keep_nobody_from_working(
    watched: Cluster, client: rs.Client, port: str
) -> None:
    address = watched.ports[port]
    silent = []
    try:
        for at in range(2000):
            silent.append(dial(address))
            if at % 500 == 0:
                assert client.submit(inc, at).result(PATIENCE) == at + 1
        with rs.Client(watched.cluster.addresses[1], security=watched.cluster.security) as another:
            big = another.submit(np.ones, 300_000)
            assert another.submit(np.sum, big).result(PATIENCE) == 300_000
            assert big.result(PATIENCE).sum() == 300_000
    finally:
        for channel in silent:
            channel.close()


# ---- what tasks return


class NoState:
    def __getstate__(self) -> object:
        raise ValueError("it has no state")


class NoReduce:
    def __reduce__(self) -> Any:
        raise OSError("it does not reduce")


class Quits:
    def __reduce__(self) -> Any:
        raise SystemExit(3)


class Interrupts:
    def __reduce__(self) -> Any:
        raise KeyboardInterrupt


def open_file() -> Any:
    return Path(os.devnull).open("rb")


def too_deep() -> list[Any]:
    inner: list[Any] = []
    for _ in range(100_000):
        inner = [inner]
    return inner


UNPICKLABLE = [
    (threading.Lock, "cannot pickle '_thread.lock' object"),
    (lambda: (i for i in range(3)), "a generator, cannot be pickled"),
    (open_file, "BufferedReader"),
    (NoState, "ValueError: it has no state"),
    (NoReduce, "OSError: it does not reduce"),
    (Quits, "SystemExit: 3"),
    (Interrupts, "KeyboardInterrupt"),
    (too_deep, "recursion"),
]


@pytest.mark.parametrize(("make", "words"), UNPICKLABLE)
def test_results_that_cannot_be_pickled_fail_with_an_explanation(
    client: rs.Client, make: Callable[[], Any], words: str
) -> None:
    first, second = sorted(pids(client))
    future = client.submit(make, workers=first)
    for failed in (future, client.submit(id, future, workers=second)):
        with pytest.raises(rs.SerializationError, match=words):
            failed.result(PATIENCE)
    assert client.submit(inc, 1).result(PATIENCE) == 2


def test_results_that_can_only_be_pickled_by_value_come_as_they_are(client: rs.Client) -> None:
    assert client.submit(lambda: lambda x: x + 1).result(PATIENCE)(2) == 3


def raises(error: BaseException) -> Any:
    raise error


class NotThere:
    """Can be pickled, and not be made again."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        return raises, (self.error,)


@pytest.mark.parametrize("error", [ValueError("not here"), SystemExit("not here")])
def test_results_that_cannot_be_unpickled_fail_where_they_are_needed(client: rs.Client, error: BaseException) -> None:
    first, second = sorted(pids(client))
    future = client.submit(lambda: NotThere(error), workers=first)
    with pytest.raises(rs.SerializationError, match=f"unpickled here: {type(error).__name__}: not here"):
        future.result(PATIENCE)
    with pytest.raises(rs.SerializationError, match=f"on worker {second}: .*{type(error).__name__}: not here"):
        client.submit(type, future, workers=second).result(PATIENCE)
    assert client.submit(lambda value: type(value).__name__, future, workers=first).result(PATIENCE) == "NotThere"


def test_one_result_that_cannot_be_had_costs_no_other(client: rs.Client) -> None:
    first, second = sorted(pids(client))
    mixed = client.map(lambda i: NoState() if i == 5 else i, range(10), workers=first)
    after = client.map(lambda value: value, mixed, workers=second)
    rs.wait(after, PATIENCE)
    for i, future in enumerate(after):
        if i == 5:
            with pytest.raises(rs.SerializationError, match="it has no state"):
                future.result(PATIENCE)
        else:
            assert future.result(PATIENCE) == i


# ---- what tasks raise


class NeedsArgumentsError(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")


class HoldsALockError(Exception):
    def __init__(self) -> None:
        super().__init__("locked")
        self.lock = threading.Lock()


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (lambda: NeedsArgumentsError(4, "no such band"), rs.TaskError, "NeedsArgumentsError: 4: no such band"),
        (HoldsALockError, rs.TaskError, "HoldsALockError: locked .*cannot be pickled"),
        (SystemExit, SystemExit, None),
        (KeyboardInterrupt, KeyboardInterrupt, None),
        (GeneratorExit, GeneratorExit, None),
        (StopIteration, StopIteration, None),
        (MemoryError, MemoryError, None),
        (lambda: ExceptionGroup("several", [ValueError(1)]), ExceptionGroup, "several"),
    ],
)
def test_whatever_a_task_raises_reaches_who_waits_and_harms_no_other(
    client: rs.Client, error: Callable[[], BaseException], kind: type[BaseException], words: str | None
) -> None:
    def kernel() -> None:
        raise error()

    future = client.submit(kernel)
    with pytest.raises(kind, match=words) as caught:
        client.submit(inc, future).result(PATIENCE)
    assert any("raised in task 'kernel'" in note for note in caught.value.__notes__)
    assert "in kernel" in str(caught.value.__cause__)
    assert client.submit(inc, 1).result(PATIENCE) == 2


def test_an_exception_without_words_is_still_one(client: rs.Client) -> None:
    with pytest.raises(SpeechlessError):
        client.submit(raises, SpeechlessError()).result(PATIENCE)


def test_endless_recursion_is_an_error_of_its_task(client: rs.Client) -> None:
    def deeper(n: int) -> int:
        return deeper(n + 1)

    with pytest.raises(RecursionError):
        client.submit(deeper, 0).result(PATIENCE)


def test_more_memory_than_there_is_is_an_error_of_its_task(client: rs.Client) -> None:
    with pytest.raises(MemoryError):
        client.submit(np.ones, 10**15).result(PATIENCE)


# ---- what tasks are


def test_functions_that_cannot_be_loaded_there_fail_by_name(
    client: rs.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    (tmp_path / "only_here.py").write_text("def double(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    only_here = importlib.import_module("only_here")
    failing = client.map(only_here.double, range(10))
    working = client.map(inc, range(10))
    for future in failing:
        with pytest.raises(rs.SerializationError, match=r"only_here.double cannot be loaded .*'only_here' installed"):
            future.result(PATIENCE)
    assert client.gather(working) == list(range(1, 11))


def test_arguments_that_cannot_be_loaded_there_fail_their_call_alone(client: rs.Client) -> None:
    calls = [client.submit(lambda value: value, NotThere(OSError("not here")) if i == 3 else i) for i in range(6)]
    for i, call in enumerate(calls):
        if i == 3:
            with pytest.raises((OSError, rs.SerializationError), match="not here"):
                call.result(PATIENCE)
        else:
            assert call.result(PATIENCE) == i
