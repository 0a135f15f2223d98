"""News of a job, as its client takes them in: outputs that are lost and come again, and jobs that others submitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from restride.engine.client.submission import OutputState, Submission
from restride.engine.messages import Done, PackedBroken, Undone
from restride.engine.serialize import dump_exception, load_value

BASE = 100


def ids(*rows: int) -> Any:
    return BASE + np.array(rows, np.int64)


def done(*rows: int, workers: tuple[int, ...] = (), results: dict[int, bytes] | None = None) -> Done:
    homes = np.array(workers or [0] * len(rows), np.int32)
    results = results or {}
    return Done(BASE, ids(*rows), homes, ids(*results), list(results.values()))


def broken(*rows: int, task: str = "f") -> PackedBroken:
    return PackedBroken(BASE, ids(*rows), task, None, dump_exception(ValueError(task)), "", "")


@pytest.fixture
def adopted() -> Submission:
    """Of rows 7, 2 and 5 of a job."""
    submission = Submission()
    submission.adopt(BASE, np.array([7, 2, 5]))
    submission.homes = np.full(3, -1, np.int32)
    return submission


def states(submission: Submission) -> list[str]:
    return [submission.state(position).name.lower() for position in range(3)]


def test_news_of_rows_that_are_not_wanted_here_are_passed_over(adopted: Submission) -> None:
    adopted.hear(done(1, 2, 6, 7, 9, workers=(1, 2, 3, 4, 5), results={1: b"x", 7: b"y"}))
    assert states(adopted) == ["done", "done", "pending"]
    assert adopted.homes is not None
    assert adopted.homes.tolist() == [4, 2, -1]
    assert [adopted.has_value(position) for position in range(3)] == [True, False, False]
    adopted.hear(broken(5, 8))
    assert states(adopted) == ["done", "done", "failed"]


def test_what_is_lost_is_pending_again_until_it_comes_again(adopted: Submission) -> None:
    calls: list[str] = []
    adopted.hear(done(2, 5, 7))
    assert adopted.pending == 0
    adopted.hear(Undone(BASE, ids(2, 5)))
    assert (states(adopted), adopted.pending) == (["done", "pending", "pending"], 2)
    adopted.call_when_done(1, lambda: calls.append("again"))
    for call in adopted.hear(done(2, workers=(3,))):
        call()
    assert (states(adopted), calls) == (["done", "done", "pending"], ["again"])
    assert adopted.homes is not None
    assert adopted.homes.tolist() == [0, 3, -1]


def test_what_came_along_is_not_lost(adopted: Submission) -> None:
    adopted.hear(done(2, 5, results={2: b"\x80\x05K\x07."}))
    adopted.hear(Undone(BASE, ids(2, 5)))
    assert states(adopted) == ["pending", "done", "pending"]
    assert adopted.values([1, 2], load_value) == ({1: 7}, [2])
    adopted.forget_value(1)
    assert not adopted.has_value(1)


def test_what_has_failed_or_was_cancelled_stays_so(adopted: Submission) -> None:
    adopted.hear(broken(2))
    adopted.cancel(0)
    adopted.hear(Undone(BASE, ids(2, 7)))
    adopted.hear(done(2, 7))
    assert states(adopted) == ["cancelled", "failed", "pending"]
    assert adopted.state(0) == OutputState.CANCELLED


def test_of_a_failure_that_spreads_there_is_one_exception(adopted: Submission) -> None:
    adopted.hear(broken(2))
    adopted.hear(broken(5))
    adopted.hear(broken(7, task="g"))
    one, two, other = (adopted.failure(position) for position in (1, 2, 0))
    assert one.exception is two.exception
    assert (repr(one.exception), repr(other.exception)) == ("ValueError('f')", "ValueError('g')")
