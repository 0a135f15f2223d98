"""Several workers that fetch from each other, against the plainest of schedulers: messages take their time, and what
goes different ways may overtake; tasks are taken back, connections break, workers die; the values must be right."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from restride.engine.graphs.graph import Layer
from restride.engine.messages import (
    Drop,
    Failed,
    Fetch,
    Finished,
    GivenBack,
    Kernels,
    Moved,
    Outputs,
    Place,
    Replicate,
    Stop,
    Stopped,
    TakeBack,
    Undeliverable,
    Withdraw,
)
from restride.engine.worker.compute import run_claimed
from restride.engine.worker.sizes import size_of
from restride.engine.worker.state import Outcomes, WorkerState

SCHEDULER = -1


def mix(which: int, *inputs: Any) -> Any:
    """Kernel of all tasks: a value that depends on all it is given."""
    return (which, sum(hash(each) for each in inputs) % 1_000_003)


def place(ids: list[int], deps: dict[int, list[int]], homes: dict[int, int], attempt: int = 1, **more: Any) -> Place:
    """Tasks to place, by their dependencies and where these are."""
    edges = [dep for id in ids for dep in deps[id]]
    return Place(
        ids=np.array(ids),
        attempts=np.full(len(ids), attempt, np.int32),
        layers=np.zeros(len(ids), np.int32),
        params=list(ids),
        indptr=np.cumsum([0, *(len(deps[id]) for id in ids)]),
        deps=np.array(edges, np.int64),
        homes=np.array([homes[dep] for dep in edges], np.int32),
        wanted=np.array(more.get("wanted", [False] * len(ids))),
    )


def ints(*ids: int) -> np.ndarray:
    return np.array(ids, np.int64)


class Node:
    """A worker, and what it would send."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = WorkerState(1, number)
        self.state.receive(Kernels([0], [Layer("mix", mix, 0, 100, params=[0])]))

    def receive(self, source: int, message: Any) -> None:
        match message:
            case Fetch(ids):
                self.state.asked.ask(source, ids.tolist())
            case Withdraw(ids):
                self.state.asked.withdraw(source, ids.tolist())
            case Outputs(ids, values):
                self.state.fetched(ids.tolist(), values, [size_of(value) for value in values])
            case Undeliverable(id, exception):
                self.state.undeliverable(id, exception)
            case _:
                self.state.receive(message)
        self.state.audit()

    def run(self, *, one: bool = False) -> int:
        """Run what can be claimed, or one task of it; how many ran."""
        outcomes = Outcomes()
        self.state.hungry = one
        run_claimed(self.state, self.state.claim(0)[0], outcomes)
        self.state.settle(outcomes)
        self.state.unclaim(0)
        self.state.audit()
        assert not outcomes.failures
        return len(outcomes.ids)

    def sends(self) -> list[tuple[int, Any]]:
        """Messages that are due, and to whom; values travel as they are."""
        state = self.state
        messages: list[tuple[int, Any]] = [
            (peer, Outputs(np.array(ids), values, ())) for peer, ids, values in state.answers()
        ]
        messages += [(home, Withdraw(np.array(ids))) for home, ids in state.copies.withdrawals().items()]
        messages += [(home, Fetch(np.array(ids))) for home, ids in state.copies.requests().items()]
        finished, failed = state.reports()
        messages += [(SCHEDULER, each) for each in (*state.replies(), finished, *failed) if each is not None]
        return messages


