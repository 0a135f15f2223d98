"""The threads that run a worker's tasks, and the lock that its state machine is under.

A thread that has run its batch takes the lock, settles the outcomes, lets whoever it works for exchange messages, and
claims its next batch; one that finds nothing to do waits for the bell. With zero threads the caller does the same until
nothing is left to do. A task that waits for others has another thread take its place.

Any task may turn out to take long, or to wait for somebody who first wants to see what came of those before it. So one
more thread looks, every few milliseconds while something may be kept: what a thread has done before the task that it is
long at is settled in its stead, what was settled is reported, and what callers let go of is released.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Protocol

from restride.engine.worker.blas import BlasLimit
from restride.engine.worker.claims import BATCH_SECONDS, NO_TASK, Slot
from restride.engine.worker.compute import run_claimed
from restride.engine.worker.state import Outcomes, WorkerState

FINE_SECONDS = 2e-6
"""Tasks shorter than this are as fine as the engine's own work on them, all of it under the GIL: a second thread does
not help with them, it gets in the way, so it stands back."""
STAND_BACK_SECONDS = 5e-3
"""How long a thread that stands back trusts another's tasks to be as short as expected."""
WATCH_SECONDS = 20e-3
"""How often is looked at what threads keep: twice at the same task, and others settle what was done before it.

Each look has some thread let go of the GIL, which can be measured every 5 ms; there are none while nothing is kept."""
_HERE = 0
"""What the caller is called as a compute thread; the others are counted from 1."""

Call = Callable[[], object]


class Employer(Protocol):
    """Whom compute threads work for. Every method but `has_news` is called under the lock, and must not block."""

    def has_news(self) -> bool:
        """Whether messages wait, so that a thread must not go to sleep; called without the lock."""

    def exchange_if_due(self) -> bool:
        """Outcomes have been settled: exchange messages, if it is time; whether it was."""

    def exchange_before(self, seconds: float) -> None:
        """A thread is about to run tasks of so many seconds each, and has not exchanged messages."""

    def exchange_amid_tasks(self) -> None:
        """All threads may be long at tasks: exchange what need not wait for one of them."""

    def take_calls(self) -> list[Call]:
        """What to call once the lock is released."""

    def count_blocked(self, change: int) -> None:
        """One more task, or one less, waits for others."""

    def fail(self, error: Exception) -> None:
        """The engine itself has raised."""

    def interrupted(self) -> None:
        """A Ctrl-C has come amid an exchange; called without the lock."""


class NotHere(BaseException):
    """Ends a task that is about to wait in a thread that must not: it is run again, by a thread that may."""


