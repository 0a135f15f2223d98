"""The outputs that a worker holds in memory, and the bytes that they really take.

Views of one buffer share it, so the store counts buffers. A thin view must not keep a fat buffer alive: a view that
shows less than a part in `WASTE` of a buffer that nothing else holds is copied, when it comes, or when the last output
that justified the buffer goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from restride.engine.worker.sizes import Size, copies_of, size_of

WASTE = 8
"""How many times its own bytes a view may keep alive."""
WASTE_OF_WHOLE = 2
"""The same once what showed all of the buffer has gone: nothing will be cut from that any more."""


class _Buffer:
    """A buffer and which outputs show it."""

    __slots__ = ("nbytes", "shown", "viewers")

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes
        self.shown = 0
        self.viewers: set[int] = set()


class Store:
    """Outputs by id.

    Attributes
    ----------
    outputs : dict of int to object
        To read, also without a lock; never to change from outside.
    nbytes : int
        Bytes held, each buffer once.
    """

    def __init__(self) -> None:
        self.outputs: dict[int, Any] = {}
        self.nbytes = 0
        self._sizes: dict[int, Size] = {}
        self._buffers: dict[int, _Buffer] = {}

    def __len__(self) -> int:
        return len(self.outputs)

    def __contains__(self, id: int) -> bool:
        return id in self.outputs

    def __iter__(self) -> Iterator[int]:
        return iter(self.outputs)

    def __getitem__(self, id: int) -> Any:
        return self.outputs[id]

    def take(self, ids: Iterable[int]) -> list[Any]:
        """Several outputs; KeyError where one is not here."""
        return list(map(self.outputs.__getitem__, ids))

    def is_waste(self, size: Size) -> bool:
        """Whether an output that is about to come had better be copied: a thin view of what nothing here holds."""
        return type(size) is tuple and size[2] > WASTE * size[0] and size[1] not in self._buffers

    def put(self, ids: Sequence[int], values: Sequence[Any], sizes: Sequence[Size]) -> None:
        """Take in outputs; their sizes are those of `size_of`."""
        self.outputs.update(zip(ids, values))
        self._sizes.update(zip(ids, sizes))
        nbytes = 0
        views: dict[int, list[tuple[int, tuple[int, int, int]]]] = {}
        for id, size in zip(ids, sizes):
            if type(size) is int:
                nbytes += size
            else:
                views.setdefault(size[1], []).append((id, size))  # type: ignore[index,arg-type]
        self.nbytes += nbytes
        for key, viewers in views.items():
            self._share(key, viewers)

    def drop(self, ids: Iterable[int]) -> None:
        """Let go of outputs; KeyError where one is not here."""
        outputs, sizes = self.outputs, self._sizes
        nbytes = 0
        for id in ids:
            del outputs[id]
            size = sizes.pop(id)
            if type(size) is int:
                nbytes += size
            else:
                self._unshare(id, size[0], size[1])  # type: ignore[index]
        self.nbytes -= nbytes

    def _share(self, key: int, viewers: Sequence[tuple[int, tuple[int, int, int]]]) -> None:
        """Outputs show a buffer; they have come together."""
        shown, nbytes = sum(size[0] for _, size in viewers), viewers[0][1][2]
        buffer = self._buffers.get(key)
        if buffer is None:
            if nbytes > WASTE * shown:  # what justified the views went while they were on their way
                self._copy([id for id, _ in viewers])
                return
            buffer = self._buffers[key] = _Buffer(nbytes)
            self.nbytes += nbytes
        buffer.shown += shown
        buffer.viewers.update(id for id, _ in viewers)

    def _unshare(self, id: int, nbytes: int, key: int) -> None:
        buffer = self._buffers[key]
        buffer.shown -= nbytes
        buffer.viewers.discard(id)
        waste = WASTE_OF_WHOLE if nbytes == buffer.nbytes else WASTE
        if not buffer.viewers or buffer.nbytes > waste * buffer.shown:
            del self._buffers[key]
            self.nbytes -= buffer.nbytes
            if buffer.viewers:
                self._copy(list(buffer.viewers))

    def _copy(self, ids: Sequence[int]) -> None:
        """Replace views of a buffer by copies, which keep nothing else alive."""
        copies = copies_of(self.take(ids))
        self.put(ids, copies, list(map(size_of, copies)))
