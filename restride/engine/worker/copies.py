"""Outputs of other workers that tasks here need: asked for once, kept while they are needed, and a little longer.

An output's home is the worker that runs its task. A copy that no placed task here needs any more is spare: a task that
is placed soon may need it again, so it goes at the tick after the next, or sooner where spare copies take too much.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from restride.engine.worker.sizes import Size
from restride.engine.worker.store import Store
from restride.errors import InternalError

SPARE_BYTES = 16 * 2**20
"""What spare copies may take."""
SPARE_TICKS = 2
"""How many ticks a spare copy outlives, at most."""


class Copies:
    """What is asked of whom, and what came of it.

    Attributes
    ----------
    uses : dict of int to int
        How often placed tasks have an output among their inputs that is another worker's.
    sought : dict of int to int
        Outputs that are waited for, and the worker that each is asked of.
    """

    def __init__(self, store: Store) -> None:
        self.uses: dict[int, int] = {}
        self.sought: dict[int, int] = {}
        self._store = store
        self._nbytes: dict[int, int] = {}
        """The copies that are here, and their sizes."""
        self._pinned: set[int] = set()
        """What is to be held until it is dropped, needed or not."""
        self._spare: dict[int, int] = {}
        """Copies that nothing needs, the oldest first, and since which tick."""
        self._spare_nbytes = 0
        self._ticks = 0
        self._requests: dict[int, dict[int, None]] = {}
        self._withdrawals: dict[int, list[int]] = {}

    def __bool__(self) -> bool:
        """Whether there are any, here or on their way."""
        return bool(self._nbytes or self.sought or self._pinned)

    def __contains__(self, id: int) -> bool:
        return id in self._nbytes

    # ---- what is needed

    def need(self, ids: Iterable[int], homes: Iterable[int], placed: Container[int]) -> None:
        """Placed tasks need outputs; what is neither here nor `placed` here is asked of its home."""
        uses, here = self.uses, self._store.outputs
        for id, home in zip(ids, homes):
            n = uses.get(id)
            if n is not None:
                uses[id] = n + 1
                continue
            uses[id] = 1
            if id in self._spare:
                self._unspare(id)
            elif id not in here and id not in placed and id not in self.sought:
                self.seek(id, home)

    def release(self, ids: Iterable[int]) -> None:
        """Tasks that needed these have ended, or are not here any more."""
        uses = self.uses
        for id in ids:
            n = uses[id] - 1
            if n:
                uses[id] = n
            else:
                del uses[id]
                self._let_go(id)

    def pin(self, ids: Iterable[int], homes: Iterable[int], placed: Container[int]) -> None:
        """Outputs to hold until they are dropped."""
        for id, home in zip(ids, homes):
            self._pinned.add(id)
            if id in self._spare:
                self._unspare(id)
            elif id not in self._store.outputs and id not in placed and id not in self.sought:
                self.seek(id, home)

    def dropped(self, ids: Iterable[int]) -> list[int]:
        """Of these outputs, which are here, those that can be dropped now: no copy that a task still needs."""
        can_go = []
        for id in ids:
            self._pinned.discard(id)
            if id not in self._nbytes or id not in self.uses:
                self._forget(id)
                can_go.append(id)
        return can_go

    def not_wanted(self, ids: Iterable[int]) -> None:
        """Outputs that are not here need not be held once they come."""
        for id in self._pinned.intersection(ids):
            self._pinned.discard(id)
            if id not in self.uses:
                self._let_go(id)

    def adopt(self, id: int) -> int:
        """A copy becomes this worker's own output; its size."""
        nbytes = self._nbytes[id]
        self._forget(id)
        self._pinned.discard(id)
        return nbytes

    def seek(self, id: int, home: int) -> None:
        """Ask a worker for an output, or another one than before."""
        if id in self.sought:
            if self.sought[id] == home:
                return
            self.stop_seeking(id)
        self.sought[id] = home
        self._requests.setdefault(home, {})[id] = None

    def stop_seeking(self, id: int) -> None:
        """An output will come to exist here, or not at all."""
        home = self.sought.pop(id)
        waiting = self._requests.get(home, {})
        if id in waiting:
            del waiting[id]
        else:
            self._withdrawals.setdefault(home, []).append(id)

    # ---- news

    def came(self, ids: Sequence[int], values: Sequence[Any], sizes: Sequence[Size]) -> list[int]:
        """Copies have come; those that were still waited for, which are in the store now."""
        fresh = {id: at for at, id in enumerate(ids) if id in self.sought}
        if len(fresh) < len(ids):
            values, sizes = ([column[at] for at in fresh.values()] for column in (values, sizes))
        for id, size in zip(fresh, sizes):
            home = self.sought.pop(id)
            if home in self._requests:  # this answers an earlier one
                self._requests[home].pop(id, None)
            self._nbytes[id] = size if type(size) is int else size[0]  # type: ignore[index]
        came = list(fresh)
        self._store.put(came, values, sizes)
        return came

    def ask_again(self, worker: int) -> None:
        """A worker has forgotten what it was asked for."""
        for id, home in self.sought.items():
            if home == worker:
                self._requests.setdefault(home, {})[id] = None

    def tick(self) -> None:
        """Time goes by: let go of what has been spare for long enough."""
        self._ticks += 1
        old = []
        for id, since in self._spare.items():
            if self._ticks - since < SPARE_TICKS:
                break
            old.append(id)
        self._drop_spare(old)

    def requests(self) -> dict[int, list[int]]:
        """Which outputs to ask of which worker, since the last call; withdrawals go before them."""
        if not self._requests:
            return {}
        requests, self._requests = self._requests, {}
        return {worker: list(ids) for worker, ids in requests.items() if ids}

    def withdrawals(self) -> dict[int, list[int]]:
        """Of which earlier requests to tell which worker that they do not matter any more, since the last call."""
        withdrawals, self._withdrawals = self._withdrawals, {}
        return withdrawals

    def audit(self) -> None:
        """Check the tables against each other."""
        here = self._store.outputs.keys()
        checks = (
            ("copies are not in the store", self._nbytes.keys() - here),
            ("outputs are sought that are here", self.sought.keys() & here),
            ("outputs are sought that nothing needs", self.sought.keys() - self.uses.keys() - self._pinned),
            ("spare copies are not here", self._spare.keys() - self._nbytes.keys()),
            ("spare copies are needed", self._spare.keys() & (self.uses.keys() | self._pinned)),
            ("copies are neither needed nor spare",
             self._nbytes.keys() - self.uses.keys() - self._pinned - self._spare.keys()),
        )  # fmt: skip
        for what, ids in checks:
            if ids:
                raise InternalError(f"{what}: {sorted(ids)}")
        if sum(self._nbytes[id] for id in self._spare) != self._spare_nbytes:
            raise InternalError(f"spare copies take {self._spare_nbytes} bytes by their own count")

    # ---- inner parts

    def _let_go(self, id: int) -> None:
        """Nothing needs an output any more."""
        if id in self._pinned:
            return
        if id in self._nbytes:
            self._spare[id] = self._ticks
            self._spare_nbytes += self._nbytes[id]
            if self._spare_nbytes > SPARE_BYTES:
                self._shrink()
        elif id in self.sought:
            self.stop_seeking(id)

    def _shrink(self) -> None:
        left, old = self._spare_nbytes, []
        for id in self._spare:
            if left <= SPARE_BYTES:
                break
            left -= self._nbytes[id]
            old.append(id)
        self._drop_spare(old)

    def _drop_spare(self, ids: list[int]) -> None:
        for id in ids:
            self._forget(id)
        self._store.drop(ids)

    def _unspare(self, id: int) -> None:
        del self._spare[id]
        self._spare_nbytes -= self._nbytes[id]

    def _forget(self, id: int) -> None:
        if id in self._spare:
            self._unspare(id)
        self._nbytes.pop(id, None)
