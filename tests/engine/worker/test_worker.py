"""The worker by itself: what becomes ready when, which thread gets what, and what is reported."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from restride.engine.graphs.graph import Layer
from restride.engine.messages import Drop, ForgetKernels, Kernels, Place
from restride.engine.worker.claims import BATCH_SECONDS, BATCH_TASKS
from restride.engine.worker.compute import run_claimed
from restride.engine.worker.state import Outcomes, WorkerState
from restride.engine.worker.store import WASTE
from restride.errors import InternalError


def ident(*inputs: Any) -> Any:
    """Its inputs, as they are."""
    return inputs


class Bench:
    """A worker with a kernel, to which tasks are given by their dependencies."""

    def __init__(self, threads: int = 1, kernel: Callable[..., Any] = ident, **constants: Any) -> None:
        self.state = WorkerState(threads)
        self.state.receive(
            Kernels([0, 1], [Layer("k", kernel, 0, 9, constants=constants), Layer("p", kernel, 9, 9, [0] * 9)])
        )

    def place(self, tasks: dict[int, list[int]], params: list[Any] | None = None, attempt: int = 1) -> None:
        n = len(tasks)
        deps = [dep for row in tasks.values() for dep in row]
        message = Place(
            ids=np.array(list(tasks)),
            attempts=np.full(n, attempt, np.int32),
            layers=np.full(n, 0 if params is None else 1),
            params=[None] * n if params is None else params,
            indptr=np.cumsum([0, *map(len, tasks.values())]),
            deps=np.array(deps, np.int64),
            homes=np.zeros(len(deps), np.int32),
            wanted=np.zeros(n, np.bool_),
        )
        self.state.receive(message)
        self.state.audit()

    def place_sources(self, n: int) -> None:
        self.place({id: [] for id in range(n)})

    def drop(self, *ids: int) -> None:
        self.state.receive(Drop(np.array(ids)))
        self.state.audit()

    def claim(self, thread: int = 0) -> list[int]:
        return list(self.state.claim(thread)[0])

    def run(self, thread: int = 0) -> Outcomes:
        """Run what a thread can claim, without bringing it back."""
        return self.run_ids(self.state.claim(thread)[0])

    def run_ids(self, claimed: Iterable[int]) -> Outcomes:
        outcomes = Outcomes()
        run_claimed(self.state, claimed if isinstance(claimed, deque) else deque(claimed), outcomes)
        return outcomes

    def settle(self, outcomes: Outcomes) -> None:
        self.state.settle(outcomes)
        self.state.audit()

    def work(self) -> list[int]:
        """Run whatever can run, one task after another; ids in the order in which they ran."""
        order: list[int] = []
        self.state.hungry = True
        while len(self.state.ready):
            outcomes = self.run()
            order += outcomes.ids
            self.settle(outcomes)
            self.state.unclaim(0)
        return order

    def learn(self, seconds: float) -> None:
        """Run a task of the kernel that seems to take this long."""
        self.place({-1: []})
        outcomes = self.run()
        outcomes.seconds[:] = [seconds]
        self.settle(outcomes)
        self.drop(-1)
        self.state.reports()


# ---- what a thread has done, and others settle


def test_outcomes_are_taken_from_a_thread_that_stays_at_a_task_and_it_goes_on() -> None:
    settled: list[list[int]] = []
    outcomes = Outcomes()

    def look_twice(*_: object) -> None:
        if not outcomes.stands_still() and outcomes.stands_still():
            taken = outcomes.taken()
            settled.append(taken.ids)
            bench.settle(taken)

    bench = Bench(kernel=look_twice)
    bench.place({0: [], 1: [], 2: [], 3: [], 4: [0]})
    run_claimed(bench.state, deque(range(4)), outcomes)
    assert settled == [[0], [1], [2]]
    assert outcomes.ids == [3]
    bench.settle(outcomes)
    finished, _ = bench.state.reports()
    assert finished is not None
    assert finished.ids.tolist() == [0, 1, 2, 3]
    assert bench.work() == [4]


def test_a_thread_that_has_gone_on_to_another_task_does_not_stand_still() -> None:
    stands: list[bool] = []
    outcomes = Outcomes()
    bench = Bench(kernel=lambda *_: stands.append(outcomes.stands_still()))
    bench.place_sources(4)
    run_claimed(bench.state, deque(range(4)), outcomes)
    assert stands == [False] * 4
    assert not outcomes.stands_still()
    assert outcomes.stands_still()
    outcomes.clear()
    assert not outcomes.stands_still()


# ---- what is ready


def test_ready_tasks_run_by_id_however_they_came() -> None:
    bench = Bench()
    bench.place({4: [], 9: []})
    bench.place({2: [], 3: [4], 11: []})
    bench.place({1: [], 7: []})
    assert bench.work() == [1, 2, 4, 3, 7, 9, 11]


def test_a_task_waits_for_the_last_of_its_inputs() -> None:
    bench = Bench()
    bench.learn(1e-9)
    bench.place({0: [], 1: [], 2: [0, 1]})
    bench.state.hungry = True
    bench.settle(bench.run())
    assert len(bench.state.ready) == 0
    bench.settle(bench.run())
    assert bench.work() == [2]


def test_a_dependency_that_repeats_is_waited_for_once_and_given_each_time() -> None:
    bench = Bench(kernel=lambda *inputs: inputs or "x")
    bench.place({0: [], 1: [0, 0, 0]})
    bench.place({2: [1, 0, 0]})
    assert bench.work() == [0, 1, 2]
    assert bench.state.store[2] == (("x",) * 3, "x", "x")


def test_tasks_placed_after_their_inputs_exist_are_ready_at_once() -> None:
    bench = Bench()
    bench.place({0: []})
    bench.work()
    bench.place({1: [0]})
    assert bench.claim() == [1]


def test_a_run_of_tasks_that_all_wait_makes_nothing_ready() -> None:
    bench = Bench(threads=2)
    bench.place({0: [], 5: []})
    bench.place({6: [0], 7: [5]})
    assert len(bench.state.ready) == 2
    bench.work()
    assert sorted(bench.state.store) == [0, 5, 6, 7]


def test_tasks_of_one_run_may_have_gaps_between_their_ids() -> None:
    bench = Bench()
    bench.place({3: [], 8: [3], 20: [8, 3]}, params=["a", "b", "c"])
    assert bench.work() == [3, 8, 20]
    assert bench.state.store[20] == ("c", ("b", ("a",)), ("a",))


def test_kernels_get_param_dependencies_and_constants_in_that_order() -> None:
    bench = Bench(kernel=lambda *inputs, sign="+": (inputs, sign), sign="-")
    bench.place({0: []})
    bench.place({1: [0]}, params=["param"])
    bench.place({2: []}, params=[None])
    bench.work()
    assert bench.state.store[0] == ((), "-")
    assert bench.state.store[1] == (("param", ((), "-")), "+")
    assert bench.state.store[2] == ((None,), "+")


# ---- which thread gets what


def test_a_task_of_unknown_duration_is_claimed_alone() -> None:
    bench = Bench()
    bench.place_sources(10)
    claimed, seconds = bench.state.claim(0)
    assert list(claimed) == [0]
    assert seconds >= BATCH_SECONDS


def test_short_tasks_are_claimed_a_millisecond_at_a_time() -> None:
    bench = Bench()
    bench.learn(BATCH_SECONDS / 10)
    bench.place_sources(100)
    claimed, seconds = bench.state.claim(0)
    assert list(claimed) in (list(range(10)), list(range(11)))
    assert seconds == pytest.approx(BATCH_SECONDS / 10)


def test_the_shortest_are_claimed_up_to_the_most() -> None:
    bench = Bench()
    bench.learn(1e-9)
    bench.place_sources(BATCH_TASKS + 100)
    assert bench.claim() == list(range(BATCH_TASKS))


def test_a_thread_claims_no_more_than_its_share_of_what_is_ready() -> None:
    bench = Bench(threads=3)
    bench.learn(1e-9)
    bench.place_sources(9)
    assert [bench.claim(0), bench.claim(1), bench.claim(2)] == [[0, 1, 2], [3, 4], [5, 6]]


def test_a_thread_claims_on_top_of_what_it_has_not_begun_and_no_more_than_that() -> None:
    bench = Bench()
    bench.learn(1e-9)
    bench.place_sources(3)
    assert bench.claim() == [0, 1, 2]
    assert bench.claim() == [0, 1, 2]


def test_a_thread_that_finds_nothing_takes_the_later_half_of_the_longest_claim() -> None:
    bench = Bench(threads=2)
    bench.learn(1e-9)
    bench.place_sources(10)
    assert [bench.claim(0), bench.claim(1)] == [[0, 1, 2, 3, 4], [5, 6, 7]]
    bench.drop(8, 9)
    assert bench.claim(2) == [3 - 1, 3, 4]
    assert bench.claim(3) == [6, 7]
    assert [bench.claim(0), bench.claim(1)] == [[0, 1], [5]]


def test_the_last_task_that_a_busy_thread_has_not_begun_is_taken_too() -> None:
    bench = Bench(threads=2)
    bench.place_sources(1)
    bench.claim(0)
    assert bench.claim(1) == [0]
    assert bench.claim(0) == [0], "and back, as long as nobody has begun with it"


def test_what_a_thread_gives_back_others_can_claim_in_order() -> None:
    bench = Bench(threads=2)
    bench.learn(1e-9)
    bench.place_sources(4)
    assert bench.claim(0) == [0, 1]
    bench.state.unclaim(0)
    assert bench.claim(1) == [0, 1]


def test_a_thread_that_ends_leaves_nothing_to_steal() -> None:
    bench = Bench(threads=2)
    bench.claim(1)
    bench.state.forget_thread(1)
    bench.state.forget_thread(1)
    assert bench.claim(0) == []


def test_a_thread_breaks_off_where_others_are_hungry() -> None:
    bench = Bench(threads=1)
    bench.learn(1e-9)
    bench.place_sources(3)
    bench.state.hungry = True
    claimed, _ = bench.state.claim(0)
    assert bench.run_ids(claimed).ids == [0]
    assert list(claimed) == [1, 2]


# ---- what nobody needs any more


def test_a_dropped_task_never_runs_wherever_it_stands() -> None:
    bench = Bench()
    bench.learn(1e-9)
    bench.place({0: [], 1: [], 2: [], 3: [0], 4: [0, 3]})
    claimed, _ = bench.state.claim(0)
    bench.drop(1, 3, 4)
    outcomes = bench.run_ids(claimed)
    bench.settle(outcomes)
    assert outcomes.ids == [0, 2]
    assert bench.work() == []
    assert sorted(bench.state.store) == [0, 2]
    assert not bench.state.tasks


def test_the_outcome_of_a_task_that_was_dropped_while_it_ran_is_let_go() -> None:
    bench = Bench(kernel=lambda *inputs: inputs)
    bench.learn(1e-9)
    bench.place_sources(3)
    outcomes = bench.run()
    bench.drop(1)
    bench.settle(outcomes)
    finished, failed = bench.state.reports()
    assert finished is not None
    assert (sorted(bench.state.store), finished.ids.tolist(), failed) == ([0, 2], [0, 2], [])


def test_the_failure_of_a_task_that_was_dropped_while_it_ran_is_let_go() -> None:
    bench = Bench(kernel=lambda: 1 / 0)
    bench.place_sources(1)
    outcomes = bench.run()
    bench.drop(0)
    bench.settle(outcomes)
    assert bench.state.reports() == (None, [])


def test_outputs_that_are_dropped_are_gone_and_what_is_unknown_is_no_matter() -> None:
    bench = Bench()
    bench.place_sources(2)
    bench.work()
    bench.drop(0, 77)
    assert list(bench.state.store) == [1]
    bench.drop(1)
    assert bench.state.store.nbytes == 0


def test_dropping_a_task_that_waits_leaves_others_waiting_for_the_same() -> None:
    bench = Bench()
    bench.place({0: [], 1: [0, 0], 2: [0], 3: [0]})
    bench.drop(2)
    bench.drop(1)
    assert bench.work() == [0, 3]


def test_kernels_are_forgotten_by_their_numbers() -> None:
    bench = Bench()
    bench.state.receive(ForgetKernels([0, 1]))
    with pytest.raises(KeyError):
        bench.place_sources(1)


# ---- outcomes and reports


def test_reports_are_columns_of_what_was_settled_since_the_last() -> None:
    bench = Bench(kernel=lambda: np.zeros(10))
    assert bench.state.reports() == (None, [])
    bench.place({5: [], 6: []}, attempt=3)
    outcomes = [bench.run(), bench.run()]
    assert bench.state.reports() == (None, [])
    for each, seconds in zip(outcomes, (0.25, 0.5)):
        each.seconds[:] = [seconds]
        bench.settle(each)
    finished, failed = bench.state.reports()
    assert finished is not None
    columns = (finished.ids, finished.attempts, finished.nbytes, finished.seconds)
    assert [column.tolist() for column in columns] == [[5, 6], [3, 3], [80, 80], [0.25, 0.5]]
    assert finished.attempts.dtype == np.int32
    assert failed == []
    assert bench.state.reports() == (None, [])


@pytest.mark.parametrize("kind", [ValueError, MemoryError, SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration])
def test_whatever_a_task_raises_is_its_failure_and_the_next_one_runs(kind: type[BaseException]) -> None:
    def picky(which: int) -> int:
        if which == 1:
            raise kind("no")
        return which

    bench = Bench(kernel=picky)
    bench.place({0: [], 1: [], 2: []}, params=[0, 1, 2])
    while bench.state.tasks:
        bench.settle(bench.run())
    finished, (failed,) = bench.state.reports()
    assert finished is not None
    assert finished.ids.tolist() == [0, 2]
    assert (failed.id, failed.attempt, type(failed.exception)) == (1, 1, kind)
    assert failed.traceback.tb_frame.f_code.co_name == "picky", "the traceback begins in the kernel"
    assert not bench.state.tasks


def test_a_task_that_returns_a_generator_has_returned() -> None:
    bench = Bench(kernel=lambda: (i for i in range(3)))
    bench.place_sources(1)
    assert bench.work() == [0]
    assert list(bench.state.store[0]) == [0, 1, 2]


def test_a_thin_view_that_a_task_returns_does_not_keep_the_rest() -> None:
    bench = Bench(kernel=lambda: np.zeros(1000)[:5])
    bench.place_sources(1)
    bench.work()
    assert bench.state.store.nbytes == 40


def test_a_view_of_an_input_is_no_copy_while_the_input_is_held() -> None:
    def first_or_part(*inputs: np.ndarray) -> np.ndarray:
        return inputs[0][:: 10 * WASTE] if inputs else np.zeros(8000)

    bench = Bench(kernel=first_or_part)
    bench.place({0: [], 1: [0]})
    bench.work()
    assert np.shares_memory(bench.state.store[0], bench.state.store[1])
    assert bench.state.store.nbytes == 64_000
    bench.drop(0)
    assert bench.state.store.nbytes == 64_000 // (10 * WASTE)


# ---- the audit


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda state: state._missing.update({3: 7}), "tasks that wait"),
        (lambda state: state._dependents.pop(2), "tasks that wait"),
        (lambda state: state.tasks.pop(3), "tasks wait that are unknown"),
        (lambda state: state.store.put([2], [0], [32]), "tasks wait for output 2, which is here"),
    ],
)
def test_tables_out_of_step_are_found(spoil: Callable[[WorkerState], object], message: str) -> None:
    bench = Bench()
    bench.place({2: [], 3: [2]})
    spoil(bench.state)
    with pytest.raises(InternalError, match=message):
        bench.state.audit()
