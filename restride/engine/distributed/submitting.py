"""What a client has its scheduler do: jobs on their way, jobs under way, and what was let go of.

Callers leave commands and wake the event loop once; all else happens there. Calls that come before the loop has woken
up travel together. A job whose inputs the scheduler has not accepted yet waits until it has, and what comes after it,
too, so that nothing overtakes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet, WeakValueDictionary

import numpy as np

from restride.engine.client.submission import Callback, News, Submission
from restride.engine.distributed.loops import LoopRunner
from restride.engine.graphs.packing import pack
from restride.engine.messages import Accepted, Cancel, Rejected, Release, Submit
from restride.errors import GraphError, InternalError, RestrideError

logger = logging.getLogger("restride.client")

BATCH_SECONDS = 2e-3
"""Calls that nobody waits for are sent at most so often."""
RELEASE_SECONDS = 5e-3
"""While computations come, releases wait for so long: they go together, and in nobody's way who waits."""


@dataclass(eq=False, slots=True)
class Begin:
    """A computation begins."""

    submission: Submission
    nested: bool
    packed: Submit | None
    """None where calls may still join."""


@dataclass(eq=False, slots=True)
class LetGo:
    """A client does not need a wanted output, or several, any more; all of them with None."""

    submission: Submission
    position: int | Sequence[int] | None
    cancel: bool


Command = Begin | LetGo | Callable[[], object]
"""What returns False has to wait, and is called again."""


@dataclass(eq=False, slots=True)
class _Sent:
    """A job that the scheduler has not answered to yet."""

    submission: Submission
    let_go: list[LetGo] = field(default_factory=list)


