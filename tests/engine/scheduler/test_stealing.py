"""Tasks are taken back from a worker with a queue when others have nothing to do; and that comes to an end."""

from __future__ import annotations

import numpy as np
import pytest

from restride.engine.graphs.graph import TaskGraph
from restride.engine.messages import Place, TakeBack
from restride.engine.scheduler.placement import Loads
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.stealing import takers
from tests.engine.steps import (
    add_worker,
    finish,
    give_back,
    placed,
    run_all,
    scheduler_with,
    sent,
    submit,
    submit_chain,
    submit_next,
    submit_sources,
)


def asked(scheduler: SchedulerState) -> dict[int, list[int]]:
    """Who is asked now, and for what."""
    return {worker: message.ids.tolist() for worker, message in sent(scheduler, TakeBack)}


def long_tasks_at_one_worker(n: int) -> tuple[SchedulerState, int]:
    """A scheduler with a worker that has these tasks of ten seconds before it, and a second that has just come."""
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, n + 1)
    scheduler.effects()
    finish(scheduler, [base], seconds=10.0)
    scheduler.effects()
    scheduler.add_worker(1)
    return scheduler, base + 1


# ---- what is asked for


def test_a_worker_that_comes_is_given_half_of_what_another_has_not_begun() -> None:
    scheduler, first = long_tasks_at_one_worker(20)
    half = list(range(first + 10, first + 20))
    assert asked(scheduler) == {0: half}
    give_back(scheduler, half)
    ((worker, message),) = sent(scheduler, Place)
    assert (worker, message.ids.tolist(), set(message.attempts.tolist())) == (1, half, {2})
    assert scheduler.loads.tasks.tolist() == [10, 10]


def test_a_worker_with_more_threads_is_given_more() -> None:
    scheduler = scheduler_with(1)
    submit_sources(scheduler, 20)
    scheduler.effects()
    scheduler.add_worker(3)
    (ids,) = asked(scheduler).values()
    assert len(ids) == 15


def test_several_that_come_at_once_share_what_is_given_back() -> None:
    scheduler, _ = long_tasks_at_one_worker(30)
    scheduler.add_worker(1)
    (ids,) = asked(scheduler).values()
    assert len(ids) == 20
    give_back(scheduler, ids)
    assert [len(of_worker) for of_worker in placed(scheduler)] == [0, 10, 10]


def test_nobody_is_asked_while_all_have_something_to_do() -> None:
    scheduler = scheduler_with(1, 1, horizon=1.0)
    submit_sources(scheduler, 100)
    assert asked(scheduler) == {}


def test_a_worker_that_will_soon_be_done_is_not_asked() -> None:
    scheduler = scheduler_with(1)
    submit_sources(scheduler, 100)
    finish(scheduler, *placed(scheduler), seconds=0.0001)
    assert len(placed(scheduler)[0]) > 50
    scheduler.add_worker(1)
    assert asked(scheduler) == {}


def test_tasks_of_unknown_duration_are_asked_for_however_few() -> None:
    """They may take hours, and the first says so only when it ends."""
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 2)
    scheduler.effects()
    scheduler.add_worker(1)
    assert asked(scheduler) == {0: [base + 1]}


def test_a_worker_that_falls_behind_what_was_expected_of_it_is_asked_until_it_goes_on() -> None:
    scheduler = scheduler_with(1)
    submit_sources(scheduler, 100)
    done = placed(scheduler)[0]
    finish(scheduler, done, seconds=0.0001)
    more = placed(scheduler)[0]
    scheduler.add_worker(1)
    assert asked(scheduler) == {}
    scheduler.falls_behind(0)
    ((_, ids),) = asked(scheduler).items()
    assert ids == more[-len(ids) :]
    assert len(ids) == pytest.approx(len(more) / 2, abs=2)
    give_back(scheduler, ids)
    finish(scheduler, more[:1], seconds=0.0001)
    finish(scheduler, ids, worker=1, attempt=2, seconds=0.0001)
    assert asked(scheduler) == {}


def test_what_waits_for_inputs_is_not_asked_for() -> None:
    scheduler = scheduler_with(1)
    chain = submit_chain(scheduler, 10)
    free = submit_sources(scheduler, 3)
    submit_chain(scheduler, 10)
    scheduler.effects()
    scheduler.add_worker(1)
    (ids,) = asked(scheduler).values()
    assert set(ids) <= {chain, free, free + 1, free + 2, free + 3}
    assert len(ids) == 3


def test_a_task_is_not_asked_for_where_bringing_its_input_takes_longer_than_waiting() -> None:
    scheduler = scheduler_with(1)
    source = submit_sources(scheduler, 1)
    scheduler.effects()
    finish(scheduler, [source], seconds=1.0, nbytes=10**12)
    graph = TaskGraph()
    future = graph.add_futures([source])  # type: ignore[list-item]
    graph.add(int, 10, deps=(np.arange(11), np.full(10, future.ids[0])), name="heavy")
    graph.add(int, 10, name="light")
    base = submit(scheduler, graph, np.arange(1, 21))
    ((_, place),) = sent(scheduler, Place)
    light = place.ids[np.diff(place.indptr) == 0]
    finish(scheduler, light[:1], seconds=1.0)
    scheduler.effects()
    scheduler.add_worker(1)
    (ids,) = asked(scheduler).values()
    assert ids == light[-len(ids) :].tolist()
    assert base <= ids[0]


