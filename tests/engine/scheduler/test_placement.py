"""Where tasks go and how far ahead: loads, horizon, and the choice of workers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.scheduler.placement import LEAST_TASKS, MOST_TASKS, Loads, choose_workers

Rows = list[list[int]]


def loads_of(*threads: int, horizon: float = 1.0) -> Loads:
    loads = Loads(horizon)
    for count in threads:
        loads.add_worker(count)
    return loads


def place(loads: Loads, worker: int, count: int, seconds: float) -> None:
    loads.placed(np.full(count, worker, np.int32), np.full(count, seconds, np.float32))


def choose(
    loads: Loads, rows: Rows, *, homes: dict[int, int] | None = None, nbytes: int | list[int] = 8, seconds: float = 0.01
) -> list[int]:
    """Workers of a run of tasks. Dependencies below zero are of earlier runs, and `homes` says where they are."""
    deps = np.array([dep for row in rows for dep in row], np.int64)
    at = [(homes or {}).get(dep, -1) for dep in deps.tolist()]
    return choose_workers(
        counts=np.array([len(row) for row in rows], np.int64),
        homes=np.array(at, np.int32),
        inner=np.where(deps >= 0, deps, -1),
        nbytes=np.full(len(deps), nbytes, np.int64),
        seconds=np.full(len(rows), seconds),
        loads=loads,
    ).tolist()


def changes(workers: list[int]) -> int:
    return sum(a != b for a, b in pairwise(workers))


# ---- loads


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.0, 5.0)), max_size=30), st.randoms())
def test_loads_are_sums_over_what_is_placed_and_zero_when_all_is_gone(tasks: list[tuple[int, float]], random) -> None:  # type: ignore[no-untyped-def]
    loads = loads_of(1, 1, 1)
    workers = np.array([worker for worker, _ in tasks], np.int32)
    seconds = np.array([each for _, each in tasks], np.float32)
    loads.placed(workers, seconds)
    for worker in range(3):
        assert loads.tasks[worker] == (workers == worker).sum()
        assert loads.seconds[worker] == pytest.approx(seconds[workers == worker].sum(), rel=1e-5)
    at = list(range(len(tasks)))
    random.shuffle(at)
    for some in (at[::2], at[1::2]):
        loads.gone(workers[some], seconds[some])
    assert loads.tasks.tolist() == [0, 0, 0]
    assert loads.seconds.tolist() == [0.0, 0.0, 0.0]


def test_a_worker_wants_more_below_half_of_its_horizon_or_with_too_few_tasks() -> None:
    loads = loads_of(2, horizon=1.0)
    assert loads.want_more()
    place(loads, 0, 10, 0.09)  # 0.9 of 2 seconds
    assert loads.want_more()
    place(loads, 0, 1, 0.2)
    assert not loads.want_more()

    loads = loads_of(2, horizon=1.0)
    place(loads, 0, 2 * LEAST_TASKS - 1, 100.0)
    assert loads.want_more()
    place(loads, 0, 1, 100.0)
    assert not loads.want_more()


def test_however_short_tasks_are_there_is_a_most() -> None:
    loads = loads_of(1, 2)
    assert loads.most() == 3 * MOST_TASKS
    place(loads, 0, MOST_TASKS, 0.0)
    place(loads, 1, MOST_TASKS, 0.0)
    assert loads.most() == MOST_TASKS
    assert not loads.want_more()


def test_one_worker_in_want_is_enough() -> None:
    loads = loads_of(1, 1)
    place(loads, 0, 1000, 1.0)
    assert loads.want_more()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([0.3] * 10, 4),  # the one that crosses the horizon is the last
        ([5.0] * 10, LEAST_TASKS),
        ([0.3] * 3, 3),
        ([0.0] * 10, 10),
    ],
)
def test_a_run_reaches_just_over_the_horizon_but_gives_each_thread_its_least(
    seconds: list[float], expected: int
) -> None:
    assert loads_of(1, horizon=1.0).run_length(np.array(seconds)) == expected


def test_a_worker_beyond_its_horizon_takes_no_room_from_others() -> None:
    loads = loads_of(1, 1, horizon=1.0)
    place(loads, 0, 100, 1.0)
    assert loads.room().tolist() == [0.0, 1.0]
    assert loads.run_length(np.full(50, 0.1)) in (10, 11)


# ---- choice


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 60))
def test_sources_are_dealt_in_contiguous_runs_in_proportion_to_threads(threads: list[int], n: int) -> None:
    workers = choose(loads_of(*threads), [[] for _ in range(n)], seconds=0.0001)
    assert workers == sorted(workers)
    share = n / sum(threads)
    for worker, count in enumerate(threads):
        assert abs(workers.count(worker) - share * count) <= 1.5


def test_tasks_that_take_no_time_are_shared_too() -> None:
    assert choose(loads_of(1, 1), [[]] * 10, seconds=0.0) == [0] * 5 + [1] * 5


def test_a_worker_with_half_of_its_room_taken_gets_half_as_many_sources() -> None:
    loads = loads_of(1, 1, horizon=1.0)
    place(loads, 0, 5, 0.1)
    workers = choose(loads, [[]] * 30, seconds=0.01)
    assert workers == sorted(workers)
    assert workers.count(0) == 10


def test_a_task_goes_where_most_of_its_input_bytes_are() -> None:
    homes = {-1: 0, -2: 1, -3: 1, -4: 1, -5: 1}
    assert choose(loads_of(1, 1), [[-1, -2, -3, -4, -5], [-1], [-3]], homes=homes, nbytes=1000) == [1, 0, 1]


def test_a_chain_stays_where_its_input_is() -> None:
    chain = [[-1], [0], [1], [2]]
    assert choose(loads_of(1, 1), chain, homes={-1: 1}, nbytes=1000) == [1, 1, 1, 1]


def test_a_task_follows_the_heavier_of_an_input_that_exists_and_one_of_its_own_run() -> None:
    loads = loads_of(1, 1)
    place(loads, 1, 1, 0.001)
    assert choose(loads, [[], [-1, 0]], homes={-1: 1}, nbytes=[2000, 1000]) == [0, 1]
    assert choose(loads, [[], [-1, 0]], homes={-1: 1}, nbytes=[1000, 2000]) == [0, 0]


def test_chains_from_sources_stay_whole_and_neighbours_stay_together() -> None:
    """Twenty chains of five, as the order has them: chain after chain."""
    rows: Rows = [[] if i % 5 == 0 else [i - 1] for i in range(100)]
    workers = choose(loads_of(1, 1), rows, seconds=0.001)
    assert all(len(set(workers[start : start + 5])) == 1 for start in range(0, 100, 5))
    assert workers.count(0) == 50
    assert changes(workers) == 1


def test_work_moves_from_a_queue_that_is_longer_than_moving_its_bytes_costs() -> None:
    homes = dict.fromkeys(range(-40, 0), 0)
    rows = [[dep] for dep in range(-40, 0)]
    assert 15 <= choose(loads_of(1, 1), rows, homes=homes, nbytes=8, seconds=0.1).count(1) <= 20
    assert choose(loads_of(1, 1), rows, homes=homes, nbytes=50_000_000_000, seconds=0.1).count(1) == 0


def test_a_single_worker_gets_everything() -> None:
    assert choose(loads_of(3), [[], [0], [-1]], homes={-1: 0}) == [0, 0, 0]


@given(st.data(), st.integers(1, 4))
def test_every_task_gets_a_worker_that_there_is(data: st.DataObject, count: int) -> None:
    loads = loads_of(*data.draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)))
    for worker in range(count):
        place(loads, worker, data.draw(st.integers(0, 5)), data.draw(st.floats(0.0, 10.0)))
    homes = {dep: data.draw(st.integers(0, count - 1)) for dep in range(-4, 0)}
    rows = [data.draw(st.lists(st.integers(-4, row - 1), max_size=3)) for row in range(data.draw(st.integers(1, 12)))]
    seconds = data.draw(st.sampled_from([0.0, 0.01, 5.0]))
    workers = choose(loads, rows, homes=homes, nbytes=data.draw(st.sampled_from([0, 8, 10**12])), seconds=seconds)
    assert len(workers) == len(rows)
    assert set(workers) <= set(range(count))


def test_a_lost_worker_takes_no_tasks_and_its_bytes_draw_none() -> None:
    loads = loads_of(1, 1, 1)
    loads.set_threads(1, 0)
    assert loads.most() == 2 * MOST_TASKS
    assert loads.room().tolist() == [1.0, 0.0, 1.0]
    rows: Rows = [[-1], [-1], [-1, -2], [-2], [], [0]]
    workers = choose(loads, rows, homes={-1: 1, -2: 2}, nbytes=10**9)
    assert set(workers) <= {0, 2}
    assert workers[2:4] == [2, 2]


@given(st.lists(st.booleans(), min_size=2, max_size=5).filter(any), st.integers(1, 10))
def test_only_workers_that_are_allowed_are_chosen(allowed: list[bool], n: int) -> None:
    loads = loads_of(*[2] * len(allowed))
    among = loads.among(np.array(allowed))
    workers = choose(among, [[] for _ in range(n)])
    assert all(allowed[worker] for worker in workers)
    assert among.most() == 2 * MOST_TASKS * sum(allowed)


def test_a_share_of_the_room_is_a_share_of_the_run() -> None:
    loads = loads_of(1, horizon=1.0)
    assert loads.run_length(np.full(100, 0.125)) == 8
    assert loads.run_length(np.full(100, 0.125), share=0.5) == 4
    assert loads.run_length(np.full(100, 10.0), share=0.5) == LEAST_TASKS


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.0, 2.0), st.integers(0, 5)), min_size=1, max_size=5))
def test_more_is_wanted_where_some_worker_is_low_in_seconds_and_tasks_or_short_of_tasks(
    workers: list[tuple[int, float, int]],
) -> None:
    loads = loads_of(*[threads for threads, _, _ in workers], horizon=1.0)
    loads.most_tasks = 8
    loads.seconds[:] = [seconds for _, seconds, _ in workers]
    loads.tasks[:] = [tasks for _, _, tasks in workers]
    low = [seconds < threads / 2 and tasks < 4 * threads for threads, seconds, tasks in workers]
    short = [tasks < LEAST_TASKS * threads for threads, _, tasks in workers]
    assert loads.want_more() == any(low + short)


def test_one_task_is_reckoned_as_it_would_be_in_a_batch() -> None:
    one, batch = loads_of(1, 1), loads_of(1, 1)
    for worker, seconds in [(0, 0.5), (1, 0.25), (1, 1.0)]:
        place(one, worker, 1, seconds)
    batch.placed(np.array([0, 1, 1], np.int32), np.array([0.5, 0.25, 1.0], np.float32))
    assert (one.tasks.tolist(), one.seconds.tolist()) == (batch.tasks.tolist(), batch.seconds.tolist())
    one.gone(np.array([0], np.int32), np.array([0.4], np.float32))
    assert (one.tasks[0], one.seconds[0]) == (0, 0.0)
