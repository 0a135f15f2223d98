"""Workers are lost: what is computed again, what is not, and who hears of it."""

from __future__ import annotations

import numpy as np
import pytest

from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import compile_job
from restride.engine.messages import Broken, Done, Drop, Kernels, Moved, Place, Replicate, Undone
from restride.engine.scheduler import state as scheduler_module
from restride.engine.scheduler.recovery import MOST_DEATHS
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.task_states import TaskState
from restride.errors import KilledWorkerError, LostError
from tests.engine.steps import (
    add_worker,
    fail,
    finish,
    kinds,
    placed,
    run_all,
    scheduler_with,
    sent,
    submit,
    submit_chain,
    submit_next,
    submit_sources,
)


def states(scheduler: SchedulerState, base: int) -> list[TaskState]:
    return [TaskState(state) for state in scheduler.tables[base].state]


# ---- what is computed again


def test_an_output_that_is_lost_is_computed_again_with_what_it_needs_and_that_alone() -> None:
    """Of two pairs of tasks, one of each wanted: where the first is held, the second need not run again."""
    scheduler = scheduler_with(1, 1)
    graph = TaskGraph()
    a = graph.add(int, 2)
    b = graph.add(int, 2, deps=([0, 1, 2], a.ids))
    base = submit(scheduler, graph, b.ids)
    homes: dict[int, int] = {}
    run_all(scheduler, homes)
    assert homes == {base: 0, base + 1: 0, base + 2: 1, base + 3: 1}
    scheduler.release(np.array([base + 3]))
    scheduler.lose_worker(1)
    assert run_all(scheduler) == {}
    scheduler.add_worker(1)
    scheduler.lose_worker(0)
    assert run_all(scheduler) == {base: 1, base + 1: 1}


def test_nothing_is_computed_again_that_nobody_needs() -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_chain(scheduler, 5)
    homes: dict[int, int] = {}
    run_all(scheduler, homes)
    other = 1 - homes[base + 4]
    scheduler.lose_worker(other)
    assert scheduler.effects() == ([], [])


def test_a_chain_whose_end_is_lost_is_computed_again_from_its_beginning() -> None:
    scheduler = scheduler_with(1)
    base = submit_chain(scheduler, 100)
    run_all(scheduler)
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    assert run_all(scheduler) == dict.fromkeys(range(base, base + 100), 1)
    assert states(scheduler, base) == [TaskState.RELEASED] * 99 + [TaskState.FINISHED]


def test_what_was_placed_behind_a_lost_output_makes_room_for_it() -> None:
    """On a worker that lives: else its horizon would be full of tasks that cannot run."""
    scheduler = scheduler_with(1, 1, horizon=0.0)
    first = submit_sources(scheduler, 2)
    homes = {id: worker for worker, ids in enumerate(placed(scheduler)) for id in ids}
    assert sorted(homes.values()) == [0, 1]
    lost = next(id for id, worker in homes.items() if worker == 0)
    kept = 2 * first + 1 - lost
    submit_next(scheduler, [lost])
    behind = submit_next(scheduler, [lost, kept, kept])
    finish(scheduler, [lost], 0)
    finish(scheduler, [kept], 1)
    scheduler.effects()
    assert scheduler.tables[behind].worker[0] == 1
    scheduler.lose_worker(0)
    to_workers, _ = scheduler.effects()
    assert kinds(to_workers)[0] == (1, Drop)
    assert to_workers[0][1].ids.tolist() == [behind]
    assert next(message for _, message in to_workers if isinstance(message, Place)).ids.tolist() == [lost]


