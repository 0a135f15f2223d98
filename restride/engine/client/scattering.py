"""Data that a client has already, as futures.

What is small travels with a job, as the argument of a call that returns it. What is not goes from the client to the
workers that hold it, past the scheduler: a job says only that there are such outputs, and the client keeps what they
are made of, for as long as anything may be computed from them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from restride.engine.client.asynchronous import awaitable
from restride.engine.client.engine import Engine
from restride.engine.client.futures import Future
from restride.engine.client.futures import wait as wait_for
from restride.engine.client.structure import futures_in, map_items
from restride.engine.client.submission import Submission
from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import compile_job
from restride.engine.graphs.options import Options, options_of
from restride.engine.graphs.origin import user_line
from restride.engine.messages import Blob
from restride.engine.serialize import dump_values

LARGE_BYTES = 64 << 10
"""What is larger goes straight to a worker: for less, a hop more costs more than the scheduler's passing it on."""
_ATOMS = (int, float, complex, bool, type(None), np.generic)


@dataclass(frozen=True, eq=False, slots=True)
class ScatteredValue:
    """A value as it was when it was scattered."""

    head: bytes
    """Pickle of the list of it alone, without the buffers."""
    buffers: Sequence[Blob]
    """Its own, so that nobody changes them."""

    @property
    def nbytes(self) -> int:
        return len(self.head) + sum(map(len, self.buffers))


class Scatters:
    """Part of `Client`: scattering."""

    asynchronous: bool
    _engine: Engine

    def _check_open(self) -> None:
        raise NotImplementedError

    def _call(self, function: Callable[..., Any], arguments: Sequence[Any], options: Options) -> list[Future]:
        raise NotImplementedError

    def _submit(self, submission: Submission) -> None:
        raise NotImplementedError

    def _future(self, submission: Submission, position: int) -> Future:
        raise NotImplementedError

    @awaitable
    def scatter(self, data: Any, *, workers: str | Iterable[str] | None = None, broadcast: bool = False) -> Any:
        """Make futures of data that exist already.

        In other processes the futures stand for the data as they are now: what is changed afterwards does not count.
        To have them again when a worker is lost, this process keeps a copy of what is larger than 64 KiB until nothing
        can need it any more; when it has ended, what was lost with a worker is a `LostError`.

        Parameters
        ----------
        data : object, list, tuple or dict
            Of a list, a tuple or a dict each element becomes a future; anything else becomes one future.
        workers : str or iterable of str, optional
            Names, addresses or hosts of the workers that may hold them.
        broadcast : bool
            Whether each worker is to have a copy of all of them.

        Returns
        -------
        Future, or list, tuple or dict of Future

        Raises
        ------
        SerializationError
            A TypeError: data that would have to travel, and cannot be pickled.

        Examples
        --------
        >>> import restride as rs
        >>> with rs.Client(threads=2) as client:
        ...     scattered = client.scatter({"a": 1, "b": [2, 3]})
        ...     client.submit(sum, scattered["b"]).result()
        5
        """
        options = options_of(workers=workers)
        scattered = map_items(lambda items: self._scattered(items, options), data)
        if broadcast:
            futures = futures_in(scattered)
            wait_for(futures)
            self._engine.replicate(futures, options.workers or None)
        return scattered

    def _scattered(self, items: list[Any], options: Options) -> list[Future]:
        self._check_open()
        self._engine.check(options)
        packed = [_packed_if_large(item) if self._engine.packs else None for item in items]
        small = iter(self._call(_identity, [((item,), {}) for item, p in zip(items, packed) if p is None], options))
        large = iter(self._delivered([value for value in packed if value is not None], options))
        return [next(small) if value is None else next(large) for value in packed]

    def _delivered(self, values: list[ScatteredValue], options: Options) -> list[Future]:
        if not values:
            return []
        submission = Submission(options=replace(options, scattered=True))
        submission.expect(len(values))
        submission.scattered = values
        graph = TaskGraph()
        layer = graph.add_layer(_identity, len(values), name="scatter", origin=user_line())
        submission.seal(*compile_job(graph, layer.ids))
        self._submit(submission)
        return [self._future(submission, position) for position in range(len(values))]


def _packed_if_large(value: Any) -> ScatteredValue | None:
    """A value as it is now; None if it is small."""
    if isinstance(value, _ATOMS) or (isinstance(value, (str, bytes)) and len(value) <= LARGE_BYTES):
        return None
    if value.__class__ is np.ndarray and not value.dtype.hasobject and value.nbytes <= LARGE_BYTES:
        return None
    head, buffers = dump_values([value])
    if len(head) + sum(map(len, buffers)) <= LARGE_BYTES:
        return None
    return ScatteredValue(head, [_own(buffer) for buffer in buffers])


def _own(buffer: memoryview) -> Blob:
    """Memory with the same bytes that nobody else can change."""
    if type(buffer.obj) is bytes:
        return buffer
    return np.frombuffer(buffer, np.uint8).copy().data


def _identity(value: Any) -> Any:
    return value