def test_a_worker_is_asked_for_nothing_that_the_others_may_not_run() -> None:
    scheduler = scheduler_with(horizon=1.0)
    add_worker(scheduler, "a")
    submit_sources(scheduler, 10, workers=("a",))
    free = submit_sources(scheduler, 2)
    scheduler.effects()
    add_worker(scheduler, "b")
    (ids,) = asked(scheduler).values()
    assert set(ids) <= {free, free + 1}


# ---- what is given back


def test_what_is_given_back_finds_a_place_though_the_worker_that_it_was_for_is_gone() -> None:
    scheduler, _ = long_tasks_at_one_worker(4)
    (ids,) = asked(scheduler).values()
    scheduler.lose_worker(1)
    give_back(scheduler, ids)
    assert placed(scheduler) == [ids, []]


def test_what_an_asked_worker_had_when_it_was_lost_is_placed_once() -> None:
    scheduler, first = long_tasks_at_one_worker(4)
    (ids,) = asked(scheduler).values()
    scheduler.lose_worker(0)
    give_back(scheduler, ids, 0)
    assert run_all(scheduler) == dict.fromkeys(range(first - 1, first + 4), 1)


def test_who_waits_for_what_is_given_back_hears_where_it_will_be() -> None:
    scheduler, first = long_tasks_at_one_worker(4)
    dependent = submit_next(scheduler, [first + 3])
    (ids,) = asked(scheduler).values()
    assert first + 3 in ids
    give_back(scheduler, ids)
    scheduler.effects()
    table = scheduler.tables[dependent]
    assert table.worker[table.n] == 1


@pytest.mark.parametrize("seconds", [0.0, -1e-12])
def test_only_workers_that_may_take_it_are_given_what_was_given_back(seconds: float) -> None:
    """Whatever is left of loads by rounding."""
    scheduler = scheduler_with(horizon=0.0)
    for name in ("a", "b", "c"):
        add_worker(scheduler, name)
    base = submit_sources(scheduler, 4, workers=("a", "b"))
    loads = Loads(0.0)
    for _ in range(3):
        loads.add_worker(1)
    loads.seconds[2] = seconds
    assert takers(scheduler.tables[base], np.zeros(4), loads, [1, 2]).tolist() == [1] * 4


# ---- an end of it


def test_a_worker_with_one_task_that_it_could_run_is_not_asked_though_others_are_idle_all_the_while() -> None:
    """It runs that; what else there is waits for it."""
    scheduler = scheduler_with(1, 1)
    base = submit_chain(scheduler, 30)
    scheduler.effects()
    assert asked(scheduler) == {}
    finish(scheduler, [base], int(scheduler.tables[base].worker[0]), seconds=10.0)
    assert asked(scheduler) == {}


def test_a_task_is_asked_for_once_though_it_was_not_given_back() -> None:
    """All threads but one run what was dropped since, say: then it is as if tasks ran that are not known to."""
    scheduler, first = long_tasks_at_one_worker(2)
    assert asked(scheduler) == {0: [first + 1]}
    give_back(scheduler, [])
    assert asked(scheduler) == {0: [first]}
    give_back(scheduler, [])
    assert asked(scheduler) == {}


def test_a_worker_whose_tasks_all_wait_is_idle() -> None:
    scheduler, first = long_tasks_at_one_worker(20)
    submit_next(scheduler, [first + 10])
    (ids,) = asked(scheduler).values()
    assert scheduler.loads.tasks.tolist() == [20, 1]
    assert len(ids) == 10


def test_nobody_is_asked_again_before_it_has_answered() -> None:
    scheduler, _ = long_tasks_at_one_worker(20)
    assert asked(scheduler) != {}
    assert asked(scheduler) == {}


def test_workers_do_not_take_the_same_task_from_each_other_for_ever() -> None:
    """They begin nothing, and answer at once."""
    scheduler, _ = long_tasks_at_one_worker(2)
    rounds = 0
    while request := asked(scheduler):
        rounds += 1
        for worker, ids in request.items():
            attempts = {int(table.attempt[id - base]) for base, table in scheduler.tables.items() for id in ids}
            give_back(scheduler, ids, worker, *attempts)
        assert rounds < 5
    assert scheduler.loads.tasks.tolist() == [1, 1]


def test_a_search_in_vain_is_not_repeated_before_more_work_was_done_than_it_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_chain(scheduler, 30)
    searches = []
    table = scheduler.tables[base]
    monkeypatch.setattr(table, "ready_rows", lambda: searches.append(0) or np.zeros(0, np.int64))
    scheduler.effects()
    assert searches == [0]
    finish(scheduler, [base], seconds=1e-6)
    scheduler.effects()
    assert searches == [0]
    finish(scheduler, [base + 1], seconds=1.0)
    scheduler.effects()
    assert searches == [0, 0]


def test_workers_that_were_lost_before_they_answered_keep_nobody_from_being_helped() -> None:
    """Neither one that was asked, nor one that it was asked for."""
    scheduler, _ = long_tasks_at_one_worker(8)
    assert list(asked(scheduler)) == [0]
    stealing = scheduler.dispatch.stealing
    assert stealing.answered(7) == []
    scheduler.add_worker(1)
    scheduler.lose_worker(1)
    assert stealing.answered(0) == []
    scheduler, _ = long_tasks_at_one_worker(8)
    assert list(asked(scheduler)) == [0]
    scheduler.lose_worker(0)
    assert scheduler.dispatch.stealing.answered(0) == []