class _Own(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.outcomes = Outcomes()
        """Of what a compute thread has run since its last turn."""
        self.runs_task = False
        """Whether what the thread does is done by a task."""
        self.watches = False
        """Whether it is the one that looks at what the others keep."""
        self.must_not_wait = False


class ComputeThreads:
    """Threads that run what is ready.

    Parameters
    ----------
    employer : Employer
    worker : WorkerState
    threads : int
        How many; with 0 the caller computes, by `compute_here`.
    page : memoryview of int64, optional
        Item k is for the task that thread k is at, counted from 1; see `NO_TASK`. Without threads, item 1 is the
        caller's.

    Attributes
    ----------
    worker : WorkerState
    lock : Lock
        Whoever touches the worker holds it.
    blocked : int
        How many tasks wait for others.
    """

    def __init__(self, employer: Employer, worker: WorkerState, threads: int, page: memoryview | None = None) -> None:
        self.threads = threads
        self.worker = worker
        self.lock = threading.Lock()
        self.blocked = 0
        self._employer, self._page = employer, page
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._idle = 0
        self._rung = 0
        """Idle threads that a busy one has woken and that have not come yet."""
        self._fine: set[int] = set()
        """Threads that run tasks too short to share."""
        self._standing_back = 0
        """Idle threads that leave such tasks to them."""
        self._turns = 0
        self._outcomes: dict[int, Outcomes] = {}
        """What threads have done and not settled, by number."""
        self._cut_in = False
        """Whether a caller wants something before the next task begins."""
        self._watched = False
        """Whether is looked at that, and at what waits to be exchanged."""
        self._watch_bell: SimpleQueue[None] = SimpleQueue()
        self._blas = BlasLimit()
        self._own = _Own()
        self._closing = False
        self._alive: dict[int, threading.Thread] = {}
        self._watches: set[threading.Thread] = set()
        self._asleep: set[int] = set()

    @property
    def runs_task_here(self) -> bool:
        """Whether the calling thread runs a task. A task that asks may go on to wait, so it is moved where it can."""
        if self._own.must_not_wait and self._own.runs_task:
            raise NotHere
        return self._own.runs_task

    @property
    def running(self) -> int:
        """How many tasks run now."""
        return sum(slot[0] != NO_TASK for slot in self.worker.claims.slots.values())

    # ---- from any thread

    def start(self) -> None:
        """Let the threads begin."""
        for _ in range(self.threads):
            self._start_thread()
        if self.threads:
            self._start_watch()

    def work_on(self, worker: WorkerState) -> None:
        """Go on with a new state machine, under the lock."""
        worker.claims.slots.update(self.worker.claims.slots)
        worker.claims.blocked = self.blocked
        worker.hungry = self.worker.hungry
        self.worker = worker

    def wake(self) -> None:
        """There may be something to do: wake a thread, if one sleeps; else it need not wait for their tasks to end."""
        if self._idle:  # a thread looks for news once more after it has counted itself idle
            self._bell.put(None)
        else:
            self._watch_on()

    def cut_in(self) -> None:
        """The same, for what must be seen to before a thread goes on to its next task."""
        self._cut_in = self.worker.hungry = True
        self.wake()

    def stop(self) -> None:
        """Tell the threads to end, after the tasks that they are at, without waiting for them."""
        self._closing = True
        self.worker.hungry = True
        for _ in range(len(self._alive)):
            self._bell.put(None)
        for _ in range(len(self._watches)):
            self._watch_bell.put(None)

    def join(self) -> None:
        """Wait until all threads but the calling one have ended."""
        for thread in (*self._alive.values(), *self._watches):
            if thread is not threading.current_thread():
                thread.join()

    @contextmanager
    def blocking(self, over: Callable[[], bool]) -> Iterator[None]:
        """Around a wait for other tasks: a compute thread that waits has another one take its place.

        Parameters
        ----------
        over : callable
            Whether there is nothing to wait for any more. Without threads, whatever can be computed until then is.
        """
        if self.threads == 0 or not self.runs_task_here:
            if self._own.watches:  # in a callback of the user's, who may wait for what only a look brings about
                self._own.watches = False
                self._start_watch()
            self.compute_here(over)
            yield
            return
        with self.lock:
            self._settle(self._own.outcomes)  # it may be one of these that is waited for
            self._watch_on()
            self._block(1)
            if len(self._alive) - self.blocked < self.threads and not self._closing:
                self._start_thread()
            elif self._idle:
                self._bell.put(None)
        try:
            yield
        finally:
            with self.lock:
                self._block(-1)

    def _block(self, change: int) -> None:
        """A task waits, or no longer: while it does, there is room for another."""
        self.blocked += change
        self.worker.claims.blocked = self.blocked
        self._employer.count_blocked(change)

    # ---- the loop

    def _start_thread(self) -> None:
        number = next(number for number in range(1, len(self._alive) + 2) if number not in self._alive)
        thread = threading.Thread(target=self._compute, args=(number,), name=f"restride-compute-{number}", daemon=True)
        self._alive[number] = thread
        thread.start()

    def _slot(self, number: int) -> Slot:
        item = max(number, 1)
        if self._page is None or item >= len(self._page):
            return [NO_TASK]
        return self._page[item : item + 1]

    def _compute(self, number: int) -> None:
        """What a compute thread does."""
        insist = False
        outcomes = self._own.outcomes = Outcomes(self._slot(number))
        self._own.runs_task = True
        with self.lock:
            self.worker.claims.slots[number] = outcomes.running
            self._outcomes[number] = outcomes
            self._blas.enter()
        while not self._closing:
            with self.lock:
                claimed, calls = self._next(outcomes, number, insist=insist)
            while claimed or calls:
                make_calls(calls)
                if self._closing or not claimed:
                    break
                self._run(claimed, outcomes)
                with self.lock:
                    claimed, calls = self._next(outcomes, number)
            if self._retires(number):
                return
            insist = self._wait_for_bell(number)
        with self.lock:
            self._end_thread(number)

    def _run(self, claimed: deque[int], outcomes: Outcomes) -> None:
        try:
            run_claimed(self.worker, claimed, outcomes)
        except Exception as error:  # noqa: BLE001  none of a task's, which are outcomes: the thread must not die of it
            with self.lock:
                self._employer.fail(error)

    def _retires(self, number: int) -> bool:
        """Whether a thread that took a blocked one's place is not needed any more."""
        with self.lock:
            if len(self._alive) - self.blocked <= self.threads:
                return False
            self._end_thread(number)
            return True

    def _end_thread(self, number: int) -> None:
        self.worker.forget_thread(number)
        del self._outcomes[number]
        self._blas.leave()
        del self._alive[number]

    def _wait_for_bell(self, number: int) -> bool:
        """Wait until there may be something to do; whether a thread that stood back has done so for too long."""
        with self.lock:
            turns, standing_back = self._turns, bool(self._fine and self.worker.ready)
            self._blas.leave()
            self._idle += 1
            self._asleep.add(number)
            self._standing_back += standing_back
            self._tell_hungry()
        insist = False
        try:
            if standing_back or not (self._employer.has_news() or self.worker.ready or self._closing):
                self._bell.get(timeout=STAND_BACK_SECONDS if standing_back else None)
        except Empty:
            insist = self._turns == turns
        with self.lock:
            self._blas.enter()
            self._idle -= 1
            self._asleep.discard(number)
            self._standing_back -= standing_back
            self._rung = max(self._rung - 1, 0)
            self._tell_hungry()
        return insist

    def _tell_hungry(self) -> None:
        self.worker.hungry = self._closing or self._cut_in or self._idle - self._standing_back > self._rung

    # ---- what threads keep while they are long at a task

    def _start_watch(self) -> None:
        thread = threading.Thread(target=self._watch, name="restride-watch", daemon=True)
        self._watches.add(thread)
        thread.start()

    def _watch_on(self) -> None:
        """Something may be kept for as long as some task takes: look at it, unless that is done already."""
        if self._watches and not self._watched:
            self._watched = True
            self._watch_bell.put(None)

    def _watch(self) -> None:
        own = self._own
        own.watches = True
        while own.watches and not self._closing:
            try:
                self._watch_bell.get(timeout=WATCH_SECONDS if self._watched else None)
            except Empty:
                with self.lock:
                    calls = self._look()
                make_calls(calls)
        self._watches.discard(threading.current_thread())

    def _look(self) -> list[Call]:
        """Settle what came before tasks that threads are at since the last look; exchange what waits for that."""
        self._watched = False  # before callers' wishes are seen to: those that come later turn it on again
        try:
            for outcomes in self._outcomes.values():
                if outcomes.stands_still():
                    self.worker.settle(outcomes.taken())
            self._employer.exchange_amid_tasks()
            if self.worker.ready and self._idle - self._standing_back > self._rung:
                self._ring()
            if self.worker.has_unreported or any(outcomes.ids for outcomes in self._outcomes.values()):
                self._watched = True
        except Exception as error:  # noqa: BLE001  of ours: who waits must hear of it
            self._employer.fail(error)
        return self._employer.take_calls()

    # ---- without threads

    def compute_here(self, over: Callable[[], bool]) -> None:
        """Without threads: compute in the calling thread whatever can be computed, until `over` says so.

        Raises
        ------
        KeyboardInterrupt
            A task was interrupted, and `over` does not say so.
        """
        if self.threads:
            return
        outcomes = self._own.outcomes  # of a task that waits here, too: it may be one of these that it waits for
        if self._own.runs_task:
            with self.lock:
                self.worker.unclaim(_HERE)  # what the task submits comes before those
        while True:
            interrupts = [error for *_, error in outcomes.failures if isinstance(error, KeyboardInterrupt)]
            try:
                with self.lock:
                    claimed, calls = self._next(outcomes, _HERE)
            except KeyboardInterrupt:  # the state machines may be half changed: begin with new ones
                self._employer.interrupted()
                raise
            make_calls(calls)
            if over() or not (claimed or self._employer.has_news()):
                return
            if interrupts:
                raise interrupts[0]
            outer, self._own.runs_task = self._own.runs_task, True
            try:
                run_claimed(self.worker, claimed, outcomes)
            finally:
                self._own.runs_task = outer

    def compute_for(self, seconds: float) -> bool:
        """Without threads: compute in the calling thread for about so long; whether something may be left to do."""
        if _HERE not in self.worker.claims.slots:
            self._own.outcomes = Outcomes(self._slot(_HERE))
            self.worker.claims.slots[_HERE] = self._own.outcomes.running
        end = perf_counter() + seconds
        self.compute_here(lambda: perf_counter() > end)
        return perf_counter() > end

    # ---- in place of a thread

    def compute_quick(self, seconds: float) -> None:
        """Run what takes next to no time in the calling thread, while another sleeps; wake one for the rest.

        That is for the thread that has just taken in the last inputs of tasks: for these to be run by another one,
        that must be woken, which takes up to 0.1 ms.

        Parameters
        ----------
        seconds : float
            How long to go on at most.
        """
        end = perf_counter() + seconds
        outcomes = self._own.outcomes
        with self.lock:
            if self.worker.has_unreported:
                self._watch_on()
            if not self._asleep:
                return  # whoever is awake sees to it
            self._outcomes[_HERE] = outcomes
            outcomes.running = self.worker.claims.slots[min(self._asleep)]
            self._idle -= 1
            self._tell_hungry()
        go_on = True
        while go_on:
            with self.lock:
                claimed, calls = self._next_quick(outcomes, in_time=perf_counter() < end)
                go_on = bool(claimed)  # others may take them from us from here on
            make_calls(calls)
            if go_on:
                self._run_quick(claimed, outcomes)
        with self.lock:
            self.worker.unclaim(_HERE)
            self._idle += 1
            self._tell_hungry()
            more = bool(self.worker.ready)
        if more:
            self.wake()

    def _next_quick(self, outcomes: Outcomes, *, in_time: bool) -> tuple[deque[int], list[Call]]:
        try:
            self._settle(outcomes)
            self._employer.exchange_if_due()
            claimed = self.worker.claims.claim_quick(_HERE) if in_time else deque()
            if len(claimed) > 1 or self.worker.has_unreported:
                self._watch_on()
        except Exception as error:  # noqa: BLE001  of ours: who waits must hear of it
            self._employer.fail(error)
            claimed = deque()
        return claimed, self._employer.take_calls()

    def _run_quick(self, claimed: deque[int], outcomes: Outcomes) -> None:
        own = self._own
        own.runs_task = own.must_not_wait = True
        try:
            run_claimed(self.worker, claimed, outcomes)
        finally:
            own.runs_task = own.must_not_wait = False
        for failure in outcomes.failures:
            id, run, error = failure
            if isinstance(error, NotHere):
                run.kernels[run.row(id)].longest = float("inf")  # nor will others of this layer be run here
                outcomes.failures.remove(failure)
                with self.lock:
                    self.worker.ready.add([id])
                break

    # ---- one turn, under the lock

    def _next(self, outcomes: Outcomes, thread: int, *, insist: bool = False) -> tuple[deque[int], list[Call]]:
        """Take in what a thread has done; what it is to run next, and what to call before that."""
        try:
            self._settle(outcomes)
            if self._cut_in:
                self._cut_in = False
                self._tell_hungry()
            exchanged = self._employer.exchange_if_due()
            claimed, seconds = self._claim(thread, insist=insist)
            if seconds >= BATCH_SECONDS and not exchanged:
                self._employer.exchange_before(seconds)
            if not self._watched and (len(claimed) > 1 or self.worker.has_unreported):
                self._watch_on()
        except Exception as error:  # noqa: BLE001  of ours: who waits must hear of it
            self._employer.fail(error)
            claimed = deque()
        return claimed, self._employer.take_calls()

    def _settle(self, outcomes: Outcomes) -> None:
        self.worker.settle(outcomes)
        outcomes.clear()  # no thread that waits may keep an output alive

    def _claim(self, thread: int, *, insist: bool) -> tuple[deque[int], float]:
        self._turns += 1
        self._fine.discard(thread)
        claimed, seconds = self.worker.claim(thread)
        fine = seconds < FINE_SECONDS
        if fine and self._fine and not insist:
            self.worker.unclaim(thread)
        elif fine:
            self._fine.add(thread)
        elif self.worker.ready and self._idle > self._rung:
            self._ring()
        return claimed, seconds

    def _ring(self) -> None:
        self._rung += 1
        self._tell_hungry()
        self._bell.put(None)


def make_calls(calls: list[Call]) -> None:
    """Call what was left to be called; then nothing keeps it, and what it refers to."""
    for call in calls:
        call()
    calls.clear()
