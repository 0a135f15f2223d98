"""`Writing`: collections on their way out, as something that can be computed.

Only the writing of the blocks is tasks. Those may run twice, on workers that are lost and found; what prepares the
target and what makes it appear may not: the client does that, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

from restride.collections.blocks import Blocks, Select, every
from restride.collections.collection import Collection
from restride.collections.expression import Expr


@dataclass(frozen=True, eq=False, repr=False)
class WriteExpr(Expr):
    """Base of nodes whose blocks are made when those of a collection are written."""

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other: what is done twice is not done once."""
        return [object()]

    @property
    def place(self) -> str:
        """What people call the place that is written to."""
        raise NotImplementedError(type(self).__name__)

    @property
    def n_writes(self) -> int:
        """How many blocks there are."""
        raise NotImplementedError(type(self).__name__)

    def begun(self, *, here: bool) -> Self:
        """Prepare the target, in the client's process; the node whose blocks are to be made.

        Parameters
        ----------
        here : bool
            Blocks will be written by this process.
        """
        raise NotImplementedError(type(self).__name__)

    def finish(self, results: list[Any]) -> None:
        """All blocks are written, which gave these results: make them appear."""
        raise NotImplementedError(type(self).__name__)

    def discard(self) -> None:
        """The computation has failed: delete what was begun, where that can be done; nothing if it is finished."""
        raise NotImplementedError(type(self).__name__)


@dataclass(frozen=True, eq=False, repr=False)
class Writes(Expr):
    """Several collections written at once; the blocks of the first come first."""

    writes: tuple[WriteExpr, ...]

    def blocks(self, *children: Blocks) -> Blocks:
        n = sum(table.n for table in children)
        return Select(n=n, inputs=children, table=every(n))


class Writing(Collection):
    """Collections to be written: nothing happens until `compute`, which returns None when they are there.

    Several are written at once by ``rs.compute(one, other)``; ``client.submit(writing.compute)`` writes in the
    background. What was begun is deleted where a computation fails, and the same writing can be computed again.
    """

    def __init__(self, writes: Sequence[WriteExpr]) -> None:
        self.writes = tuple(writes)
        self.expr = _together(self.writes)

    @property
    def path(self) -> str:
        """What people call the place."""
        return ", ".join(dict.fromkeys(write.place for write in self.writes))

    def __repr__(self) -> str:
        return f"<Writing to {self.path}>"

    @contextmanager
    def _computing(self, *, here: bool) -> Iterator[tuple[Expr, Callable[[list[Any]], None]]]:
        with ExitStack() as undo:
            begun: list[WriteExpr] = []
            for write in self.writes:
                try:
                    begun.append(write.begun(here=here))
                except Exception as error:
                    error.add_note(f"while preparing to write {write.place}")
                    raise
                undo.callback(begun[-1].discard)

            def finish(results: list[Any]) -> None:
                ends = np.cumsum([0, *(write.n_writes for write in begun)]).tolist()
                for write, (start, stop) in zip(begun, pairwise(ends)):
                    write.finish(results[start:stop])

            yield _together(tuple(begun)), finish
            undo.pop_all()

    def _to_persist(self) -> Expr:
        raise TypeError(
            f"{self!r} leaves nothing in memory that could persist; call compute() instead, "
            "or client.submit(writing.compute) to write in the background"
        )


def _together(writes: tuple[WriteExpr, ...]) -> Expr:
    return writes[0] if len(writes) == 1 else Writes(writes)
