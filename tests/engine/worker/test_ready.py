"""Clients take turns on a worker, by the seconds that their tasks take; within one of them the smallest id is first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restride.engine.graphs.graph import Layer
from restride.engine.messages import Drop, Kernels, Place, TakeBack
from restride.engine.scheduler.numbering import Numbering, is_nested, rank
from restride.engine.worker.claims import BATCH_SECONDS, QUICK_SECONDS
from restride.engine.worker.compute import run_claimed
from restride.engine.worker.state import Outcomes, WorkerState

CLIENTS = range(4)
LONG = 2.0**-6
"""Seconds, a power of two as all here that are added up."""


class Bench:
    """A worker with one layer for each client, whose tasks take as long as it is said.

    Parameters
    ----------
    seconds : sequence of float
        Of each client's tasks; 0 where nothing is known of them.
    threads : int
    """

    def __init__(self, seconds: Iterable[float] = (), threads: int = 1) -> None:
        self.state = WorkerState(threads)
        self.ids = Numbering()
        self.seconds = dict(enumerate(seconds))
        self.client_of: dict[int, int] = {}
        self.state.receive(Kernels(CLIENTS, [Layer("k", self._call, 0, 9) for _ in CLIENTS]))
        for client, known in self.seconds.items():
            self.state._kernels[client].seconds = known
        self.outcomes = [Outcomes() for _ in range(threads)]

    @staticmethod
    def _call(*inputs: object) -> None:
        return None

    def place(
        self, client: int, count: int = 1, *, priority: int = 0, nested: bool = False, needs: list[int] | None = None
    ) -> list[int]:
        """Place tasks of a new job of a client; their ids."""
        base = self.ids.ids(count, priority=priority, nested=nested)
        ids, needs = np.arange(base, base + count), needs or []
        n, flags = np.ones(count, np.int32), np.zeros(count, np.bool_)
        indptr, deps = np.arange(count + 1) * len(needs), np.array(needs * count, np.int64)
        homes = np.zeros(len(deps), np.int32)
        self.state.receive(Place(ids, n, n * client, [None] * count, indptr, deps, homes, flags, client))
        self.state.audit()
        placed: list[int] = ids.tolist()
        self.client_of.update(dict.fromkeys(placed, client))
        return placed

    def settle(self, thread: int = 0) -> None:
        outcomes, self.outcomes[thread] = self.outcomes[thread], Outcomes()
        self.state.settle(outcomes)
        self.state.audit()

    def claim(self, thread: int = 0) -> list[int]:
        return list(self.state.claim(thread)[0])

    def run(self, thread: int = 0) -> list[int]:
        """A thread brings back what it has done, and runs what it can claim; which tasks those were."""
        self.settle(thread)
        outcomes = self.outcomes[thread]
        run_claimed(self.state, self.state.claim(thread)[0], outcomes)
        outcomes.seconds[:] = [self.seconds[self.client_of[id]] for id in outcomes.ids]
        return [*outcomes.ids, *(id for id, _, _ in outcomes.failures)]

    def order(self, count: int) -> list[int]:
        """What comes of as many turns of one thread."""
        return [id for _ in range(count) for id in self.run()]


# ---- whose turn it is


def test_a_task_of_a_second_client_waits_for_one_task_of_the_first_and_not_for_all() -> None:
    bench = Bench([LONG, LONG])
    first = bench.place(0, 100)
    assert bench.run() == first[:1]
    second = bench.place(1)
    assert bench.order(3) == [*second, first[1], first[2]]


def test_clients_share_time_and_not_tasks() -> None:
    bench = Bench([LONG, LONG / 4])
    first, second = bench.place(0, 100), bench.place(1, 100)
    order = bench.order(50)
    assert sum(id in first for id in order) == 10
    assert sum(id in second for id in order) == 40


def test_a_claim_is_of_one_client_and_a_millisecond_long_at_most() -> None:
    bench = Bench([BATCH_SECONDS / 8, BATCH_SECONDS / 4])
    first, second = bench.place(0, 100), bench.place(1, 100)
    assert [bench.run() for _ in range(3)] == [second[:4], first[:8], second[4:8]]


def test_what_other_threads_are_at_counts_before_it_is_done() -> None:
    bench = Bench([LONG] * 3, threads=4)
    jobs = [bench.place(client, 10) for client in range(3)]
    claims = [bench.claim(thread)[0] for thread in range(3)]
    assert sorted(claims) == [job[0] for job in jobs]


def test_tasks_count_for_what_they_took_and_not_for_what_was_expected() -> None:
    bench = Bench([0.0, 0.0])
    first, second = bench.place(0, 100), bench.place(1, 100)
    bench.seconds = {0: 64 * LONG, 1: LONG}
    assert sum(id in first for id in bench.order(33)) == 1
    assert second


def test_tasks_that_fail_count_as_well() -> None:
    def fail() -> None:
        raise ValueError

    bench = Bench([LONG, LONG])
    bench.state._kernels[1].call = fail
    first, second = bench.place(0, 10), bench.place(1, 10)
    order = bench.order(8)
    assert sum(id in first for id in order) == sum(id in second for id in order) == 4


def test_a_client_saves_nothing_up_while_it_asks_for_nothing() -> None:
    bench = Bench([LONG] * 3)
    first, second = bench.place(0, 100), bench.place(1)
    bench.place(2, 100)
    bench.order(50)
    again = bench.place(1, 100)
    order = bench.order(30)
    assert second
    assert first
    assert 9 <= sum(id in again for id in order) <= 11


def test_a_client_of_one_task_after_another_gets_no_more_than_its_share() -> None:
    bench = Bench([LONG, 8 * LONG])
    first = bench.place(0, 200)
    ran = {0: 0.0, 1: 0.0}
    current: list[int] = []
    for _ in range(90):
        if not any(id in bench.state.tasks for id in current):
            current = bench.place(1)
        (id,) = bench.run()
        ran[int(id not in first)] += bench.seconds[int(id not in first)]
        bench.settle()
    assert 0.8 <= ran[0] / ran[1] <= 1.25


def test_what_waits_for_inputs_comes_to_its_own_client() -> None:
    bench = Bench([LONG, LONG])
    source, *first = bench.place(0, 5)
    second = bench.place(1, 2, needs=[source])
    order = bench.order(7)
    assert order[:2] == [source, second[0]]
    assert sorted(order[2:]) == sorted([*first, second[1]])


def test_priorities_come_before_turns() -> None:
    bench = Bench([LONG, LONG])
    low, middle = bench.place(0, 3, priority=-1), bench.place(1, 2)
    high = bench.place(0, 2, priority=1)
    assert bench.order(7) == [*high, *middle, *low]


def test_nested_tasks_take_no_turns() -> None:
    bench = Bench([LONG] * 4)
    first, second = bench.place(0, 3), bench.place(1, 3)
    outer = bench.place(2, 3, nested=True)
    inner = bench.place(3, 2, nested=True)
    urgent = bench.place(1, priority=1)
    order = bench.order(12)
    assert order[:6] == [*urgent, *inner, *outer]
    assert sorted(order[6:]) == [*first, *second]


def test_a_claim_that_takes_longer_than_expected_is_no_obstacle() -> None:
    bench = Bench([BATCH_SECONDS / 256, BATCH_SECONDS / 256])
    first = bench.place(0, 200)
    bench.state.hungry = True
    bench.seconds[0] = 1.0
    assert bench.run() == first[:1]
    second = bench.place(1)
    assert bench.run() == second
    assert bench.run() == first[1:2]


def test_what_is_quick_goes_by_turns_too() -> None:
    bench = Bench([QUICK_SECONDS / 2, QUICK_SECONDS / 2])
    bench.place(0, 10)
    second = bench.place(1, 10)
    assert list(bench.state.claims.claim_quick(0)) == second[:2]


# ---- how many queues there are


def test_one_client_has_one_queue_with_its_nested_jobs_too() -> None:
    bench = Bench([LONG, LONG])
    bench.place(0, 3)
    bench.place(1, 3, nested=True)
    assert not bench.state.ready.queues
    assert len(bench.state.ready.only) == 6


def test_clients_one_after_the_other_have_one_queue() -> None:
    bench = Bench([LONG, LONG])
    for client in (0, 1, 0):
        bench.place(client)
        bench.run()
        bench.settle()
        assert not bench.state.ready.queues


@pytest.mark.parametrize("goes", [0, 1])
def test_once_one_client_is_left_there_is_one_queue_again(goes: int) -> None:
    bench = Bench([LONG, LONG])
    jobs = [bench.place(client, 5) for client in range(2)]
    assert len(bench.state.ready.queues) == 2
    bench.state.tick()
    assert len(bench.state.ready.queues) == 2
    bench.state.receive(Drop(np.array(jobs[goes])))
    bench.state.tick()
    assert not bench.state.ready.queues
    assert bench.state.ready.client == 1 - goes
    assert bench.order(5) == jobs[1 - goes]


def test_of_what_threads_were_at_nothing_counts_once_one_client_was_left() -> None:
    bench = Bench([LONG, LONG], threads=3)
    first, second = bench.place(0, 5), bench.place(1)
    assert [bench.run(0), bench.run(1)] == [second, first[:1]]
    bench.settle(0)
    bench.settle(1)
    bench.state.tick()
    assert not bench.state.ready.queues
    again = bench.place(1, 5)
    assert [bench.claim(0), bench.claim(2)] == [again[:1], first[1:2]]


def test_of_many_clients_those_that_are_gone_are_forgotten() -> None:
    bench = Bench([LONG] * 4)
    jobs = [bench.place(client, 2) for client in CLIENTS]
    bench.order(8)
    bench.settle()
    again = [bench.place(client, 2) for client in (1, 2)]
    bench.state.receive(Drop(np.array(jobs[0])))
    bench.state.tick()
    assert set(bench.state.ready.queues) <= {1, 2}
    assert sorted(bench.order(4)) == [*again[0], *again[1]]


def test_what_is_queued_can_be_taken_back_and_dropped_from_all_queues() -> None:
    bench = Bench([LONG, LONG])
    first, second = bench.place(0, 3), bench.place(1, 3)
    bench.state.receive(TakeBack(np.array([first[1], second[1]])))
    bench.state.receive(Drop(np.array([first[0], second[0]])))
    (given,) = bench.state.replies()
    assert given.ids.tolist() == [first[1], second[1]]
    assert sorted(bench.order(6)) == [first[2], second[2]]
    assert bench.state.claims.waiting == 0


def test_a_thread_gives_back_each_client_its_own() -> None:
    bench = Bench([BATCH_SECONDS / 8, BATCH_SECONDS / 8])
    first, second = bench.place(0, 8), bench.place(1, 8)
    assert bench.claim() == second
    bench.state.unclaim(0)
    assert {client: sorted(queue) for client, queue in bench.state.ready.queues.items()} == {0: first, 1: second}


def test_what_is_overtaken_goes_back_to_its_own_client() -> None:
    bench = Bench([QUICK_SECONDS / 2, QUICK_SECONDS / 2])
    first, second = bench.place(0, 10), bench.place(1, 10)
    bench.state.hungry = True
    run_claimed(bench.state, bench.state.claims.claim_quick(0), bench.outcomes[0])
    assert bench.outcomes[0].ids == second[:1]
    bench.outcomes[0].seconds[:] = [LONG]
    bench.settle()
    bench.state.asked.ask("somebody", [first[0]])
    assert list(bench.state.claims.claim_quick(0)) == first[:1]
    assert {client: sorted(queue) for client, queue in bench.state.ready.queues.items()} == {
        0: first[1:],
        1: second[1:],
    }


# ---- against a naive model


class Model:
    """What a worker may run next whose one thread claims one task at a time.

    Clients have clocks, which the seconds of their tasks put forward, from when a second one comes until there is only
    one left, as is found out now and then.
    """

    def __init__(self, seconds: dict[int, float]) -> None:
        self.seconds = seconds
        self.ready: dict[int, int] = {}
        """Whose each task is."""
        self.running: tuple[int, int] | None = None
        self.is_charged = False
        """Whether that has put its client's clock forward: else it will when it is over, if there are clocks then."""
        self.clocks: dict[int, float] = {}
        self.now = 0.0

    def place(self, client: int, ids: list[int]) -> None:
        if not self.ready and not self.running:
            self.clocks, self.now = {}, 0.0
        if not is_nested(ids[0]):
            self.clocks.setdefault(client, 0.0)
            if client not in self.clients_of(self.ready):
                self.clocks[client] = max(self.clocks[client], self.now)
        self.ready.update(dict.fromkeys(ids, client))

    def clients_of(self, ids: Iterable[int]) -> set[int]:
        return {self.ready[id] for id in ids if not is_nested(id)}

    def drop(self, ids: list[int]) -> None:
        for id in ids:
            del self.ready[id]

    def tick(self) -> None:
        if len(self.clocks) > 1:
            left = self.clients_of(self.ready)
            if self.running and not is_nested(self.running[0]):
                left.add(self.running[1])
            self.clocks = {client: clock for client, clock in self.clocks.items() if client in left}
            if len(left) <= 1:
                self.clocks, self.now, self.is_charged = dict.fromkeys(left, 0.0), 0.0, False

    def end(self) -> None:
        if self.running and not self.is_charged:
            self.charge(*self.running)
        self.running = None

    def may_run(self) -> set[int]:
        best = min(map(rank, self.ready), default=0)
        ids = sorted(id for id in self.ready if rank(id) == best)
        if not ids or is_nested(ids[0]) or len(self.clocks) < 2:
            return set(ids[:1])
        firsts = {self.ready[id]: id for id in reversed(ids)}
        least = min(self.clocks[client] for client in firsts)
        return {id for client, id in firsts.items() if self.clocks[client] == least}

    def run(self, id: int) -> None:
        client = self.ready.pop(id)
        self.running, self.is_charged = (id, client), len(self.clocks) > 1
        if self.is_charged:
            if not is_nested(id):
                self.now = self.clocks[client]
            self.charge(id, client)

    def charge(self, id: int, client: int) -> None:
        if len(self.clocks) > 1 and not is_nested(id):
            self.clocks[client] += self.seconds[client]


