"""A worker does not listen for a while: others get what it has not begun, and what it says later does no harm."""

from __future__ import annotations

import numpy as np
import pytest

from restride.engine.graphs.graph import TaskGraph
from restride.engine.messages import Deliver, Drop, Place, TakeBack
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.task_states import TaskState
from tests.engine.steps import (
    add_worker,
    fail,
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


def goes_deaf(scheduler: SchedulerState, worker: int, *running: int) -> None:
    scheduler.go_deaf([worker], np.array(running, np.int64))


def deaf_at_first(n: int) -> tuple[SchedulerState, int, list[int], list[int]]:
    """Of two workers the first goes deaf at the first of n tasks; which task, what else it had, and the other."""
    scheduler = scheduler_with(1, 1)
    submit_sources(scheduler, n)
    (running, *behind), others = placed(scheduler)
    goes_deaf(scheduler, 0, running)
    return scheduler, running, behind, others


# ---- what moves


def test_what_a_deaf_worker_has_not_begun_goes_to_others_as_another_attempt() -> None:
    scheduler, running, behind, _ = deaf_at_first(20)
    to_workers, to_clients = scheduler.effects()
    assert to_clients == []
    (drop,) = [message for worker, message in to_workers if worker == 0]
    assert isinstance(drop, Drop)
    assert drop.ids.tolist() == behind
    (place,) = [message for worker, message in to_workers if isinstance(message, Place)]
    assert (place.ids.tolist(), set(place.attempts.tolist())) == (behind, {2})
    assert scheduler.loads.tasks.tolist() == [1, 19]
    assert scheduler.tables[running].attempt[0] == 1


def test_a_deaf_worker_is_given_nothing_until_it_speaks() -> None:
    scheduler, _, behind, others = deaf_at_first(4)
    scheduler.effects()
    finish(scheduler, others, 1, seconds=1.0)
    finish(scheduler, behind, 1, attempt=2, seconds=1.0)
    first = submit_sources(scheduler, 4)
    assert placed(scheduler) == [[], [first, first + 1]]
    scheduler.speaks(0)
    assert placed(scheduler) == [[first + 2], []]


def test_a_deaf_worker_is_not_asked_for_what_it_keeps() -> None:
    """Though others have nothing to do: it would not answer."""
    scheduler = scheduler_with(horizon=1.0)
    add_worker(scheduler, "a")
    submit_sources(scheduler, 10, workers=("a", "b"))
    ((_, place),) = sent(scheduler, Place)
    goes_deaf(scheduler, 0, int(place.ids[0]))
    add_worker(scheduler, "b")
    assert scheduler.effects() == ([], [])
    scheduler.speaks(0)
    assert [worker for worker, _ in sent(scheduler, TakeBack)] == [0]


def test_a_deaf_worker_that_is_at_nothing_keeps_nothing() -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_sources(scheduler, 20)
    placed(scheduler)
    goes_deaf(scheduler, 0)
    assert scheduler.effects() != ([], [])
    assert set(scheduler.tables[base].worker.tolist()) == {1}


def test_what_a_running_task_was_made_from_stays_though_it_was_not_heard_that_it_exists() -> None:
    """Else the running task would go with it, begin on another worker, and make that deaf, too."""
    scheduler = scheduler_with(1, 1)
    first = submit_chain(scheduler, 3)
    later = submit_next(scheduler, [first + 2])
    assert placed(scheduler)[0] == [first, first + 1, first + 2, later]
    goes_deaf(scheduler, 0, later)
    assert scheduler.effects() == ([], [])
    goes_deaf(scheduler, 0, first + 1)
    to_workers, _ = scheduler.effects()
    assert [message.ids.tolist() for _, message in to_workers if isinstance(message, Place)] == [[first + 2], [later]]


def test_a_dependent_elsewhere_finds_its_input_where_that_has_gone() -> None:
    scheduler = scheduler_with(1, 1, 1, horizon=0.0)
    graph = TaskGraph()
    sources = graph.add(int, 3)
    submit(scheduler, graph, graph.add(int, 1, deps=([0, 3], sources.ids)).ids)
    scheduler.effects()
    goes_deaf(scheduler, 0)
    homes: dict[int, int] = {}
    run_all(scheduler, homes)
    assert set(homes.values()) == {1, 2}


def test_outputs_stay_where_they_are() -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_sources(scheduler, 2)
    scheduler.effects()
    finish(scheduler, [base], 0)
    finish(scheduler, [base + 1], 1)
    scheduler.effects()
    goes_deaf(scheduler, 0)
    assert scheduler.effects() == ([], [])
    dependent = submit_next(scheduler, [base])
    ((worker, place),) = sent(scheduler, Place)
    assert (worker, place.ids.tolist(), place.homes.tolist()) == (1, [dependent], [0])


def test_what_a_client_is_to_send_to_a_deaf_worker_it_is_to_send_to_another() -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_sources(scheduler, 2, scattered=True)
    scheduler.effects()
    goes_deaf(scheduler, 0)
    _, ((_, deliver),) = scheduler.effects()
    assert isinstance(deliver, Deliver)
    assert (deliver.ids.tolist(), deliver.workers.tolist()) == ([base], [1])


# ---- where nobody else could take it


def test_what_only_deaf_workers_may_run_stays_there() -> None:
    scheduler = scheduler_with()
    add_worker(scheduler, "a")
    add_worker(scheduler, "b")
    base = submit_sources(scheduler, 4, workers=("a",))
    scheduler.effects()
    goes_deaf(scheduler, 0)
    assert scheduler.effects() == ([], [])
    waiting = submit_sources(scheduler, 1, workers=("a",))
    assert placed(scheduler) == [[], []]
    scheduler.speaks(0)
    assert placed(scheduler) == [[waiting], []]
    assert scheduler.tables[base].attempt.tolist() == [1] * 4


def test_while_all_are_deaf_tasks_wait_and_a_worker_that_comes_gets_them() -> None:
    scheduler, running, behind, others = deaf_at_first(8)
    scheduler.effects()
    goes_deaf(scheduler, 1, others[0])
    assert scheduler.effects() == ([], [])
    new = submit_sources(scheduler, 1)
    assert placed(scheduler) == [[], []]
    scheduler.add_worker(1)
    assert placed(scheduler) == [[], [], [new]]
    goes_deaf(scheduler, 0, running)
    goes_deaf(scheduler, 1, others[0])
    assert sorted(placed(scheduler)[2]) == sorted([*behind, *others[1:]])


def test_several_that_go_deaf_at_once_do_not_get_each_others_tasks() -> None:
    scheduler = scheduler_with(1, 1)
    submit_sources(scheduler, 8)
    scheduler.effects()
    scheduler.go_deaf([0, 1], np.array([], np.int64))
    assert scheduler.effects() == ([], [])


def test_the_only_worker_keeps_what_it_has() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 4)
    scheduler.effects()
    goes_deaf(scheduler, 0, base)
    assert scheduler.effects() == ([], [])
    finish(scheduler, range(base, base + 4))
    assert scheduler.tables[base].state.tolist() == [TaskState.FINISHED] * 4