def test_clients_hear_that_an_output_is_undone_and_done_again_and_where() -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_sources(scheduler, 1)
    ((home, _),) = sent(scheduler, Place)
    finish(scheduler, [base], home)
    scheduler.hold(np.array([base]), 7)
    scheduler.effects()
    scheduler.lose_worker(home)
    to_workers, to_clients = scheduler.effects()
    assert [(client, type(news), news.ids.tolist()) for client, news in to_clients] == [
        (0, Undone, [base]),
        (7, Undone, [base]),
    ]
    assert kinds(to_workers) == [(1 - home, Kernels), (1 - home, Place)]
    finish(scheduler, [base], 1 - home, attempt=2)
    _, to_clients = scheduler.effects()
    assert [(client, type(news), news.workers.tolist()) for client, news in to_clients] == [
        (0, Done, [1 - home]),
        (7, Done, [1 - home]),
    ]


def test_nothing_is_sent_to_a_worker_that_is_gone() -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_sources(scheduler, 100)
    scheduler.effects()
    scheduler.release(np.arange(base, base + 50))
    scheduler.lose_worker(0)
    assert {worker for worker, _ in scheduler.effects()[0]} <= {1}
    scheduler.release(np.arange(base + 50, base + 100))
    assert {worker for worker, _ in scheduler.effects()[0]} <= {1}
    assert not scheduler.tables


def test_when_all_workers_are_gone_everything_waits_for_one_to_come() -> None:
    scheduler = scheduler_with(2, 2)
    base = submit_sources(scheduler, 10)
    run_all(scheduler)
    scheduler.lose_worker(0)
    scheduler.lose_worker(1)
    to_workers, _ = scheduler.effects()
    assert to_workers == []
    scheduler.add_worker(1)
    assert run_all(scheduler) == dict.fromkeys(range(base, base + 10), 1)


def test_a_nested_job_survives_the_loss_of_a_worker() -> None:
    scheduler = scheduler_with(1, 1)
    graph = TaskGraph()
    job, _, _ = compile_job(graph, graph.add(int, 8).ids)
    inner = scheduler.submit(job, 0, np.zeros(0, np.int64), nested=True)
    scheduler.effects()
    scheduler.lose_worker(0)
    run_all(scheduler)
    assert states(scheduler, inner) == [TaskState.FINISHED] * 8


# ---- news that is late


@pytest.mark.parametrize("worker", [0, 1])
def test_news_of_an_attempt_that_was_undone_changes_nothing(worker: int) -> None:
    """Also of a worker that lives, which ran a task behind one that was lost before it heard that it should not."""
    scheduler = scheduler_with(1, 1, horizon=1e6)
    first = submit_sources(scheduler, 1)
    ((home, _),) = sent(scheduler, Place)
    second = submit_next(scheduler, [first])
    scheduler.effects()
    scheduler.lose_worker(home)
    scheduler.effects()
    finish(scheduler, [first, second], worker, attempt=1)
    fail(scheduler, second, ValueError(), worker, attempt=1)
    assert scheduler.effects() == ([], [])
    assert states(scheduler, second) == [TaskState.PLACED]
    finish(scheduler, [first, second], 1 - home, attempt=2)
    assert states(scheduler, second) == [TaskState.FINISHED]


def test_a_task_may_be_heard_to_have_finished_before_what_it_needed() -> None:
    scheduler = scheduler_with(1, 1, lineage=True)
    base = submit_chain(scheduler, 2)
    scheduler.effects()
    finish(scheduler, [base + 1], int(scheduler.tables[base].worker[1]))
    finish(scheduler, [base], int(scheduler.tables[base].worker[0]))
    assert states(scheduler, base) == [TaskState.CANCELLED, TaskState.FINISHED]
    scheduler.lose_worker(int(scheduler.tables[base].worker[1]))
    assert run_all(scheduler) == {base: 1, base + 1: 1}


# ---- jobs that are over


def three_jobs(scheduler: SchedulerState) -> list[int]:
    """Each was made from the one before, and of that nothing is held any more: only the last is not over."""
    ids = [submit_sources(scheduler, 1)]
    for _ in range(2):
        ids.append(submit_next(scheduler, ids[-1:]))
    run_all(scheduler)
    scheduler.release(np.array(ids[:2]))
    scheduler.effects()
    return ids


