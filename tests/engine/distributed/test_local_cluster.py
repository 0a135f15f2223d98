"""Clusters of this machine's processes: what they offer, and that nothing of them outlives their owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import restride as rs
from restride.engine.distributed.local import memory_share, shape
from restride.engine.distributed.machine import count_cores, total_memory
from tests.engine.distributed.endings import all_end

PATIENCE = 30.0
ROOT = Path(rs.__file__).parent.parent

HOLD_THE_GIL = """
def hold_the_gil(begun):
    import ctypes, os
    os.write(os.open(begun, os.O_WRONLY), b"x")
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):
        ctypes.PyDLL(None).pthread_mutex_lock(mutex)
"""
"""The second lock waits for ever; not so pause() or usleep(), which return when there is a signal."""


def family(cluster: rs.LocalCluster) -> dict[str, psutil.Process]:
    """Processes of a cluster by what they are."""
    process = cluster._fork_server.process
    assert process is not None
    root = psutil.Process(process.pid)
    children = {Path(f"/proc/{child.pid}/comm").read_text().strip(): child for child in root.children(recursive=True)}
    return {"fork server": root, **children}


def script(source: str, cwd: Path = ROOT, **environment: str) -> subprocess.Popen[str]:
    """A program that is running."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def output_of(program: subprocess.Popen[str]) -> str:
    out, err = program.communicate(timeout=2 * PATIENCE)
    assert err == ""
    assert program.returncode == 0
    return out


# ---- what it offers


def test_a_cluster_computes_with_as_many_workers_as_asked_for(cluster: rs.LocalCluster, client: rs.Client) -> None:
    assert client.submit(pow, 2, 3).result(PATIENCE) == 8
    assert sorted(client.info()["workers"]) == ["0", "1"]
    assert "2 workers x 1 threads" in repr(cluster)


def test_the_first_of_its_addresses_is_for_this_machine_and_others_are_loopback(cluster: rs.LocalCluster) -> None:
    assert cluster.scheduler_address == cluster.addresses[0]
    assert cluster.scheduler_address.startswith("unix://")
    assert cluster.addresses[1].startswith("tcp://127.0.0.1:")
    with rs.Client(cluster.addresses[1], security=cluster.security) as client:
        assert client.submit(pow, 2, 4).result(PATIENCE) == 16


def test_workers_have_what_they_were_given() -> None:
    cluster = rs.LocalCluster(
        workers=1, threads_per_worker=3, memory_limit="3 GiB", resources={"GPU": 2}, env={"OF_MINE": "yes"}
    )
    with cluster, rs.Client(cluster) as client:
        (worker,) = client.info()["workers"].values()
        assert worker["threads"] == 3
        assert worker["memory_limit"] == 3 * 2**30
        assert worker["resources"] == {"GPU": 2}
        assert client.submit(os.getenv, "OF_MINE").result(PATIENCE) == "yes"
        assert client.submit(os.getenv, "OPENBLAS_NUM_THREADS").result(PATIENCE) == "1"


def test_a_cluster_can_grow_and_shrink() -> None:
    with rs.LocalCluster(workers=1) as cluster, rs.Client(cluster) as client:
        cluster.scale(3)
        cluster.wait_for_workers(timeout=PATIENCE)
        assert set(client.info()["workers"]) == {"0", "1", "2"}
        two = family(cluster)["worker-2"]
        cluster.scale(1)
        assert all_end([two])
        assert client.submit(pow, 2, 3).result(PATIENCE) == 8


def test_waiting_for_workers_that_nobody_starts_ends_in_time(cluster: rs.LocalCluster) -> None:
    with pytest.raises(rs.WaitTimeoutError, match=r"2 of 3 workers are there after 0.05 s"):
        cluster.wait_for_workers(3, timeout=0.05)
    cluster.wait_for_workers(2, timeout=PATIENCE)


def test_a_worker_that_is_killed_is_replaced() -> None:
    with rs.LocalCluster(workers=1, log_level="critical") as cluster, rs.Client(cluster) as client:
        family(cluster)["worker-0"].kill()
        assert client.submit(pow, 2, 3).result(PATIENCE) == 8
        assert set(client.info()["workers"]) == {"1"}


def test_interrupts_are_left_to_the_owner(cluster: rs.LocalCluster, client: rs.Client) -> None:
    for process in family(cluster).values():
        process.send_signal(signal.SIGINT)
    assert client.submit(pow, 2, 3).result(PATIENCE) == 8


