"""Clients and futures in asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import restride as rs

PATIENCE = 20.0


def run(function: Callable[[rs.Client], Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any) -> Any:
    """Run a coroutine with an asynchronous client."""

    async def main() -> Any:
        async with asyncio.timeout(PATIENCE), rs.Client(*args, **kwargs, asynchronous=True) as client:
            return await function(client)

    return asyncio.run(main())


@pytest.fixture(params=["threads", "inline", "processes"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("processes") if request.param == "processes" else request.param


def inc(x: int) -> int:
    return x + 1


def test_futures_can_be_awaited_and_what_would_wait_returns_awaitables(place: Any) -> None:
    async def use(client: rs.Client) -> None:
        assert await client.submit(inc, 1) == 2
        futures = client.map(inc, range(5))
        assert await client.gather(futures) == [1, 2, 3, 4, 5]
        assert await asyncio.gather(*futures) == [1, 2, 3, 4, 5]
        g = rs.TaskGraph()
        g.add(inc, 2, params=[1, 2])
        assert await client.get(g, [1, 0]) == [3, 2]
        assert await (await client.scatter(7)) == 7
        await client.publish_dataset(futures, name="of asyncio")
        assert await client.list_datasets() == ["of asyncio"]
        assert await (await client.get_dataset("of asyncio"))[4] == 5
        await client.unpublish_dataset("of asyncio")
        assert set((await client.run(inc, 1)).values()) == {2}
        await client.wait_for_workers(1)
        assert (await client.info())["threads"] >= 1

    run(use, place)


def test_an_awaited_future_raises_what_its_task_raised(place: Any) -> None:
    async def use(client: rs.Client) -> None:
        with pytest.raises(ZeroDivisionError):
            await client.submit(divmod, 1, 0)
        cancelled = client.submit(inc, 1)
        cancelled.release()
        with pytest.raises(rs.CancelledError):
            await cancelled

    run(use, place)


def test_as_completed_is_an_asynchronous_iterator(client: rs.Client) -> None:
    async def use() -> set[int]:
        return {await future async for future in rs.as_completed(client.map(inc, range(3)), PATIENCE)}

    assert asyncio.run(use()) == {1, 2, 3}


def test_futures_of_any_client_can_be_awaited(client: rs.Client) -> None:
    async def use() -> list[int]:
        return await asyncio.gather(*client.map(inc, range(3)))

    assert asyncio.run(use()) == [1, 2, 3]


def test_the_event_loop_goes_on_while_a_future_is_awaited(held: rs.Client, gate: Any) -> None:
    async def use() -> list[str]:
        order = []

        async def wait() -> None:
            order.append(f"has {await held.submit(inc, 1)}")

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        order.append("meanwhile")
        gate.open.set()
        await waiting
        return order

    assert asyncio.run(use()) == ["meanwhile", "has 2"]


def test_to_give_up_an_await_leaves_the_task(held: rs.Client, gate: Any) -> None:
    future = held.submit(inc, 1)

    async def use() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(future, 0.01)

    asyncio.run(use())
    gate.open.set()
    assert future.result(PATIENCE) == 2


def test_a_client_opens_when_it_is_awaited_and_not_before() -> None:
    async def use() -> None:
        client = rs.Client(threads=1, asynchronous=True)
        assert client.closed
        with pytest.raises(rs.ClosedError, match="not open yet: await it"):
            client.submit(inc, 1)
        assert await client is client
        assert await client.submit(inc, 1) == 2
        assert rs.default_client() is client
        await client.close()
        assert client.closed

    asyncio.run(use())


def test_other_clients_are_no_awaitables(client: rs.Client) -> None:
    async def use() -> None:
        with pytest.raises(TypeError, match="asynchronous=True"):
            await client

    asyncio.run(use())


def test_an_asynchronous_client_cannot_be_entered_before_it_is_open() -> None:
    with pytest.raises(rs.ClosedError, match="await it"), rs.Client(asynchronous=True):
        pass
