"""Workers that die, hang or will not listen: computations end with the right results all the same."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

import restride as rs
from benchmarks.graphs import shuffle
from restride.engine.wire.security import Security
from restride.errors import KilledWorkerError
from tests.engine.distributed.endings import all_end
from tests.engine.distributed.harm import (
    PATIENCE,
    add_line,
    await_workers,
    deaf,
    die,
    hold_the_gil,
    hold_the_gil_until_opened,
    inc,
    kill,
    lines,
    pids,
    shuffled,
    spin,
    swallow,
    total,
    until,
)

QUIET = "critical"
"""What these clusters log: deaths are expected here."""
SOON = 8.0
"""Seconds that what is due in one may take on a busy machine: less than it would take if nothing were done about it, as
connections are waited for 10 s by default, and lost workers and schedulers 30 s."""


@pytest.fixture(scope="module")
def fragile() -> Iterator[rs.LocalCluster]:
    """Three workers that tests may kill; each test leaves three."""
    with rs.LocalCluster(workers=3, threads_per_worker=1, log_level=QUIET) as cluster:
        cluster.wait_for_workers(timeout=PATIENCE)
        yield cluster


@pytest.fixture
def client(fragile: rs.LocalCluster) -> Iterator[rs.Client]:
    with rs.Client(fragile) as client:
        client.wait_for_workers(3, PATIENCE)
        yield client


# ---- workers that are killed


def test_a_shuffle_survives_the_death_of_workers_at_any_moment(client: rs.Client) -> None:
    rng = random.Random(1)
    graph, ids = shuffle(20, 2000)
    expected = shuffled(20, 2000)
    for victims in (1, 2, 1, 2, 3):
        client.wait_for_workers(3, PATIENCE)
        doomed = rng.sample(sorted(pids(client).values()), victims)
        timers = [threading.Timer(rng.uniform(0, 0.1), kill, [pid]) for pid in doomed]
        for timer in timers:
            timer.start()
        assert client.get(graph, ids) == expected
        for timer in timers:
            timer.join()


def test_results_are_right_when_workers_die_while_they_are_fetched(client: rs.Client) -> None:
    blocks = client.map(lambda i: np.full(500_000, i), range(30))
    rs.wait(blocks, PATIENCE)
    victims = iter(sorted(pids(client).values()))
    for at, block in enumerate(blocks):
        if at in (3, 11):
            kill(next(victims))
        assert (block.result(PATIENCE) == at).all()


def test_what_earlier_jobs_left_is_computed_again_for_later_ones(client: rs.Client, tmp_path: Path) -> None:
    log = str(tmp_path / "log")

    def make(i: int) -> np.ndarray:
        add_line(log)
        return np.full(1000, i)

    sources = client.map(make, range(12))
    doubled = client.map(lambda block: 2 * block, sources)
    rs.wait(doubled, PATIENCE)
    before = len(lines(tmp_path / "log"))
    victim = next(iter(pids(client).values()))
    kill(victim)
    sums = client.map(lambda block, twice: int((block + twice).sum()), sources, doubled)
    assert client.gather(sums) == [3000 * i for i in range(12)]
    again = len(lines(tmp_path / "log")) - before
    assert again < 12  # what the others hold is not


def test_persisted_collections_outlive_the_workers_that_hold_them(client: rs.Client) -> None:
    import restride.array as ra

    x = (ra.ones((300, 300), chunks=(30, 300)) * 3).persist()
    for pid in sorted(pids(client).values())[:2]:
        kill(pid)
        assert (x.rechunk((300, 30)).sum(axis=1).compute() == 900).all()
    assert (x.compute() == 3).all()


def test_scattered_data_that_died_with_its_only_worker_is_an_error_and_copies_are_not(client: rs.Client) -> None:
    names = pids(client)
    name = next(iter(names))
    scattered = client.scatter(np.arange(10_000), broadcast=True)
    total = client.submit(lambda block: int(block.sum()), scattered, workers=name)
    assert total.result(PATIENCE) == 49_995_000
    kill(names[name])
    assert client.submit(lambda block: int(block.sum()), scattered).result(PATIENCE) == 49_995_000


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 3])
def test_a_shuffle_survives_deaths_again_and_again(workers: int) -> None:
    rng = random.Random(workers)
    graph, ids = shuffle(30, 20_000)
    expected = shuffled(30, 20_000)
    with rs.LocalCluster(workers=workers, log_level=QUIET) as cluster, rs.Client(cluster) as client:
        cluster.wait_for_workers(timeout=PATIENCE)
        start = time.perf_counter()
        assert client.get(graph, ids) == expected
        undisturbed = time.perf_counter() - start
        for run in range(30):
            doomed = rng.sample(sorted(pids(client).values()), 1 + run % 2 if run % 5 else 1)
            timers = [threading.Timer(rng.uniform(0, 2 * undisturbed), kill, [pid]) for pid in doomed]
            for timer in timers:
                timer.start()
            assert client.get(graph, ids) == expected
            for timer in timers:
                timer.join()
            for pid in doomed:
                await_workers(client, workers, without=pid)  # the dead are counted for a moment


# ---- tasks that kill their worker


def test_a_task_that_kills_its_workers_fails_by_name_and_its_neighbours_do_not(client: rs.Client) -> None:
    neighbours = client.map(inc, range(5000))
    killer = client.submit(die)
    later = client.map(inc, neighbours)
    dependent = client.submit(inc, killer)
    with pytest.raises(KilledWorkerError, match=r"'die' was running when its worker died, 3 times"):
        killer.result(PATIENCE)
    with pytest.raises(KilledWorkerError, match="'die'"):
        dependent.result(PATIENCE)
    assert client.gather(later) == list(range(2, 5002))


def test_long_tasks_beside_one_that_kills_their_worker_are_not_blamed(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def patient(path: str) -> str:
        add_line(path)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            time.sleep(0.01)
        return "ended"

    with rs.LocalCluster(workers=1, threads_per_worker=2, log_level=QUIET) as cluster, rs.Client(cluster) as client:
        neighbour = client.submit(patient, str(log))
        until(lambda: lines(log))
        killer = client.submit(die)
        with pytest.raises(KilledWorkerError, match="'die'"):
            killer.result(PATIENCE)
        assert neighbour.result(PATIENCE) == "ended"


def test_a_task_whose_worker_was_killed_from_outside_is_tried_again(client: rs.Client, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def stay(path: str) -> str:
        add_line(path)
        if len(lines(Path(path))) < 3:
            time.sleep(PATIENCE)
        return "ended"

    future = client.submit(stay, str(log))
    for deaths in (1, 2):
        until(lambda: len(lines(log)) == deaths)  # noqa: B023
        kill(lines(log)[-1])
    assert future.result(PATIENCE) == "ended"


# ---- workers that hang


def test_a_stopped_worker_is_noticed_and_its_work_done_by_others(tmp_path: Path) -> None:
    settings = {"heartbeat": 0.1, "heartbeat_timeout": 0.5}
    with rs.config.set(settings), rs.LocalCluster(workers=2, log_level=QUIET) as cluster, rs.Client(cluster) as client:
        cluster.wait_for_workers(timeout=PATIENCE)
        graph, ids = shuffle(20, 2000)
        stopped = psutil.Process(pids(client)["0"])
        stopped.suspend()
        assert client.get(graph, ids) == shuffled(20, 2000)
        assert all_end([stopped])
        await_workers(client, 2, without=stopped.pid)


def test_a_scheduler_that_was_stopped_for_a_while_goes_on_with_its_workers() -> None:
    settings = {"heartbeat": 0.1, "heartbeat_timeout": 0.5}
    with rs.config.set(settings), rs.LocalCluster(workers=2, log_level=QUIET) as cluster, rs.Client(cluster) as client:
        cluster.wait_for_workers(timeout=PATIENCE)
        before = pids(client)
        process = cluster._fork_server.process
        assert process is not None
        (scheduler,) = [child for child in psutil.Process(process.pid).children() if child.name() == "scheduler"]
        scheduler.suspend()
        resume = threading.Timer(1.5, scheduler.resume)
        resume.start()
        graph, ids = shuffle(20, 2000)
        assert client.get(graph, ids) == shuffled(20, 2000)
        resume.join()
        for _ in range(5):  # each taking a heartbeat or so
            client.submit(time.sleep, 0.1).result(PATIENCE)
        assert pids(client) == before


def test_a_task_that_holds_the_gil_for_long_does_not_cost_its_worker() -> None:
    settings = {"heartbeat": 0.1, "heartbeat_timeout": 0.5}
    with rs.config.set(settings), rs.LocalCluster(workers=1, log_level=QUIET) as cluster, rs.Client(cluster) as client:
        before = pids(client)
        assert client.submit(hold_the_gil, 1.5).result(PATIENCE) == 1.5
        assert len(str(client.submit(lambda: 3 ** (5 * 10**6) // 7**10).result(PATIENCE).bit_length())) > 5
        assert pids(client) == before


def test_a_result_on_a_worker_that_holds_the_gil_is_waited_for() -> None:
    short = {"comm.connect_timeout": 0.5, "comm.reconnect_timeout": 0.5}
    with (
        rs.config.set(short),
        rs.LocalCluster(workers=1, threads_per_worker=1) as cluster,
        rs.Client(cluster) as client,
    ):
        large = client.submit(np.ones, 10_000)
        rs.wait([large], PATIENCE)
        client.submit(hold_the_gil, 2.5)
        assert large.result(PATIENCE).sum() == 10_000


def test_what_is_placed_behind_a_task_that_holds_the_gil_does_not_wait_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    settings = {"heartbeat": 0.1, "validate": True}
    with rs.config.set(settings), rs.LocalCluster(workers=2, log_level=QUIET) as cluster, rs.Client(cluster) as client:
        cluster.wait_for_workers(timeout=PATIENCE)
        before = client.map(inc, range(100))
        rs.wait(before, PATIENCE)
        deaf = client.submit(hold_the_gil_until_opened, str(pipe))
        behind = client.map(inc, range(1000))
        scattered = client.scatter([np.full(10_000, i) for i in range(4)])
        rs.wait(behind, PATIENCE)
        rs.wait(scattered, PATIENCE)
        assert not deaf.done()
        needs_all = client.submit(total, *before, *behind)
        with pipe.open("w"):  # which lets the task go on
            deaf.result(PATIENCE)
        assert needs_all.result(PATIENCE) == sum(range(1, 101)) + sum(range(1, 1001))
        assert [int(array[0]) for array in client.gather(scattered)] == [0, 1, 2, 3]
        assert client.gather(client.map(inc, range(1000))) == list(range(1, 1001))


# ---- tasks that will not listen


@pytest.mark.parametrize("task", [deaf, spin, swallow])
def test_cancelling_a_task_that_will_not_listen_frees_its_core(
    client: rs.Client, tmp_path: Path, task: Callable[..., None]
) -> None:
    log = tmp_path / "log"
    before = client.map(inc, range(100))
    rs.wait(before, PATIENCE)
    future = client.submit(task, str(log))
    until(lambda: lines(log))
    process = psutil.Process(lines(log)[0])
    waiting = client.map(inc, range(200))
    start = time.monotonic()
    assert future.cancel()
    assert all_end([process])
    assert time.monotonic() - start < SOON
    assert client.gather(waiting) == list(range(1, 201))
    assert client.gather(before) == list(range(1, 101))
    await_workers(client, 3, without=process.pid)


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also where a shell has started the tests in the background, and ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_of_a_computation_that_will_not_listen_frees_its_core(client: rs.Client, tmp_path: Path) -> None:
    log = tmp_path / "log"
    graph = rs.TaskGraph()
    layer = graph.add(deaf, 2, params=[str(log)] * 2)

    def interrupt() -> None:
        until(lambda: len(lines(log)) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        client.get(graph, layer.ids)
    thread.join()
    start = time.monotonic()
    assert all_end([psutil.Process(pid) for pid in lines(log) if psutil.pid_exists(pid)])
    assert time.monotonic() - start < SOON
    assert client.submit(inc, 1).result(PATIENCE) == 2
    await_workers(client, 3)


# ---- schedulers and clients that are gone


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start programs that share a secret, and wait a second for a connection to come back."""
    started: list[subprocess.Popen[str]] = []
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(rs.__file__).parent.parent),
        "RESTRIDE_SECRET": SECRET,
        "RESTRIDE_COMM__RECONNECT_TIMEOUT": "1",
        "RESTRIDE_HEARTBEAT": "0.1",
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        program = subprocess.Popen(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True
        )
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