def test_a_copy_of_the_owner_that_ends_takes_nothing_with_it(cluster: rs.LocalCluster, client: rs.Client) -> None:
    program = script("""
        import os
        import restride as rs
        with rs.LocalCluster(workers=1) as cluster:
            pid = os.fork()
            if pid == 0:
                raise SystemExit  # which runs what is to run at exit, in the copy
            os.waitpid(pid, 0)
            with rs.Client(cluster) as client:
                print(client.submit(pow, 2, 3).result(30))
    """)
    assert output_of(program) == "8\n"


def test_a_program_needs_no_main_guard_and_finds_the_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("def twice(x):\n    return 2 * x\n")
    (tmp_path / "collections").mkdir()  # shadows nothing: the working directory is not on the path
    (tmp_path / "main.py").write_text(
        textwrap.dedent("""
            import restride as rs
            from beside import twice
            print("begins")
            def thrice(x):
                return 3 * x
            with rs.LocalCluster(workers=1) as cluster, rs.Client(cluster) as client:
                print(client.gather([client.submit(twice, 4), client.submit(thrice, 4)]))
        """)
    )
    program = subprocess.run(
        [sys.executable, "main.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert (program.stdout, program.stderr) == ("begins\n[8, 12]\n", "")


# ---- its end


def test_closing_leaves_nothing_behind(capfd: pytest.CaptureFixture[str]) -> None:
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(2):
        cluster = rs.LocalCluster(workers=2)
        cluster.wait_for_workers(timeout=PATIENCE)
        processes, directory = family(cluster), cluster._fork_server.directory
        with rs.Client(cluster) as client:
            client.submit(pow, 2, 3).result(PATIENCE)
        cluster.close()
        cluster.close()
        assert cluster.closed
        assert all_end(list(processes.values()))
        assert not directory.exists()
    assert len(processes) == 5
    assert len(os.listdir("/proc/self/fd")) <= files, "what others have left may go meanwhile"
    assert threading.active_count() <= threads
    assert capfd.readouterr().err == ""
    with pytest.raises(rs.ClosedError, match="this cluster is closed"):
        cluster.scale(3)


@pytest.mark.slow
def test_a_hundred_clusters_leave_nothing_behind_and_nothing_on_standard_error(tmp_path: Path) -> None:
    program = script(
        """
        import os, threading
        import psutil
        import restride as rs
        def left():
            return len(os.listdir("/proc/self/fd")), threading.active_count(), len(psutil.Process().children())
        for cycle in range(101):
            with rs.LocalCluster(workers=2) as cluster, rs.Client(cluster) as client:
                assert client.submit(pow, 2, 3).result(60) == 8
            if cycle == 0:
                first = left()
        assert left() == first, (first, left())
        """,
        TMPDIR=str(tmp_path),
    )
    out, err = program.communicate(timeout=100)
    assert (out, err, program.returncode) == ("", "", 0)
    assert list(tmp_path.iterdir()) == []
    assert not any(is_in_session(process, program.pid) for process in psutil.process_iter())


def is_in_session(process: psutil.Process, leader: int) -> bool:
    try:
        return os.getsid(process.pid) == leader
    except (ProcessLookupError, PermissionError):
        return False


def test_a_program_that_ends_without_closing_leaves_nothing_behind(tmp_path: Path) -> None:
    program = script(
        """
        import psutil
        import restride as rs
        cluster = rs.LocalCluster(workers=1)
        print(*(process.pid for process in psutil.Process().children(recursive=True)))
        """,
        TMPDIR=str(tmp_path),
    )
    pids = [int(pid) for pid in output_of(program).split()]
    assert len(pids) == 4
    assert not any(map(psutil.pid_exists, pids))
    assert list(tmp_path.iterdir()) == []


OWNER = HOLD_THE_GIL + textwrap.dedent("""
    import os, signal
    import psutil
    import restride as rs
    cluster = rs.LocalCluster(workers=2, log_level="critical")
    cluster.wait_for_workers()
    client = rs.Client(cluster)
    if {busy}:
        pipe = os.open({begun!r}, os.O_RDWR)
        futures = [client.submit(hold_the_gil, {begun!r}) for _ in range(4)]
        os.read(pipe, 1), os.read(pipe, 1)
    print(*(process.pid for process in psutil.Process().children(recursive=True)), flush=True)
    signal.pause()
""")


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "while tasks hold the GIL"])
def test_killing_the_owner_leaves_nothing_behind(tmp_path: Path, busy: bool) -> None:
    begun, home = tmp_path / "begun", tmp_path / "home"
    os.mkfifo(begun)
    home.mkdir()
    program = script(OWNER.format(busy=busy, begun=str(begun)), TMPDIR=str(home))
    assert program.stdout is not None
    processes = [psutil.Process(int(pid)) for pid in program.stdout.readline().split()]
    assert len(processes) == 5
    program.kill()
    assert all_end(processes)
    assert list(home.iterdir()) == []
    assert program.communicate() == ("", "")


