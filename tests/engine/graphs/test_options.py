"""What may be asked for beside the result: retries, priority, workers, resources."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import restride as rs
import restride.array as ra
from restride.engine.graphs.options import Options, options_of

PATIENCE = 20.0


class Flaky:
    """Raises for the first times that it is called."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.calls = 0

    def __call__(self, *_: object) -> int:
        self.calls += 1
        if self.calls <= self.left:
            raise ConnectionError(f"call {self.calls}")
        return self.calls


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_what_raises_is_called_again_as_often_as_asked(near: rs.Client, retries: int) -> None:
    assert near.submit(Flaky(retries), retries=retries).result(PATIENCE) == retries + 1
    broken = Flaky(retries + 1)
    with pytest.raises(ConnectionError, match=f"call {retries + 1}"):
        near.submit(broken, retries=retries).result(PATIENCE)
    assert broken.calls == retries + 1


def test_retries_hold_for_graphs_and_maps_too(near: rs.Client) -> None:
    g = rs.TaskGraph()
    g.add(Flaky(2), 1)
    assert near.get(g, [0], retries=2) == [3]
    g = rs.TaskGraph()
    g.add(Flaky(2), 1)
    (future,) = near.submit_graph(g, [0], retries=2)
    assert future.result(PATIENCE) == 3
    (future,) = near.map(Flaky(2), [1], retries=2)
    assert future.result(PATIENCE) == 3


def test_what_has_a_higher_priority_is_begun_first(held: rs.Client, gate: Any) -> None:
    order: list[str] = []
    futures = [
        held.submit(order.append, "low", priority=-1),
        held.submit(order.append, "plain"),
        held.submit(order.append, "high", priority=5),
    ]
    gate.open.set()
    rs.wait(futures, PATIENCE)
    assert order == ["high", "plain", "low"]


def test_calls_of_other_options_do_not_travel_together(held: rs.Client, gate: Any) -> None:
    plain, again, urgent = held.submit(abs, 1), held.submit(abs, 2), held.submit(abs, 3, priority=1)
    assert plain.submission is again.submission
    assert urgent.submission is not plain.submission
    assert (plain.submission.options, urgent.submission.options) == (Options(), Options(priority=1))
    dependent = held.submit(abs, urgent)
    gate.open.set()
    assert dependent.result(PATIENCE) == 3


@pytest.mark.parametrize("option", [{"workers": "a"}, {"workers": ["a", "b"]}, {"resources": {"GPU": 1}}])
def test_a_client_of_this_process_has_no_workers_to_choose_from(near: rs.Client, option: dict[str, Any]) -> None:
    g = rs.TaskGraph()
    g.add(abs, 1, params=[1])
    for ask in (
        lambda: near.submit(abs, 1, **option),
        lambda: near.map(abs, [1], **option),
        lambda: near.get(g, [0], **option),
        lambda: near.submit_graph(g, [0], **option),
    ):
        with pytest.raises(ValueError, match=f"{next(iter(option))}= chooses among workers"):
            ask()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"retries": -1}, "retries must be a number from 0, got -1"),
        ({"priority": 10_000}, "priority must be from"),
        ({"resources": {"GPU": -1}}, "resources must be amounts from 0"),
    ],
)
def test_impossible_options_are_refused_at_the_call(client: rs.Client, option: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        client.submit(abs, 1, **option)


def test_options_as_people_say_them() -> None:
    assert options_of() == Options()
    assert options_of(workers="a") == Options(workers=("a",))
    assert options_of(workers=(name for name in "ab")) == Options(workers=("a", "b"))
    assert options_of(1, 2, None, {"GPU": 1}) == Options(1, 2, (), {"GPU": 1})


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_map_may_be_submitted_in_batches(client: rs.Client, batch_size: int) -> None:
    assert client.gather(client.map(pow, range(10), np.full(10, 2), batch_size=batch_size)) == [
        i * i for i in range(10)
    ]


def test_a_map_in_batches_begins_before_it_has_seen_the_last_element(client: rs.Client) -> None:
    def elements() -> Any:
        yield from (1, 2)
        assert client.submit(abs, -1).result(PATIENCE) == 1
        yield 3

    assert client.gather(client.map(abs, elements(), batch_size=2)) == [1, 2, 3]
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        client.map(abs, [1], batch_size=0)


def test_collections_are_computed_and_persisted_with_options(near: rs.Client) -> None:
    for compute in (lambda x: x.compute(retries=2), lambda x: x.persist(retries=2).compute()):
        flaky = Flaky(2)

        def block(part: Any, flaky: Flaky = flaky) -> Any:
            flaky()
            return part

        assert compute(ra.arange(10, chunks=10).map_blocks(block, dtype=np.int64)).sum() == 45
    with pytest.raises(ValueError, match="chooses among workers"):
        ra.arange(10, chunks=5).compute(workers="a")
    with pytest.raises(TypeError, match="unexpected keyword"):
        ra.arange(10, chunks=5).persist(tries=3)


def test_collections_are_computed_by_an_asynchronous_client_too() -> None:
    async def use() -> None:
        async with rs.Client(threads=1, asynchronous=True) as client:
            assert rs.default_client() is client
            assert ra.arange(10, chunks=5).sum().compute() == 45

    asyncio.run(use())