# ---- what it says later


@pytest.mark.parametrize("say", [finish, give_back])
def test_news_of_what_was_given_to_others_is_dropped(say: object) -> None:
    scheduler, running, behind, others = deaf_at_first(8)
    say(scheduler, behind, 0)  # type: ignore[operator]  # before it is placed anew
    scheduler.effects()
    scheduler.speaks(0)
    say(scheduler, behind, 0)  # type: ignore[operator]
    for id in behind:
        fail(scheduler, id, ValueError("late"), 0)
    table = scheduler.tables[running]
    assert {int(table.worker[id - running]) for id in behind} == {1}
    assert run_all(scheduler) == dict.fromkeys([running, *behind, *others], 1)
    assert table.state.tolist() == [TaskState.FINISHED] * 8


def test_a_worker_that_speaks_is_given_tasks_again_and_its_running_task_counts() -> None:
    scheduler, running, behind, others = deaf_at_first(8)
    scheduler.effects()
    scheduler.speaks(0)
    finish(scheduler, [running], 0, seconds=1.0)
    finish(scheduler, [*others], 1, seconds=1.0)
    finish(scheduler, behind, 1, attempt=2, seconds=1.0)
    submit_sources(scheduler, 4)
    assert [len(ids) for ids in placed(scheduler)] == [2, 2]


def test_a_worker_that_was_asked_for_tasks_before_it_went_deaf_keeps_nobody_from_being_helped() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 20)
    scheduler.effects()
    scheduler.add_worker(1)
    assert [worker for worker, _ in sent(scheduler, TakeBack)] == [0]
    goes_deaf(scheduler, 0, base)
    (on_first, on_second) = placed(scheduler)
    assert on_first == []
    assert on_second == list(range(base + 1, base + 20))
    assert scheduler.dispatch.stealing.answered(0) == []


def test_a_deaf_worker_that_is_lost_is_as_any_that_is() -> None:
    scheduler, running, behind, others = deaf_at_first(8)
    scheduler.lose_worker(0, np.array([running]))
    scheduler.speaks(0)
    goes_deaf(scheduler, 0, running)
    assert run_all(scheduler) == dict.fromkeys([running, *behind, *others], 1)
    assert scheduler.loads.threads.tolist() == [0, 1]