class Submitting:
    """Jobs on their way, and those under way.

    Parameters
    ----------
    runner : LoopRunner
        Runs the event loop.
    send : callable
        Sends a message to the scheduler.
    """

    def __init__(self, runner: LoopRunner, send: Callable[[Any], None]) -> None:
        self._runner = runner
        self._send = send
        self._commands: deque[Command] = deque()
        self._woken = self._hurried = False
        self._last_batch = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._sweeps = False
        """Whether the loop will look for commands by itself."""
        self._busy = False
        """Whether a computation was sent since it last did."""
        self._released: list[int] = []
        self._tokens = 0
        self._sent: dict[int, _Sent] = {}
        self._submissions: WeakValueDictionary[int, Submission] = WeakValueDictionary()
        self._adopted: dict[int, WeakSet[Submission]] = {}
        """Of outputs that other clients have published, by job."""

    # ---- from any thread

    def leave(self, command: Command) -> None:
        """Leave something to be done by the loop."""
        self._commands.append(command)
        if not (self._sweeps and _can_wait(command)):
            self._wake()

    def hurry(self) -> None:
        """Somebody waits: what has been left goes now."""
        if self._commands:
            self._hurried = True  # before the look: who has been woken and has not come yet will see it
            self._wake()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            try:
                self._runner.call(self._obey)
            except BaseException:  # an interrupt of the caller's
                self._woken = False
                raise

    # ---- in the loop: commands

    def _obey(self) -> None:
        """Carry out the commands that wait."""
        self._woken = False
        while self._commands:
            match self._commands[0]:
                case LetGo() as command:
                    done = self._let_go(command)
                case Begin() as command:
                    done = self._begin(command)
                case command:
                    self._release()
                    done = command() is not False
            if not done:
                break
            self._commands.popleft()
        else:
            self._hurried = False
        if self._busy and not self._sweeps:
            self._sweeps, self._busy = True, False
            asyncio.get_running_loop().call_later(RELEASE_SECONDS, self._sweep)
        if not self._sweeps:
            self._release()

    def _sweep(self) -> None:
        self._sweeps = False  # before the look: what is left from now on wakes the loop itself
        self._obey()
        self._release()

    def _begin(self, command: Begin) -> bool:
        """Send a job; False where it has to wait."""
        submission = command.submission
        if submission.grows and self._waits_for_more():
            return False
        try:
            job = submission.job()
            if not submission.inputs_known:
                return False
            packed = command.packed or pack(job, submission.options, nested=command.nested)
            token, self._tokens = self._tokens, self._tokens + 1
            packed.token, packed.inputs = token, submission.input_ids()
            self._send(packed)
        except RestrideError as error:
            _call_all(submission.abandon(error))
        except Exception as error:
            logger.exception("a computation could not be sent")
            _call_all(submission.abandon(InternalError(f"a computation could not be sent: {error!r}")))
        else:
            self._sent[token] = _Sent(submission)
            self._busy = True
        return True

    def _waits_for_more(self) -> bool:
        """Whether calls that nobody waits for wait for others to join them."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = self._last_batch + BATCH_SECONDS
        if now < due and not self._hurried:
            if self._timer is None:
                self._timer = loop.call_at(due, self._on_time)
            return True
        self._last_batch = now
        return False

    def _on_time(self) -> None:
        self._timer = None
        self._obey()

    def _let_go(self, command: LetGo) -> bool:
        submission, position = command.submission, command.position
        if submission.base is None:
            for sent in self._sent.values():
                if sent.submission is submission:
                    sent.let_go.append(command)
            return True  # otherwise it never came to the scheduler
        positions = [position] if isinstance(position, int) else position
        for each in positions or ():
            submission.forget_value(each)
        ids = submission.ids(positions).tolist()
        if command.cancel:
            self._send(Cancel(np.array(ids, np.int64)))
        elif self._adopted:  # an id may be held more than once, which takes a message each
            self._send(Release(np.array(ids, np.int64)))
        else:
            self._released += ids
        return True

    def _release(self) -> None:
        if self._released:
            self._send(Release(np.array(self._released, np.int64)))
            self._released.clear()

    # ---- in the loop: news

    def accepted(self, message: Accepted) -> Submission:
        """The scheduler has a job; which."""
        sent = self._sent.pop(message.token)
        submission = sent.submission
        submission.accepted(message.base)
        submission.homes = np.full(len(submission.ids()), -1, np.int32)
        self._submissions[message.base] = submission
        for command in sent.let_go:
            self._let_go(command)
        self._obey()  # something may have waited for this
        return submission

    def rejected(self, message: Rejected) -> None:
        """A job cannot be run."""
        _call_all(self._sent.pop(message.token).submission.abandon(GraphError(message.reason)))
        self._obey()

    def adopt(self, submission: Submission) -> None:
        """Hear of outputs of a job that was submitted by somebody else, or before."""
        assert submission.base is not None
        submission.homes = np.full(len(submission.ids()), -1, np.int32)
        self._adopted = {job: those for job, those in self._adopted.items() if those}
        self._adopted.setdefault(submission.base, WeakSet()).add(submission)

    def hear(self, message: News) -> list[Callback]:
        """News of outputs; what to call now."""
        calls: list[Callback] = []
        own = self._submissions.get(message.job)
        if own is not None:
            calls += own.hear(message)
        for submission in list(self._adopted.get(message.job, ())):
            calls += submission.hear(message)
        return calls

    def abandon(self, why: RestrideError) -> list[Callback]:
        """Nothing more will come of anything; what to call now."""
        submissions = [sent.submission for sent in self._sent.values()]
        submissions += self._submissions.values()
        submissions += [submission for those in self._adopted.values() for submission in those]
        commands = [self._commands.popleft() for _ in range(len(self._commands))]
        submissions += [command.submission for command in commands if isinstance(command, Begin)]
        self._sent.clear()
        for command in commands:
            if not isinstance(command, (Begin, LetGo)):
                command()
        return [call for submission in submissions for call in submission.abandon(why)]


def _can_wait(command: Command) -> bool:
    """Whether nothing is lost if the loop looks for it some milliseconds later, unless somebody is in a hurry."""
    match command:
        case LetGo():
            return not command.cancel
        case Begin():
            return command.submission.grows
        case _:
            return False


def _call_all(calls: list[Callback]) -> None:
    for call in calls:
        call()
