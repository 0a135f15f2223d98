"""Whose turn it is: priorities, clients, and jobs in the order of their coming."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.graphs.options import Options
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.tasks import TaskTable
from restride.engine.scheduler.turns import Turns
from tests.engine.scheduler.test_tasks import table_of
from tests.engine.steps import add_worker, finish, placed, run_all, scheduler_with, submit_next, submit_sources


def table(number: int, client: int, priority: int = 0) -> TaskTable:
    """The job that came as number so and so."""
    made = table_of(1, base=number)
    made.first_layer, made.client, made.options = number, client, Options(priority=priority)
    return made


def run_in_order(
    scheduler: SchedulerState, count: int, seconds: float = 1.0, waiting: list[int] | None = None
) -> list[int]:
    """One worker runs as many tasks, one after another; which they were. What is placed then stays in `waiting`."""
    scheduler._validate = False  # after each task of many it takes its time
    order: list[int] = []
    waiting = [] if waiting is None else waiting
    while len(order) < count:
        waiting += placed(scheduler)[0]
        order.append(waiting.pop(0))
        finish(scheduler, order[-1:], seconds=seconds)
    return order


# ---- Turns


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=40))
def test_queues_hold_what_was_added_and_not_removed_in_the_order_of_coming(steps: list[tuple[int, bool]]) -> None:
    tables = [table(number, number % 3, number % 2) for number in range(13)]
    turns, expected = Turns(), set()
    for number, add in steps:
        if add:
            turns.add(tables[number])
            expected.add(number)
        else:
            turns.remove(tables[number])
            expected.discard(number)
    queues = {
        (priority, client): [waiting.base for waiting in queue]
        for priority, clients in turns.by_priority.items()
        for client, queue in clients.items()
    }
    assert sorted(base for queue in queues.values() for base in queue) == sorted(expected)
    assert all(queue == sorted(queue) != [] for queue in queues.values())
    assert all({(base % 2, base % 3) for base in queue} == {key} for key, queue in queues.items())
    assert bool(turns) == bool(expected)
    assert [number for number in range(13) if tables[number] in turns] == sorted(expected)


def test_the_client_that_has_had_least_is_next() -> None:
    turns = Turns()
    for client in range(3):
        turns.add(table(client, client))
    turns.served(0, 3.0)
    turns.served(1, 1.0)
    turns.served(2, 2.0)
    assert turns.least_served({0: 0, 1: 0, 2: 0}) == 1
    turns.served(1, 5.0)
    assert turns.least_served({0: 0, 1: 0, 2: 0}) == 2


def test_a_client_that_comes_late_begins_level_with_the_others() -> None:
    turns = Turns()
    turns.add(table(0, 0))
    for _ in range(100):
        turns.served(0, 1.0)
    turns.add(table(1, 1))
    turns.served(1, 2.0)
    assert turns.least_served({0: 0, 1: 0}) == 0


def test_a_client_saves_nothing_up_while_it_asks_for_nothing() -> None:
    turns = Turns()
    first, second = table(0, 0), table(1, 1)
    turns.add(first)
    turns.add(second)
    turns.served(1, 1.0)
    turns.remove(second)
    for _ in range(100):
        turns.served(0, 1.0)
    turns.add(second)
    turns.served(1, 2.0)
    assert turns.least_served({0: 0, 1: 0}) == 0


# ---- the scheduler by turns


def test_two_clients_share_a_worker_however_long_the_queue_of_either() -> None:
    scheduler = scheduler_with(1, horizon=0.01)
    submit_sources(scheduler, 1000, client=0)
    second = submit_sources(scheduler, 1000, client=1)
    order = run_in_order(scheduler, 400)
    assert 180 <= sum(id >= second for id in order) <= 220


def test_a_client_that_comes_late_waits_for_its_turn_and_not_for_the_end() -> None:
    scheduler = scheduler_with(1, horizon=0.01)
    submit_sources(scheduler, 1000, client=0)
    waiting: list[int] = []
    run_in_order(scheduler, 200, waiting=waiting)
    second = submit_sources(scheduler, 100, client=1)
    order = run_in_order(scheduler, 100, waiting=waiting)
    assert 45 <= sum(id >= second for id in order) <= 55


def test_a_client_with_nothing_placed_is_placed_at_once_however_much_others_have() -> None:
    scheduler = scheduler_with(1, 1, horizon=0.2)
    submit_sources(scheduler, 1000, client=0)
    placed(scheduler)
    second = submit_sources(scheduler, 1000, client=1)
    few = [id for ids in placed(scheduler) for id in ids]
    assert few == [second, second + 1, second + 2, second + 3], "one for each thread to run, and one to be next"
    assert placed(scheduler) == [[], []]
    finish(scheduler, [second + 1], worker=int(scheduler.tables[second].worker[1]))
    assert [id for ids in placed(scheduler) for id in ids] == [second + 4]


def test_what_is_placed_at_once_goes_only_where_it_may_and_no_further_ahead_than_that() -> None:
    scheduler = scheduler_with(horizon=0.2)
    add_worker(scheduler, "one")
    add_worker(scheduler, "other")
    submit_sources(scheduler, 1000, client=0)
    placed(scheduler)
    pinned = submit_sources(scheduler, 1000, client=1, workers=("other",))
    assert placed(scheduler) == [[], [pinned, pinned + 1]]
    submit_sources(scheduler, 1, client=2, workers=("elsewhere",))
    assert placed(scheduler) == [[], []]


def test_a_client_that_is_placed_at_once_waits_for_what_it_needs_of_others() -> None:
    scheduler = scheduler_with(1, horizon=0.2)
    first = submit_sources(scheduler, 1000, client=0)
    placed(scheduler)
    scheduler.hold(np.array([first + 999]), client=1)
    submit_next(scheduler, [first + 999], client=1)
    assert placed(scheduler) == [[]]
    assert 1 not in scheduler.dispatch.turns.placed


def test_nothing_is_remembered_of_clients_with_nothing_placed() -> None:
    scheduler = scheduler_with(1)
    for client in range(3):
        submit_sources(scheduler, 2, client=client)
    run_all(scheduler)
    assert not scheduler.dispatch.turns.placed


def test_clients_share_time_and_not_tasks() -> None:
    """Also where tasks take a hundred times longer than was expected when they were placed."""
    scheduler = scheduler_with(1, horizon=0.01)
    short = submit_sources(scheduler, 1000, client=0)
    scheduler._validate = False
    jobs = {submit_sources(scheduler, 1, client=1) for _ in range(50)}
    waiting, time = list(placed(scheduler)[0]), {0: 0.0, 1: 0.0}
    for _ in range(400):
        id = waiting.pop(0)
        client, seconds = (1, 1.0) if id in jobs else (0, 0.01)
        time[client] += seconds
        finish(scheduler, [id], seconds=seconds)
        waiting += placed(scheduler)[0]
    assert short == 0
    assert 0.5 <= time[0] / time[1] <= 2.0


def test_jobs_of_a_higher_priority_go_first_also_before_what_was_placed_ahead() -> None:
    scheduler = scheduler_with(1, horizon=0.0)
    low = submit_sources(scheduler, 4, priority=-1)
    middle = submit_sources(scheduler, 2)
    high = submit_sources(scheduler, 2, priority=1)
    assert high < middle < low
    order = run_in_order(scheduler, 8)
    assert order == [high, high + 1, middle, middle + 1, low, low + 1, low + 2, low + 3]


def test_a_job_of_high_priority_is_placed_at_once_with_what_it_needs_of_one_of_low() -> None:
    scheduler = scheduler_with(1, horizon=1e6)
    low = submit_sources(scheduler, 3, priority=-1)
    high = submit_next(scheduler, [low + 2], priority=1)
    assert placed(scheduler) == [[low, low + 1, low + 2, high]]


def test_many_small_jobs_of_many_clients_are_all_placed() -> None:
    scheduler = scheduler_with(1, 1, horizon=1e6)
    bases = [submit_sources(scheduler, 1, client=number % 7) for number in range(100)]
    assert run_all(scheduler) == dict.fromkeys(bases, 1)
    assert not scheduler.dispatch.turns


def test_a_client_that_is_gone_is_forgotten() -> None:
    scheduler = scheduler_with(1, horizon=0.0)
    submit_sources(scheduler, 10, client=3)
    scheduler.effects()
    scheduler.lose_client(3)
    assert not scheduler.tables
    assert not scheduler.dispatch.turns
    scheduler.effects()
    base = submit_sources(scheduler, 1, client=4)
    assert placed(scheduler) == [[base]]
    assert np.array_equal(scheduler.loads.tasks, [1])
