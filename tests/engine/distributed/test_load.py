"""Many clients, many and large results, tasks of mixed durations: all are served, and nothing is kept."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import restride as rs
from benchmarks.graphs import shuffle
from tests.engine.distributed.harm import PATIENCE, await_workers, inc, shuffled, until, wait_for_file
from tests.garbage import collected

MIB = 2**20


@pytest.fixture(scope="module")
def cluster() -> Iterator[rs.LocalCluster]:
    """Two workers, which these tests have for themselves; the scheduler checks nothing, as that takes its time."""
    with rs.config.set(validate=False), rs.LocalCluster(workers=2, threads_per_worker=1) as cluster:
        cluster.wait_for_workers(timeout=PATIENCE)
        yield cluster


@pytest.fixture
def client(cluster: rs.LocalCluster) -> Iterator[rs.Client]:
    with rs.Client(cluster) as client:
        yield client


def tables(worker: Any) -> dict[str, int]:
    """Sizes of what a worker keeps of tasks, outputs, copies and requests."""
    state = worker.state
    parts = {"": state, "store.": state.store, "copies.": state.copies, "asked.": state.asked}
    kept = {}
    for prefix, part in parts.items():
        for name, table in vars(part).items():
            if isinstance(table, dict | list | set) and name != "_cache":
                kept[prefix + name] = len(table)
    return kept


def nothing_is_kept(client: rs.Client) -> bool:
    return not any(size for kept in client.run(tables).values() for size in kept.values())


# ---- many clients


def test_many_clients_at_once_get_what_is_theirs_and_leave_nothing(cluster: rs.LocalCluster, client: rs.Client) -> None:
    errors: list[BaseException] = []
    expected = shuffled(8, 500)

    def work(number: int) -> None:
        try:
            with rs.Client(cluster) as own:
                for turn in range(5):
                    start = 1000 * number + turn
                    mapped = own.map(lambda i: np.full(600, i), range(start, start + 50))
                    sums = own.map(lambda block: int(block[0]), mapped)
                    del mapped
                    assert own.get(*shuffle(8, 500)) == expected
                    assert own.gather(sums) == list(range(start, start + 50))
                    assert own.submit(inc, own.submit(inc, number)).result(PATIENCE) == number + 2
                    own.map(time.sleep, [0.001] * 20)  # let go at once
        except BaseException as error:  # noqa: BLE001  for the test's own thread to raise
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    assert not errors
    assert not any(thread.is_alive() for thread in threads)
    until(lambda: nothing_is_kept(client))
    until(lambda: client.info()["nbytes"] == 0)


def test_thousands_of_small_jobs_leave_nothing_behind(cluster: rs.LocalCluster, client: rs.Client) -> None:
    process = cluster._fork_server.process
    assert process is not None
    processes = [each for each in psutil.Process(process.pid).children() if each.name().startswith(("sched", "work"))]
    assert len(processes) == 3

    def memory() -> list[int]:
        return [each.memory_info().rss for each in processes]

    def jobs(count: int) -> None:
        for i in range(count):
            assert client.submit(inc, client.submit(inc, i)).result(PATIENCE) == i + 2

    jobs(100)
    before = memory()
    jobs(1000)
    until(lambda: nothing_is_kept(client))
    assert max(after - was for after, was in zip(memory(), before)) < 20 * MIB


# ---- one client beside another


@pytest.fixture
def other_job(cluster: rs.LocalCluster) -> Iterator[list[rs.Future]]:
    """Another client's job, of more than a minute and a half, which has begun."""
    with rs.Client(cluster) as other:
        futures = other.map(sleep_and_return, range(20_000))
        until(futures[0].done)
        yield futures


def sleep_and_return(i: int) -> int:
    time.sleep(0.01)
    return i


def done(futures: list[rs.Future]) -> int:
    return sum(future.done() for future in futures)


def test_one_short_task_after_another_need_not_wait_for_the_job_of_another_client(
    client: rs.Client, other_job: list[rs.Future]
) -> None:
    for i in range(20):
        assert client.submit(inc, i).result(PATIENCE) == i + 1
    assert done(other_job) < len(other_job) // 4


