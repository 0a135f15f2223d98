"""What a worker does, without threads, sockets or a clock.

Tasks come placed ahead of time. `WorkerState` holds each until its inputs are in the store, then queues it by id: ids
follow the static order, so the smallest is what finishes soonest what has been begun; several clients take turns
(`worker.ready`). Compute threads claim tasks from the queue, run them and bring the outcomes back by `settle`. What
nobody needs any more is dropped at any moment: a task that has not begun is forgotten, the result of one that has is
discarded when it comes.

Inputs that other workers hold are asked for when the first task is placed that needs them (`worker.copies`);
whoever asks for outputs of this worker is answered as they come to exist (`worker.asked`). The state says what
is to be asked and answered; sending it, and all pickling, is its owner's business.

A task costs about 0.8 µs here, from its placing to the report that it is finished (``python -m benchmarks micro``);
the loops over tasks are those that a dictionary each needs, all else goes by columns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise, repeat
from operator import is_
from typing import Any

import numpy as np

from restride.engine.graphs.csr import Ints
from restride.engine.messages import (
    Await,
    Drop,
    Failed,
    Finished,
    ForgetKernels,
    GivenBack,
    Kernels,
    Moved,
    PackedKernels,
    Place,
    Replicate,
    Stop,
    Stopped,
    TakeBack,
    ToWorker,
)
from restride.engine.worker.asked import Asked
from restride.engine.worker.awaited import Arrival, Awaited
from restride.engine.worker.claims import NO_TASK, Claims, Slot
from restride.engine.worker.copies import Copies
from restride.engine.worker.kernels import Kernel, KernelCache, unpacked
from restride.engine.worker.placed import PlacedRun
from restride.engine.worker.sizes import Size
from restride.engine.worker.store import Store
from restride.errors import InternalError

SAMPLE = 32
"""Of so many tasks of a batch at most are durations looked at."""
SMALL_BYTES = 1024
"""Outputs up to so many bytes go along with the news that they exist, where a client wants them."""


class Outcomes:
    """What a thread has done with the tasks that it claimed, in columns; and which task it is at.

    Parameters
    ----------
    running : Slot, optional
        Where the thread says which task it is at.
    """

    __slots__ = ("_at", "failures", "ids", "rows", "running", "runs", "seconds", "sizes", "values")

    def __init__(self, running: Slot | None = None) -> None:
        self.ids: list[int] = []
        self.runs: list[PlacedRun] = []
        self.rows: list[int] = []
        self.values: list[Any] = []
        self.sizes: list[Size] = []
        self.seconds: list[float] = []
        self.failures: list[tuple[int, PlacedRun, BaseException]] = []
        """Tasks that raised; the traceback begins in the kernel."""
        self.running: Slot = [NO_TASK] if running is None else running
        self._at = NO_TASK
        """Where the thread was when last somebody looked."""

    def stands_still(self) -> bool:
        """Whether the thread has done something, and is at the same task since this was asked last."""
        before, self._at = self._at, self.running[0]
        return bool(self.seconds) and self._at == before

    def taken(self) -> Outcomes:
        """What the thread has done so far, taken from it under the worker's lock while it goes on, without one.

        It only appends, and to `seconds` last; a task that raises, it settles at once.
        """
        taken, count = Outcomes(), len(self.seconds)
        for name in ("ids", "runs", "rows", "values", "sizes", "seconds"):
            column = getattr(self, name)
            setattr(taken, name, column[:count])
            del column[:count]
        return taken

    def clear(self) -> None:
        """Begin anew, in place."""
        for column in (self.ids, self.runs, self.rows, self.values, self.sizes, self.seconds, self.failures):
            column.clear()


class WorkerState:
    """All that a worker knows.

    Parameters
    ----------
    threads : int
        How many compute threads share what is ready.
    number : int, optional
        Which of several workers it is; None where it is the only one, and no client is in another process.
    resources : mapping of str to float, optional
        What it has of things that tasks may need for themselves.
    kernels : KernelCache, optional
        Kernels that have been unpickled.

    Attributes
    ----------
    store : Store
        The outputs that it holds, its own and copies.
    tasks : dict of int to PlacedRun
        What has been placed and is not settled yet, and as part of which run.
    claims : Claims
        What can run, and which thread has claimed what.
    ready : Ready
        Ids of tasks that can run; some may have been dropped since.
    copies : Copies
        Outputs of other workers.
    asked : Asked
        Who waits for outputs of this one.
    awaited : Awaited
        What clients have scattered, and are to send here.
    hungry : bool
        Whether some thread has nothing to do, so that outcomes are wanted at once; set by whoever runs the threads.
    wanted_unreported : bool
        Whether a client wants something that has finished since the last report.
    unreported_nbytes : int
        Bytes of the outputs that have come since the last report.
    """

    def __init__(
        self,
        threads: int,
        number: int | None = None,
        *,
        resources: Mapping[str, float] | None = None,
        kernels: KernelCache | None = None,
    ) -> None:
        self.number = number
        self.store = Store()
        self.tasks: dict[int, PlacedRun] = {}
        self.copies = Copies(self.store)
        self.asked = Asked(self.store)
        self.awaited = Awaited()
        self.claims = Claims(self.tasks, threads, resources or {}, self.asked.waiting)
        self.ready = self.claims.ready
        self.hungry = False
        self.wanted_unreported = False
        self.unreported_nbytes = 0
        self._cache = kernels or KernelCache()
        self._kernels: dict[int, Kernel] = {}
        self._missing: dict[int, int] = {}
        """How many inputs of a task are not here yet."""
        self._dependents: dict[int, int | list[int]] = {}
        """The task, or tasks, here that wait for an input; once a dependency."""
        self._moved_inputs: dict[int, list[int]] = {}
        """Inputs of a task that another worker has taken over since it was placed."""
        self._stops: dict[int, set[int]] = {}
        """Tasks that must have ended before `Stopped` is said."""
        self._ids: list[int] = []
        self._attempts: list[int] = []
        self._nbytes: list[int] = []
        self._seconds: list[float] = []
        self._failed: list[Failed] = []
        self._small: list[tuple[int, Any]] = []
        self._given_back: list[GivenBack] = []

    # ---- events from the scheduler

    def receive(self, message: ToWorker | PackedKernels) -> None:
        """Take in one message of the scheduler's."""
        match message:
            case Place():
                self._place(message)
            case Drop():
                self._drop(message.ids.tolist())
            case Await():
                self._await(message.ids.tolist(), message.attempts.tolist())
            case Kernels():
                self._kernels.update(zip(message.numbers, map(Kernel.of_layer, message.layers)))
            case PackedKernels():
                kernels = unpacked(message, self._cache)
                self._kernels.update(kernels)
                self.claims.learn_needs(kernels)
            case ForgetKernels():
                for number in message.numbers:
                    self._kernels.pop(number, None)
                self.claims.forget_layers(message.numbers)
            case TakeBack():
                self._take_back(message.ids.tolist())
            case Moved():
                self._move(message.ids.tolist(), message.homes.tolist())
            case Replicate():
                self.copies.pin(message.ids.tolist(), message.homes.tolist(), self.tasks)
            case Stop():
                self._stops[message.number] = set(message.ids.tolist())

    def _place(self, message: Place) -> None:
        run = PlacedRun(message, self._kernels)
        ids = message.ids.tolist()
        self.claims.placed_again(ids)
        if run.client != self.ready.client:
            self.ready.expect(run.client)
        self.tasks.update(zip(ids, repeat(run)))
        if self.number is not None:
            homes = run.note_homes(message, self.number)
            if homes:
                self.copies.need(run.copies, homes, self.tasks)
        ready = self._without_missing(ids, run) if run.deps else ids
        if ready:
            self.ready.add_run(ready, run.client)
        if self.copies:
            self._find_copies(ids)

    def _without_missing(self, ids: list[int], run: PlacedRun) -> list[int]:
        """Those tasks of a run whose inputs are all here; the others wait."""
        outputs, missing, dependents, every_dep = self.store.outputs, self._missing, self._dependents, run.deps
        ready = []
        for id, (start, stop) in zip(ids, pairwise(run.indptr)):
            absent = 0
            for dep in every_dep[start:stop]:
                if dep not in outputs:
                    absent += 1
                    waiting = dependents.get(dep)
                    if waiting is None:
                        dependents[dep] = id
                    elif type(waiting) is int:
                        dependents[dep] = [waiting, id]
                    else:
                        waiting.append(id)  # type: ignore[union-attr]
            if absent:
                missing[id] = absent
            else:
                ready.append(id)
        return ready

    def _find_copies(self, ids: list[int]) -> None:
        """Tasks have been placed: those whose outputs are here as copies have finished, no others are sought."""
        for id in ids:
            if id in self.copies.sought:
                self.copies.stop_seeking(id)
            elif id in self.copies:
                nbytes = self.copies.adopt(id)
                run = self._forget(id)
                row = run.row(id)
                self._note_finished([id], [run], [row], [nbytes], [run.kernels[row].seconds])

    def _drop(self, ids: list[int]) -> None:
        outputs = self.store.outputs
        held = [id for id in ids if id in outputs]
        self.store.drop(self.copies.dropped(held) if self.copies else held)
        if len(held) == len(ids):
            return
        for id in ids:
            if id in self.tasks:
                self._forget(id)
        if self.awaited.attempts:
            self.awaited.drop(ids)
        if self.copies:
            self.copies.not_wanted(ids)

    def _forget(self, id: int) -> PlacedRun:
        """Let go of a placed task; the run that it was part of."""
        run = self.tasks.pop(id)
        row = run.row(id)
        if self._missing.pop(id, 0):
            self._stop_waiting(id, run.deps_of(row))
        else:
            self.claims.forgotten(id)
        if self.copies.uses:
            self._release_copies(id, run, row)
        return run

    def _release_copies(self, id: int, run: PlacedRun, row: int) -> None:
        self.copies.release(run.copies_of(row))
        if self._moved_inputs:
            self.copies.release(self._moved_inputs.pop(id, ()))

    def _stop_waiting(self, id: int, deps: Sequence[int]) -> None:
        for dep in deps:
            waiting = self._dependents.get(dep)
            if waiting == id or waiting == [id]:
                del self._dependents[dep]
            elif type(waiting) is list and id in waiting:
                waiting.remove(id)

    def _take_back(self, ids: list[int]) -> None:
        queued = self.claims.not_begun(set(ids))
        given = [id for id in ids if id in self.tasks and (id in queued or id in self._missing)]
        attempts = []
        for id in given:
            run = self._forget(id)
            attempts.append(run.attempts[run.row(id)])
        self._given_back.append(GivenBack(np.array(given, np.int64), np.array(attempts, np.int32)))

    def _await(self, ids: list[int], attempts: list[int]) -> None:
        """A client will send these, unless they are here: as copies, or as it was quicker."""
        arrivals = self.awaited.expect(ids, attempts)
        for id in ids:
            if id in self.copies.sought:
                self.copies.stop_seeking(id)
            elif id in self.copies and id in self.awaited.attempts:
                self._report_delivered(id, self.awaited.attempts.pop(id), self.copies.adopt(id))
        self._take_delivered(arrivals)

    def _take_delivered(self, arrivals: Sequence[Arrival]) -> None:
        for id, attempt, value, size in arrivals:
            if size is None:
                self._failed.append(Failed(id, attempt, value, None))
                continue
            self.store.put([id], [value], [size])
            self._report_delivered(id, attempt, size if type(size) is int else size[0])  # type: ignore[index]
            self._arrive([id])
            self.asked.came([id])

    def _report_delivered(self, id: int, attempt: int, nbytes: int) -> None:
        self._ids.append(id)
        self._attempts.append(attempt)
        self._nbytes.append(nbytes)
        self._seconds.append(0.0)
        self.wanted_unreported = True

    def _move(self, ids: list[int], homes: list[int]) -> None:
        for id, home in zip(ids, homes):
            if home == self.number:
                if id in self.copies.sought:
                    self.copies.stop_seeking(id)
            elif id in self.copies.sought:
                self.copies.seek(id, home)
            elif id in self._dependents and id not in self.tasks:
                self._count_moved(id, home)
                self.copies.seek(id, home)

    def _count_moved(self, id: int, home: int) -> None:
        """Tasks here wait for an output that was to come to exist here, and now will elsewhere."""
        for task in set(self._waiting_for(id)):
            run = self.tasks[task]
            row = run.row(task)
            if id not in run.copies_of(row) and id not in self._moved_inputs.get(task, ()):
                edges = [id] * run.deps_of(row).count(id)
                self._moved_inputs.setdefault(task, []).extend(edges)
                self.copies.need(edges, repeat(home), self.tasks)

    def _waiting_for(self, id: int) -> Sequence[int]:
        """Tasks that wait for an input, once a dependency."""
        waiting = self._dependents.get(id, ())
        return (waiting,) if type(waiting) is int else waiting  # type: ignore[return-value]

    # ---- other workers, and clients

    def fetched(self, ids: Sequence[int], values: Sequence[Any], sizes: Sequence[Size]) -> None:
        """Copies have come; those that are not needed any more are let go."""
        came = self.copies.came(ids, values, sizes)
        self._arrive(came)
        self.asked.came(came)

    def undeliverable(self, id: int, exception: Any) -> None:
        """An output that was asked for cannot be sent: the tasks that need it have failed."""
        if self.copies.sought.pop(id, None) is None:
            return
        for task in sorted(set(self._waiting_for(id))):
            run = self._forget(task)
            self._failed.append(Failed(task, run.attempts[run.row(task)], exception, None))
        self.copies.not_wanted([id])

    def delivered(self, id: int, value: Any, size: Size | None) -> None:
        """A client has sent what it has scattered; with no size an exception, as it cannot be made here."""
        if id not in self.store:
            self._take_delivered(self.awaited.came(id, value, size))

    def tick(self) -> None:
        """Some time has gone by: let go of what is kept for a while only."""
        self.copies.tick()
        self.awaited.tick()
        self.claims.tick()

    # ---- compute threads

    def claim(self, thread: int) -> tuple[deque[int], float]:
        """The next tasks for a thread to run: about a millisecond's worth, and no more than its share of what is ready.

        Where nothing is ready, half of what another thread has claimed and not begun. The thread takes its tasks from
        the left one by one, without a lock, as others may take them from the right.

        Returns
        -------
        claimed : deque of int
        seconds : float
            How long each is expected to take, on average; at least `BATCH_SECONDS` where nothing is known.
        """
        return self.claims.claim(thread)

    def unclaim(self, thread: int) -> None:
        """A thread gives back what it has claimed and not begun."""
        self.claims.unclaim(thread)

    def forget_thread(self, thread: int) -> None:
        """A thread that has claimed nothing ends."""
        self.claims.forget_thread(thread)

    def save_memory(self, saves: bool) -> None:
        """Begin only tasks that have inputs, or any, as before; where nothing else runs, others one at a time."""
        self.claims.save_memory(saves)

    def settle(self, outcomes: Outcomes) -> None:
        """Take in what a thread has done; outcomes of tasks that were dropped meanwhile are let go."""
        for id, run, exception in outcomes.failures:
            if self.tasks.get(id) is run:
                del self.tasks[id]
                row = run.row(id)
                if self.copies.uses:
                    self._release_copies(id, run, row)
                self._failed.append(Failed(id, run.attempts[row], exception, exception.__traceback__))
        if self.ready.queues:
            self.claims.charge(outcomes.runs, outcomes.seconds, outcomes.failures)
        if not all(map(is_, map(self.tasks.get, outcomes.ids), outcomes.runs)):
            self._leave_out_dropped(outcomes)
        for id in outcomes.ids:
            del self.tasks[id]
        self._learn(outcomes)
        self.store.put(outcomes.ids, outcomes.values, outcomes.sizes)
        nbytes = [size if type(size) is int else size[0] for size in outcomes.sizes]  # type: ignore[index]
        self._note_finished(outcomes.ids, outcomes.runs, outcomes.rows, nbytes, outcomes.seconds)
        self._arrive(outcomes.ids)
        if self.copies.uses:
            for id, run, row in zip(outcomes.ids, outcomes.runs, outcomes.rows):
                self._release_copies(id, run, row)
        if self.asked:
            self.asked.came(outcomes.ids)

    def _note_finished(
        self, ids: list[int], runs: list[PlacedRun], rows: list[int], nbytes: list[int], seconds: list[float]
    ) -> None:
        self._attempts += [run.attempts[row] for run, row in zip(runs, rows)]
        self._ids += ids
        self._nbytes += nbytes
        self.unreported_nbytes += sum(nbytes)
        self._seconds += seconds
        if self.number is not None:
            wanted = [at for at, run in enumerate(runs) if run.wanted is not None and run.wanted[rows[at]]]
            if wanted:
                self.wanted_unreported = True
                outputs = self.store.outputs
                self._small += [(ids[at], outputs[ids[at]]) for at in wanted if nbytes[at] <= SMALL_BYTES]

    def _learn(self, outcomes: Outcomes) -> None:
        """Take durations into the moving averages: of a batch of many short tasks a sample says enough."""
        for at in range(0, len(outcomes.ids), len(outcomes.ids) // SAMPLE + 1):
            kernel, seconds = outcomes.runs[at].kernels[outcomes.rows[at]], outcomes.seconds[at]
            kernel.seconds = kernel.seconds * 0.75 + seconds * 0.25 if kernel.seconds else seconds
            kernel.longest = max(kernel.longest * 0.99, seconds)

    def _leave_out_dropped(self, outcomes: Outcomes) -> None:
        kept = [at for at, id in enumerate(outcomes.ids) if self.tasks.get(id) is outcomes.runs[at]]
        columns: tuple[list[Any], ...] = (
            outcomes.ids, outcomes.runs, outcomes.rows, outcomes.values, outcomes.sizes, outcomes.seconds
        )  # fmt: skip
        for column in columns:
            column[:] = [column[at] for at in kept]

    def _arrive(self, ids: list[int]) -> None:
        """Outputs have come into the store: queue the tasks that waited for nothing else."""
        missing, waiting_for = self._missing, self._dependents.pop
        ready = []
        for id in ids:
            waiting = waiting_for(id, ())
            for dependent in (waiting,) if type(waiting) is int else waiting:  # type: ignore[union-attr]
                left = missing[dependent] - 1
                if left:
                    missing[dependent] = left
                else:
                    del missing[dependent]
                    ready.append(dependent)
        if ready:
            self.ready.add(ready)

    # ---- reports

    def unreported(self) -> Ints:
        """Ids of what has finished or failed since the last report."""
        return np.array(self._ids + [failed.id for failed in self._failed], np.int64)

    @property
    def has_failures(self) -> bool:
        """Whether some task has raised since the last report."""
        return bool(self._failed)

    @property
    def unreported_tasks(self) -> int:
        """How many tasks have finished since the last report."""
        return len(self._ids)

    @property
    def has_unreported(self) -> bool:
        """Whether some task has ended since the last report."""
        return bool(self._ids or self._failed)

    def reports(self) -> tuple[Finished | None, list[Failed]]:
        """What has finished and failed since the last call."""
        failed, self._failed = self._failed, []
        if not self._ids:
            return None, failed
        finished = Finished(
            ids=np.array(self._ids),
            attempts=np.array(self._attempts, np.int32),
            nbytes=np.array(self._nbytes),
            seconds=np.array(self._seconds),
        )
        self._ids, self._attempts, self._nbytes, self._seconds = [], [], [], []
        self.wanted_unreported, self.unreported_nbytes = False, 0
        return finished, failed

    def small_results(self) -> list[tuple[int, Any]]:
        """Small outputs that a client wants, of what was reported last: ids and values."""
        small, self._small = self._small, []
        return small

    def replies(self) -> list[GivenBack | Stopped]:
        """What the scheduler has asked for, and can be said now."""
        if not (self._given_back or self._stops):
            return []
        given_back, self._given_back = self._given_back, []
        running = {slot[0] for slot in self.claims.slots.values()}
        stopped = [number for number, ids in self._stops.items() if running.isdisjoint(ids)]
        for number in stopped:
            del self._stops[number]
        return [*given_back, *map(Stopped, stopped)]

    def answers(self) -> list[tuple[Hashable, list[int], list[Any]]]:
        """Outputs to send to whoever asked for them: to whom, their ids, and they themselves."""
        return [(peer, ids, self.store.take(ids)) for peer, ids in self.asked.answers()]

    # ---- invariants

    def audit(self) -> None:
        """Check the tables against each other.

        Raises
        ------
        InternalError
            It names what does not hold.
        """
        waiting: dict[int, int] = {}
        for dep in self._dependents:
            if dep in self.store:
                raise InternalError(f"tasks wait for output {dep}, which is here")
            for id in self._waiting_for(dep):
                waiting[id] = waiting.get(id, 0) + 1
        if waiting != self._missing:
            raise InternalError(f"tasks that wait: {waiting}, by their own count {self._missing}")
        if self._missing.keys() - self.tasks.keys():
            raise InternalError(f"tasks wait that are unknown: {self._missing.keys() - self.tasks.keys()}")
        uses: dict[int, int] = {}
        for id, run in self.tasks.items():
            for dep in [*run.copies_of(run.row(id)), *self._moved_inputs.get(id, ())]:
                uses[dep] = uses.get(dep, 0) + 1
        if uses != self.copies.uses:
            raise InternalError(f"outputs of others are needed: {uses}, by their own count {self.copies.uses}")
        self.copies.audit()
        self.asked.audit()
