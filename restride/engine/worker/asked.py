"""Outputs that others ask a worker for: other workers that need them, and clients that want them.

An output that is here is answered at once; a request for one that is not is parked until it comes. The request may
even be here before the task is, as its news comes another way; and it stays where a task is given back, as the task
may return. Who does not need an output any more withdraws the request.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from restride.engine.worker.store import Store
from restride.errors import InternalError


class Asked:
    """Who waits for which output, and who is to be sent which.

    Attributes
    ----------
    waiting : dict of int to list
        Who has asked for an output that is not here.
    """

    def __init__(self, store: Store) -> None:
        self.waiting: dict[int, list[Hashable]] = {}
        self._store = store
        self._parked: dict[Hashable, set[int]] = {}
        """The same, by who has asked."""
        self._answers: dict[Hashable, list[int]] = {}

    def __bool__(self) -> bool:
        """Whether some request is parked."""
        return bool(self.waiting)

    def ask(self, peer: Hashable, ids: Iterable[int]) -> None:
        """Somebody wants outputs, each as soon as it exists."""
        here = self._store.outputs
        for id in ids:
            if id in here:
                self._answers.setdefault(peer, []).append(id)
            elif id not in self._parked.setdefault(peer, set()):
                self._parked[peer].add(id)
                self.waiting.setdefault(id, []).append(peer)

    def withdraw(self, peer: Hashable, ids: Iterable[int]) -> None:
        """Somebody does not want these any more."""
        parked = self._parked.get(peer, set())
        for id in parked.intersection(ids):
            parked.discard(id)
            self._no_longer_waits(peer, id)
        if not parked:
            self._parked.pop(peer, None)

    def gone(self, peer: Hashable) -> None:
        """Somebody cannot be answered any more."""
        for id in self._parked.pop(peer, ()):
            self._no_longer_waits(peer, id)
        self._answers.pop(peer, None)

    def came(self, ids: Iterable[int]) -> None:
        """Outputs are here now."""
        for id in ids:
            for peer in self._unpark(id):
                self._answers.setdefault(peer, []).append(id)

    def answers(self) -> list[tuple[Hashable, list[int]]]:
        """Whom to send which outputs now; those that were dropped meanwhile, nobody needs."""
        if not self._answers:
            return []
        answers, self._answers = self._answers, {}
        here = self._store.outputs
        kept = [(peer, [id for id in ids if id in here]) for peer, ids in answers.items()]
        return [(peer, ids) for peer, ids in kept if ids]

    def audit(self) -> None:
        """Check the tables against each other."""
        by_peer: dict[Hashable, set[int]] = {}
        for id, peers in self.waiting.items():
            if id in self._store:
                raise InternalError(f"a request for output {id} is parked, which is here")
            for peer in peers:
                by_peer.setdefault(peer, set()).add(id)
        if by_peer != self._parked:
            raise InternalError(f"requests are parked: {by_peer}, by who asked {self._parked}")

    def _unpark(self, id: int) -> Sequence[Hashable]:
        peers = self.waiting.pop(id, ())
        for peer in peers:
            parked = self._parked[peer]
            parked.discard(id)
            if not parked:
                del self._parked[peer]
        return peers

    def _no_longer_waits(self, peer: Hashable, id: int) -> None:
        peers = self.waiting[id]
        peers.remove(peer)
        if not peers:
            del self.waiting[id]
