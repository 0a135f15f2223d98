"""Which thread runs which task next: claims on what is ready, within what the worker has of resources and of memory.

Threads claim short tasks many at a time, and take them from their claim one by one without a lock, as others may take
them from its other end. Outcomes are settled when a claim has been run, so claims end sooner where others wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from heapq import heappop

from restride.engine.worker.kernels import Kernel
from restride.engine.worker.placed import PlacedRun
from restride.engine.worker.ready import Ready
from restride.engine.worker.ready_queue import ReadyQueue
from restride.engine.worker.resources import Resources

BATCH_SECONDS = 1e-3
"""Expected work that a thread claims at once."""
BATCH_TASKS = 512
"""Tasks that a thread claims at once, at most."""

AWAITED_SECONDS = 5e-5
"""What another worker or a client waits for is not kept from it for longer by what is claimed along with it."""
MANY_AWAITED = 32
"""Unless so many outputs are waited for: they had better go in few messages, as each takes as long as some tasks."""
MOST_OVERTAKEN = 8
"""Nor by what stands before it, as long as that is not more tasks than this."""
QUICK_SECONDS = 3e-4
"""Tasks that take less are run by whoever has their last input, as it takes about as long to wake a thread for them."""
LONG_SECONDS = 1e-2
"""Unless some of their layer take longer, of late."""

Slot = list[int] | memoryview
"""One item: the id of the task that a thread is at, or `NO_TASK`."""
NO_TASK = -(2**63)


class Claims:
    """The queue of what is ready, and what each thread has of it.

    Parameters
    ----------
    tasks : dict of int to PlacedRun
        What has been placed; ids that are not in it, nobody needs any more.
    threads : int
        How many compute threads share what is ready.
    resources : mapping of str to float
        What the worker has of things that tasks may need for themselves.
    awaited : container of int
        Ids of tasks whose outputs others wait for.

    Attributes
    ----------
    ready : Ready
    slots : dict of int to Slot
        Which task each thread is at.
    blocked : int
        How many threads run a task that waits for others.
    """

    def __init__(
        self, tasks: dict[int, PlacedRun], threads: int, resources: Mapping[str, float], awaited: Mapping[int, object]
    ) -> None:
        self.ready = Ready(tasks)
        self.slots: dict[int, Slot] = {}
        self.blocked = 0
        self._tasks, self._threads, self._awaited = tasks, threads, awaited
        self._resources = Resources(resources)
        self._needy: set[int] = set()
        """Layers whose tasks need resources."""
        self._saves_memory = False
        self._claims: dict[int, deque[int]] = {}
        """What each thread has claimed and not begun."""
        self._stale: set[int] = set()
        """Tasks that were forgotten while they stood in a queue, or ran."""

    def claim(self, thread: int) -> tuple[deque[int], float]:
        """What `WorkerState.claim` says."""
        claimed = self._claims.setdefault(thread, deque())
        if self.ready.queues and claimed and self._expected(claimed) > BATCH_SECONDS:
            self.unclaim(thread)  # it takes longer than was thought, and others' turn may have come
        if self._resources and not claimed:
            self._free_resources(thread)
        if self.ready.queues:
            seconds = self._claim_by_turns(thread, claimed)
        else:
            seconds = self._claim_from(self.ready.only, thread, claimed)
        if claimed:
            return claimed, seconds / len(claimed)
        self._steal(claimed)
        if not claimed and self.ready.aside:
            if self._saves_memory and sum(slot[0] != NO_TASK for slot in self.slots.values()) <= self.blocked:
                self._claim_against_memory(thread, claimed)
        elif self._stale and not (claimed or self._resources):
            self._stale.clear()  # no queue has anything
        return claimed, BATCH_SECONDS

    def _claim_by_turns(self, thread: int, claimed: deque[int]) -> float:
        """Claim tasks of the client whose turn it is, if the last claim is used up; their expected seconds."""
        if claimed:
            return self._expected(claimed)
        self.ready.unclaimed(thread)
        seconds = 0.0
        while not claimed:
            client = self.ready.next_client()
            if client is None:
                break
            seconds = self._claim_from(self.ready.queues[client], thread, claimed)
            self.ready.claimed(thread, client, seconds)
        return seconds

    def _claim_from(self, queue: ReadyQueue, thread: int, claimed: deque[int]) -> float:
        """Claim tasks of a queue, or find that none of it can begin; their expected seconds."""
        placed, heap, run_of = queue.run, queue.heap, self._tasks.get
        choosy, awaited = self._saves_memory or self._needy, self._awaited
        patience = AWAITED_SECONDS if len(awaited) < MANY_AWAITED else BATCH_SECONDS
        share = min(-(-len(self.ready) // self._threads), BATCH_TASKS) - len(claimed)
        seconds, most = 0.0, BATCH_SECONDS
        while share > 0 and seconds < most and (placed or heap):
            id = placed.popleft() if placed and not (heap and heap[0] < placed[0]) else heappop(heap)
            run = run_of(id)
            if run is None:
                continue
            row = id - run.first if run.at is None else run.at[id]
            kernel = run.kernels[row]
            expected = kernel.seconds or BATCH_SECONDS  # one by one while nothing is known
            if claimed and (expected >= BATCH_SECONDS or (choosy and kernel.needs != self._resources.of(thread))):
                queue.add([id])  # a batch of its own: the outcomes of the others need not wait for it
                break
            if choosy and not self._may_begin(thread, kernel, run, row):
                self.ready.aside.append(id)
                continue
            share -= 1
            claimed.append(id)
            seconds += expected
            if awaited and id in awaited:
                most = min(most, seconds + patience)
        if awaited and 0 < len(claimed) <= MOST_OVERTAKEN:
            ahead = () if choosy else queue.pop(MOST_OVERTAKEN - len(claimed))
            if self._let_awaited_overtake(claimed, ahead):
                seconds = self._expected(claimed)
                if not choosy and len(awaited) >= MANY_AWAITED:
                    seconds = self._claim_more_awaited(queue, claimed, seconds)
        return seconds

    def _claim_more_awaited(self, queue: ReadyQueue, claimed: deque[int], seconds: float) -> float:
        """Claim what else is waited for, as far as it comes soon in the queue, to be sent along; expected seconds."""
        back: list[int] = []
        while seconds < BATCH_SECONDS and len(claimed) < BATCH_TASKS and len(back) <= MOST_OVERTAKEN and len(queue):
            (id,) = queue.pop(1)
            run = self._tasks.get(id)
            if run is None:
                continue
            expected = run.kernels[run.row(id)].seconds or BATCH_SECONDS
            if id in self._awaited and expected < BATCH_SECONDS:
                claimed.append(id)
                seconds += expected
            else:
                back.append(id)
        if back:
            queue.add(back)
        return seconds

    def _let_awaited_overtake(self, claimed: deque[int], ahead: Sequence[int] = ()) -> bool:
        """Put back the few tasks before one that others wait for, and what is ahead; whether there is one."""
        overtake = [id for id in claimed if id in self._awaited]
        if not overtake:
            overtake = [id for id in ahead if id in self._awaited and id in self._tasks][:1]
        back = ahead
        if overtake and claimed[0] != overtake[0]:
            back = [id for id in (*claimed, *ahead) if id not in overtake]
            claimed.clear()
            claimed.extend(overtake)
        if back:
            self.ready.add(list(back))
        return bool(overtake)

    def _expected(self, claimed: deque[int]) -> float:
        """Seconds that what is left of a claim takes, if all of it takes as long as the first that is needed."""
        for id in claimed:
            run = self._tasks.get(id)
            if run is not None:
                return len(claimed) * (run.kernels[run.row(id)].seconds or BATCH_SECONDS)
        return 0.0

    def claim_quick(self, thread: int) -> deque[int]:
        """What comes next, if it is known to take next to no time; nothing where it matters which tasks begin."""
        claimed = self._claims.setdefault(thread, deque())
        if self._saves_memory or self._needy:
            return claimed
        queue = self.ready.only
        if self.ready.queues:
            client = self.ready.next_client()
            queue = queue if client is None else self.ready.queues[client]
        placed, heap = queue.run, queue.heap
        seconds, most = 0.0, QUICK_SECONDS
        while seconds < most and (placed or heap):
            id = placed.popleft() if placed and not (heap and heap[0] < placed[0]) else heappop(heap)
            run = self._tasks.get(id)
            if run is None:
                continue
            kernel = run.kernels[run.row(id)]
            if not 0 < kernel.seconds < QUICK_SECONDS or kernel.longest > LONG_SECONDS:
                queue.add([id])
                break
            claimed.append(id)
            seconds += kernel.seconds
            if id in self._awaited:
                most = min(most, seconds + AWAITED_SECONDS)
        if most < QUICK_SECONDS and len(claimed) <= MOST_OVERTAKEN:
            self._let_awaited_overtake(claimed)
        return claimed

    def unclaim(self, thread: int) -> None:
        """A thread gives back what it has claimed and not begun."""
        claimed = self._claims.setdefault(thread, deque())
        if claimed:
            self.ready.unclaimed(thread)
        self.ready.add(list(claimed))
        claimed.clear()

    def forget_thread(self, thread: int) -> None:
        """A thread that has claimed nothing ends."""
        self._resources.give_back(thread)
        self._claims.pop(thread, None)
        self.ready.unclaimed(thread)
        self.slots.pop(thread, None)

    def charge(
        self,
        runs: Iterable[PlacedRun],
        seconds: Iterable[float],
        failures: Iterable[tuple[int, PlacedRun, BaseException]],
    ) -> None:
        """Tasks have run, or raised, where there are several clients: each is charged for its own."""
        self.ready.served(runs, seconds)
        for id, run, _ in failures:  # nobody knows how long it took: what it was expected to
            self.ready.served([run], [run.kernels[run.row(id)].seconds or BATCH_SECONDS])

    # ---- what may begin

    def learn_needs(self, kernels: Mapping[int, Kernel]) -> None:
        """Layers have come, by number."""
        for number, kernel in kernels.items():
            if kernel.needs:
                self._needy.add(number)

    def forget_layers(self, numbers: Iterable[int]) -> None:
        """Layers are over."""
        if self._needy:
            self._needy.difference_update(numbers)

    def save_memory(self, saves: bool) -> None:
        """Begin only tasks that have inputs, or any, as before."""
        self._saves_memory = saves
        if not saves:
            self.ready.take_in()

    # ---- tasks that are forgotten, and may come again

    def forgotten(self, id: int) -> None:
        """A task that may stand in a queue has been forgotten."""
        self._stale.add(id)

    def placed_again(self, ids: list[int]) -> None:
        """Tasks have come; what queues still hold of earlier comings must not count."""
        again = self._stale.intersection(ids) if self._stale else None
        if again:
            self._stale -= again
            self.ready.discard(again)
            for claimed in self._claims.values():
                for id in again.intersection(claimed):
                    with suppress(ValueError):  # its owner, who needs no lock, was faster
                        claimed.remove(id)

    def not_begun(self, ids: set[int]) -> set[int]:
        """Those of some tasks that are queued; and those that a thread has claimed, and now cannot begin any more."""
        found = self.ready.among(ids)
        for claimed in self._claims.values():
            for id in ids.intersection(claimed):
                with suppress(ValueError):  # its owner, who needs no lock, was faster
                    claimed.remove(id)
                    found.add(id)
        return found

    @property
    def waiting(self) -> int:
        """How many tasks could run, and have not begun."""
        return len(self.ready) + sum(map(len, self._claims.values()))

    def tick(self) -> None:
        """Forget which tasks were forgotten, once no queue has them; and clients that have no tasks here any more."""
        self.ready.tick()
        if self._stale:
            self._stale &= self.ready.among(self._stale).union(*self._claims.values())

    # ---- inner parts

    def _may_begin(self, thread: int, kernel: Kernel, run: PlacedRun, row: int) -> bool:
        if self._saves_memory and run.indptr[row] == run.indptr[row + 1]:
            return False
        return thread in self._resources or self._resources.take(thread, kernel.needs)

    def _free_resources(self, thread: int) -> None:
        """A thread that has claimed nothing runs nothing either; unless it asks from within a task that waits."""
        slot = self.slots.get(thread)
        if thread in self._resources and (slot is None or slot[0] == NO_TASK):
            self._resources.give_back(thread)
            self.ready.take_in()

    def _steal(self, claimed: deque[int]) -> None:
        claims: Iterable[deque[int]] = self._claims.values()
        if self._resources:  # which only those who have taken them may use
            claims = [each for thread, each in self._claims.items() if thread not in self._resources]
        richest = max(claims, key=len, default=claimed)
        for _ in range((len(richest) + 1) // 2):
            try:
                claimed.appendleft(richest.pop())
            except IndexError:  # its owner, who needs no lock, was faster
                return

    def _claim_against_memory(self, thread: int, claimed: deque[int]) -> None:
        """Nothing runs for want of memory, which may never come back by itself: begin a task all the same."""
        for id in sorted(self.ready.aside):
            run = self._tasks.get(id)
            if run is not None and self._resources.take(thread, run.kernels[run.row(id)].needs):
                self.ready.aside.remove(id)
                claimed.append(id)
                return