def test_an_output_made_from_jobs_that_are_over_is_computed_again_from_the_first_of_them() -> None:
    scheduler = scheduler_with(1, lineage=True)
    ids = three_jobs(scheduler)
    assert list(scheduler.tables) == ids
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    assert run_all(scheduler) == dict.fromkeys(ids, 1)
    scheduler.release(np.array(ids[2:]))
    assert not scheduler.tables
    assert not scheduler._remembered


def test_without_lineage_what_cannot_be_computed_again_fails_and_says_why() -> None:
    scheduler = scheduler_with(1)
    ids = three_jobs(scheduler)
    assert list(scheduler.tables) == ids[2:]
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    to_workers, to_clients = scheduler.effects()
    assert to_workers == []
    (_, undone), (_, broken) = to_clients
    assert (type(undone), type(broken)) == (Undone, Broken)
    assert isinstance(broken.failure.exception, LostError)
    assert broken.failure.task == "int"


def test_the_oldest_job_that_is_over_is_forgotten_where_they_take_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = scheduler_with(1, lineage=True)
    ids = three_jobs(scheduler)
    monkeypatch.setattr(scheduler_module, "LINEAGE_BYTES", 2 * scheduler.tables[ids[0]].nbytes_here)
    ids.append(submit_next(scheduler, ids[2:]))
    run_all(scheduler)
    scheduler.release(np.array(ids[2:3]))
    assert list(scheduler.tables) == ids[1:]
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    _, to_clients = scheduler.effects()
    assert [type(news) for _, news in to_clients] == [Undone, Broken]


def test_a_job_that_runs_again_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = scheduler_with(1, lineage=True)
    ids = three_jobs(scheduler)
    scheduler.lose_worker(0)
    scheduler.add_worker(1)
    scheduler.effects()
    monkeypatch.setattr(scheduler_module, "LINEAGE_BYTES", 0)
    other = submit_sources(scheduler, 1)
    last = submit_next(scheduler, [other])
    finish(scheduler, [other, last], 1)
    scheduler.release(np.array([other]))
    for id in ids:
        finish(scheduler, [id], 1, attempt=2)
    assert states(scheduler, ids[2]) == [TaskState.FINISHED]


def test_what_cannot_be_had_again_as_its_input_has_failed_since_fails() -> None:
    """An output was lost, and on computing it anew its input raised; later that input is needed by another loss."""
    scheduler = scheduler_with(1, 1, lineage=True)
    graph = TaskGraph()
    source = graph.add(int, 1)
    left, right = (graph.add(int, 1, deps=([0, 1], source.ids)) for _ in range(2))
    base = submit(scheduler, graph, [*left.ids, *right.ids])
    homes: dict[int, int] = {}
    run_all(scheduler, homes)
    ends = np.flatnonzero(scheduler.tables[base].held) + base
    table = scheduler.tables[base]
    table.worker[ends[1] - base] = 1 - table.worker[ends[0] - base]  # as if the other worker had had it
    scheduler.lose_worker(int(table.worker[ends[0] - base]))
    ((alive, message),) = sent(scheduler, Place)
    assert message.ids.tolist() == [base, ends[0]]
    fail(scheduler, base, ValueError(), alive, attempt=2)
    assert states(scheduler, base)[ends[1] - base] == TaskState.FINISHED
    scheduler.effects()
    scheduler.lose_worker(alive)
    _, to_clients = scheduler.effects()
    assert [type(news) for _, news in to_clients] == [Undone, Broken]
    assert isinstance(to_clients[1][1].failure.exception, LostError)


