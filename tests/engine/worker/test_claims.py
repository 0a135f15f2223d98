"""What may begin: resources that only so many tasks can have, and memory that is short."""

from __future__ import annotations

import time

import numpy as np
import pytest

from restride.engine.messages import Drop, ForgetKernels, PackedKernels, Place, TakeBack
from restride.engine.serialize import dump_function
from restride.engine.worker.claims import AWAITED_SECONDS, BATCH_SECONDS, LONG_SECONDS, NO_TASK, QUICK_SECONDS
from restride.engine.worker.compute import LATE_SECONDS, run_claimed
from restride.engine.worker.resources import Resources
from restride.engine.worker.state import Outcomes, WorkerState

PLAIN, GPU, HALF = 0, 1, 2


class Bench:
    """A worker with two GPUs, and layers that need none, one, and a half of one."""

    def __init__(self, threads: int = 4) -> None:
        self.state = WorkerState(threads, 0, resources={"GPU": 2})
        self.state.receive(
            PackedKernels(
                numbers=np.array([PLAIN, GPU, HALF]),
                kernel=np.zeros(3, np.int32),
                has_param=np.zeros(3, np.bool_),
                resources=[{}, {"GPU": 1}, {"GPU": 0.5}],
                digests=["ident"],
                kernels=[dump_function((lambda *inputs: inputs, {}))],
            )
        )
        self.outcomes = {thread: Outcomes() for thread in range(threads)}
        for thread, outcomes in self.outcomes.items():
            self.state.claims.slots[thread] = outcomes.running

    def place(self, layer: int, *ids: int, needs: tuple[int, ...] = ()) -> None:
        n = len(ids)
        message = Place(
            ids=np.array(ids),
            attempts=np.ones(n, np.int32),
            layers=np.full(n, layer, np.int32),
            params=[None] * n,
            indptr=np.arange(n + 1) * len(needs),
            deps=np.array(list(needs) * n, np.int64),
            homes=np.zeros(len(needs) * n, np.int32),
            wanted=np.zeros(n, np.bool_),
        )
        self.state.receive(message)

    def claim(self, thread: int) -> list[int]:
        return list(self.state.claim(thread)[0])

    def run(self, thread: int) -> list[int]:
        """What a thread runs of what it has claimed."""
        outcomes = self.outcomes[thread]
        run_claimed(self.state, self.state.claims._claims[thread], outcomes)
        ran = list(outcomes.ids)
        self.state.settle(outcomes)
        outcomes.clear()
        return ran

    def learn(self, layer: int, seconds: float = 1e-9) -> None:
        """Run a task of a layer that seems to take this long."""
        self.place(layer, -1)
        self.claim(0)
        outcomes = self.outcomes[0]
        run_claimed(self.state, self.state.claims._claims[0], outcomes)
        outcomes.seconds[:] = [seconds]
        self.state.settle(outcomes)
        outcomes.clear()
        assert self.claim(0) == []
        self.state.receive(Drop(np.array([-1])))


# ---- resources


def test_no_more_tasks_run_at_once_than_there_are_resources_for() -> None:
    bench = Bench()
    bench.place(GPU, 1, 2, 3)
    assert [bench.claim(thread) for thread in range(4)] == [[1], [2], [], []]
    assert bench.run(0) == [1]
    assert bench.claim(3) == []
    assert bench.claim(0) == [3], "a thread gives back what it had when it asks for more"


def test_what_has_to_wait_does_not_hold_up_what_comes_after_it() -> None:
    bench = Bench()
    bench.place(GPU, 1, 2, 3)
    bench.place(PLAIN, 8, 9)
    assert [bench.claim(thread) for thread in range(4)] == [[1], [2], [8], [9]]


def test_fractions_share_a_resource() -> None:
    bench = Bench(threads=6)
    bench.place(HALF, 1, 2, 3)
    bench.place(GPU, 4)
    bench.place(HALF, 5)
    assert [bench.claim(thread) for thread in range(6)] == [[1], [2], [3], [5], [], []]


def test_a_thread_takes_a_resource_once_for_many_short_tasks() -> None:
    bench = Bench(threads=1)
    bench.learn(GPU)
    bench.place(GPU, *range(10))
    assert bench.claim(0) == list(range(10))
    assert bench.state.claims._resources.free == {"GPU": 1}
    bench.run(0)
    assert bench.claim(0) == []
    assert bench.state.claims._resources.free == {"GPU": 2}