class World:
    """Workers, the messages between them, and a scheduler that keeps its notes in dicts."""

    def __init__(self, deps: dict[int, list[int]], wanted: set[int], workers: int) -> None:
        self.deps, self.wanted = deps, wanted
        self.dependents = {id: [other for other in deps if id in deps[other]] for id in deps}
        self.nodes: dict[int, Node] = {number: Node(number) for number in range(workers)}
        self.ways: dict[tuple[int, int], deque[Any]] = {}
        self.home: dict[int, int] = {}
        self.attempt = dict.fromkeys(deps, 0)
        self.done: set[int] = set()
        self.values: dict[int, Any] = {}
        for id, inputs in deps.items():
            self.values[id] = mix(id, *(self.values[dep] for dep in inputs))

    # ---- what may happen

    def send(self, source: int, target: int, message: Any) -> None:
        if target == SCHEDULER or target in self.nodes:
            self.ways.setdefault((source, target), deque()).append(message)

    def deliver(self, way: tuple[int, int]) -> None:
        source, target = way
        message = self.ways[way].popleft()
        if not self.ways[way]:
            del self.ways[way]
        if target == SCHEDULER:
            self.hear(source, message)
        else:
            self.nodes[target].receive(source, message)
            self.post(target)

    def post(self, number: int) -> None:
        for target, message in self.nodes[number].sends():
            self.send(number, target, message)

    def run(self, number: int, *, one: bool) -> int:
        ran = self.nodes[number].run(one=one)
        self.post(number)
        return ran

    def place_next(self, choices: list[int]) -> None:
        """Place tasks in order, one a choice of a worker."""
        by_worker: dict[int, list[int]] = {}
        for id, choice in zip(self.unplaced(), choices):
            number = sorted(self.nodes)[choice % len(self.nodes)]
            self.home[id] = number
            self.attempt[id] += 1
            by_worker.setdefault(number, []).append(id)
        for number, ids in by_worker.items():
            for id in ids:
                self.send(SCHEDULER, number, place([id], self.deps, self.home, self.attempt[id]))
        moved = [id for ids in by_worker.values() for id in ids if self.attempt[id] > 1]
        for number in self.nodes if moved else ():
            self.send(SCHEDULER, number, Moved(np.array(moved), np.array([self.home[id] for id in moved], np.int32)))

    def take_back(self, number: int) -> None:
        ids = [id for id, home in self.home.items() if home == number and id not in self.done]
        self.send(SCHEDULER, number, TakeBack(np.array(ids, np.int64)))

    def tick(self, number: int) -> None:
        self.nodes[number].state.tick()
        self.nodes[number].state.audit()

    def break_connection(self, asking: int, home: int) -> None:
        """What is under way on a connection between peers is lost."""
        self.ways.pop((asking, home), None)
        self.ways.pop((home, asking), None)
        # Workers talk over two connections; here both break, so each forgets and asks again.
        for one, other in ((asking, home), (home, asking)):
            self.nodes[one].state.asked.gone(other)
            self.nodes[one].state.copies.ask_again(other)
        for one in (asking, home):
            self.post(one)

    def lose(self, number: int) -> None:
        """A worker dies; what it had is placed anew, and what that needs and nobody has any more."""
        del self.nodes[number]
        self.ways = {way: messages for way, messages in self.ways.items() if number not in way}
        for node in self.nodes.values():
            node.state.asked.gone(number)
        lost = {id for id, home in self.home.items() if home == number}
        self.done -= lost
        for id in lost:
            del self.home[id]
        for id in sorted(self.deps, reverse=True):
            if self.needed(id) and id not in self.home:
                self.done.discard(id)
        for number in self.nodes:
            self.post(number)

    # ---- the scheduler

    def needed(self, id: int) -> bool:
        return id in self.wanted or any(self.needed(other) and other not in self.done for other in self.dependents[id])

    def unplaced(self) -> list[int]:
        return [id for id in sorted(self.deps) if self.needed(id) and id not in self.home]

    def hear(self, source: int, message: Any) -> None:
        match message:
            case Finished(ids, attempts):
                for id, attempt in zip(ids.tolist(), attempts.tolist()):
                    if self.home.get(id) == source and self.attempt[id] == attempt:
                        assert self.nodes[source].state.store[id] == self.values[id]
                        self.done.add(id)
                self.drop_unneeded()
            case GivenBack(ids, attempts):
                for id, attempt in zip(ids.tolist(), attempts.tolist()):
                    if self.home.get(id) == source and self.attempt[id] == attempt:
                        del self.home[id]
            case Failed():
                raise AssertionError(message)

    def drop_unneeded(self) -> None:
        for id in [id for id in self.home if not self.needed(id)]:
            self.send(SCHEDULER, self.home.pop(id), Drop(ints(id)))

    # ---- to the end

    def finish(self) -> None:
        """Until all that is wanted is there, and nothing else."""
        for _ in range(1_000):
            self.place_next([id % 3 for id in self.unplaced()])
            while self.ways:
                self.deliver(next(iter(self.ways)))
            ran = sum(self.run(number, one=False) for number in self.nodes)
            if not ran and not self.ways and not self.unplaced():
                break
        assert {id: self.nodes[self.home[id]].state.store[id] for id in self.wanted} == {
            id: self.values[id] for id in self.wanted
        }
        self.wanted = set()
        self.drop_unneeded()
        while self.ways:
            self.deliver(next(iter(self.ways)))
        for number, node in self.nodes.items():
            self.tick(number)
            self.tick(number)
            state = node.state
            assert not state.tasks
            assert not state.store.outputs
            assert not state.store.nbytes
            assert not state.copies
            assert not state.asked


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, list[int]]:
    n = draw(st.integers(2, 14))
    return {
        id: draw(st.lists(st.integers(0, id - 1), max_size=4)) if id else []
        for id in range(n)
    }  # fmt: skip


