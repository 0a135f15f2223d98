"""Listening and dialling: who gets in, who does not, and what is said about it."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections import deque
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restride.engine.messages import Stopped
from restride.engine.wire import handshake, listen
from restride.engine.wire.listen import Listener, dial, dial_first
from restride.engine.wire.security import Security
from restride.errors import AuthenticationError, ConnectError, RefusedError, VersionError, WireError
from tests.engine.wire.ends import Pair, Server, address_of, run, with_comm

SETTINGS = with_comm()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connect(address: str) -> socket.socket:
    """Connect, and say nothing."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    return socket.create_connection((host, int(port)))


async def hung_up(stranger: socket.socket) -> bool:
    stranger.setblocking(False)
    try:
        return await asyncio.get_running_loop().sock_recv(stranger, 1000) == b""
    except ConnectionResetError:
        return True


async def until_accepted(listener: Listener, count: int) -> None:
    while len(listener._strangers) < count:
        await asyncio.sleep(0)


async def still_works(server: Server, security: Security) -> None:
    connection = await dial(server.listener.address, security, {}, SETTINGS)
    connection.start(lambda connection, message: None, lambda connection, reason: None)
    connection.send(Stopped(1))
    while len(server.records) == 0:
        await asyncio.sleep(0)
    await server.records[-1].count(1)
    connection.close()
    await connection.wait_closed()


def test_an_address_that_nobody_listens_at_is_named(tmp_path: Path, security: Security) -> None:
    for address in (f"tcp://127.0.0.1:{free_port()}", f"unix://{tmp_path}/nothing", "tls://localhost:1"):
        with pytest.raises(ConnectError, match=f"cannot connect to {address} .timeout 10 s.: (Connection ref|No such)"):
            run(dial(address, security, {}, SETTINGS))


def test_a_listener_that_says_nothing_is_given_up_after_the_timeout(security: Security) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(ConnectError, match=f"nobody answered at {address} within 0.05 s"):
            run(dial(address, security, {}, SETTINGS, 0.05))
        with pytest.raises(ConnectError, match=r"within 0.07 s"):
            run(dial(address, security, {}, with_comm(connect_timeout=0.07)))


def test_the_first_address_that_answers_is_taken(tmp_path: Path, tcp: str, security: Security) -> None:
    nobody = f"unix://{tmp_path}/nothing"

    async def main() -> None:
        async with Server(tcp, security, SETTINGS) as server:
            connection = await dial_first([nobody, server.listener.address], security, {}, SETTINGS)
            assert connection.peer == server.listener.address
            connection.close()
            await connection.wait_closed()
        with pytest.raises(ConnectError, match=r"nothing.*; cannot connect to tcp://"):
            await dial_first([nobody, server.listener.address], security, {}, SETTINGS)
        with pytest.raises(ConnectError, match="no address"):
            await dial_first([], security, {}, SETTINGS)

    run(main())