def test_tasks_of_other_needs_are_a_batch_of_their_own() -> None:
    bench = Bench(threads=1)
    for layer in (PLAIN, GPU, HALF):
        bench.learn(layer)
    bench.place(GPU, 1, 2)
    bench.place(HALF, 3)
    bench.place(PLAIN, 4, 5)
    batches = []
    for _ in range(3):
        batches.append(bench.claim(0))
        bench.run(0)
    assert batches == [[1, 2], [3], [4, 5]]


def test_what_has_taken_a_resource_is_not_stolen() -> None:
    bench = Bench()
    bench.place(GPU, 1)
    assert bench.claim(0) == [1]
    assert bench.claim(1) == []
    bench.place(PLAIN, 2)
    assert bench.claim(2) == [2]
    assert bench.claim(1) == [2]


def test_a_task_that_waits_in_its_thread_keeps_what_it_has() -> None:
    bench = Bench(threads=1)
    bench.place(GPU, 1)
    claimed, _ = bench.state.claim(0)
    bench.outcomes[0].running[0] = claimed.popleft()
    bench.place(PLAIN, 2)
    assert bench.claim(0) == [2]
    assert bench.state.claims._resources.free == {"GPU": 1}


def test_a_thread_that_ends_gives_back_what_it_had() -> None:
    bench = Bench()
    bench.place(GPU, 1)
    bench.claim(0)
    bench.run(0)
    bench.state.forget_thread(0)
    assert bench.state.claims._resources.free == {"GPU": 2}


def test_tasks_that_wait_for_a_resource_can_be_taken_back_and_dropped() -> None:
    bench = Bench()
    bench.place(GPU, 1, 2, 3, 4, 5)
    for thread in range(3):
        bench.claim(thread)
    bench.state.receive(TakeBack(np.array([3])))
    bench.state.receive(Drop(np.array([4])))
    (given,) = bench.state.replies()
    assert given.ids.tolist() == [3]
    bench.run(0)
    assert bench.claim(0) == [5]
    bench.state.audit()


def test_layers_with_needs_that_are_over_do_not_matter_any_more() -> None:
    bench = Bench()
    bench.state.receive(ForgetKernels([PLAIN, GPU, HALF]))
    assert not bench.state.claims._needy


def test_amounts_add_up_in_spite_of_rounding() -> None:
    resources = Resources({"GPU": 1})
    assert all(resources.take(thread, {"GPU": 0.1}) for thread in range(10))
    assert not resources.take(10, {"GPU": 0.1})
    for thread in range(10):
        resources.give_back(thread)
    assert resources.free == {"GPU": pytest.approx(1)}


def test_there_is_nothing_of_what_was_not_said() -> None:
    assert not Resources().take(0, {"GPU": 1})


# ---- what others wait for


def awaited_bench(*ids: int) -> Bench:
    """Thirty short tasks; somebody waits for some."""
    bench = Bench(threads=1)
    bench.learn(PLAIN, AWAITED_SECONDS / 1.5)
    bench.place(PLAIN, *range(30))
    bench.state.asked.ask("somebody", ids)
    return bench


def test_a_claim_ends_soon_after_what_others_wait_for() -> None:
    bench = awaited_bench(20)
    assert bench.claim(0) == list(range(23))
    bench.run(0)
    assert bench.claim(0) == list(range(23, 30))


def test_what_others_wait_for_overtakes_the_few_tasks_before_it() -> None:
    bench = awaited_bench(4, 6)
    assert bench.claim(0) == [4, 6]
    bench.run(0)
    assert bench.claim(0) == [0, 1, 2, 3, 5, *range(7, 30)]
    bench = awaited_bench(4)
    bench.state.receive(ForgetKernels([GPU, HALF]))
    assert quick(bench) == [4]


def test_what_others_wait_for_overtakes_a_long_task_too() -> None:
    bench = Bench(threads=1)
    bench.learn(PLAIN, 2 * BATCH_SECONDS)
    bench.state.receive(ForgetKernels([GPU, HALF]))
    bench.place(PLAIN, *range(20))
    bench.state.asked.ask("somebody", [5, 12])
    bench.claim(0)
    assert [*bench.run(0), *bench.claim(0)] == [5, 0]


def test_where_many_are_waited_for_they_overtake_a_long_task_together() -> None:
    bench = Bench(threads=1)
    bench.learn(GPU, 2 * BATCH_SECONDS)
    bench.learn(PLAIN, AWAITED_SECONDS / 5)
    bench.state.receive(ForgetKernels([HALF]))
    bench.state.claims._needy.clear()
    bench.place(GPU, 0, 1)
    bench.place(PLAIN, *range(2, 92))
    bench.state.asked.ask("somebody", range(2, 62))
    assert bench.claim(0) == list(range(2, 62))
    bench.run(0)
    assert bench.claim(0) == [0]


