"""The scheduler by itself: what it places, how far ahead, and what it says to whom."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import compile_job
from restride.engine.messages import Broken, Done, Drop, Failed, Finished, ForgetKernels, Kernels, Place
from restride.engine.scheduler import placement
from restride.engine.scheduler.placement import LEAST_TASKS
from restride.engine.scheduler.state import SchedulerState
from restride.errors import GraphError
from tests.engine.steps import fail, finish, kinds, placed, scheduler_with, submit, submit_next, submit_sources
from tests.garbage import collected

# ---- one task, start to end


def test_a_task_is_placed_finished_and_dropped_and_nothing_else_is_said() -> None:
    scheduler = scheduler_with(1)
    assert scheduler.effects() == ([], [])
    base = submit_sources(scheduler, 1)

    to_workers, to_clients = scheduler.effects()
    assert kinds(to_workers) == [(0, Kernels), (0, Place)]
    assert to_clients == []
    assert scheduler.effects() == ([], [])

    finish(scheduler, [base])
    to_workers, ((client, done),) = scheduler.effects()
    assert to_workers == []
    assert (client, type(done), done.job, done.ids.tolist()) == (0, Done, base, [base])

    scheduler.release(np.array([base]))
    to_workers, to_clients = scheduler.effects()
    assert kinds(to_workers) == [(0, Drop), (0, ForgetKernels)]
    assert to_clients == []
    assert not scheduler.tables


def test_a_task_waits_for_a_worker_to_come() -> None:
    scheduler = scheduler_with()
    base = submit_sources(scheduler, 1)
    assert scheduler.effects() == ([], [])
    scheduler.add_worker(1)
    assert placed(scheduler) == [[base]]


def test_ids_go_on_from_job_to_job_and_from_where_another_scheduler_ended() -> None:
    scheduler = scheduler_with(1)
    assert [submit_sources(scheduler, n) for n in (3, 0, 2)] == [0, 3, 4]
    successor = scheduler_with(1, numbering=scheduler.numbering)
    assert submit_sources(successor, 1) == 6


def test_a_job_without_tasks_is_over_at_once() -> None:
    scheduler = scheduler_with(1)
    submit_sources(scheduler, 0)
    assert not scheduler.tables
    assert scheduler.effects() == ([], [])


def test_a_failure_says_which_task_it_was_and_who_made_it() -> None:
    scheduler = scheduler_with(1)
    graph = TaskGraph()
    first = graph.add(int, 2, name="load")
    last = graph.add(int, 1, deps=([0, 2], first.ids))
    base = submit(scheduler, graph, last.ids)
    scheduler.effects()
    error = ValueError("no such file")
    fail(scheduler, base + 1, error)
    to_workers, ((_, broken),) = scheduler.effects()
    assert sorted(id for _, message in to_workers for id in message.ids.tolist()) == [base, base + 1, base + 2]
    assert isinstance(broken, Broken)
    assert broken.ids.tolist() == [base + 2]
    assert broken.failure.exception is error
    assert broken.failure.task == "load[1]"
    assert broken.failure.origin == first.origin


def test_a_failure_is_kept_for_later_jobs_until_its_holder_lets_go() -> None:
    scheduler = scheduler_with(1)
    first = submit_sources(scheduler, 1)
    scheduler.effects()
    error = ValueError()
    fail(scheduler, first, error)
    scheduler.effects()
    second = submit_next(scheduler, [first])
    to_workers, ((_, broken),) = scheduler.effects()
    assert to_workers == []
    assert (broken.job, broken.failure.exception) == (second, error)
    scheduler.release(np.array([first, second]))
    assert not scheduler.tables


@pytest.mark.parametrize(("worker", "attempt"), [(0, 0), (0, 2), (1, 1)])
def test_news_of_another_attempt_or_by_another_worker_is_dropped_on_entry(worker: int, attempt: int) -> None:
    scheduler = scheduler_with(1, 1)
    base = submit_sources(scheduler, 1)
    assert placed(scheduler) == [[base], []]
    one = np.ones(1)
    scheduler.finished(worker, Finished(np.array([base]), np.array([attempt], np.int32), np.ones(1, np.int64), one))
    scheduler.failed(worker, Failed(base, attempt, ValueError(), None))
    assert scheduler.effects() == ([], [])
    assert scheduler.loads.tasks.tolist() == [1, 0]


def test_old_news_in_a_batch_does_not_take_the_rest_with_it() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 3)
    scheduler.effects()
    finish(scheduler, [base + 1])
    scheduler.effects()
    finish(scheduler, [base + 77, base, base + 1, base + 2])
    _, ((_, done),) = scheduler.effects()
    assert done.ids.tolist() == [base, base + 2]


def test_news_of_what_is_over_or_was_never_there_is_dropped_on_entry() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 2)
    scheduler.effects()
    scheduler.release(np.array([base, base + 1]))
    scheduler.effects()
    finish(scheduler, [base - 5, base, base + 1, base + 100])
    fail(scheduler, base)
    fail(scheduler, base + 100)
    assert scheduler.effects() == ([], [])


# ---- jobs that need each other


def test_a_later_job_is_placed_with_its_inputs_before_they_have_finished() -> None:
    scheduler = scheduler_with(1)
    first = submit_sources(scheduler, 1)
    second = submit_next(scheduler, [first])
    messages = [message for _, message in scheduler.effects()[0] if isinstance(message, Place)]
    assert [message.ids.tolist() for message in messages] == [[first], [second]]
    assert (messages[1].deps.tolist(), messages[1].homes.tolist()) == ([first], [0])


def test_a_later_job_waits_while_its_inputs_are_beyond_the_horizon() -> None:
    scheduler = scheduler_with(1, horizon=0.0)
    first = submit_sources(scheduler, LEAST_TASKS + 1)
    second = submit_next(scheduler, [first + LEAST_TASKS])
    other = submit_sources(scheduler, 1)
    assert placed(scheduler) == [list(range(first, first + LEAST_TASKS))]
    finish(scheduler, range(first, first + LEAST_TASKS))
    assert placed(scheduler) == [[first + LEAST_TASKS, second]]
    finish(scheduler, [first + LEAST_TASKS])
    assert placed(scheduler) == [[other]]


def test_an_input_stays_while_a_later_job_needs_it_though_its_client_lets_go() -> None:
    scheduler = scheduler_with(1)
    first = submit_sources(scheduler, 1)
    second = submit_next(scheduler, [first, first])
    scheduler.effects()
    scheduler.release(np.array([first]))
    finish(scheduler, [first])
    assert scheduler.effects() == ([], [])
    finish(scheduler, [second])
    to_workers, to_clients = scheduler.effects()
    assert kinds(to_workers) == [(0, Drop), (0, ForgetKernels)]
    assert to_workers[0][1].ids.tolist() == [first]
    assert [message.ids.tolist() for _, message in to_clients] == [[second]]


def test_inputs_that_nobody_holds_are_refused_and_nothing_changes() -> None:
    scheduler = scheduler_with(1)
    first = submit_sources(scheduler, 2)
    scheduler.effects()
    scheduler.release(np.array([first]))
    scheduler.effects()
    with pytest.raises(GraphError, match="1 of the 2 futures that the graph depends on were released or cancelled"):
        submit_next(scheduler, [first, first + 1])
    assert scheduler.effects() == ([], [])
    assert list(scheduler.tables) == [first]


def chain_of_jobs(scheduler: SchedulerState, n: int) -> list[int]:
    """Jobs of one task, each on the one before."""
    ids = [submit_sources(scheduler, 1)]
    while len(ids) < n:
        ids.append(submit_next(scheduler, ids[-1:]))
    return ids


def test_a_failure_passes_through_a_thousand_jobs() -> None:
    scheduler = scheduler_with(1)
    scheduler._validate = False  # each check of all jobs takes its time
    ids = chain_of_jobs(scheduler, 1000)
    scheduler.effects()
    fail(scheduler, ids[0])
    _, to_clients = scheduler.effects()
    assert sorted(id for _, message in to_clients for id in message.ids.tolist()) == ids
    scheduler.release(np.array(ids))
    assert not scheduler.tables


def test_a_thousand_jobs_are_cancelled_when_the_last_is_let_go() -> None:
    scheduler = scheduler_with(1)
    scheduler._validate = False
    ids = chain_of_jobs(scheduler, 1000)
    scheduler.effects()
    scheduler.release(np.array(ids[:-1]))
    assert len(scheduler.tables) == 1000
    scheduler.release(np.array(ids[-1:]))
    assert not scheduler.tables
    assert not scheduler.loads.tasks.any()


def test_a_chain_of_jobs_does_not_keep_the_columns_of_those_that_are_over() -> None:
    scheduler = scheduler_with(1)
    last = submit_sources(scheduler, 1)
    tables = []
    for _ in range(5):
        scheduler.effects()
        finish(scheduler, [last])
        following = submit_next(scheduler, [last])
        tables.append(weakref.ref(scheduler.tables[last]))
        scheduler.release(np.array([last]))
        last = following
    scheduler.effects()
    finish(scheduler, [last])
    assert collected(lambda: [table() for table in tables[:4]] == [None] * 4)
    scheduler.release(np.array([last]))
    assert collected(lambda: tables[4]() is None)


# ---- jobs that running tasks have submitted


def test_a_nested_job_comes_before_all_others_and_beside_a_full_horizon() -> None:
    scheduler = scheduler_with(1, horizon=0.0)
    outer = submit_sources(scheduler, 10)
    assert placed(scheduler) == [[outer, outer + 1]]
    graph = TaskGraph()
    job, _, _ = compile_job(graph, graph.add(int, 3).ids)
    inner = scheduler.submit(job, 0, np.zeros(0, np.int64), nested=True)
    assert inner + 3 <= outer
    assert placed(scheduler) == [[inner, inner + 1]]
    finish(scheduler, [inner, inner + 1])
    assert placed(scheduler) == [[inner + 2]]
    finish(scheduler, [inner + 2, outer])
    assert placed(scheduler) == [[outer + 2]]


# ---- how far ahead


def test_few_tasks_of_unknown_duration_are_placed_and_many_once_they_prove_short() -> None:
    scheduler = scheduler_with(2, horizon=0.2)
    submit_sources(scheduler, 10_000)
    (first,) = placed(scheduler)
    assert len(first) <= 2 / placement.UNKNOWN_SHARE + 1
    finish(scheduler, first, seconds=0.001)
    (second,) = placed(scheduler)
    assert 400 <= len(second) <= 402
    assert first + second == list(range(len(first) + len(second)))


def test_each_thread_has_a_task_to_run_and_one_to_begin_next_however_long_they_are() -> None:
    scheduler = scheduler_with(3, horizon=0.2)
    submit_sources(scheduler, 1000)
    (first,) = placed(scheduler)
    finish(scheduler, first, seconds=60.0)
    (second,) = placed(scheduler)
    assert len(second) == LEAST_TASKS * 3
    finish(scheduler, second[:1], seconds=60.0)
    assert placed(scheduler) == [[second[-1] + 1]]


def test_nothing_is_placed_while_workers_have_more_than_half_of_their_horizon() -> None:
    scheduler = scheduler_with(1, horizon=0.2)
    submit_sources(scheduler, 10_000)
    (ids,) = placed(scheduler)
    finish(scheduler, ids, seconds=0.001)
    (ids,) = placed(scheduler)
    assert len(ids) == 200
    finish(scheduler, ids[:99], seconds=0.001)
    assert placed(scheduler) == [[]]
    finish(scheduler, ids[99:110], seconds=0.001)
    assert len(placed(scheduler)[0]) > 100


def test_tasks_that_take_no_time_at_all_are_placed_up_to_the_most() -> None:
    scheduler = scheduler_with(2, most_tasks=10)
    submit_sources(scheduler, 100)
    ids: list[int] = []
    while len(ids) < 100:
        (new,) = placed(scheduler)
        assert 0 < len(new) <= 20
        finish(scheduler, new, seconds=0.0)
        ids += new
    assert ids == list(range(100))


def test_jobs_are_placed_in_the_order_of_their_submission() -> None:
    scheduler = scheduler_with(1, horizon=0.0)
    first, second = submit_sources(scheduler, 3), submit_sources(scheduler, 3)
    order: list[int] = []
    while len(order) < 6:
        (ids,) = placed(scheduler)
        order += ids
        finish(scheduler, ids)
    assert order == [first, first + 1, first + 2, second, second + 1, second + 2]


def test_cancelled_tasks_are_not_placed_and_make_room() -> None:
    scheduler = scheduler_with(1, horizon=0.0)
    base = submit_sources(scheduler, 6)
    assert placed(scheduler) == [[base, base + 1]]
    scheduler.release(np.array([base + 1, base + 2, base + 4]))
    to_workers, _ = scheduler.effects()
    assert kinds(to_workers) == [(0, Drop), (0, Place)]
    assert to_workers[0][1].ids.tolist() == [base + 1]
    assert to_workers[1][1].ids.tolist() == [base + 3]
    finish(scheduler, [base, base + 3])
    assert placed(scheduler) == [[base + 5]]


# ---- several workers


def test_chains_stay_on_one_worker_each_and_both_get_half() -> None:
    scheduler = scheduler_with(1, 1, horizon=1e6)
    graph = TaskGraph()
    layer = graph.add(int, 20)
    for _ in range(4):
        layer = graph.add(int, 20, deps=(np.arange(21), layer.ids))
    submit(scheduler, graph, layer.ids)
    finished = 0
    while finished < 100:
        for worker, ids in enumerate(placed(scheduler)):
            finish(scheduler, ids, worker)
            finished += len(ids)
    (table,) = scheduler.tables.values()
    owners = np.repeat(np.arange(100), np.diff(table.job.indptr))
    assert (table.worker[owners] == table.worker[table.job.indices]).mean() >= 0.95
    assert 40 <= np.count_nonzero(table.worker == 0) <= 60


def test_sources_are_dealt_to_workers_in_contiguous_runs() -> None:
    scheduler = scheduler_with(1, 3)
    submit_sources(scheduler, 10_000)
    for _, message in scheduler.effects()[0]:
        if isinstance(message, Place):
            ids = message.ids.tolist()
            assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert scheduler.loads.tasks[1] >= 2 * scheduler.loads.tasks[0] > 0


def test_each_worker_gets_the_kernels_of_a_job_once_and_forgets_them_when_it_is_over() -> None:
    scheduler = scheduler_with(1, 1, horizon=0.0)
    base = submit_sources(scheduler, 12)
    messages = []
    done = 0
    while done < 12:
        to_workers, _ = scheduler.effects()
        messages += to_workers
        for worker, message in to_workers:
            if isinstance(message, Place):
                finish(scheduler, message.ids.tolist(), worker)
                done += len(message.ids)
    assert sorted(worker for worker, message in messages if isinstance(message, Kernels)) == [0, 1]
    scheduler.release(np.arange(base, base + 12))
    forgotten = [worker for worker, message in scheduler.effects()[0] if isinstance(message, ForgetKernels)]
    assert sorted(forgotten) == [0, 1]


# ---- several clients


def news(scheduler: SchedulerState) -> list[tuple[int, type, list[int]]]:
    return [(client, type(message), message.ids.tolist()) for client, message in scheduler.effects()[1]]


def test_a_client_that_shares_an_output_hears_how_it_stands_and_what_becomes_of_it() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 3)
    scheduler.effects()
    finish(scheduler, [base])
    fail(scheduler, base + 1)
    scheduler.effects()
    scheduler.hold(np.array([base, base + 1, base + 2]), 7)
    assert news(scheduler) == [(7, Done, [base]), (7, Broken, [base + 1])]
    finish(scheduler, [base + 2])
    assert news(scheduler) == [(0, Done, [base + 2]), (7, Done, [base + 2])]


def test_an_output_lives_until_the_last_that_shares_it_lets_go() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 1)
    ids = np.array([base])
    scheduler.hold(ids, 7)
    scheduler.hold(np.array([base, base]), 7)
    scheduler.hold(ids, 0)
    scheduler.release(ids, 0)
    scheduler.release(np.array([base, base]), 7)
    scheduler.release(ids, 0)
    assert placed(scheduler) == [[base]]
    finish(scheduler, [base])
    assert news(scheduler) == [(7, Done, [base])]
    scheduler.release(ids, 7)
    assert not scheduler.tables


def test_nobody_can_let_go_of_what_others_hold() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 2)
    scheduler.hold(np.array([base]), 7)
    scheduler.release(np.array([base, base + 1]), 8)
    scheduler.release(np.array([base, base, base, base + 1]), 7)
    scheduler.release(np.array([base + 1, base + 1]), 0)
    assert placed(scheduler) == [[base]]
    finish(scheduler, [base])
    assert news(scheduler) == [(0, Done, [base])]


def test_what_nobody_holds_any_more_cannot_be_shared_and_nothing_changes() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 2)
    scheduler.effects()
    scheduler.release(np.array([base]))
    scheduler.effects()
    for ids in ([base, base + 1], [base + 1, base + 2], [base - 1]):
        with pytest.raises(GraphError, match="nobody holds any more"):
            scheduler.hold(np.array(ids), 7)
    assert scheduler.tables[base].held.tolist() == [0, 1]


def test_what_only_a_lost_client_wanted_is_cancelled_and_what_others_share_is_not() -> None:
    scheduler = scheduler_with(1)
    base = submit_sources(scheduler, 3, client=1)
    other = submit_sources(scheduler, 1, client=2)
    scheduler.hold(np.array([base + 1]), 2)
    scheduler.effects()
    scheduler.lose_client(1)
    to_workers, _ = scheduler.effects()
    assert [(type(message), message.ids.tolist()) for _, message in to_workers] == [(Drop, [base, base + 2])]
    finish(scheduler, [base + 1, other])
    assert news(scheduler) == [(2, Done, [base + 1]), (2, Done, [other])]
    scheduler.lose_client(2)
    assert not scheduler.tables


def test_who_cancels_hears_which_tasks_may_run_and_where() -> None:
    scheduler = scheduler_with(1, 1)
    graph = TaskGraph()
    first = graph.add(int, 4)
    last = graph.add(int, 1, deps=([0, 4], first.ids))
    base = submit(scheduler, graph, [*first.ids[:1], *last.ids])
    scheduler.effects()
    table = scheduler.tables[base]
    (end,) = np.flatnonzero(np.diff(table.job.indptr)) + base
    kept = int(np.flatnonzero(table.held[:4])[0]) + base
    homes = {row + base: worker for row, worker in enumerate(table.worker.tolist())}
    finish(scheduler, [base + 1], homes[base + 1])
    cancelled = scheduler.cancel(np.array([end]), 0)
    found = {id: worker for worker, ids in cancelled.items() for id in ids.tolist()}
    assert found == {id: homes[id] for id in range(base, base + 5) if id not in (kept, base + 1)}
    scheduler.effects()
    assert scheduler.cancel(np.array([kept]), 0).keys() == {homes[kept]}
    assert not scheduler.tables


# ---- what takes little time, however much there is


def test_a_job_that_is_over_keeps_no_table_of_those_that_it_was_made_from() -> None:
    """Where no worker can be lost there is nothing to remember."""
    scheduler = scheduler_with(1)
    first = submit_sources(scheduler, 1)
    second = submit_next(scheduler, [first])
    table = weakref.ref(scheduler.tables[first])
    scheduler.effects()
    finish(scheduler, [first, second])
    scheduler.effects()
    scheduler.release(np.array([first]))
    assert collected(lambda: table() is None)
    assert list(scheduler.tables) == [second]