def first_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def client_of(address: str) -> rs.Client:
    with rs.config.set({"comm.reconnect_timeout": 1}):
        return rs.Client(address, security=Security(SECRET.encode()))


def test_nobody_at_an_address_is_an_error_in_time_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and never says a word
        address = "tcp://{}:{}".format(*silent.getsockname())
        begun = time.monotonic()
        with pytest.raises(rs.ConnectError, match=rf"{address} within 0.3 s"):
            rs.Client(address, security=Security(SECRET.encode()), timeout=0.3)
        assert time.monotonic() - begun < SOON
    with pytest.raises(rs.ConnectError, match=address):
        rs.Client(address, security=Security(SECRET.encode()), timeout=0.3)


def test_when_a_scheduler_is_killed_whoever_waits_hears_of_it_and_workers_end(start: Start) -> None:
    scheduler = start("-m", "restride", "scheduler", "--port", "0")
    address = first_line(scheduler)
    workers = start("-m", "restride", "worker", address, "--workers", "2")
    client = client_of(address)
    client.wait_for_workers(2, PATIENCE)
    processes = [psutil.Process(pid) for pid in pids(client).values()]
    here = client.submit(inc, 1)
    large = client.submit(np.ones, 100_000)
    rs.wait([here, large], PATIENCE)
    never = client.submit(time.sleep, 1000)
    scheduler.kill()
    begun = time.monotonic()
    with pytest.raises(rs.ConnectError, match=rf"the scheduler at {address} was lost"):
        never.result(PATIENCE)
    assert time.monotonic() - begun < SOON
    with pytest.raises(rs.ConnectError, match=address):
        client.submit(inc, 1)
    assert here.result(PATIENCE) == 2  # which came with the news
    assert workers.wait(PATIENCE) != 0
    assert all_end(processes)
    client.close()


def test_what_a_killed_client_held_is_let_go(start: Start) -> None:
    address = first_line(start("-m", "restride", "scheduler", "--port", "0"))
    start("-m", "restride", "worker", address, "--workers", "1")
    program = start("-c", KEEPS.format(address=address))
    with client_of(address) as client:
        client.wait_for_workers(1, PATIENCE)
        mine = client.submit(np.ones, 1000)
        assert first_line(program) == "holds"
        until(lambda: client.info()["nbytes"] >= 8_000_000)
        program.kill()
        until(lambda: client.info()["nbytes"] < 100_000)
        assert mine.result(PATIENCE).sum() == 1000
        assert client.submit(inc, 1).result(PATIENCE) == 2  # which the task of the killed one does not keep waiting


SECRET = "of these tests alone, and long enough"
KEEPS = """
import time
import numpy as np
import restride as rs

client = rs.Client({address!r})
held = client.submit(np.ones, 1_000_000)
rs.wait([held])
running = client.submit(time.sleep, 1000)
print("holds", flush=True)
time.sleep(1000)
"""
