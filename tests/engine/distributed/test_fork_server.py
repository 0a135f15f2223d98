"""Processes of a fork server: what they find, how their ends are told, and that none outlives those who asked."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import restride
from restride.engine.distributed.channel import Channel
from restride.engine.distributed.fork_server import ForkServer
from restride.errors import ClusterError
from tests.engine.distributed.endings import all_end

PATIENCE = 20.0
ROLES = "tests.engine.distributed.roles_for_tests"
ROOT = Path(restride.__file__).parent.parent


def family(server: ForkServer) -> list[psutil.Process]:
    """A fork server and everything below it."""
    assert server.process is not None
    root = psutil.Process(server.process.pid)
    return [root, *root.children(recursive=True)]


def start(server: ForkServer, role: str, number: int = 0, **spec: Any) -> Channel:
    return server.start(number, role, spec, name=role, essential=spec.pop("essential", False))


def events(server: ForkServer, count: int) -> list[dict[str, Any]]:
    return [server.channel.receive(PATIENCE).content for _ in range(count)]


def described(server: ForkServer, **environment: str) -> dict[str, Any]:
    leash = start(server, "describes")
    content: dict[str, Any] = leash.receive(PATIENCE).content
    leash.close()
    return content


@pytest.fixture
def server() -> Iterator[ForkServer]:
    server = ForkServer.launch(roles=ROLES)
    yield server
    server.close()


# ---- what a process finds


def test_a_process_finds_the_path_and_the_directory_of_who_asked_for_it(server: ForkServer) -> None:
    found = described(server)
    assert found["path"] == [entry or os.getcwd() for entry in sys.path]
    assert found["cwd"] == os.getcwd()
    assert found["environment"].get("PYTHONPATH") == os.environ.get("PYTHONPATH")


def test_libraries_are_told_before_they_load_to_keep_to_one_thread_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    server = ForkServer.launch({"MKL_NUM_THREADS": "5", "MINE": "x"}, roles=ROLES)
    environment = described(server)["environment"]
    server.close()
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MINE")
    assert [environment[name] for name in names] == ["1", "3", "5", "x"]


def test_a_process_starts_alone_with_its_channel_and_standard_streams(server: ForkServer) -> None:
    found = described(server)
    assert found["threads"] == 1
    assert len(found["open"]) == 5, "standard streams, the channel, and the listing itself"
    assert found["group"] == found["pid"], "signals to a group are its own"
    assert found["session"] not in (os.getsid(0), found["pid"]), "Ctrl-C in a terminal does not reach it"
    assert found["ignores_interrupts"]


def test_processes_draw_different_random_numbers(server: ForkServer) -> None:
    one, two = described(server)["random"], described(server)["random"]
    assert one[0] != two[0]
    assert one[1] != two[1]


def test_a_process_gets_open_files_with_what_it_needs_to_know(server: ForkServer) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"hello")
        file.flush()
        leash = server.start(0, "describes", {}, name="x", files=[file.fileno()])
    assert leash.receive(PATIENCE).content["read"] == ["hello"]
    leash.close()


# ---- how it ends


@pytest.mark.parametrize("code", [0, 7])
def test_who_asked_for_a_process_hears_how_it_has_ended(server: ForkServer, code: int) -> None:
    start(server, "ends", 5, code=code).close()
    started, ended = events(server, 2)
    assert started["started"] == 5
    assert ended == {"ended": 5, "status": code}


def test_a_process_that_raises_ends_with_code_1_and_its_traceback_on_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = ForkServer.launch(roles=ROLES)
    start(server, "raises").close()
    assert events(server, 2)[1] == {"ended": 0, "status": 1}
    server.close()
    assert "RuntimeError: on purpose" in capfd.readouterr().err


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_can_be_sent_a_signal_by_its_number(server: ForkServer, signum: signal.Signals) -> None:
    leash, other = start(server, "stays", 1), start(server, "stays", 2)
    for each in (leash, other):
        each.receive(PATIENCE)
    server.signal(1, signum)
    server.signal(77, signum)  # there is none: nothing happens
    assert events(server, 3)[2] == {"ended": 1, "status": -signum}
    leash.close()
    other.close()


def test_what_a_process_has_started_is_killed_when_it_ends(server: ForkServer) -> None:
    leash = start(server, "has a child", 1)
    found = leash.receive(PATIENCE).content
    child = psutil.Process(found["child"])
    server.signal(1, signal.SIGKILL)
    assert all_end([child])
    leash.close()


# ---- the end of it all


def test_closing_ends_all_processes_also_those_that_will_not_listen_and_removes_the_directory() -> None:
    server = ForkServer.launch(roles=ROLES)
    leashes = [start(server, role, number) for number, role in enumerate(["stays", "will not listen", "has a child"])]
    for leash in leashes:
        leash.receive(PATIENCE)
    (server.directory / "socket").touch()
    processes = family(server)
    assert len(processes) == 5
    server.close()
    assert all_end(processes)
    assert not server.directory.exists()
    assert server.process is not None
    assert server.process.returncode == 0
    for leash in leashes:
        leash.close()


def test_everything_ends_with_a_process_that_is_essential(server: ForkServer) -> None:
    leash = server.start(1, "stays", {}, name="x", essential=True)
    other = start(server, "stays", 2)
    leash.receive(PATIENCE)
    other.receive(PATIENCE)
    processes = family(server)
    server.signal(1, signal.SIGKILL)
    assert all_end(processes)
    assert not server.directory.exists()
    leash.close()
    other.close()


def test_everything_ends_when_one_of_those_who_may_ask_closes_its_channel(server: ForkServer) -> None:
    channel = server.open_channel()
    second = ForkServer(channel, server.directory)
    leash = start(second, "stays", 1)
    leash.receive(PATIENCE)
    assert events(second, 1)[0]["started"] == 1
    processes = family(server)
    channel.close()
    assert all_end(processes)
    leash.close()


def test_children_end_with_a_fork_server_that_was_killed_and_the_directory_with_its_owner() -> None:
    server = ForkServer.launch(roles=ROLES)
    leash = start(server, "will not listen")
    leash.receive(PATIENCE)
    processes = family(server)
    processes[0].kill()
    assert all_end(processes[1:])
    server.close()
    assert not server.directory.exists()
    leash.close()


@pytest.mark.parametrize("fork", [False, True], ids=["alone", "with a copy that lives on"])
def test_everything_ends_when_the_process_that_started_it_is_killed(tmp_path: Path, fork: bool) -> None:
    script = f"""
        import os, signal
        from restride.engine.distributed.fork_server import ForkServer
        server = ForkServer.launch(roles={ROLES!r})
        leash = server.start(0, "stays", {{}}, name="x")
        leash.receive()
        if {fork} and os.fork() == 0:
            os.write(1, f"{{os.getpid()}} {{server.process.pid}} {{server.directory}}\\n".encode())
            signal.pause()
        if not {fork}:
            print(os.getpid(), server.process.pid, server.directory, flush=True)
        signal.pause()
    """
    owner = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    copy, pid, directory = owner.stdout.readline().decode().split()
    root = psutil.Process(int(pid))
    processes = [root, *root.children(recursive=True)]
    assert len(processes) == 2
    owner.kill()
    owner.wait()
    assert all_end(processes)
    assert not Path(directory).exists()
    owner.stdout.close()
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(copy), signal.SIGKILL)


def test_a_copy_of_the_owner_does_not_end_what_belongs_to_the_original(server: ForkServer) -> None:
    leash = start(server, "stays")
    leash.receive(PATIENCE)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert described(server)["threads"] == 1
    leash.close()


# ---- what cannot be


def test_a_fork_server_that_cannot_start_says_why() -> None:
    server = ForkServer.launch(roles="tests.there_is_no_such_module")
    with pytest.raises(EOFError):
        server.channel.receive(PATIENCE)
    assert "with exit code 1" in server.last_words()
    assert "ModuleNotFoundError: No module named 'tests.there_is_no_such_module'" in server.last_words()
    with pytest.raises(ClusterError, match=r"the process that starts others has ended with exit code 1:\nTraceback"):
        start(server, "stays")
    server.close()
    assert not server.directory.exists()


def test_an_interpreter_that_is_not_there_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ClusterError, match=r"python' cannot be started: .*No such file"):
        ForkServer.launch()
    assert list(tmp_path.iterdir()) == []
