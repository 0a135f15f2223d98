"""Clients of all kinds, and a thread that can be held."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

import restride as rs

PATIENCE = 20.0
"""Seconds after which something that must happen counts as never happening."""


@pytest.fixture(scope="session")
def processes() -> Iterator[rs.LocalCluster]:
    """Two workers of one thread, in processes of their own; tests share them, and leave them as they were."""
    with rs.LocalCluster(workers=2, threads_per_worker=1) as cluster:
        cluster.wait_for_workers(timeout=60)
        yield cluster


@pytest.fixture(params=["threads", "inline", "processes"])
def client(request: pytest.FixtureRequest) -> Iterator[rs.Client]:
    """Wherever computations may run: two compute threads, none, or two other processes."""
    match request.param:
        case "processes":
            where = {"where": request.getfixturevalue("processes")}
        case "threads":
            where = {"threads": 2}
        case _:
            where = {"where": "inline"}
    with rs.Client(**where) as client:
        yield client


@pytest.fixture(params=["threads", "inline"])
def near(request: pytest.FixtureRequest) -> Iterator[rs.Client]:
    """Computing in this process, so that tasks share what the test has: two compute threads, or none."""
    with rs.Client(request.param, threads=2 if request.param == "threads" else None) as client:
        yield client


@pytest.fixture
def threads() -> Iterator[rs.Client]:
    """Two compute threads."""
    with rs.Client(threads=2) as client:
        yield client


class Gate:
    """A task that begins, and ends when it is let through."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self, *_: object) -> str:
        self.begun.set()
        assert self.open.wait(PATIENCE)
        return "through"

    def wait_until_begun(self) -> None:
        assert self.begun.wait(PATIENCE)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def single() -> Iterator[rs.Client]:
    """One compute thread."""
    with rs.Client(threads=1) as client:
        yield client


@pytest.fixture
def held(single: rs.Client, gate: Gate) -> Iterator[rs.Client]:
    """One compute thread, busy until the gate opens: what is submitted meanwhile waits."""
    blocker = single.submit(gate)
    gate.wait_until_begun()
    yield single
    gate.open.set()
    assert blocker.result(PATIENCE) == "through"


@pytest.fixture
def in_threads() -> Callable[..., list[object]]:
    """Call a function in several threads at once, for ``0 .. n - 1``; what it returned, or raised."""

    def run(function: Callable[[int], object], n: int) -> list[object]:
        together = threading.Barrier(n)
        outcomes: list[object] = [None] * n

        def call(number: int) -> None:
            together.wait(PATIENCE)
            try:
                outcomes[number] = function(number)
            except Exception as error:  # noqa: BLE001  for the test to look at
                outcomes[number] = error

        started = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(n)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in started)
        return outcomes

    return run
