"""The columns of one job: ids, the next rows to place, expected durations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import pytest

from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import compile_job
from restride.engine.scheduler.task_states import TaskState
from restride.engine.scheduler.tasks import TaskTable


def table_of(*counts: int, names: Sequence[str] = (), base: int = 0) -> TaskTable:
    """A job of layers of so many tasks without dependencies, all of them wanted."""
    graph = TaskGraph()
    for count, name in zip_longest(counts, names):
        graph.add(int, count, name=name)
    return TaskTable(compile_job(graph, np.arange(len(graph)))[0], base, 0, client=0)


def test_ids_begin_at_the_base_and_those_of_inputs_are_their_own() -> None:
    graph = TaskGraph()
    future = graph.add_futures(["a"])  # type: ignore[list-item]
    graph.add(int, 2, deps=([0, 1, 2], [0, 0]))
    table = TaskTable(compile_job(graph, [1, 2])[0], 50, 0, client=0)
    table.foreign_ids = np.array([7])
    assert len(future) == 1
    assert table.ids(np.array([1, 2, 0])).tolist() == [51, 7, 50]


def test_next_waiting_goes_on_where_it_left_off_and_skips_what_does_not_wait() -> None:
    table = table_of(10)
    table.state[[0, 1, 4]] = TaskState.PLACED
    assert table.next_waiting(4).tolist() == [2, 3]
    table.state[[2, 3]] = TaskState.CANCELLED
    assert table.next_waiting(2).tolist() == [5]
    table.state[5:] = TaskState.PLACED
    assert table.next_waiting(3).tolist() == []
    assert table.cursor == 10


def test_a_wanted_task_is_waited_for_by_its_client_and_by_each_use_of_it() -> None:
    graph = TaskGraph()
    graph.add(int, 1)
    graph.add(int, 1, deps=([0, 2], [0, 0]))
    table = TaskTable(compile_job(graph, [0, 1])[0], 0, 0, client=0)
    assert table.waiters.tolist() == [3, 1]
    assert table.no_longer_waited_for(np.array([0, 0, 1])).tolist() == [1]
    assert table.no_longer_waited_for(np.array([0])).tolist() == [0]


def test_durations_are_unknown_until_a_task_of_the_layer_has_finished() -> None:
    table = table_of(2, 2)
    table.learn(np.array([0]), np.array([0.5]), {})
    assert table.expected_seconds(np.array([1, 2, 3]), {}, 9.0).tolist() == [0.5, 9.0, 9.0]


def test_the_newest_batches_weigh_most_so_that_jumps_are_soon_forgotten() -> None:
    table = table_of(1000)
    expected = []
    for batch in range(12):
        table.learn(np.arange(10), np.full(10, 1.0 if batch < 6 else 0.01), {})
        expected.append(table.expected_seconds(np.array([0]), {}, 9.0)[0])
    assert expected[5] == pytest.approx(1.0)
    assert expected[11] < 0.05


@pytest.mark.parametrize("long", [1, 3])
def test_many_short_tasks_do_not_hide_that_those_after_them_are_long(long: int) -> None:
    table = table_of(1000)
    table.learn(np.arange(900), np.full(900, 1e-5), {})
    table.learn(np.arange(900, 900 + long), np.full(long, 0.1), {})
    assert table.expected_seconds(np.array([999]), {}, 9.0)[0] == pytest.approx(0.1)


def test_a_batch_counts_by_its_tasks_however_many_layers_it_mixes() -> None:
    table = table_of(4, 4)
    table.learn(np.array([0, 4, 1, 5, 2, 3]), np.array([1.0, 10.0, 2.0, 20.0, 3.0, 6.0]), {})
    assert table.expected_seconds(np.array([0, 4]), {}, 0.0).tolist() == [3.0, 15.0]


def test_durations_are_known_by_the_name_of_the_layer_from_one_job_to_the_next() -> None:
    graph = TaskGraph()
    graph.add(int, 2, name="load")
    graph.add(int, 1, name="save")
    job, known = compile_job(graph, np.arange(3))[0], {}  # type: ignore[var-annotated]
    first = TaskTable(job, 0, 0, client=0)
    first.learn(np.array([0]), np.array([0.5]), known)
    second = TaskTable(job, 3, 2, client=0)
    assert second.expected_seconds(np.array([0, 1, 2]), known, 9.0).tolist() == [0.5, 0.5, 9.0]
    second.learn(np.array([0]), np.array([0.25]), known)
    assert second.expected_seconds(np.array([1]), known, 9.0).tolist() == [0.25]


def test_an_average_that_has_jumped_is_said_so_once() -> None:
    table = table_of(1000)
    assert table.learn(np.arange(4), np.full(4, 0.1), {}).tolist() == [0]
    assert table.learn(np.arange(4), np.full(4, 0.2), {}).tolist() == []
    assert table.learn(np.arange(100), np.full(100, 1.0), {}).tolist() == [0]
    assert table.learn(np.arange(100), np.full(100, 1.0), {}).tolist() == []


def test_sizes_of_outputs_that_do_not_exist_yet_are_expected_from_those_of_their_layer() -> None:
    table = table_of(4, 2)
    assert table.expected_nbytes(np.array([1])).tolist() == [0]
    table.nbytes[[0, 1]] = 100, 300
    table.learn(np.array([0, 1]), np.ones(2), {})
    assert table.expected_nbytes(np.array([0, 1, 2, 3, 4])).tolist() == [100, 300, 200, 200, 0]


def test_each_client_holds_what_it_wanted_or_shares_and_no_more() -> None:
    table = table_of(4)
    table.held[:] = [1, 2, 3, 0]
    table.guests = {7: {1: 1, 2: 2}}
    rows = np.arange(4)
    assert [(client, held.tolist()) for client, held in table.holders(rows)] == [(0, [0, 1, 2]), (7, [1, 2])]
    assert table.held_by(0).tolist() == [0, 1, 2]
    assert table.held_by(7).tolist() == [1, 2, 2]
    assert table.held_by(8).tolist() == []


@pytest.mark.parametrize(
    ("client", "rows", "expected"),
    [(0, [0, 1, 1, 2, 3], [0, 1, 2]), (0, [3], []), (7, [2, 2, 2, 0, 1], [2, 2, 1]), (8, [0, 1], []), (7, [0], [])],
)
def test_a_client_can_let_go_of_no_more_than_it_holds(client: int, rows: list[int], expected: list[int]) -> None:
    table = table_of(4)
    table.held[:] = [1, 2, 3, 0]
    table.guests = {7: {1: 1, 2: 2}}
    assert table.leave(client, np.array(rows)).tolist() == expected
    assert table.held_by(7).tolist() == ([1, 2, 2] if client != 7 or not expected else [])


def test_a_duration_known_by_name_is_an_average_over_layers_that_a_task_held_up_does_not_spoil() -> None:
    known: dict[str, float] = {}
    table = table_of(*[8] * 6, names=["spin"] * 6)
    for layer in range(4):
        table.learn(np.arange(8 * layer, 8 * layer + 8), np.full(8, 1e-3), known)
    held_up = np.full(8, 1e-3)
    held_up[0] = 1.0
    table.learn(np.arange(32, 40), held_up, known)
    assert 1e-3 < known["spin"] < 32e-3
    assert table.expected_seconds(np.arange(40, 48), known, 9.0)[0] == pytest.approx(known["spin"])


def test_layers_that_were_unknown_when_first_looked_at_are_known_once_others_of_their_name_are() -> None:
    known: dict[str, float] = {}
    table = table_of(2, 2, 2, names=["spin", "spin", "other"])
    rows = np.arange(6)
    assert table.expected_seconds(rows, known, 9.0).tolist() == [9.0] * 6
    table.learn(np.arange(2), np.full(2, 0.5), known)
    assert table.expected_seconds(rows, known, 9.0).tolist() == [0.5, 0.5, 0.5, 0.5, 9.0, 9.0]
    assert table.is_unknown(rows).tolist() == [False] * 4 + [True] * 2