def test_clients_with_as_long_tasks_get_as_many_done(client: rs.Client, other_job: list[rs.Future]) -> None:
    own = client.map(sleep_and_return, range(20_000))
    until(own[0].done)
    had, had_other = done(own), done(other_job)
    until(lambda: done(own) >= had + 100)
    least = done(own) - had
    got_other = done(other_job) - had_other
    most = done(own) - had  # this thread may have had to wait between the three counts
    assert least / 2 <= got_other <= 2 * most


# ---- much at once


def test_large_arguments_of_map_come_whole(client: rs.Client) -> None:
    blocks = [np.full(100_000, i) for i in range(20)]
    assert client.gather(client.map(lambda block: int(block.sum()), blocks)) == [100_000 * i for i in range(20)]


def test_tasks_that_submit_tasks_that_submit_tasks(client: rs.Client) -> None:
    def fibonacci(n: int) -> int:
        if n < 2:
            return n
        own = rs.default_client()
        parts = own.submit(fibonacci, n - 1), own.submit(fibonacci, n - 2)
        return sum(part.result() for part in parts)

    assert client.submit(fibonacci, 8).result(PATIENCE) == 21


def test_arrays_are_computed_within_tasks(client: rs.Client) -> None:
    def compute(n: int) -> float:
        import restride.array as ra

        return float((ra.ones((n, n), chunks=10) * n).rechunk((n, 5)).sum().compute())

    assert client.gather(client.map(compute, [20, 30, 40])) == [8000.0, 27000.0, 64000.0]


@pytest.mark.slow
def test_a_hundred_thousand_futures_are_gathered(client: rs.Client) -> None:
    assert sum(client.gather(client.map(inc, range(100_000)))) == 100_000 * 100_001 // 2
    assert collected(lambda: nothing_is_kept(client))


@pytest.mark.slow
def test_a_result_larger_than_a_gigabyte_comes_whole(client: rs.Client) -> None:
    first, second = sorted(client.info()["workers"])
    future = client.submit(np.arange, 190_000_000, workers=first)
    assert client.submit(lambda array: int(array[::1000].sum()), future, workers=second).result(PATIENCE) == sum(
        range(0, 190_000_000, 1000)
    )
    array = future.result(4 * PATIENCE)
    assert array.nbytes == 1_520_000_000
    assert (array[::1000] == np.arange(0, 190_000_000, 1000)).all()


# ---- mixed durations


def utilisation(client: rs.Client, seconds: Sequence[float], workers: int = 2) -> float:
    """Time that tasks, which sleep, take at least on so many workers, by the time that it took."""
    name = f"layer {time.monotonic_ns()}"  # of unknown durations
    graph = rs.TaskGraph()
    layer = graph.add(time.sleep, len(seconds), params=np.array(seconds), name=name)
    start = time.monotonic()
    client.get(graph, layer.ids)
    return max(sum(seconds) / workers, *seconds) / (time.monotonic() - start)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seconds",
    [
        [0.25] * 8 + [1e-6] * 2000,
        [1e-6] * 2000 + [0.25] * 8,
        [1e-6] * 2000 + [0.05] * 40,
        [1.0] + [5e-4] * 1000,
    ],
    ids=["long ones first", "long ones last", "a jump", "one long one first"],
)
def test_long_and_short_tasks_of_a_kind_keep_all_workers_busy(client: rs.Client, seconds: list[float]) -> None:
    # On one worker alone it would be 50 %.
    assert any(utilisation(client, seconds) > 0.65 for _ in range(2))


def test_a_long_task_keeps_no_short_one_waiting(client: rs.Client, tmp_path: Path) -> None:
    long = client.submit(wait_for_file, str(tmp_path / "end"))
    short = [client.submit(inc, i) for i in range(300)]
    assert client.gather(short) == list(range(1, 301))
    assert not long.done()
    (tmp_path / "end").touch()
    assert long.result(PATIENCE) is True


@pytest.mark.slow
def test_workers_that_come_later_take_their_share() -> None:
    with rs.LocalCluster(workers=1) as cluster, rs.Client(cluster) as client:
        start = time.monotonic()
        pids = client.map(sleep_and_tell, [0.2] * 24)
        until(pids[1].done)
        cluster.scale(3)
        counts = np.unique(client.gather(pids), return_counts=True)[1]
        taken = time.monotonic() - start
        await_workers(client, 3)
    assert len(counts) == 3
    assert taken < 3.5  # alone it would be 4.8


def sleep_and_tell(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()
