"""Reading and writing parts of Zarr arrays in the thread that asks for it.

Zarr's own functions hand each part to one thread with an event loop, which hands reading, decoding, encoding and
writing to others, one after the other. Where several threads run tasks anyway that only costs switches between threads,
unless there are several chunks to read at a time, or a store's client lives in that event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import zarr


def read(array: zarr.Array, where: tuple[slice, ...]) -> np.ndarray:
    """A part of an array, in memory."""
    if not _is_quick(array, where):
        return np.asarray(array[where])
    return np.asarray(_run(array.async_array.getitem(where)))


def write(array: zarr.Array, where: tuple[slice, ...], block: Any) -> None:
    """Write a part of an array."""
    if _is_quick(array, where):
        _run(array.async_array.setitem(where, block))
    else:
        array[where] = block


def _is_quick(array: zarr.Array, where: tuple[slice, ...]) -> bool:
    """Whether a part is in one chunk of a local directory, and no event loop runs in this thread."""
    import zarr

    if type(array.store_path.store) is not zarr.storage.LocalStore or _is_loop_running():
        return False
    unit = array.shards or array.chunks
    return all(side.stop > side.start and side.start // n == (side.stop - 1) // n for side, n in zip(where, unit))


def _is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that does by itself what is meant for other threads."""

    def run_in_executor(  # type: ignore[override]  # of any function
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        result = self.create_future()
        try:
            result.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # whoever awaits the result raises it
            result.set_exception(error)
        return result


class _Owner:
    """Closes an event loop when nothing needs it any more; a loop by itself has to wait for the garbage collector."""

    def __init__(self) -> None:
        self.loop = _Loop()

    def __del__(self) -> None:
        self.loop.close()


class _Own(threading.local):
    """What each thread has to itself, for as long as it lives."""

    def __init__(self) -> None:
        self.owner = _Owner()


_own = _Own()


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return _own.owner.loop.run_until_complete(work)
