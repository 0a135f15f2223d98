"""A client of other processes: what is sent when, where results come from, and what happens when something breaks."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import restride as rs
from restride.engine import versions as versions_module
from restride.engine.wire.security import Security
from tests.garbage import collected

PATIENCE = 30.0


def inc(x: int) -> int:
    return x + 1


def comes_to_hold(client: rs.Client, least: int, most: int) -> bool:
    """Whether the workers get to hold so many bytes of outputs, as soon as they have heard of what was let go of."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        held = sum(client.run(lambda worker: worker.state.store.nbytes).values())
        if least <= held < most:
            return True
    return False


@pytest.fixture
def fresh() -> Iterator[rs.Client]:
    """A client of a cluster of its own, whose workers may be killed."""
    with rs.Client("processes", workers=2, threads_per_worker=1) as client:
        client.wait_for_workers(2, PATIENCE)
        yield client


def kill_a_worker(client: rs.Client, number: int = 0) -> None:
    workers = client.info()["workers"].values()
    os.kill(sorted(worker["pid"] for worker in workers)[number], signal.SIGKILL)


# ---- results


def test_large_results_come_from_the_workers_and_belong_to_the_caller(client: rs.Client) -> None:
    g = rs.TaskGraph()
    g.add(lambda i: np.full(100_000, i), 20, params=range(20))
    outputs = client.get(g, range(20))
    assert [int(output.sum()) for output in outputs] == [100_000 * i for i in range(20)]
    outputs[0][:] = 5
    assert outputs[0].sum() == 500_000


def test_a_large_result_can_be_taken_many_times_and_a_small_one_stays_the_same(client: rs.Client) -> None:
    large, small = client.submit(np.ones, 100_000), client.submit(list, "ab")
    assert large.result(PATIENCE).sum() == large.result(PATIENCE).sum() == 100_000
    assert small.result(PATIENCE) is small.result(PATIENCE)


