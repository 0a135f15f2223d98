"""What a client can ask of its workers."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import restride as rs

PATIENCE = 20.0


def test_run_calls_a_function_once_on_every_worker(client: rs.Client) -> None:
    pids = client.run(os.getpid)
    assert set(pids) == set(client.info()["workers"])
    assert len(set(pids.values())) == len(pids)
    assert (os.getpid() in pids.values()) == client.in_process


def test_run_hands_over_arguments(client: rs.Client) -> None:
    assert all(returned == {"a": 1, "b": 2} for returned in client.run(dict, [("a", 1)], b=2).values())


def test_run_calls_it_on_the_workers_asked_for(client: rs.Client) -> None:
    name = next(iter(client.info()["workers"]))
    assert list(client.run(os.getpid, workers=name)) == list(client.run(os.getpid, workers=[name])) == [name]
    with pytest.raises(ValueError, match="there is no worker 'nobody'"):
        client.run(os.getpid, workers="nobody")


def test_run_raises_what_the_function_raised(client: rs.Client) -> None:
    with pytest.raises(ZeroDivisionError):
        client.run(divmod, 1, 0)
    with pytest.raises(TypeError, match="callable"):
        client.run(3)  # type: ignore[arg-type]


def test_info_tells_of_workers_threads_memory_and_versions(client: rs.Client) -> None:
    info = client.info()
    assert info["threads"] == sum(client.nthreads().values()) == client.threads
    assert info["memory"] > 1_000_000
    assert info["versions"]["numpy"] == np.__version__
    for worker in info["workers"].values():
        assert worker["versions"] == info["versions"]
    text = repr(info)
    assert text.startswith(f"{client.where}: {len(info['workers'])} worker")
    assert all(name in text for name in info["workers"])


def test_workers_that_are_there_need_not_be_waited_for(client: rs.Client) -> None:
    client.wait_for_workers(1, PATIENCE)
    with pytest.raises(TimeoutError, match="100"):
        client.wait_for_workers(100, 0.01)


def test_data_can_be_scattered_to_every_worker(client: rs.Client) -> None:
    scattered = client.scatter({"a": np.arange(100_000), "b": [1]}, broadcast=True)
    total, one = client.submit(sum, scattered["a"]), client.submit(len, scattered["b"])
    assert (total.result(PATIENCE), one.result(PATIENCE)) == (4_999_950_000, 1)
    assert scattered["a"].result(PATIENCE)[-1] == 99_999


def test_cancel_takes_structures_of_futures(held: rs.Client, gate: Any) -> None:
    one, two, three = held.map(abs, [1, 2, 3])
    held.cancel({"a": [one], "b": two})
    gate.open.set()
    assert (one.cancelled(), two.cancelled(), three.result(PATIENCE)) == (True, True, 3)


def test_a_future_that_is_released_lets_go_of_its_output(near: rs.Client) -> None:
    future = near.submit(bytes, 1000)
    rs.wait([future], PATIENCE)
    future.release()
    near.submit(abs, 1).result(PATIENCE)
    assert near.nbytes < 100
    with pytest.raises(rs.CancelledError, match="was released"):
        future.result()


def test_a_future_that_is_released_before_its_task_ran_is_cancelled(held: rs.Client, gate: Any) -> None:
    ran: list[int] = []
    future = held.submit(ran.append, 1)
    future.release()
    assert future.cancelled()
    gate.open.set()
    assert held.submit(abs, -1).result(PATIENCE) == 1
    assert ran == []