def test_closing_ends_workers_also_while_their_tasks_hold_the_gil(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "begun")
    pipe = os.open(tmp_path / "begun", os.O_RDWR)
    namespace: dict[str, Callable[[str], Any]] = {}
    exec(HOLD_THE_GIL, namespace)
    cluster = rs.LocalCluster(workers=1, log_level="critical")
    processes = family(cluster)
    with rs.Client(cluster) as client:
        future = client.submit(namespace["hold_the_gil"], str(tmp_path / "begun"))
        assert os.read(pipe, 1) == b"x"
        cluster.close()
        assert all_end(list(processes.values()))
        with pytest.raises(rs.ClosedError, match=r"the scheduler at .* has ended"):
            future.result(PATIENCE)
    os.close(pipe)


@pytest.mark.parametrize("victim", ["scheduler", "nanny", "fork server"])
def test_everything_ends_with_a_process_that_the_others_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, victim: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cluster = rs.LocalCluster(workers=1, log_level="critical")
    processes = family(cluster)
    processes[victim].kill()
    if victim == "fork server":
        assert all_end([process for name, process in processes.items() if name != victim])
        cluster.close()
    assert all_end(list(processes.values()))
    assert list(tmp_path.iterdir()) == []
    if victim != "fork server":
        with pytest.raises(rs.ClusterError, match=r"the cluster's processes have ended|the scheduler at .* is lost"):
            cluster.scale(2)
    cluster.close()


def test_a_client_does_not_wait_for_a_scheduler_that_was_killed() -> None:
    with rs.LocalCluster(workers=1, log_level="critical") as cluster, rs.Client(cluster) as client:
        future = client.submit(signal.pause)
        family(cluster)["scheduler"].kill()
        with pytest.raises(rs.ConnectError, match=r"the scheduler at .* was lost"):
            future.result(rs.config.get("comm.reconnect_timeout") / 2)


# ---- what cannot be


def test_processes_that_cannot_start_are_an_error_with_what_they_said() -> None:
    with pytest.raises(rs.ClusterError, match=r"have ended with exit code 1:\n(.|\n)*encodings"):
        rs.LocalCluster(workers=1, env={"PYTHONHOME": "/nowhere"})


def test_an_address_that_cannot_be_listened_on_is_an_error_that_names_it() -> None:
    with pytest.raises(rs.ClusterError, match=r"tcp://192\.0\.2\.1:1"):
        rs.LocalCluster(workers=1, listen="tcp://192.0.2.1:1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": -1}, "a cluster cannot have -1 workers"),
        ({"threads_per_worker": -1}, "a worker cannot have -1 threads"),
        ({"memory_limit": "much"}, "'much' is not a number of bytes"),
        ({"listen": "127.0.0.1:80"}, "'127.0.0.1:80' is no address"),
        ({"resources": {"GPU": float("nan")}}, "a worker cannot have the resource 'GPU' in the amount nan"),
        ({"log_level": "loud"}, "there is no log level 'loud'"),
    ],
)
def test_impossible_arguments_are_an_error_before_anything_starts(arguments: dict[str, Any], message: str) -> None:
    before = psutil.Process().children()
    with pytest.raises(ValueError, match=message):
        rs.LocalCluster(**arguments)
    assert psutil.Process().children() == before


def test_by_default_workers_have_one_thread_and_there_are_as_many_as_cores() -> None:
    assert shape(None, None) == (count_cores(), 1)
    assert shape(None, 10 * count_cores()) == (1, 10 * count_cores())
    assert shape(5, None) == (5, 1)


def test_memory_is_shared_equally_unless_said_otherwise() -> None:
    assert memory_share("auto", 4) == total_memory() // 4
    assert memory_share("1 GB", 4) == 10**9
    assert memory_share(None, 4) is None