def test_several_threads_may_take_the_same_results(client: rs.Client) -> None:
    futures = client.map(np.full, [50_000] * 10, range(10))
    sums: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: sums.append([int(array[0]) for array in client.gather(futures)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sums == [list(range(10))] * 4


def test_outputs_that_nobody_holds_are_let_go_by_the_workers(client: rs.Client) -> None:
    assert comes_to_hold(client, 0, 1)
    futures = client.map(np.ones, [100_000] * 4)
    rs.wait(futures, PATIENCE)
    assert comes_to_hold(client, 3_200_000, 3_300_000)
    del futures
    assert comes_to_hold(client, 0, 1)


def test_calls_that_nobody_waits_for_travel_together(client: rs.Client) -> None:
    futures = [client.submit(inc, i) for i in range(3_000)]
    assert len({id(future.submission) for future in futures}) < 1_000
    assert client.gather(futures) == list(range(1, 3_001))


def test_a_call_may_depend_on_one_that_the_scheduler_has_not_accepted_yet(client: rs.Client) -> None:
    futures = [client.submit(inc, 0)]
    for _ in range(20):
        g = rs.TaskGraph()
        g.add(inc, 1, deps=([0, 1], g.add_futures([futures[-1]]).ids))
        futures += client.submit_graph(g, [1])
        futures.append(client.submit(inc, futures[-1]))
    assert futures[-1].result(PATIENCE) == 41


# ---- what does not travel


def test_what_cannot_be_pickled_is_refused_at_the_call_and_harms_no_other(client: rs.Client) -> None:
    before = client.submit(inc, 1)
    with pytest.raises(rs.SerializationError, match=r"argument 1 of 'pow': .*lock"):
        client.submit(pow, 1, threading.Lock())
    with pytest.raises(rs.SerializationError, match=r"argument 'key' of 'sorted': .*lock"):
        client.map(sorted, [[1]], key=threading.Lock())
    lock = threading.Lock()
    with pytest.raises(rs.SerializationError, match="lock"):
        client.submit(lambda: lock)
    g = rs.TaskGraph()
    g.add(inc, 3, params=[1, threading.Lock(), 3], name="bad")
    for compute in (client.get, client.submit_graph):
        with pytest.raises(rs.SerializationError, match=r"layer 'bad': parameter 1: .*lock"):
            compute(g, [0, 1])
    assert client.get(g, [0, 2]) == [2, 4]
    assert (before.result(PATIENCE), client.submit(inc, 2).result(PATIENCE)) == (2, 3)


class Stubborn:
    """Cannot be pickled."""

    def __getstate__(self) -> Any:
        raise LookupError("my state is mine")


def stubborn_error() -> None:
    class OwnError(Exception):
        def __reduce__(self) -> Any:
            raise LookupError("my state is mine")

    raise OwnError("a code of 7")


@pytest.mark.parametrize("make", [Stubborn, threading.Lock], ids=["raises in __getstate__", "a lock"])
def test_a_result_that_cannot_be_pickled_fails_its_future_with_an_explanation(client: rs.Client, make: Any) -> None:
    future, neighbour = client.submit(make), client.submit(inc, 1)
    with pytest.raises(rs.SerializationError, match="cannot be pickled"):
        future.result(PATIENCE)
    assert neighbour.result(PATIENCE) == 2


def test_a_large_result_that_cannot_be_pickled_fails_too(client: rs.Client) -> None:
    future = client.submit(lambda: [np.ones(10_000), threading.Lock()])
    with pytest.raises(rs.SerializationError, match="cannot be pickled"):
        future.result(PATIENCE)


def test_an_exception_that_cannot_be_pickled_is_told_in_words(client: rs.Client) -> None:
    with pytest.raises(rs.TaskError, match=r"OwnError: a code of 7") as raised:
        client.submit(stubborn_error).result(PATIENCE)
    assert "stubborn_error" in str(raised.value.__cause__)


def test_an_exception_brings_its_traceback_as_text(client: rs.Client) -> None:
    def deep() -> None:
        raise ValueError("deep")

    with pytest.raises(ValueError, match="deep") as raised:
        client.submit(lambda: deep()).result(PATIENCE)
    assert "in deep" in str(raised.value.__cause__)


# ---- options


def test_calls_run_on_the_workers_asked_for(client: rs.Client) -> None:
    for name, worker in client.info()["workers"].items():
        futures = client.map(lambda _: os.getpid(), range(20), workers=name)
        assert set(client.gather(futures)) == {worker["pid"]}
        g = rs.TaskGraph()
        g.add(os.getpid, 3)
        assert set(client.get(g, range(3), workers=[worker["addresses"][-1]])) == {worker["pid"]}


def test_what_no_worker_has_is_waited_for_and_warned_of_once(
    client: rs.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "restride.client"):
        futures = [client.submit(inc, i, resources={"GPU": 1}, workers="nonesuch") for i in range(3)]
        assert client.submit(inc, 2, workers="0").result(PATIENCE) == 3
    assert not any(future.done() for future in futures)
    assert all(future.cancel() for future in futures)
    assert [record.message for record in caplog.records] == [
        "no worker suits workers=['nonesuch'], resources={'GPU': 1}: what asks for that waits until one comes"
    ]


def test_a_worker_finds_the_client_of_its_own_cluster(client: rs.Client) -> None:
    def where() -> str:
        return rs.default_client().where

    assert client.submit(where).result(PATIENCE) == client.where


def test_a_client_of_this_process_does_not_travel(client: rs.Client) -> None:
    with rs.Client("inline") as inline, pytest.raises(rs.SerializationError, match="default_client"):
        client.submit(lambda: inline)


# ---- workers that die


def test_results_that_died_with_their_worker_are_computed_again(fresh: rs.Client) -> None:
    futures = fresh.map(np.full, [50_000] * 20, range(20))
    rs.wait(futures, PATIENCE)
    kill_a_worker(fresh)
    assert [int(array[0]) for array in fresh.gather(futures)] == list(range(20))


def test_results_that_are_here_already_are_not_computed_again(fresh: rs.Client) -> None:
    futures = fresh.map(inc, range(20))
    rs.wait(futures, PATIENCE)
    kill_a_worker(fresh, 0)
    kill_a_worker(fresh, 1)
    assert fresh.gather(futures) == list(range(1, 21))
    assert all(future.done() for future in futures)


def test_a_computation_goes_on_when_a_worker_dies_in_the_middle(fresh: rs.Client) -> None:
    g = rs.TaskGraph()
    a = g.add(lambda i: np.full(10_000, i), 60, params=range(60))
    b = g.add(lambda *xs: sum(xs), 60, deps=(np.arange(0, 601, 10), np.tile(a.ids, 10)))
    futures = fresh.submit_graph(g, b.ids)
    rs.wait(futures[:1], PATIENCE)
    kill_a_worker(fresh)
    expected = [sum(np.tile(np.arange(60), 10)[10 * i : 10 * i + 10]) for i in range(60)]
    assert [int(array[0]) for array in fresh.gather(futures)] == expected


def test_a_task_that_kills_its_workers_is_given_up_and_named(fresh: rs.Client) -> None:
    def suicide() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    future = fresh.submit(suicide)
    with pytest.raises(rs.RestrideError, match="suicide"):
        future.result(2 * PATIENCE)
    assert fresh.submit(inc, 1).result(PATIENCE) == 2


def test_a_task_that_is_cancelled_while_it_runs_gives_its_worker_free(fresh: rs.Client) -> None:
    begun = [fresh.submit(time.sleep, 1000, workers=name) for name in fresh.info()["workers"]]
    assert not rs.wait(begun, 0.1).done
    fresh.cancel(begun)
    assert fresh.gather(fresh.map(inc, range(10))) == list(range(1, 11))


# ---- connections that break, and schedulers that end


def test_connections_that_break_again_and_again_are_not_noticed() -> None:
    with (
        rs.LocalCluster(workers=1) as cluster,
        rs.config.set({"comm.break_every": 15, "comm.seed": 3}),
        rs.Client(cluster) as client,
    ):
        for i in range(60):
            assert client.submit(inc, i).result(PATIENCE) == i + 1
        arrays = client.gather(client.map(np.full, [20_000] * 10, range(10)))
        assert [int(array[0]) for array in arrays] == list(range(10))


def test_over_a_slow_network_everything_takes_longer_and_nothing_else_changes(cluster: rs.LocalCluster) -> None:
    with rs.config.set({"comm.delay": 0.02, "comm.jitter": 0.01}), rs.Client(cluster) as client:
        begun = time.perf_counter()
        assert client.submit(inc, 1).result(PATIENCE) == 2
        assert time.perf_counter() - begun >= 0.02
        assert client.gather(client.map(inc, range(1000))) == list(range(1, 1001))


def test_nobody_at_an_address_is_an_error_that_names_it() -> None:
    security = Security.temporary()
    with pytest.raises(rs.ConnectError, match=r"tcp://127.0.0.1:9") as raised:
        rs.Client("tcp://127.0.0.1:9", security=security, timeout=5)
    assert isinstance(raised.value, OSError)
    with pytest.raises(ValueError, match="nonsense"):
        rs.Client("nonsense://127.0.0.1:9", security=security)


def test_another_secret_is_refused(cluster: rs.LocalCluster) -> None:
    with pytest.raises(rs.AuthenticationError, match="the same secret"):
        rs.Client(cluster.scheduler_address, security=Security.temporary())


def test_versions_that_do_not_go_together_are_an_error_on_connecting(
    cluster: rs.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = versions_module.versions()
    monkeypatch.setattr(versions_module, "versions", lambda: {**ours, "python": "3.0.1"})
    with pytest.raises(rs.VersionError, match=rf"python 3.0.1 here, {ours['python']} there"):
        rs.Client(cluster)


def test_when_the_cluster_ends_whoever_waits_hears_of_it() -> None:
    with rs.LocalCluster(workers=1, threads_per_worker=1) as cluster:
        client = rs.Client(cluster)
        never = client.submit(time.sleep, 1000)
        large = client.submit(np.ones, 100_000, priority=1)
        outcomes: list[object] = []

        def wait() -> None:
            try:
                outcomes.append(never.result(PATIENCE))
            except rs.RestrideError as error:
                outcomes.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
    waiting.join(PATIENCE)
    assert isinstance(outcomes[0], (rs.ClosedError, rs.ConnectError))
    for use in (lambda: client.submit(inc, 1), lambda: client.info(), lambda: large.result(PATIENCE)):
        with pytest.raises((rs.ClosedError, rs.ConnectError), match="scheduler at"):
            use()
    client.close()


def test_closing_a_client_cancels_what_it_waits_for(cluster: rs.LocalCluster) -> None:
    client = rs.Client(cluster)
    future = client.submit(inc, 1, resources={"GPU": 1})
    rs.wait([client.submit(inc, 1)], PATIENCE)
    client.close()
    with pytest.raises(rs.ClosedError, match="closed before the result came"):
        future.result(PATIENCE)
    client.close()


def test_results_are_gone_with_their_client(cluster: rs.LocalCluster) -> None:
    with rs.Client(cluster) as client:
        future = client.submit(np.ones, 100_000)
        rs.wait([future], PATIENCE)
    with pytest.raises(rs.ClosedError, match="take results before closing"):
        future.result(PATIENCE)


def test_what_a_client_held_goes_with_it_and_what_it_published_stays(
    cluster: rs.LocalCluster, client: rs.Client
) -> None:
    with rs.Client(cluster) as other:
        held, shared = other.map(np.ones, [100_000, 200_000])
        rs.wait([held, shared], PATIENCE)
        other.publish_dataset(shared=shared)
    assert comes_to_hold(client, 1_600_000, 1_700_000)
    assert client.get_dataset("shared").result(PATIENCE).sum() == 200_000
    client.unpublish_dataset("shared")
    assert comes_to_hold(client, 0, 1)


# ---- callbacks, garbage, threads


def test_a_callback_may_wait_for_what_other_messages_bring(client: rs.Client) -> None:
    outcome: list[int] = []
    ended = threading.Event()

    def call(future: rs.Future) -> None:
        outcome.append(client.submit(sum, [future, client.submit(inc, 5)]).result(PATIENCE))
        outcome.append(len(client.submit(np.ones, 50_000).result(PATIENCE)))
        ended.set()

    client.submit(inc, 1).add_done_callback(call)
    assert ended.wait(PATIENCE)
    assert outcome == [8, 50_000]


def test_a_callback_that_takes_its_time_keeps_nobody_from_results(client: rs.Client) -> None:
    begun, may_end = threading.Event(), threading.Event()
    client.submit(inc, 1).add_done_callback(lambda _: (begun.set(), may_end.wait(PATIENCE)))
    assert begun.wait(PATIENCE)
    assert client.submit(inc, 2).result(PATIENCE) == 3
    may_end.set()


def test_a_client_that_nobody_holds_ends_its_thread(cluster: rs.LocalCluster) -> None:
    before = set(threading.enumerate())
    client = rs.Client(cluster)
    client.gather(client.map(inc, range(10)))
    (own,) = set(threading.enumerate()) - before
    gone = weakref.ref(client)
    del client
    assert collected(lambda: gone() is None)
    own.join(PATIENCE)
    assert not own.is_alive()


def test_clients_beside_each_other_do_not_mix(cluster: rs.LocalCluster) -> None:
    with rs.Client(cluster) as one, rs.Client(cluster) as two:
        ours, theirs = one.map(inc, range(200)), two.map(abs, range(-200, 0))
        assert two.gather(theirs) == list(range(200, 0, -1))
        assert one.gather(ours) == list(range(1, 201))
        with pytest.raises(rs.GraphError, match="cannot be used with"):
            one.submit(inc, theirs[0])
