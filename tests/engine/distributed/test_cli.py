"""The command ``restride``, with real processes: it says where it is, waits for what is not there, and ends cleanly."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

import restride as rs
from restride.cli import command
from restride.engine.wire.security import Security
from tests.engine.distributed.endings import all_end
from tests.engine.distributed.harm import until

PATIENCE = 30.0
ROOT = Path(rs.__file__).parent.parent

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that has a shared secret."""
    Security.load(secret_file=tmp_path / "secret", create=True)
    return tmp_path / "secret"


@pytest.fixture
def start(secret: Path) -> Iterator[Start]:
    """Start ``restride`` with some arguments, in a home of its own."""
    started: list[subprocess.Popen[str]] = []
    home = secret.parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESTRIDE_SECRET")}
    environment |= {"PYTHONPATH": str(ROOT), "HOME": str(home), "RESTRIDE_SECRET_FILE": str(secret)}

    def start(*arguments: str) -> subprocess.Popen[str]:
        (home / "tmp").mkdir(exist_ok=True)
        program = subprocess.Popen(
            [sys.executable, "-m", "restride", *arguments],
            cwd=home,
            env={**environment, "TMPDIR": str(home / "tmp")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(program)
        return program

    yield start
    for program in started:
        if program.poll() is None:
            program.kill()
        program.communicate()


def first_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def wait_for_line(program: subprocess.Popen[str], pattern: str) -> str:
    """Read what a program logs until a line matches."""
    assert program.stderr is not None
    for line in program.stderr:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"it ended, and never said {pattern!r}")


def ended(program: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and the rest of what it logs, of a program that ends."""
    _, log = program.communicate(timeout=PATIENCE)
    return program.returncode, log


def client_of(address: str, secret: Path) -> rs.Client:
    return rs.Client(address, security=Security.load(secret_file=secret))


# ---- scheduler and workers


def test_a_scheduler_says_first_where_it_is_and_workers_that_know_it_compute(start: Start, secret: Path) -> None:
    scheduler = start("scheduler", "--port", "0")
    address = first_line(scheduler)
    assert re.fullmatch(r"tcp://127\.0\.0\.1:\d+", address)
    worker = start("worker", address, "--workers", "2", "--threads", "2", "--name", "mine", "--resources", "GPU=1,X=.5")
    with client_of(address, secret) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        workers = client.info()["workers"]
        assert set(workers) == {"mine-0", "mine-1"}
        assert all(each["threads"] == 2 for each in workers.values())
        assert all(each["resources"] == {"GPU": 1, "X": 0.5} for each in workers.values())
        assert client.submit(pow, 2, 3).result(PATIENCE) == 8
    shown = start("info", address)
    out, err = shown.communicate(timeout=PATIENCE)
    assert "2 workers, 4 threads" in out
    assert (shown.returncode, err) == (0, "")
    scheduler.send_signal(signal.SIGTERM)
    assert ended(scheduler)[0] == 0
    assert ended(worker)[0] == 0, "workers end with their scheduler"


def test_workers_wait_for_a_scheduler_that_starts_later(start: Start, secret: Path) -> None:
    address = f"unix://{secret.parent}/s"
    worker = start("worker", address, "--workers", "1")
    wait_for_line(worker, "waits for its scheduler")
    scheduler = rs.LocalCluster(workers=0, listen=address, security=Security.load(secret_file=secret))
    with scheduler, rs.Client(scheduler) as client:
        assert client.submit(pow, 2, 3).result(PATIENCE) == 8
    assert ended(worker)[0] == 0


def test_a_worker_that_is_killed_is_replaced(start: Start, secret: Path) -> None:
    address = first_line(start("scheduler", "--port", "0"))
    worker = start("worker", address, "--workers", "1", "--name", "w")
    with client_of(address, secret) as client:
        client.wait_for_workers(1, timeout=PATIENCE)
        os.kill(client.info()["workers"]["w-0"]["pid"], signal.SIGKILL)
        assert "killed by signal 9 (SIGKILL); starting another" in wait_for_line(worker, "starting another")
        assert client.submit(pow, 2, 3).result(PATIENCE) == 8
        assert set(client.info()["workers"]) == {"w-1"}


# ---- the end


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_scheduler_cleanly(start: Start, signum: signal.Signals) -> None:
    scheduler = start("scheduler", "--port", "0")
    first_line(scheduler)
    scheduler.send_signal(signum)
    code, log = ended(scheduler)
    assert code == 0
    assert "Traceback" not in log


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("there", [True, False], ids=["with its scheduler", "while it waits for one"])
def test_a_signal_to_all_of_its_terminal_ends_a_worker_and_its_processes_cleanly(
    start: Start, secret: Path, signum: signal.Signals, there: bool
) -> None:
    address = first_line(start("scheduler", "--port", "0")) if there else "tcp://127.0.0.1:9"
    worker = start("worker", address, "--workers", "2")
    wait_for_line(worker, "is number" if there else "waits for its scheduler")
    processes = until(lambda: len(children := psutil.Process(worker.pid).children(recursive=True)) == 3 and children)
    os.killpg(worker.pid, signum)
    code, log = ended(worker)
    assert code == 0
    assert "Traceback" not in log
    assert all_end(processes)
    assert list((secret.parent / "tmp").iterdir()) == []


def test_killing_the_worker_command_leaves_nothing_behind(start: Start, secret: Path) -> None:
    worker = start("worker", "tcp://127.0.0.1:9", "--workers", "1")
    wait_for_line(worker, "waits for its scheduler")
    processes = psutil.Process(worker.pid).children(recursive=True)
    worker.kill()
    assert all_end(processes)
    assert list((secret.parent / "tmp").iterdir()) == []


# ---- what cannot be


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["worker", "127.0.0.1:8786"], "'127.0.0.1:8786' is no address"),
        (["worker", "tcp://127.0.0.1:9", "--memory-limit", "much"], "'much' is not a number of bytes"),
        (["worker", "tcp://127.0.0.1:9", "--resources", "GPU"], "'GPU' is not of the form NAME=AMOUNT"),
        (["worker", "tcp://127.0.0.1:9", "--resources", "GPU=-1"], "cannot have the resource 'GPU' in the amount -1"),
        (["worker", "tls://127.0.0.1:9"], "tls://127.0.0.1:9 needs --tls"),
        (["worker", "tcp://127.0.0.1:9", "--tls", "."], "tcp://127.0.0.1:9 and --tls do not go together"),
        (["worker", "tls://127.0.0.1:9", "--tls", "/nowhere"], "Error: /nowhere/ca.pem is missing"),
        (["worker", "tcp://127.0.0.1:9", "--workers", "0"], "0 is not in the range"),
        (["worker", "tcp://no.such.host.invalid:9"], "no way to the scheduler's host 'no.such.host.invalid'"),
        (["scheduler", "--host", "192.0.2.1"], "tcp://192.0.2.1:8786"),
        (["scheduler", "--tls", "/nowhere"], "/nowhere"),
        (["info", "unix:///nowhere"], "unix:///nowhere"),
    ],
)
def test_a_mistake_is_a_line_that_says_what_is_wrong(start: Start, arguments: list[str], message: str) -> None:
    program = start(*arguments)
    code, log = ended(program)
    assert code != 0
    assert message in log
    assert "Traceback" not in log


def test_a_worker_with_another_secret_is_refused_and_ends(start: Start, tmp_path: Path) -> None:
    address = first_line(start("scheduler", "--port", "0"))
    Security.load(secret_file=tmp_path / "other", create=True)
    code, log = ended(start("worker", address, "--workers", "1", "--secret-file", str(tmp_path / "other")))
    assert code == 1
    assert "secret" in log.splitlines()[-1]


def test_a_workers_command_on_another_machine_does_not_make_up_a_secret(start: Start, tmp_path: Path) -> None:
    program = start("worker", "tcp://192.0.2.1:9", "--secret-file", str(tmp_path / "missing"))
    code, log = ended(program)
    assert code == 1
    assert "missing" in log
    assert not (tmp_path / "missing").exists()


def test_listening_beyond_this_machine_without_tls_is_warned_about(start: Start) -> None:
    scheduler = start("scheduler", "--port", "0", "--host", "0.0.0.0")
    assert "0.0.0.0" not in first_line(scheduler), "the address is one that others can use"
    scheduler.terminate()
    code, log = ended(scheduler)
    assert code == 0
    assert log.count("without TLS") == 1


# ---- security


def test_security_create_makes_a_secret_and_certificates_for_their_owner_alone(tmp_path: Path) -> None:
    secret, directory = tmp_path / "secret", tmp_path / "certificates"
    result = CliRunner().invoke(command, ["security", "create", str(directory), "--secret-file", str(secret)])
    assert result.exit_code == 0, result.output
    assert f"The shared secret is in {secret}" in result.output
    files = [secret, *directory.iterdir()]
    assert sorted(file.name for file in files) == ["ca.pem", "cert.pem", "key.pem", "secret"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    again = CliRunner().invoke(command, ["security", "create", str(directory), "--secret-file", str(secret)])
    assert again.exit_code == 1
    assert "already" in again.output


def test_a_cluster_can_be_encrypted(start: Start, secret: Path) -> None:
    certificates = secret.parent / "certificates"
    assert ended(start("security", "create", str(certificates)))[0] == 0
    address = first_line(start("scheduler", "--port", "0", "--tls", str(certificates)))
    assert address.startswith("tls://")
    start("worker", address, "--workers", "1", "--tls", str(certificates))
    with rs.Client(address, security=Security.load(secret_file=secret, tls=certificates)) as client:
        assert client.submit(pow, 2, 3).result(PATIENCE) == 8


@pytest.mark.parametrize("arguments", [[], ["scheduler"], ["worker"], ["info"], ["security"], ["security", "create"]])
def test_every_command_explains_itself_with_an_example(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, [*arguments, "--help"])
    assert result.exit_code == 0
    if arguments != ["security"]:
        assert re.search(r"^ +restride \w+", result.output, re.MULTILINE)
