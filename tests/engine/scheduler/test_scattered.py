"""What a client has scattered: who is asked to send it where, how often, and until when it must be kept."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from restride.engine.messages import Await, Broken, Deliver, Drop, Finished, Undeliverable, Undone, Unneeded
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.task_states import TaskState
from restride.engine.worker.state import WorkerState
from restride.errors import LostError
from tests.engine.steps import add_worker, finish, scheduler_with, submit_next, submit_sources


def scatter(scheduler: SchedulerState, n: int, client: int = 0, **options: Any) -> list[int]:
    base = submit_sources(scheduler, n, client, scattered=True, **options)
    return list(range(base, base + n))


def told(messages: list[tuple[int, Any]], kind: type) -> list[tuple[int, list[int]]]:
    return [(whom, message.ids.tolist()) for whom, message in messages if isinstance(message, kind)]


def ints(*ids: int) -> np.ndarray:
    return np.array(ids, np.int64)


# ---- where it goes


def test_workers_take_turns_and_hear_what_the_client_will_send_them() -> None:
    scheduler = scheduler_with(1, 1)
    for _ in range(2):
        a, b, c = scatter(scheduler, 3)
        to_workers, to_clients = scheduler.effects()
        sent = {id: worker for worker, ids in told(to_workers, Await) for id in ids}
        deliver = [message for client, message in to_clients if client == 0 and isinstance(message, Deliver)]
        assert len(deliver) == len(to_clients)
        asked = {id: to for message in deliver for id, to in zip(message.ids.tolist(), message.workers.tolist())}
        assert asked == sent
        assert sent[a] == sent[c] != sent[b]
        assert all(isinstance(message, Await) for _, message in to_workers)


def test_it_goes_to_workers_that_may_hold_it_and_waits_for_such() -> None:
    scheduler = scheduler_with()
    add_worker(scheduler, "no")
    ids = scatter(scheduler, 2, workers=("yes",))
    assert scheduler.effects() == ([], [])
    number = add_worker(scheduler, "yes")
    assert told(scheduler.effects()[0], Await) == [(number, ids)]


def test_tasks_that_fill_the_horizon_are_not_waited_for() -> None:
    scheduler = scheduler_with(1, horizon=0.0)
    submit_sources(scheduler, 100)
    scheduler.effects()
    ids = scatter(scheduler, 1)
    assert told(scheduler.effects()[1], Deliver) == [(0, ids)]


# ---- when it is lost


def test_what_is_lost_is_sent_again_by_the_client() -> None:
    scheduler = scheduler_with(1)
    ids = scatter(scheduler, 2)
    scheduler.effects()
    finish(scheduler, ids[:1])
    scheduler.effects()
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    to_workers, to_clients = scheduler.effects()
    assert told(to_clients, Undone) == [(0, ids[:1])]
    assert told(to_workers, Await) == [(1, ids)]
    assert told(to_clients, Deliver) == [(0, ids)]


def test_what_was_released_is_sent_again_where_something_made_from_it_is_lost() -> None:
    scheduler = scheduler_with(1, lineage=True)
    ids = scatter(scheduler, 1)
    scheduler.effects()
    finish(scheduler, ids)
    later = submit_next(scheduler, ids)
    scheduler.release(ints(*ids))
    scheduler.effects()
    finish(scheduler, [later])
    assert told(scheduler.effects()[1], Unneeded) == []
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    assert told(scheduler.effects()[1], Deliver) == [(0, ids)]


def test_once_its_client_is_gone_a_loss_is_for_good() -> None:
    scheduler = scheduler_with(1)
    there, on_its_way = scatter(scheduler, 2)
    scheduler.effects()
    finish(scheduler, [there])
    scheduler.hold(ints(there), 7)
    scheduler.hold(ints(on_its_way), 7)
    later = submit_next(scheduler, [there], 7)
    scheduler.effects()
    scheduler.lose_client(0)
    to_workers, to_clients = scheduler.effects()
    assert told(to_clients, Broken) == [(7, [on_its_way])]
    assert told(to_workers, Drop) == [(0, [on_its_way])]
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    broken = [news for _, news in scheduler.effects()[1] if isinstance(news, Broken)]
    assert sorted(id for news in broken for id in news.ids.tolist()) == sorted([there, later])
    assert all(isinstance(news.failure.exception, LostError) for news in broken)


def test_what_the_client_cannot_send_has_failed_with_what_was_to_be_made_from_it() -> None:
    scheduler = scheduler_with(1)
    good, bad = scatter(scheduler, 2)
    later = submit_next(scheduler, [bad])
    scheduler.effects()
    scheduler.undeliverable(3, Undeliverable(bad, b"not its client"))
    assert scheduler.effects() == ([], [])
    scheduler.undeliverable(0, Undeliverable(bad, b"why"))
    broken = [news for _, news in scheduler.effects()[1] if isinstance(news, Broken)]
    assert [(news.ids.tolist(), news.failure.exception) for news in broken] == [([bad], b"why"), ([later], b"why")]
    assert scheduler.tables[good].state.tolist() == [TaskState.PLACED, TaskState.FAILED]


# ---- how long it is kept


def test_the_client_may_forget_each_as_soon_as_nothing_can_need_it() -> None:
    scheduler = scheduler_with(1, lineage=True)
    first, second = scatter(scheduler, 2)
    scheduler.effects()
    finish(scheduler, [first])
    scheduler.release(ints(first))
    assert told(scheduler.effects()[1], Unneeded) == [(0, [first])]
    scheduler.release(ints(second))  # which has not arrived
    unneeded = told(scheduler.effects()[1], Unneeded)
    assert second in {id for _, ids in unneeded for id in ids}
    assert not scheduler.tables


# ---- with workers


class World:
    """A scheduler, workers and a client; messages take their time, each way by itself."""

    def __init__(self) -> None:
        self.scheduler = scheduler_with(lineage=True)
        self.workers: dict[int, WorkerState] = {}
        self.queues: dict[tuple[str, int], deque[Any]] = {}
        self.values: dict[int, str] = {}
        """What the client keeps."""
        self.held: dict[int, set[int]] = {0: set(), 1: set()}
        self.client_lives = True
        for _ in range(2):
            self.add_worker()

    def add_worker(self) -> None:
        number = self.scheduler.add_worker(1)
        self.workers[number] = WorkerState(1, number)

    def scatter(self, n: int) -> None:
        if self.client_lives:
            ids = scatter(self.scheduler, n)
            self.values.update((id, f"value of {id}") for id in ids)
            self.held[0].update(ids)

    def lose_worker(self, which: int) -> None:
        number = sorted(self.workers)[which % len(self.workers)]
        del self.workers[number]
        self.queues = {(way, to): queue for (way, to), queue in self.queues.items() if to != number}
        self.scheduler.lose_worker(number)
        self.add_worker()

    def lose_client(self) -> None:
        if self.client_lives:
            self.client_lives = False
            self.scheduler.lose_client(0)
            self.held[0].clear()
            self.values.clear()
            self.queues = {(way, to): queue for (way, to), queue in self.queues.items() if way != "client"}

    def share(self, which: int) -> None:
        ids = sorted(self.held[0] - self.held[1])
        if ids:
            id = ids[which % len(ids)]
            self.scheduler.hold(ints(id), 1)
            self.held[1].add(id)

    def release(self, client: int, which: int) -> None:
        if self.held[client]:
            id = sorted(self.held[client])[which % len(self.held[client])]
            self.held[client].discard(id)
            self.scheduler.release(ints(id), client)

    def send(self, way: str, to: int, message: Any) -> None:
        self.queues.setdefault((way, to), deque()).append(message)

    def exchange(self) -> None:
        to_workers, to_clients = self.scheduler.effects()
        for number, message in to_workers:
            self.send("scheduler to worker", number, message)
        for client, message in to_clients:
            if client == 0 and self.client_lives and isinstance(message, (Deliver, Unneeded)):
                self.send("client", -1, message)

    def step(self, which: int) -> bool:
        """The next message of one of the ways arrives."""
        self.exchange()
        ways = sorted(way for way, queue in self.queues.items() if queue)
        if not ways:
            return False
        way, to = ways[which % len(ways)]
        message = self.queues[way, to].popleft()
        match way, message:
            case "scheduler to worker", _:
                self.workers[to].receive(message)
            case "client", Deliver(ids, workers):
                for id, worker in zip(ids.tolist(), workers.tolist()):
                    if worker in self.workers and id in self.values:  # it may hear too late of both
                        self.send("client to worker", worker, (id, self.values[id]))
            case "client", Unneeded(ids):
                for id in ids.tolist():
                    self.values.pop(id, None)
            case "client to worker", (id, value):
                self.workers[to].delivered(id, value, 10)
            case _, Finished():
                self.scheduler.finished(to, message)
        for number, worker in self.workers.items():
            worker.audit()
            finished, failed = worker.reports()
            assert not failed
            if finished is not None:
                self.send("worker to scheduler", number, finished)
        return True

    def check_end(self) -> None:
        while self.step(0):
            pass
        assert self.held[0] <= self.values.keys()
        for client, ids in self.held.items():
            for id in ids:
                table = self.scheduler.tables[self.scheduler.base_of(id)]
                state = table.state[id - table.base]
                if state == TaskState.FAILED:
                    assert client == 1
                    assert not self.client_lives
                else:
                    assert state == TaskState.FINISHED
                    home = self.workers[int(table.worker[id - table.base])]
                    assert home.store[id] == f"value of {id}"
        for client, ids in self.held.items():
            self.scheduler.release(ints(*ids), client)
        while self.step(0):
            pass
        assert not self.values
        assert not self.scheduler.tables
        for worker in self.workers.values():
            assert not len(worker.store)
            assert not worker.awaited.attempts


actions = st.one_of(
    st.tuples(st.just("scatter"), st.integers(1, 4)),
    st.tuples(st.just("release"), st.integers(0, 1), st.integers(0, 20)),
    st.tuples(st.just("share"), st.integers(0, 20)),
    st.tuples(st.just("lose_worker"), st.integers(0, 1)),
    st.just(("lose_client",)),
    st.tuples(st.just("step"), st.integers(0, 20)),
    st.tuples(st.just("step"), st.integers(0, 20)),
    st.tuples(st.just("step"), st.integers(0, 20)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(actions, max_size=40))
def test_whatever_overtakes_and_is_lost_all_that_is_held_arrives_while_its_client_lives(script: list[Any]) -> None:
    world = World()
    for name, *arguments in script:
        getattr(world, name)(*arguments)
    world.check_end()
