"""The states of a task in the scheduler, and every move between them.

This table is the whole truth: `SchedulerState` changes states by naming a move, and a move from a state that is not in
its row is a bug of ours and raises. There is no state for *running*, as the scheduler places tasks ahead of time and
need not know when one begins; and none for *ready*, as the static order is topological: whoever places in order has
placed all dependencies of a task before the task itself.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from restride.errors import InternalError


class TaskState(IntEnum):
    """Where a task stands."""

    WAITING = 0
    """Not placed yet."""
    PLACED = 1
    """A worker has it, or will get it to run; its output may not exist yet."""
    FINISHED = 2
    """Its output is in memory on a worker, and somebody still needs it."""
    RELEASED = 3
    """Finished, and its output is gone as nobody needs it any more."""
    FAILED = 4
    """It raised, or something it depends on did."""
    CANCELLED = 5
    """Nobody needs its output any more, and it had not finished."""


class Move(IntEnum):
    """What can happen to a task."""

    PLACE = 0
    FINISH = 1
    RELEASE = 2
    FAIL = 3
    CANCEL = 4
    UNDO = 5
    """Its output, or its place, or something that it needs went with a worker: it is to be placed anew."""


MOVES = {
    Move.PLACE: ((TaskState.WAITING,), TaskState.PLACED),
    Move.FINISH: ((TaskState.PLACED,), TaskState.FINISHED),
    Move.RELEASE: ((TaskState.FINISHED,), TaskState.RELEASED),
    Move.FAIL: ((TaskState.WAITING, TaskState.PLACED), TaskState.FAILED),
    Move.CANCEL: ((TaskState.WAITING, TaskState.PLACED), TaskState.CANCELLED),
    Move.UNDO: (
        (TaskState.PLACED, TaskState.FINISHED, TaskState.RELEASED, TaskState.CANCELLED),
        TaskState.WAITING,
    ),
}

WAITING, PLACED, FINISHED, RELEASED, FAILED, CANCELLED = map(int, TaskState)
"""For numpy, which takes 2 µs longer to compare with a member of an enum."""

_LEGAL = np.zeros((len(Move), len(TaskState)), bool)
for _move, (_sources, _) in MOVES.items():
    _LEGAL[_move, list(_sources)] = True
_TARGETS = [int(target) for _, target in MOVES.values()]


def move(state: np.ndarray, rows: np.ndarray, what: Move) -> None:
    """Move some tasks, in place in the column `state`.

    Raises
    ------
    InternalError
        One of them is in a state from which there is no such move.
    """
    legal = _LEGAL[what].take(state.take(rows))
    if not legal.all():
        row = int(rows[~legal][0])
        raise InternalError(f"task row {row} is {TaskState(state[row]).name} and cannot {what.name}")
    state[rows] = _TARGETS[what]
