"""Values with futures in them, written so that another client can read them.

A future travels nowhere else: its place is taken by a number, and whoever reads the value has futures of its own to put
there.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import cloudpickle

from restride.engine.client.futures import Future
from restride.errors import SerializationError


def dump_published(value: Any) -> tuple[bytes, list[Future]]:
    """Write a value.

    Parameters
    ----------
    value : object
        A collection, a future, or anything with such in it.

    Returns
    -------
    data : bytes
    futures : list of Future
        Those in it, each once.

    Raises
    ------
    SerializationError
        It cannot be pickled.
    """
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, protocol=5)
    try:
        pickler.dump(value)
    except Exception as error:
        raise SerializationError(
            f"a {type(value).__name__} cannot be pickled, and so not published: {error}"
        ) from error
    return buffer.getvalue(), list(pickler.futures)


def load_published(data: bytes | memoryview, futures: Sequence[Future]) -> Any:
    """Read a value.

    Parameters
    ----------
    data : bytes-like
        As written by `dump_published`.
    futures : sequence of Future
        To put in the places of those that were in it.
    """
    unpickler = _Unpickler(io.BytesIO(data))
    unpickler.futures = futures
    return unpickler.load()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, *, protocol: int) -> None:
        super().__init__(file, protocol=protocol)
        self.futures: dict[Future, int] = {}

    def persistent_id(self, value: Any) -> int | None:
        return self.futures.setdefault(value, len(self.futures)) if isinstance(value, Future) else None


class _Unpickler(pickle.Unpickler):
    futures: Sequence[Future]

    def persistent_load(self, number: int) -> Future:
        return self.futures[number]