A_JOB = st.tuples(
    st.sampled_from(CLIENTS), st.integers(1, 4), st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 0, 1])
)
A_STEP = A_JOB | st.sampled_from(["run", "run", "run", "tick", "drop some", "drop all"])


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([LONG / 4, LONG, 4 * LONG]), min_size=4, max_size=4),
    st.lists(A_STEP, min_size=20, max_size=60),
)
def test_what_runs_next_is_what_the_model_says(seconds: list[float], steps: list[tuple[int, ...] | str]) -> None:
    bench = Bench(seconds)
    model = Model(bench.seconds)

    def run_one() -> None:
        model.end()
        expected = model.may_run()
        ran = bench.run()
        assert len(ran) == bool(expected)
        for id in ran:
            assert id in expected
            model.run(id)

    for step in steps:
        if isinstance(step, tuple):
            client, count, priority, nested = step
            model.place(client, bench.place(client, count, priority=priority, nested=bool(nested)))
        elif step == "run":
            run_one()
        elif step == "tick":
            model.tick()
            bench.state.tick()
        else:
            ids = sorted(model.ready)[:: 1 if step == "drop all" else 2]
            bench.state.receive(Drop(np.array(ids, np.int64)))
            model.drop(ids)
    while model.ready:
        run_one()
    assert bench.run() == []
    assert bench.state.claims.waiting == 0
