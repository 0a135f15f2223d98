"""Tasks that compute on the client that runs them: however busy it is, none of them gets stuck."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import restride as rs

PATIENCE = 20.0


def ways_to_compute(client: rs.Client) -> list[Callable[[int], int]]:
    """Ways in which a task may negate a number on its client."""

    def get(x: int) -> int:
        g = rs.TaskGraph()
        g.add(lambda x: -x, 1, params=[x])
        return client.get(g, [0])[0]

    return [
        get,
        lambda x: client.submit(lambda: -x).result(PATIENCE),
        lambda x: client.gather(client.map(lambda x: -x, [x, 5]))[0],
        lambda x: next(rs.as_completed([client.submit(lambda: -x)], PATIENCE)).result(),
        lambda x: rs.wait([client.submit(lambda: -x)], PATIENCE).done.pop().result(),
    ]


@pytest.fixture(params=range(5), ids=["get", "submit", "map", "as_completed", "wait"])
def negate(client: rs.Client, request: pytest.FixtureRequest) -> Callable[[int], int]:
    return ways_to_compute(client)[request.param]


def test_a_task_may_compute(client: rs.Client, negate: Callable[[int], int]) -> None:
    assert client.submit(negate, 3).result(PATIENCE) == -3


def test_many_more_tasks_than_threads_may_compute_at_once(client: rs.Client, negate: Callable[[int], int]) -> None:
    assert client.gather(client.map(negate, range(40))) == list(range(0, -40, -1))


def test_a_task_may_compute_with_more_waiting_for_it_than_would_be_placed_ahead(
    client: rs.Client, negate: Callable[[int], int]
) -> None:
    g = rs.TaskGraph()
    first = g.add(negate, 1, params=[3])
    rest = g.add(lambda x: x, 1_000, deps=(np.arange(1_001), np.zeros(1_000, int)))
    assert client.get(g, [*first.ids, *rest.ids]) == [-3] * 1_001


def test_tasks_that_compute_go_deep(client: rs.Client) -> None:
    def fibonacci(n: int) -> int:
        if n < 2:
            return n
        one, two = client.submit(fibonacci, n - 1), client.submit(fibonacci, n - 2)
        return one.result(PATIENCE) + two.result(PATIENCE)

    assert client.submit(fibonacci, 8).result(PATIENCE) == 21


def test_threads_that_stand_in_for_waiting_ones_stay_few_and_go(threads: rs.Client) -> None:
    most = 0

    def task(x: int) -> int:
        nonlocal most
        most = max(most, sum(thread.name.startswith("restride-compute") for thread in threading.enumerate()))
        return threads.submit(abs, -x).result(PATIENCE)

    before = sum(thread.name.startswith("restride-compute") for thread in threading.enumerate())
    assert threads.gather(threads.map(task, range(300))) == list(range(300))
    assert most - before < 50


def test_an_inline_client_does_not_stack_up_tasks_that_compute() -> None:
    depth = 0

    def task(x: int) -> int:
        nonlocal depth
        frame, here = sys._getframe(), 0
        while frame is not None:
            frame, here = frame.f_back, here + (frame.f_code is task.__code__)
        depth = max(depth, here)
        return client.submit(abs, -x).result(PATIENCE)

    with rs.Client("inline") as client:
        assert client.gather(client.map(task, range(100))) == list(range(100))
    assert depth == 1


@pytest.mark.parametrize("step", [-1, 1], ids=["before", "after"])
def test_a_task_may_wait_for_its_neighbour_of_the_same_layer(held: rs.Client, gate: Any, step: int) -> None:
    futures: list[rs.Future] = []

    def task(number: int) -> int:
        return futures[number + step].result(PATIENCE) if number == 150 else number

    futures += held.map(task, range(300))
    gate.open.set()
    assert futures[150].result(PATIENCE) == 150 + step


def test_an_inline_task_may_wait_for_its_neighbour_of_the_same_layer() -> None:
    with rs.Client("inline") as client:
        g = rs.TaskGraph()
        futures: list[rs.Future] = []

        def task(number: int) -> int:
            if number == 0:
                return client.gather(futures[1:])
            return number

        g.add(lambda: futures.extend(client.submit_graph(h, range(5))), 1)
        h = rs.TaskGraph()
        h.add(lambda number: number, 5, params=range(5))
        client.get(g, [0])
        assert client.gather(futures) == list(range(5))


def test_what_a_task_computes_fails_in_the_task(client: rs.Client) -> None:
    def task() -> str:
        try:
            client.submit(lambda: 1 / 0).result(PATIENCE)
        except ZeroDivisionError as error:
            return repr(error)
        return "nothing"

    assert client.submit(task).result(PATIENCE) == "ZeroDivisionError('division by zero')"


def test_a_task_may_return_a_future_of_what_it_submits(near: rs.Client) -> None:
    assert near.submit(lambda: near.submit(abs, -3)).result(PATIENCE).result(PATIENCE) == 3


def test_several_threads_may_run_tasks_that_compute(client: rs.Client, in_threads: Callable[..., list[object]]) -> None:
    negate = ways_to_compute(client)[1]
    assert in_threads(lambda number: client.gather(client.map(negate, [number] * 10)), 4) == [
        [-number] * 10 for number in range(4)
    ]