def test_an_input_that_was_computed_again_for_others_is_found_where_it_is_now() -> None:
    """A job that did not need it at that moment needs it again later."""
    scheduler = scheduler_with(lineage=True)
    add_worker(scheduler, "a")
    add_worker(scheduler, "b")
    graph = TaskGraph()
    source = graph.add(int, 1)
    graph.add(int, 1, deps=([0, 1], source.ids))
    base = submit(scheduler, graph, [0, 1], workers=("a",))
    other = submit_next(scheduler, [base], workers=("b",))
    run_all(scheduler)
    scheduler.release(np.array([base]))
    assert states(scheduler, base) == [TaskState.RELEASED, TaskState.FINISHED]
    scheduler.lose_worker(0)
    scheduler.effects()
    moved = add_worker(scheduler, "a")
    scheduler.effects()
    add_worker(scheduler, "b")
    scheduler.lose_worker(1)
    ((_, message),) = sent(scheduler, Place)
    assert (message.ids.tolist(), message.deps.tolist(), message.homes.tolist()) == ([other], [base], [moved])


# ---- tasks that kill


def test_a_task_that_was_running_when_three_workers_died_fails_and_is_named() -> None:
    scheduler = scheduler_with(1)
    graph = TaskGraph()
    layer = graph.add(int, 2, name="explode")
    base = submit(scheduler, graph, layer.ids)
    for death in range(MOST_DEATHS):
        scheduler.effects()
        scheduler.lose_worker(death, np.array([base + 1]))
        scheduler.add_worker(1)
    _, to_clients = scheduler.effects()
    (broken,) = [news for _, news in to_clients if isinstance(news, Broken)]
    assert broken.ids.tolist() == [base + 1]
    assert broken.failure.task == "explode[1]"
    assert isinstance(broken.failure.exception, KilledWorkerError)
    assert str(MOST_DEATHS) in str(broken.failure.exception)
    assert states(scheduler, base) == [TaskState.PLACED, TaskState.FAILED]


def test_of_several_that_were_running_each_time_only_the_last_is_given_up() -> None:
    scheduler = scheduler_with(2)
    base = submit_sources(scheduler, 2)
    for death in range(MOST_DEATHS):
        scheduler.effects()
        scheduler.lose_worker(death, np.array([base, base + 1]))
        scheduler.add_worker(2)
    scheduler.effects()
    assert states(scheduler, base) == [TaskState.PLACED, TaskState.FAILED]
    scheduler.lose_worker(MOST_DEATHS, np.array([base]))
    scheduler.effects()
    assert states(scheduler, base) == [TaskState.FAILED, TaskState.FAILED]


def test_a_worker_that_dies_of_nothing_is_held_against_no_task() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 2)
    for death in range(2 * MOST_DEATHS):
        scheduler.effects()
        scheduler.lose_worker(death)
        scheduler.add_worker(1)
    assert run_all(scheduler) == {base: 1, base + 1: 1}


# ---- tasks that are tried again


def test_a_task_that_raises_is_tried_again_elsewhere_and_fails_in_the_end() -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_sources(scheduler, 1, retries=2)
    ((home, _),) = sent(scheduler, Place)
    error = ValueError("the third")
    for attempt in (1, 2):
        fail(scheduler, base, ValueError(), home, attempt)
        to_workers, to_clients = scheduler.effects()
        assert to_clients == []
        ((worker, message),) = [(worker, what) for worker, what in to_workers if isinstance(what, Place)]
        assert worker == 1 - home
        assert message.attempts.tolist() == [attempt + 1]
        home = worker
    fail(scheduler, base, error, home, 3)
    _, ((_, broken),) = scheduler.effects()
    assert broken.failure.exception is error


def test_who_waits_for_a_task_that_is_tried_elsewhere_hears_where() -> None:
    """In its own job and in later ones; and what is placed only then finds it there as well."""
    scheduler = scheduler_with(1, 1, horizon=1e6)
    first = submit_sources(scheduler, 1, retries=1)
    ((home, _),) = sent(scheduler, Place)
    second = submit_next(scheduler, [first])
    ((near, _),) = sent(scheduler, Place)
    assert near == home
    fail(scheduler, first, ValueError(), home)
    third = submit_next(scheduler, [first, second])
    to_workers, _ = scheduler.effects()
    ((worker, moved),) = [(worker, what) for worker, what in to_workers if isinstance(what, Moved)]
    assert (worker, moved.ids.tolist(), moved.homes.tolist()) == (near, [first], [1 - home])
    ((_, place),) = [(worker, what) for worker, what in to_workers if isinstance(what, Place) and third in what.ids]
    assert place.homes.tolist() == [1 - home, near]


