"""The scheduler with a real worker, as embedded: threads that claim, steal and run in any order, against the model."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from restride.engine.messages import Failed, Finished, ToWorker
from restride.engine.worker.compute import run_claimed
from restride.engine.worker.state import Outcomes, WorkerState
from tests.engine.model import graph_specs
from tests.engine.trial import SECONDS, Trial


class ThreadedWorker:
    """A `WorkerState` and its compute threads, which run when they are told to."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.state = WorkerState(threads)
        self.ran: Counter[int] = Counter()
        self.done = [Outcomes() for _ in range(threads)]
        """What each thread has done and not brought back."""

    def receive(self, message: ToWorker) -> None:
        self.state.receive(message)
        self.state.audit()

    def settle(self, thread: int) -> None:
        outcomes, self.done[thread] = self.done[thread], Outcomes()
        self.state.settle(outcomes)
        self.state.audit()

    def run(self, thread: int, *, one: bool) -> int:
        """A thread brings back what it has done, and runs what it can claim, or one task of it; how many it ran."""
        self.settle(thread)
        self.state.hungry = one
        claimed, _ = self.state.claim(thread)
        outcomes = self.done[thread]
        run_claimed(self.state, claimed, outcomes)
        outcomes.seconds[:] = [SECONDS] * len(outcomes.ids)
        ran = [*outcomes.ids, *(id for id, _, _ in outcomes.failures)]
        self.ran.update(ran)
        return len(ran)

    def reports(self) -> tuple[Finished | None, list[Failed]]:
        return self.state.reports()

    def outputs(self) -> dict[int, Any]:
        return {id: self.state.store[id] for id in self.state.store}

    def is_empty(self) -> bool:
        return not (self.state.store.nbytes or len(self.state.store) or self.state.tasks or self.state._kernels)


NESTED = st.sampled_from([False, False, True])


class Driver:
    """A trial in which hypothesis chooses what happens next."""

    def __init__(self, data: st.DataObject, threads: int, horizon: float) -> None:
        self.draw = data.draw
        self.worker = ThreadedWorker(threads)
        self.trial = Trial([self.worker], horizon)

    def submit(self) -> None:
        self.trial.submit(self.draw(graph_specs(self.trial.model.held(), most=8)), nested=self.draw(NESTED))

    def run_all(self) -> None:
        self.worker.run(self._any_thread(), one=False)

    def run_one(self) -> None:
        self.worker.run(self._any_thread(), one=True)

    def settle(self) -> None:
        self.worker.settle(self._any_thread())

    def unclaim(self) -> None:
        """A thread that has claimed before gives back what it has not begun."""
        thread = self._any_thread()
        self.worker.run(thread, one=True)
        self.worker.state.unclaim(thread)

    def exchange(self) -> None:
        self.trial.report(0)
        self.trial.exchange()

    def release(self) -> None:
        held = self.trial.model.held()
        if held:
            self.trial.release(self.draw(st.lists(st.sampled_from(held), min_size=1, max_size=4, unique=True)))
            self.trial.exchange()

    def finish(self) -> None:
        """All threads run until nothing is left."""
        ran = 1
        while ran:
            for thread in range(self.worker.threads):
                self.worker.settle(thread)
            self.exchange()
            ran = sum(self.worker.run(thread, one=False) for thread in range(self.worker.threads))
        self.trial.check_end()
        assert set(self.worker.ran.values()) <= {1}

    def _any_thread(self) -> int:
        return self.draw(st.integers(0, self.worker.threads - 1))


ACTIONS = [
    *[Driver.submit, Driver.run_all, Driver.run_one, Driver.exchange] * 2,
    *[Driver.settle, Driver.unclaim, Driver.release],
]


@settings(
    max_examples=60,
    # one small failing example, soon: with more, or explained, it takes longer than a test may
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    data=st.data(),
    threads=st.integers(1, 3),
    horizon=st.sampled_from([0.05, 0.2, 1e6]),
    actions=st.integers(0, 50).flatmap(lambda n: st.lists(st.sampled_from(ACTIONS), min_size=n, max_size=n)),
)
def test_scheduler_and_worker_do_what_the_model_says_whatever_happens_in_whatever_order(
    data: st.DataObject, threads: int, horizon: float, actions: list[Any]
) -> None:
    driver = Driver(data, threads, horizon)
    driver.submit()
    for action in actions:
        action(driver)
    driver.finish()
