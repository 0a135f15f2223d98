"""Scheduler, workers and client in the calling thread."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

import restride as rs

PATIENCE = 20.0


def inc(x: int) -> int:
    return x + 1


def test_everything_happens_in_the_calling_thread() -> None:
    before = set(threading.enumerate())
    with rs.Client("loop", workers=3) as client:
        assert len(client.info()["workers"]) == 3
        assert client.submit(threading.get_ident).result(PATIENCE) == threading.get_ident()
        assert client.gather(client.map(inc, range(100))) == list(range(1, 101))
        assert set(threading.enumerate()) == before


def test_graphs_large_results_and_failures_are_as_anywhere() -> None:
    with rs.Client("loop") as client:
        g = rs.TaskGraph()
        parts = g.add(lambda i: np.full(10_000, i), 10, params=range(10))
        g.add(lambda *xs: sum(xs), 1, deps=([0, 10], parts.ids))
        assert (client.get(g, [10])[0] == 45).all()
        with pytest.raises(ZeroDivisionError):
            client.submit(divmod, 1, 0).result(PATIENCE)
        assert client.submit(inc, 1).result(PATIENCE) == 2


def test_waits_end_in_time() -> None:
    with rs.Client("loop") as client:
        future = client.submit(inc, 1, resources={"GPU": 1})
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            future.result(0.05)
        assert rs.wait([future], 0.05).not_done == {future}
        assert time.monotonic() - begun < PATIENCE
        assert client.submit(inc, 2).result(PATIENCE) == 3


def test_a_task_that_waits_for_another_is_told_that_it_cannot() -> None:
    with rs.Client("loop") as client:
        with pytest.raises(RuntimeError, match="cannot wait for another"):
            client.submit(lambda: rs.default_client().submit(inc, 1).result()).result(PATIENCE)
        assert client.submit(inc, 2).result(PATIENCE) == 3


def test_it_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="at least 1 worker, got 0"):
        rs.Client("loop", workers=0)
