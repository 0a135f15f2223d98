"""What a task raises reaches the caller as it was raised; its dependents do not run, and the engine goes on."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import restride as rs
from tests.garbage import collected

PATIENCE = 20.0


class OwnError(Exception):
    def __init__(self, code: int, *, why: str) -> None:
        super().__init__(code)
        self.why = why


class FinalError(BaseException):
    """Not an Exception."""


def deep(error: BaseException) -> None:
    deeper(error)


def deeper(error: BaseException) -> None:
    raise error


def still_works(client: rs.Client) -> bool:
    return client.submit(abs, -3).result(PATIENCE) == 3 and client.gather(client.map(abs, range(-50, 0)))[0] == 50


def test_the_caller_gets_the_very_exception_by_submit_and_by_get(near: rs.Client) -> None:
    error = OwnError(5, why="because")
    with pytest.raises(OwnError) as raised:
        near.submit(deep, error).result(PATIENCE)
    assert raised.value is error
    g = rs.TaskGraph()
    g.add(deep, 1, params=[error])
    with pytest.raises(OwnError) as raised:
        near.get(g, [0])
    assert raised.value is error


def test_the_traceback_leads_to_the_line_that_raised_without_frames_of_the_engine_in_between(
    near: rs.Client,
) -> None:
    g = rs.TaskGraph()
    g.add(deep, 1, params=[ValueError("deep")])
    with pytest.raises(ValueError, match="deep") as raised:
        near.get(g, [0])
    names = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert names[-2:] == ["deep", "deeper"]
    assert "run_claimed" not in names


def test_the_note_names_the_task_and_the_line_that_made_it(client: rs.Client) -> None:
    g = rs.TaskGraph()
    g.add(lambda x: 1 / x, 3, params=[2, 1, 0], name="invert")
    line = here() - 1
    with pytest.raises(ZeroDivisionError) as raised:
        client.get(g, [0, 1, 2])
    (note,) = raised.value.__notes__
    assert note.startswith(f"raised in task 'invert[2]', made at {__file__}:{line} in test_the_note")


def here() -> int:
    line = traceback.extract_stack()[-2].lineno
    assert line is not None
    return line


def test_the_note_of_a_call_names_the_function_and_the_line_of_the_call(client: rs.Client) -> None:
    future = client.submit(deeper, ValueError("x"))
    line = here() - 1
    with pytest.raises(ValueError, match="x") as raised:
        future.result(PATIENCE)
    (note,) = raised.value.__notes__
    assert note.startswith(f"raised in task 'deeper', made at {__file__}:{line} in test_the_note")


def test_raising_it_again_adds_neither_notes_nor_frames(client: rs.Client) -> None:
    future = client.submit(deep, ValueError("again"))
    seen = set()
    for _ in range(3):
        with pytest.raises(ValueError, match="again") as raised:
            future.result(PATIENCE)
        seen.add((len(traceback.extract_tb(raised.value.__traceback__)), len(raised.value.__notes__)))
    assert len(seen) == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("too much"),
        SystemExit(3),
        KeyboardInterrupt("by hand"),
        GeneratorExit(),
        StopIteration(7),
        asyncio.CancelledError(),
        RecursionError("too deep"),
        FinalError(),
        rs.InternalError("not ours"),
    ],
    ids=repr,
)
def test_whatever_is_raised_comes_back_and_the_engine_goes_on(client: rs.Client, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        client.submit(deep, error).result(PATIENCE)
    assert raised.value is error or (not client.in_process and raised.value.args == error.args)
    with pytest.raises(type(error)):
        client.gather([client.submit(deep, error)])
    g = rs.TaskGraph()
    g.add(deep, 1, params=[error])
    with pytest.raises(type(error)):
        client.get(g, [0])
    assert still_works(client)


def test_an_output_may_be_anything(near: rs.Client) -> None:
    def numbers() -> Iterator[int]:
        yield from (1, 2)

    assert list(near.submit(numbers).result(PATIENCE)) == [1, 2]
    for value in (None, ..., NotImplemented, ValueError("returned"), rs.Client, print):
        assert near.submit(lambda value=value: value).result(PATIENCE) is value
    assert still_works(near)


class Misleading:
    """An output that raises when it is asked for its size."""

    @property
    def nbytes(self) -> int:
        raise OwnError(1, why="nobody may ask")


def test_an_output_that_breaks_when_it_is_looked_at_fails_its_task_alone(near: rs.Client) -> None:
    future = near.submit(Misleading)
    with pytest.raises(OwnError):
        future.result(PATIENCE)
    assert still_works(near)


def test_dependents_do_not_run_and_fail_with_the_same_exception(client: rs.Client) -> None:
    ran: list[object] = []
    g = rs.TaskGraph()
    bad = g.add(lambda: 1 / 0, 1)
    good = g.add(lambda: 5, 1)
    after = g.add(ran.append, 2, deps=([0, 1, 3], [*bad.ids, *bad.ids, *good.ids]))
    last = g.add(ran.append, 1, deps=([0, 2], after.ids))
    futures = client.submit_graph(g, [*bad.ids, *after.ids, *last.ids, *good.ids])
    errors = {id(future.exception(PATIENCE)) for future in futures[:-1]}
    assert len(errors) == 1
    assert futures[-1].result(PATIENCE) == 5
    assert ran == []


def test_a_failure_reaches_later_jobs_too(held: rs.Client, gate: Any) -> None:
    ran: list[object] = []
    bad = held.submit(deep, ValueError("first"))
    g = rs.TaskGraph()
    g.add(ran.append, 1, deps=([0, 1], g.add_futures([bad]).ids))
    (pending,) = held.submit_graph(g, [1])
    gate.open.set()
    with pytest.raises(ValueError, match="first"):
        pending.result(PATIENCE)
    (known,) = held.submit_graph(g, [1])
    with pytest.raises(ValueError, match="first"):
        known.result(PATIENCE)
    with pytest.raises(ValueError, match="first"):
        held.get(g, [0])
    assert ran == []


def test_get_cancels_what_is_left_of_a_graph_in_which_a_task_failed(near: rs.Client) -> None:
    ran: list[int] = []

    def task(i: int) -> None:
        ran.append(i)
        if i == 3:
            raise ValueError("enough")

    g = rs.TaskGraph()
    chain = g.add(task, 1, params=[0])
    for i in range(1, 200):
        chain = g.add(lambda i, _: task(i), 1, deps=([0, 1], chain.ids), params=[i])
    with pytest.raises(ValueError, match="enough"):
        near.get(g, chain.ids)
    assert ran == [0, 1, 2, 3]
    assert still_works(near)
    assert ran == [0, 1, 2, 3]


def test_inline_get_stops_at_the_first_failure() -> None:
    ran: list[int] = []

    def task(i: int) -> None:
        ran.append(i)
        if i == 3:
            raise ValueError("enough")

    g = rs.TaskGraph()
    g.add(task, 200, params=range(200))
    with rs.Client("inline") as client:
        with pytest.raises(ValueError, match="enough"):
            client.get(g, range(200))
        assert len(ran) < 200
        assert still_works(client)
        assert len(ran) < 200


def test_inline_an_interrupted_task_interrupts_the_call_and_drops_the_rest() -> None:
    ran: list[int] = []

    def task(i: int) -> None:
        ran.append(i)
        if len(ran) == 2:
            raise KeyboardInterrupt

    with rs.Client("inline") as client:
        with pytest.raises(KeyboardInterrupt):
            client.map(task, range(100))
        assert still_works(client)
        assert len(ran) == 2


def test_other_computations_go_on_beside_one_that_fails(threads: rs.Client, gate: Any) -> None:
    slow = threads.submit(gate)
    gate.wait_until_begun()
    bad = threads.map(deep, [ValueError(i) for i in range(20)])
    assert all(isinstance(future.exception(PATIENCE), ValueError) for future in bad)
    good = threads.map(abs, range(-20, 0))
    assert threads.gather(good) == list(range(20, 0, -1))
    gate.open.set()
    assert slow.result(PATIENCE) == "through"


def test_gather_raises_what_failed_first_in_its_order(client: rs.Client) -> None:
    futures = [client.submit(abs, -1), client.submit(deep, ValueError("one")), client.submit(deep, KeyError("two"))]
    with pytest.raises(ValueError, match="one"):
        client.gather(futures)


def test_a_failed_task_does_not_hold_its_inputs(threads: rs.Client) -> None:
    client = threads  # inline the frames of the traceback lead on to the caller's, which hold them
    big = client.submit(np.ones, 1000)
    bad = client.submit(lambda _: 1 / 0, big)
    rs.wait([bad], PATIENCE)
    del big
    client.submit(abs, 1).result(PATIENCE)
    assert client.nbytes < 100
    with pytest.raises(ZeroDivisionError):
        bad.result()


def test_a_failure_that_was_raised_and_caught_keeps_nothing_of_its_callers(client: rs.Client) -> None:
    class Large:
        pass

    def ask() -> weakref.ref[Large]:
        large = Large()
        future = client.submit(divmod, 1, 0)
        for failed in (future, client.submit(abs, future)):
            with contextlib.suppress(ZeroDivisionError):
                failed.result(PATIENCE)
        return weakref.ref(large)

    asked = [ask() for _ in range(5)]
    assert still_works(client)  # after which nothing refers to the calls before
    assert collected(lambda: not any(large() for large in asked))
    with pytest.raises(ValueError, match="again"):
        client.submit(deep, ValueError("again")).result(PATIENCE)


def test_a_failure_is_told_to_what_is_submitted_after_it_and_its_future_gone(near: rs.Client) -> None:
    for _ in range(20):
        future = near.submit(deep, ValueError("before"))
        rs.wait([future], PATIENCE)
        g = rs.TaskGraph()
        g.add(abs, 1, deps=([0, 1], g.add_futures([future]).ids))
        (dependent,) = near.submit_graph(g, [1])
        del future, g
        with pytest.raises(ValueError, match="before"):
            dependent.result(PATIENCE)


def test_a_dangling_dependency_is_refused_where_it_is_made(client: rs.Client) -> None:
    g = rs.TaskGraph()
    with pytest.raises(ValueError, match="layer 'abs': a dependency on task 7, which does not exist yet"):
        g.add(abs, 1, deps=([0, 1], [7]))
    assert len(g) == 0
    assert still_works(client)