ACTIONS = ["place", "place", "run", "run", "deliver", "deliver", "deliver", "deliver", "back", "tick", "break", "lose"]


@settings(
    max_examples=150,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    data=st.data(),
    deps=graphs(),
    actions=st.integers(0, 60).flatmap(lambda n: st.lists(st.sampled_from(ACTIONS), min_size=n, max_size=n)),
)
def test_workers_compute_what_is_wanted_whatever_becomes_of_messages_connections_and_each_other(
    data: st.DataObject, deps: dict[int, list[int]], actions: list[str]
) -> None:
    world = World(deps, {max(deps), *data.draw(st.sets(st.sampled_from(sorted(deps)), max_size=3))}, 3)
    for action in actions:
        number = data.draw(st.sampled_from(sorted(world.nodes)))
        match action:
            case "place":
                world.place_next(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=6)))
            case "run":
                world.run(number, one=data.draw(st.booleans()))
            case "deliver" if world.ways:
                world.deliver(data.draw(st.sampled_from(sorted(world.ways))))
            case "back":
                world.take_back(number)
            case "tick":
                world.tick(number)
            case "break":
                others = [other for other in world.nodes if other != number]
                if others:
                    world.break_connection(number, data.draw(st.sampled_from(others)))
            case "lose" if len(world.nodes) > 1:
                world.lose(number)
    world.finish()


# ---- one worker, and what it asks of others


DEPS = {0: [], 1: [0], 2: [0, 0, 9], 3: [9], 9: []}
AT_HOME = 5
ELSEWHERE = {0: 7, 9: 8}


@pytest.fixture
def node() -> Node:
    return Node(AT_HOME)


def put(node: Node, *ids: int, homes: dict[int, int] = ELSEWHERE, **more: Any) -> list[tuple[int, Any]]:
    """Place tasks; what the worker sends at that."""
    node.receive(SCHEDULER, place(list(ids), DEPS, homes, **more))
    return plain(node.sends())


