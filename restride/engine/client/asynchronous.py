"""Clients in asyncio: what would wait returns an awaitable instead, and waits in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class _Either(Protocol):
    asynchronous: bool


S = TypeVar("S", bound=_Either)


def awaitable(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """For methods that wait: of an asynchronous client they return an awaitable of what they would have returned.

    Parameters
    ----------
    method : callable
        Of an object with a flag ``asynchronous``.
    """

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.asynchronous:
            return asyncio.to_thread(method, self, *args, **kwargs)  # type: ignore[return-value]
        return method(self, *args, **kwargs)

    return call


async def until(call_when_ended: Callable[[Callable[[], object]], None]) -> None:
    """Wait for a call that may come from any thread.

    Parameters
    ----------
    call_when_ended : callable
        Given what is to be called.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def call() -> None:
        if not loop.is_closed():  # otherwise nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    call_when_ended(call)
    await ended.wait()
