"""The table of moves between states: legal ones move all rows, one illegal one moves none."""

from __future__ import annotations

import numpy as np
import pytest

from restride.engine.scheduler.task_states import MOVES, Move, TaskState, move
from restride.errors import InternalError

LEGAL = [
    (TaskState.WAITING, Move.PLACE, TaskState.PLACED),
    (TaskState.PLACED, Move.FINISH, TaskState.FINISHED),
    (TaskState.FINISHED, Move.RELEASE, TaskState.RELEASED),
    (TaskState.WAITING, Move.FAIL, TaskState.FAILED),
    (TaskState.PLACED, Move.FAIL, TaskState.FAILED),
    (TaskState.WAITING, Move.CANCEL, TaskState.CANCELLED),
    (TaskState.PLACED, Move.CANCEL, TaskState.CANCELLED),
    (TaskState.PLACED, Move.UNDO, TaskState.WAITING),
    (TaskState.FINISHED, Move.UNDO, TaskState.WAITING),
    (TaskState.RELEASED, Move.UNDO, TaskState.WAITING),
    (TaskState.CANCELLED, Move.UNDO, TaskState.WAITING),
]
ILLEGAL = [(source, what) for source in TaskState for what in Move if (source, what) not in [row[:2] for row in LEGAL]]


@pytest.mark.parametrize(("source", "what", "target"), LEGAL)
def test_legal_moves_move_the_rows_named_and_no_others(source: TaskState, what: Move, target: TaskState) -> None:
    state = np.full(5, source, np.int8)
    move(state, np.array([0, 3]), what)
    assert state.tolist() == [target, source, source, target, source]


@pytest.mark.parametrize(("source", "what"), ILLEGAL)
def test_an_illegal_move_raises_and_names_the_row_and_leaves_every_state(source: TaskState, what: Move) -> None:
    legal = MOVES[what][0][0]
    state = np.array([legal, legal, source, legal], np.int8)
    with pytest.raises(InternalError, match=f"task row 2 is {source.name} and cannot {what.name}"):
        move(state, np.array([0, 2, 3]), what)
    assert state.tolist() == [legal, legal, source, legal]


def test_no_rows_may_always_move() -> None:
    state = np.full(2, TaskState.RELEASED, np.int8)
    for what in Move:
        move(state, np.zeros(0, np.int64), what)
    assert state.tolist() == [TaskState.RELEASED] * 2


def test_only_the_loss_of_a_worker_undoes_an_end_and_a_failure_is_for_ever() -> None:
    ends = {TaskState.RELEASED, TaskState.CANCELLED}
    assert {what for what, (sources, _) in MOVES.items() if ends & set(sources)} == {Move.UNDO}
    assert not any(TaskState.FAILED in sources for sources, _ in MOVES.values())