def plain(messages: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Messages that can be compared."""
    return [(to, type(message).__name__, message.ids.tolist()) for to, message in messages]


def come(node: Node, home: int, **values: Any) -> None:
    node.receive(home, Outputs(np.array([int(id[1:]) for id in values]), list(values.values()), ()))


def test_an_input_is_asked_of_its_home_once_however_many_tasks_need_it(node: Node) -> None:
    assert put(node, 1, 2) == [(7, "Fetch", [0]), (8, "Fetch", [9])]
    assert put(node, 3) == []


def test_an_input_whose_home_this_is_is_waited_for(node: Node) -> None:
    assert put(node, 1, homes={0: AT_HOME}) == []
    put(node, 0)
    node.run()
    node.run()
    assert sorted(node.state.store) == [0, 1]


def test_tasks_run_once_their_inputs_have_come_and_copies_outlive_them_for_two_ticks(node: Node) -> None:
    put(node, 1, 2)
    come(node, 7, _0="zero")
    assert node.run() == 1
    come(node, 8, _9="nine")
    assert node.run() == 1
    assert sorted(node.state.store) == [0, 1, 2, 9]
    node.state.tick()
    assert 0 in node.state.store
    node.state.tick()
    assert sorted(node.state.store) == [1, 2]
    assert plain(node.sends()) == [(SCHEDULER, "Finished", [1, 2])], "copies are no news for the scheduler"


def test_a_task_that_is_placed_while_a_copy_is_spare_uses_it(node: Node) -> None:
    put(node, 1)
    come(node, 7, _0="zero")
    node.run()
    node.state.tick()
    node.sends()
    assert put(node, 2) == [(8, "Fetch", [9])]
    node.state.tick()
    node.state.tick()
    come(node, 8, _9="nine")
    assert node.run() == 1


def test_spare_copies_do_not_take_more_than_their_due(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restride.engine.worker.copies.SPARE_BYTES", 200)
    put(node, 1, 3)
    come(node, 7, _0=b"z" * 100)
    come(node, 8, _9=b"n" * 100)
    node.run(one=True)
    assert {0, 9} <= set(node.state.store)
    node.run()
    assert sorted(node.state.store) == [1, 3, 9]


def test_a_request_is_withdrawn_when_nothing_needs_it_any_more(node: Node) -> None:
    put(node, 2, 3)
    node.receive(SCHEDULER, Drop(ints(2)))
    assert plain(node.sends()) == [(7, "Withdraw", [0])]
    node.receive(SCHEDULER, Drop(ints(3)))
    assert plain(node.sends()) == [(8, "Withdraw", [9])]
    come(node, 8, _9="late")
    assert not node.state.store


def test_what_has_not_been_asked_yet_need_not_be_withdrawn(node: Node) -> None:
    node.receive(SCHEDULER, place([1], DEPS, ELSEWHERE))
    node.receive(SCHEDULER, Drop(ints(1)))
    assert node.sends() == []


def test_what_nobody_asked_for_is_not_kept(node: Node) -> None:
    come(node, 7, _0="zero", _9="nine")
    assert not node.state.store


def test_an_input_that_moves_is_asked_of_its_new_home(node: Node) -> None:
    put(node, 1)
    node.receive(SCHEDULER, Moved(ints(0, 9), ints(8, 8)))
    assert plain(node.sends()) == [(7, "Withdraw", [0]), (8, "Fetch", [0])]


def test_an_input_that_moves_here_is_waited_for(node: Node) -> None:
    put(node, 1)
    node.receive(SCHEDULER, Moved(ints(0), ints(AT_HOME)))
    assert plain(node.sends()) == [(7, "Withdraw", [0])]
    put(node, 0)
    node.run()
    assert node.run() == 1


def test_an_input_that_moves_away_from_here_is_asked_of_its_new_home(node: Node) -> None:
    put(node, 0)
    put(node, 1, homes={0: AT_HOME})
    node.receive(SCHEDULER, TakeBack(ints(0)))
    node.sends()
    node.receive(SCHEDULER, Moved(ints(0), ints(7)))
    assert plain(node.sends()) == [(7, "Fetch", [0])]
    come(node, 7, _0="zero")
    assert node.run() == 1
    node.state.tick()
    node.state.tick()
    assert list(node.state.store) == [1]


def test_what_was_asked_is_asked_again_once_a_connection_is_lost(node: Node) -> None:
    put(node, 1, 3)
    node.state.copies.ask_again(7)
    assert plain(node.sends()) == [(7, "Fetch", [0])]


def test_what_comes_meanwhile_need_not_be_asked_again(node: Node) -> None:
    put(node, 1)
    node.state.copies.ask_again(7)
    come(node, 7, _0="zero")
    assert node.sends() == []


def test_a_task_whose_output_is_here_as_a_copy_has_finished(node: Node) -> None:
    put(node, 1)
    come(node, 7, _0="zero")
    assert put(node, 0) == [(SCHEDULER, "Finished", [0])]
    node.run()
    node.state.tick()
    node.state.tick()
    assert sorted(node.state.store) == [0, 1], "it is an output of this worker's now"


def test_a_task_whose_output_was_asked_of_another_worker_is_run_here_instead(node: Node) -> None:
    put(node, 1)
    assert put(node, 0) == [(7, "Withdraw", [0])]
    come(node, 7, _0="late")
    node.run()
    assert node.state.store[0] == mix(0)


def test_tasks_fail_that_need_what_cannot_be_sent(node: Node) -> None:
    put(node, 1, 2, 3)
    node.receive(7, Undeliverable(0, b"why"))
    node.receive(7, Undeliverable(0, b"again"))
    failed = [(news.id, news.exception) for _, news in node.sends() if isinstance(news, Failed)]
    assert failed == [(1, b"why"), (2, b"why")]
    come(node, 8, _9="nine")
    assert node.run() == 1


def test_a_replica_is_fetched_and_held_until_it_is_dropped(node: Node) -> None:
    node.receive(SCHEDULER, Replicate(ints(0, 9), ints(7, 8)))
    assert plain(node.sends()) == [(7, "Fetch", [0]), (8, "Fetch", [9])]
    come(node, 7, _0="zero")
    for _ in range(3):
        node.state.tick()
    assert node.state.store[0] == "zero"
    node.receive(SCHEDULER, Drop(ints(0, 9)))
    assert plain(node.sends()) == [(8, "Withdraw", [9])]
    assert not node.state.store


def test_a_replica_that_is_dropped_while_a_task_needs_it_stays_for_that(node: Node) -> None:
    put(node, 1)
    node.receive(SCHEDULER, Replicate(ints(0), ints(7)))
    come(node, 7, _0="zero")
    node.receive(SCHEDULER, Drop(ints(0)))
    assert node.run() == 1


# ---- what others ask of it


def test_requests_are_answered_at_once_or_when_the_output_comes(node: Node) -> None:
    put(node, 0)
    node.receive(7, Fetch(ints(0, 9)))
    assert plain(node.sends()) == []
    node.run()
    assert plain(node.sends())[0] == (7, "Outputs", [0])
    node.receive(8, Fetch(ints(0)))
    assert plain(node.sends()) == [(8, "Outputs", [0])]
    put(node, 9)
    node.run()
    assert plain(node.sends())[0] == (7, "Outputs", [9])


def test_requests_that_are_withdrawn_or_whose_asker_is_gone_are_not_answered(node: Node) -> None:
    node.receive(7, Fetch(ints(0, 9)))
    node.receive(8, Fetch(ints(0, 9)))
    node.receive(7, Withdraw(ints(0, 5)))
    node.state.asked.gone(8)
    node.state.asked.gone(8)
    put(node, 0, 9)
    node.run()
    node.run()
    assert plain(node.sends())[0] == (7, "Outputs", [9])


def test_asking_twice_is_answered_once(node: Node) -> None:
    node.receive(7, Fetch(ints(0)))
    node.receive(7, Fetch(ints(0)))
    put(node, 0)
    node.run()
    assert plain(node.sends())[0] == (7, "Outputs", [0])


def test_copies_are_passed_on_to_who_asks(node: Node) -> None:
    node.receive(9, Fetch(ints(0)))
    put(node, 1)
    come(node, 7, _0="zero")
    assert plain(node.sends()) == [(9, "Outputs", [0])]


# ---- tasks that are taken back


def test_tasks_that_have_not_begun_are_given_back_also_those_that_a_thread_has_claimed(node: Node) -> None:
    deps: dict[int, list[int]] = {id: [] for id in range(4)} | {4: [99]}
    node.receive(SCHEDULER, place([0, 1, 2, 3, 4], deps, {99: 7}, attempt=3))
    node.sends()
    claimed, _ = node.state.claim(0)
    assert list(claimed) == [0]
    node.receive(SCHEDULER, TakeBack(ints(0, 1, 4, 77)))
    (home, withdrawal), (_, given) = node.sends()
    assert (home, withdrawal.ids.tolist()) == (7, [99])
    assert (given.ids.tolist(), given.attempts.tolist()) == ([0, 1, 4], [3, 3, 3])
    node.receive(SCHEDULER, TakeBack(ints(0, 1)))
    assert plain(node.sends()) == [(SCHEDULER, "GivenBack", [])]
    outcomes = Outcomes()
    run_claimed(node.state, claimed, outcomes)
    node.state.settle(outcomes)
    while node.run():
        pass
    assert sorted(node.state.store) == [2, 3]


def test_a_task_that_a_thread_is_at_is_not_given_back(node: Node) -> None:
    node.receive(SCHEDULER, place([0, 1], {0: [], 1: []}, {}))
    node.sends()
    claimed, _ = node.state.claim(0)
    assert claimed.popleft() == 0
    node.receive(SCHEDULER, TakeBack(ints(0, 1)))
    ((_, given),) = node.sends()
    assert given.ids.tolist() == [1]


def test_a_task_that_comes_again_runs_once_and_not_before_its_inputs(node: Node) -> None:
    deps: dict[int, list[int]] = {0: [], 1: [], 2: []}
    node.receive(SCHEDULER, place([0, 1, 2], deps, {}))
    node.receive(SCHEDULER, Drop(ints(1, 2)))
    node.receive(SCHEDULER, place([1, 2], {1: [], 2: [99]}, {99: 7}, attempt=2))
    ran = [node.run() for _ in range(4)]
    assert ran == [1, 1, 0, 0]
    come(node, 7, _99="input")
    assert node.run() == 1
    finished = [message for _, message in node.sends() if isinstance(message, Finished)]
    assert [(news.ids.tolist(), news.attempts.tolist()) for news in finished] == [([0, 1, 2], [1, 2, 2])]


# ---- tasks that were cancelled by name


def test_stopped_is_said_once_no_thread_is_at_the_task(node: Node) -> None:
    put(node, 0)
    slot = [0]
    node.state.claims.slots[1] = slot
    node.receive(SCHEDULER, Drop(ints(0)))
    node.receive(SCHEDULER, Stop(4, ints(0, 1)))
    assert node.sends() == []
    slot[0] = 2
    assert node.sends() == [(SCHEDULER, Stopped(4))]
    assert node.sends() == []


# ---- what clients want


def test_small_outputs_that_are_wanted_go_along_with_the_report(node: Node) -> None:
    deps: dict[int, list[int]] = {0: [], 1: [], 2: []}
    node.receive(SCHEDULER, place([0, 1, 2], deps, {}, wanted=[False, True, True]))
    node.run(one=True)
    assert not node.state.wanted_unreported
    node.run(one=True)
    assert node.state.wanted_unreported
    finished, _ = node.state.reports()
    assert finished is not None
    assert finished.ids.tolist() == [0, 1]
    assert node.state.small_results() == [(1, mix(1))]
    assert not node.state.wanted_unreported


def test_large_outputs_that_are_wanted_are_fetched(node: Node) -> None:
    node.receive(SCHEDULER, Kernels([0], [Layer("zeros", lambda _: np.zeros(1000), 0, 1, params=[0])]))
    node.receive(SCHEDULER, place([0], {0: []}, {}, wanted=[True]))
    node.run()
    assert node.state.wanted_unreported
    assert node.state.small_results() == []