def test_a_task_is_tried_again_by_the_only_worker_there_is() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 1, retries=1)
    scheduler.effects()
    fail(scheduler, base, ValueError())
    assert placed(scheduler) == [[base]]


# ---- jobs that only some workers may run


def test_a_job_whose_only_worker_is_lost_waits_for_another_and_keeps_nobody_waiting() -> None:
    scheduler = scheduler_with()
    add_worker(scheduler, "a")
    add_worker(scheduler, "b")
    restricted = submit_sources(scheduler, 5, workers=("a",))
    dependent = submit_next(scheduler, [restricted])
    scheduler.effects()
    scheduler.lose_worker(0)
    other = submit_sources(scheduler, 3)
    assert run_all(scheduler) == dict.fromkeys(range(other, other + 3), 1)
    homes: dict[int, int] = {}
    assert add_worker(scheduler, "a") == 2
    assert set(run_all(scheduler, homes)) == {*range(restricted, restricted + 5), dependent}
    assert {homes[id] for id in range(restricted, restricted + 5)} == {2}


def test_an_input_that_is_not_needed_any_more_keeps_no_job_waiting() -> None:
    """It is lost, and may be had again by no worker that there is, but whoever used it has finished."""
    scheduler = scheduler_with(horizon=0.0)
    add_worker(scheduler, "a")
    add_worker(scheduler, "b")
    first = submit_sources(scheduler, 1, workers=("a",))
    graph = TaskGraph()
    future = graph.add_futures([first])  # type: ignore[list-item]
    user = graph.add(int, 1, deps=([0, 1], future.ids))
    rest = graph.add(int, 9)
    scheduler.effects()
    finish(scheduler, [first])
    second = submit(scheduler, graph, [*user.ids, *rest.ids], workers=("b",))
    assert second in placed(scheduler)[1]
    finish(scheduler, [second], 1)
    scheduler.lose_worker(0)
    runs = run_all(scheduler)
    assert states(scheduler, second) == [TaskState.FINISHED] * 10
    assert first not in runs


def test_resources_say_which_workers_may_run_a_job() -> None:
    scheduler = scheduler_with()
    add_worker(scheduler, "plain")
    add_worker(scheduler, "gpu", GPU=1.0)
    base = submit_sources(scheduler, 4, resources={"GPU": 1.0})
    too_many = submit_sources(scheduler, 1, resources={"GPU": 2.0})
    homes: dict[int, int] = {}
    run_all(scheduler, homes)
    assert homes == dict.fromkeys(range(base, base + 4), 1)
    add_worker(scheduler, "gpus", GPU=2.0)
    assert run_all(scheduler) == {too_many: 1}


# ---- outputs that several workers hold


def test_a_replica_is_asked_for_told_of_new_places_and_dropped_with_the_output() -> None:
    scheduler = scheduler_with(1, 1, 1)
    base = submit_sources(scheduler, 1)
    ((home, _),) = sent(scheduler, Place)
    others = [worker for worker in range(3) if worker != home]
    finish(scheduler, [base], home)
    scheduler.effects()
    scheduler.replicate(np.array([base]), np.arange(3))
    to_workers, _ = scheduler.effects()
    assert kinds(to_workers) == [(worker, Replicate) for worker in others]
    assert all(message.homes.tolist() == [home] for _, message in to_workers)
    scheduler.lose_worker(home)
    to_workers, _ = scheduler.effects()
    (new_home,) = [worker for worker, message in to_workers if isinstance(message, Place)]
    assert {worker for worker, message in to_workers if isinstance(message, Moved)} == set(others)
    finish(scheduler, [base], new_home, attempt=2)
    scheduler.effects()
    scheduler.release(np.array([base]))
    assert {worker for worker, _ in sent(scheduler, Drop)} == set(others)
    assert not scheduler.tables