# ---- what is not worth a thread of its own


def test_what_a_thread_has_claimed_and_not_begun_can_be_taken_back() -> None:
    bench = Bench(threads=1)
    bench.learn(PLAIN)
    bench.place(PLAIN, 1, 2, 3, 4)
    assert bench.claim(0) == [1, 2, 3, 4]
    assert bench.state.claims.waiting == 4
    bench.state.receive(TakeBack(np.array([2, 4])))
    (given,) = bench.state.replies()
    assert given.ids.tolist() == [2, 4]
    assert bench.state.claims.waiting == 2
    assert bench.run(0) == [1, 3]
    bench.state.audit()


def test_a_batch_that_takes_longer_than_expected_is_cut_off() -> None:
    bench = Bench(threads=1)
    bench.learn(PLAIN)
    bench.place(PLAIN, 1, 2, 3)
    bench.claim(0)
    bench.state.tasks[1].kernels[0].call = lambda *_: time.sleep(LATE_SECONDS)
    assert bench.run(0) == [1]
    assert bench.claim(0) == [2, 3]


def plain_bench() -> Bench:
    """Without layers that need anything."""
    bench = Bench()
    bench.state.receive(ForgetKernels([GPU, HALF]))
    return bench


def quick(bench: Bench) -> list[int]:
    return list(bench.state.claims.claim_quick(3))


def test_quick_tasks_are_those_that_are_known_to_be() -> None:
    bench = plain_bench()
    bench.place(PLAIN, 1)
    assert quick(bench) == []
    assert bench.claim(0) == [1], "as nothing is known yet, it is left to a thread"


def test_quick_tasks_are_claimed_for_a_short_time_only() -> None:
    bench = plain_bench()
    bench.learn(PLAIN, QUICK_SECONDS / 4)
    bench.place(PLAIN, *range(10))
    assert quick(bench) == [0, 1, 2, 3]
    bench.state.unclaim(3)
    bench.state.asked.ask("somebody", [0])
    assert quick(bench) == [0, 1]


def test_tasks_are_not_quick_of_which_some_have_taken_long_of_late() -> None:
    bench = plain_bench()
    for seconds in (2 * LONG_SECONDS, *[1e-9] * 30):
        bench.learn(PLAIN, seconds)
    bench.place(PLAIN, 1)
    assert quick(bench) == []
    bench.state.receive(Drop(np.array([1])))
    for _ in range(100):
        bench.learn(PLAIN)
    bench.place(PLAIN, 2)
    assert quick(bench) == [2]


def test_nothing_is_quick_where_it_matters_what_begins() -> None:
    bench = Bench()
    bench.learn(PLAIN)
    bench.place(PLAIN, 1)
    assert quick(bench) == [], "there is a layer that needs a GPU"
    bench.state.receive(ForgetKernels([GPU, HALF]))
    bench.state.save_memory(True)
    assert quick(bench) == []
    bench.state.save_memory(False)
    assert quick(bench) == [1]


# ---- memory


def saving(threads: int = 2) -> Bench:
    bench = Bench(threads)
    bench.state.save_memory(True)
    return bench


def test_where_memory_is_short_only_tasks_with_inputs_begin() -> None:
    bench = Bench(2)
    bench.place(PLAIN, 0)
    bench.claim(0)
    bench.run(0)
    bench.state.save_memory(True)
    bench.place(PLAIN, 1, 2)
    bench.place(PLAIN, 3, 4, needs=(0,))
    assert bench.claim(0) == [3, 4]


def test_where_nothing_else_runs_tasks_without_inputs_begin_one_at_a_time() -> None:
    bench = saving()
    bench.place(PLAIN, 1, 2, 3)
    claimed, _ = bench.state.claim(0)
    assert list(claimed) == [1]
    bench.outcomes[0].running[0] = claimed.popleft()
    assert bench.claim(1) == []
    bench.outcomes[0].running[0] = NO_TASK
    assert bench.claim(1) == [2]


def test_a_task_that_waits_for_others_does_not_count_as_running() -> None:
    bench = saving()
    bench.outcomes[0].running[0] = 77
    bench.state.claims.blocked = 1
    bench.place(PLAIN, 1)
    assert bench.claim(1) == [1]


def test_once_there_is_memory_all_tasks_begin_again() -> None:
    bench = saving()
    bench.place(PLAIN, 1, 2, 3)
    bench.claim(0)
    bench.run(0)
    bench.state.save_memory(False)
    assert [bench.claim(0), bench.claim(1)] == [[2], [3]]