def test_a_wrong_secret_is_refused_and_no_secret_logged(
    address: str, security: Security, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Security(b"entirely wrong secret", security.tls)

    async def main() -> None:
        async with Server(address, security, SETTINGS) as server:
            with pytest.raises(AuthenticationError, match="both ends need the same secret"):
                await dial(server.listener.address, wrong, {"name": "mallory"}, SETTINGS)
            assert server.hellos == []
            await still_works(server, security)

    run(main())
    (logged,) = caplog.records
    assert "refused" in logged.getMessage()
    for secret in (wrong.secret, security.secret):
        assert str(secret)[2:-1] not in caplog.text
        assert secret.hex() not in caplog.text


def test_a_certificate_of_another_authority_is_refused(
    tmp_path: Path, security: Security, caplog: pytest.LogCaptureFixture
) -> None:
    from restride.engine.wire.certificates import create_certificates

    create_certificates(tmp_path)
    other = Security(security.secret, tmp_path)

    async def main() -> None:
        async with Server("tls://127.0.0.1:0", security, SETTINGS) as server:
            with pytest.raises(AuthenticationError, match="certificate"):
                await dial(server.listener.address, other, {}, SETTINGS)
            plain = server.listener.address.replace("tls", "tcp")
            with pytest.raises(ConnectError):
                await dial(plain, security, {}, SETTINGS)
            assert server.hellos == []

    run(main())


def test_tls_without_certificates_says_how_to_make_some() -> None:
    bare = Security.temporary()
    with pytest.raises(ValueError, match="restride security create"):
        run(Listener("tls://127.0.0.1:0", bare, lambda hello: ({}, lambda connection: None), SETTINGS).start())
    with pytest.raises(ValueError, match="restride security create"):
        run(dial("tls://127.0.0.1:1", bare, {}, SETTINGS))


@pytest.mark.parametrize("error", [VersionError("python 3.11 here, 3.14 there"), RefusedError("the name is taken")])
def test_a_hello_can_be_refused_with_a_reason(tcp: str, security: Security, error: ConnectError) -> None:
    def refuse(hello: dict[str, Any]) -> Any:
        raise error

    async def main() -> None:
        listener = Listener(tcp, security, refuse, SETTINGS)
        await listener.start()
        with pytest.raises(type(error), match=str(error)):
            await dial(listener.address, security, {}, SETTINGS)
        await listener.stop()

    run(main())


def test_a_mistake_in_taking_up_a_connection_is_logged_and_costs_that_one_alone(
    tcp: str, security: Security, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with Server(tcp, security, SETTINGS) as server:
            take, server.listener._on_hello = server.listener._on_hello, lambda hello: 1 / 0
            with pytest.raises(ConnectError):
                await dial(server.listener.address, security, {}, SETTINGS)
            server.listener._on_hello = take
            await still_works(server, security)

    run(main())
    assert "ZeroDivisionError" in caplog.text


def test_a_replayed_handshake_is_refused(tcp: str, security: Security) -> None:
    """Whoever has listened to a handshake cannot repeat it."""

    async def main() -> None:
        async with Server(tcp, security, SETTINGS) as server:
            steps = handshake.dial_steps(security.secret, {"name": "once"})
            said = b""
            reader, writer = await asyncio.open_connection(*connect_to(server.listener.address))
            answer = None
            while True:
                try:
                    step = next(steps) if answer is None else steps.send(answer)
                except StopIteration:
                    break
                if isinstance(step, int):
                    answer = await reader.readexactly(step)
                else:
                    writer.write(step)
                    said += step
                    answer = None
            writer.close()
            await writer.wait_closed()
            assert [hello["name"] for hello in server.hellos] == ["once"]
            stranger = connect(server.listener.address)
            stranger.sendall(said)
            reply = b""
            stranger.setblocking(False)
            while b"secret" not in reply:
                reply += await asyncio.get_running_loop().sock_recv(stranger, 1000)
            stranger.close()
            assert b"AuthenticationError" in reply
            assert len(server.hellos) == 1

    run(main())


def connect_to(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition("/")[2].rpartition(":")
    return host, int(port)


def test_strangers_that_keep_silent_are_bounded_and_others_work(
    tcp: str, security: Security, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listen, "MOST_STRANGERS", 20)

    async def main() -> None:
        with ExitStack() as stack:
            async with Pair(tcp, security, SETTINGS) as pair:
                strangers = []
                for _ in range(100):
                    strangers.append(stack.enter_context(connect(pair.server.listener.address)))
                    await asyncio.sleep(0)
                for stranger in strangers[:80]:
                    assert await hung_up(stranger)
                assert len(pair.server.listener._strangers) <= 20
                pair.here.send(Stopped(1))
                await pair.heard_there.count(1)
                await still_works(pair.server, security)

    run(main())
    assert len(caplog.records) <= 3
    assert "too many that have not proved themselves" in caplog.text


def test_a_stranger_that_keeps_silent_is_closed_after_the_timeout(
    tcp: str, security: Security, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with Server(tcp, security, with_comm(handshake_timeout=0.05)) as server:
            with connect(server.listener.address) as stranger:
                assert await hung_up(stranger)

    run(main())
    assert "no proof within 0.05 s" in caplog.text


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", bytes(300), b"\x16\x03\x01" * 50])
def test_a_stranger_that_talks_nonsense_is_closed(
    tcp: str, security: Security, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with Server(tcp, security, SETTINGS) as server:
            with connect(server.listener.address) as stranger:
                stranger.sendall(said)
                while not await hung_up(stranger):
                    pass
            await still_works(server, security)

    run(main())
    assert "does not speak restride's protocol" in caplog.text


def test_a_dialler_that_is_hung_up_on_is_reminded_of_tls(security: Security) -> None:
    async def main() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectError, match="if it asks for TLS, its address begins with tls://"):
            await dial(f"tcp://127.0.0.1:{port}", security, {}, SETTINGS)
        server.close()
        await server.wait_closed()

    run(main())


def test_a_dialler_that_meets_something_else_says_so(security: Security) -> None:
    async def main() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 smtp.example ESMTP, at your service\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectError, match="does not speak restride's protocol"):
            await dial(f"tcp://127.0.0.1:{port}", security, {}, SETTINGS)
        server.close()
        await server.wait_closed()

    run(main())


def test_running_out_of_descriptors_only_delays(tcp: str, security: Security, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with Server(tcp, security, SETTINGS) as server:
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            strangers = [connect(server.listener.address) for _ in range(5)]
            await until_accepted(server.listener, 5)
            waiting = [socket.socket() for _ in range(5)]
            used = len(os.listdir("/proc/self/fd"))
            resource.setrlimit(resource.RLIMIT_NOFILE, (used, limits[1]))
            try:
                for stranger in waiting:
                    stranger.connect(connect_to(server.listener.address))
                while "too many" not in caplog.text.lower():
                    await asyncio.sleep(0)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            await still_works(server, security)
            for stranger in (*strangers, *waiting):
                stranger.close()

    run(main())
    assert "ulimit -n" in caplog.text


def test_an_address_that_is_taken_is_named(tcp: str, security: Security, tmp_path: Path) -> None:
    async def main() -> None:
        for address in (tcp, address_of("unix", tmp_path)):
            async with Server(address, security, SETTINGS) as server:
                taken = Listener(server.listener.address, security, lambda hello: ({}, print), SETTINGS)
                with pytest.raises(
                    OSError, match=f"cannot listen at {server.listener.address}: Address already in use"
                ):
                    await taken.start()
                await still_works(server, security)

    run(main())


def test_the_file_of_a_dead_listener_does_not_block_the_next(security: Security, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def main() -> None:
        async with Server(f"unix://{path}", security, SETTINGS) as server:
            assert path.stat().st_mode & 0o777 == 0o600
            await still_works(server, security)
        assert not path.exists()

    run(main())


def test_other_files_are_not_touched(security: Security, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("content")
    with pytest.raises(OSError, match="Address already in use"):
        run(Server(f"unix://{path}", security, SETTINGS).listener.start())
    assert path.read_text() == "content"


def test_connections_go_on_after_the_listener_has_stopped(address: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:
            await pair.server.listener.stop()
            with pytest.raises(ConnectError):
                await dial(pair.here.peer, security, {}, replace(SETTINGS, comm_connect_timeout=1.0))
            pair.here.send(Stopped(1))
            await pair.heard_there.count(1)

    run(main())


def test_stopping_closes_those_that_are_about_to_come_in(tcp: str, security: Security) -> None:
    async def main() -> None:
        server = Server(tcp, security, SETTINGS)
        await server.listener.start()
        with connect(server.listener.address) as stranger:
            await until_accepted(server.listener, 1)
            await server.listener.stop()
            assert await hung_up(stranger)

    run(main())


def test_a_hello_larger_than_allowed_is_an_error_of_the_dialler(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Server(tcp, security, SETTINGS) as server:
            with pytest.raises(ConnectError, match="1048576 are allowed") as raised:
                await dial(server.listener.address, security, {"name": "x" * (1 << 20)}, SETTINGS)
            assert isinstance(raised.value.__cause__, WireError)

    run(main())


@pytest.mark.slow
def test_ten_thousand_connections_that_never_speak_keep_nobody_from_working(
    tcp: str, security: Security, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            address = pair.server.listener.address
            strangers: deque[socket.socket] = deque()
            for number in range(10_000):
                strangers.append(connect(address))
                await asyncio.sleep(0)
                if len(strangers) > 2 * listen.MOST_STRANGERS:  # nor do we have so many descriptors
                    oldest = strangers.popleft()
                    assert await hung_up(oldest)
                    oldest.close()
                if number % 100 == 0:
                    pair.here.send(Stopped(number))
                    await pair.heard_there.count(number // 100 + 1)
            assert len(pair.server.listener._strangers) <= listen.MOST_STRANGERS
            await still_works(pair.server, security)
            for stranger in strangers:
                stranger.close()

    run(main())
    assert "too many that have not proved themselves" in caplog.text
