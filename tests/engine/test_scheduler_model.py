"""The scheduler with one to four naive workers against the model: random graphs, orders, failures, releases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from restride.engine.graph import Layer
from restride.engine.messages import Drop, Failed, Finished, ForgetKernels, Kernels, Place, ToWorker
from tests.engine.model import BoomError, GraphSpec, LayerSpec, graph_specs
from tests.engine.trial import SECONDS, Trial


class NaiveWorker:
    """Holds tasks until their inputs exist at the workers that were named, then runs whichever it is told to."""

    def __init__(self, threads: int, peers: Sequence[NaiveWorker]) -> None:
        self.threads = threads
        self._peers = peers
        self._kernels: dict[int, Layer] = {}
        self._tasks: dict[int, tuple[int, Layer, Any, list[tuple[int, int]]]] = {}
        self._outputs: dict[int, Any] = {}
        self._finished: list[tuple[int, int]] = []
        self._failed: list[Failed] = []

    def receive(self, message: ToWorker) -> None:
        match message:
            case Kernels():
                self._kernels.update(zip(message.numbers, message.layers))
            case ForgetKernels():
                for number in message.numbers:
                    del self._kernels[number]
            case Drop():
                for id in message.ids.tolist():
                    self._tasks.pop(id, None)
                    self._outputs.pop(id, None)
            case Place():
                edges = list(zip(message.deps.tolist(), message.homes.tolist()))
                for at, id in enumerate(message.ids.tolist()):
                    deps = edges[message.indptr[at] : message.indptr[at + 1]]
                    layer = self._kernels[int(message.layers[at])]
                    self._tasks[id] = int(message.attempts[at]), layer, message.params[at], deps

    def runnable(self) -> list[int]:
        return [
            id for id, task in self._tasks.items() if all(dep in self._peers[home]._outputs for dep, home in task[3])
        ]

    def run(self, id: int) -> None:
        attempt, layer, param, deps = self._tasks.pop(id)
        inputs = [self._peers[home]._outputs[dep] for dep, home in deps]
        if layer.params is not None:
            inputs.insert(0, param)
        assert layer.kernel is not None
        try:
            self._outputs[id] = layer.kernel(*inputs, **layer.constants)
        except BoomError as exception:
            self._failed.append(Failed(id, attempt, exception, None))
        else:
            self._finished.append((id, attempt))

    def reports(self) -> tuple[Finished | None, list[Failed]]:
        failed, self._failed = self._failed, []
        finished, self._finished = self._finished, []
        if not finished:
            return None, failed
        ids, attempts = zip(*finished)
        n = len(ids)
        return Finished(np.array(ids), np.array(attempts, np.int32), np.full(n, 8), np.full(n, SECONDS)), failed

    def outputs(self) -> dict[int, Any]:
        return self._outputs

    def is_empty(self) -> bool:
        return not (self._tasks or self._outputs or self._kernels)


NESTED = st.sampled_from([False, False, True])


class Driver:
    """A trial in which hypothesis chooses what happens next."""

    def __init__(self, data: st.DataObject, threads: list[int], horizon: float) -> None:
        self.draw = data.draw
        self.workers: list[NaiveWorker] = []
        self.workers += [NaiveWorker(count, self.workers) for count in threads]
        self.trial = Trial(self.workers, horizon)

    def submit(self) -> None:
        spec = self.draw(graph_specs(self.trial.model.held()))
        self.trial.submit(spec, client=self.draw(st.integers(0, 2)), nested=self.draw(NESTED))

    def submit_too_late(self) -> None:
        lost = [id for id, task in self.trial.model.tasks.items() if not task.held]
        if lost:
            future = self.draw(st.sampled_from(lost))
            self.trial.submit_with_lost_inputs(GraphSpec([LayerSpec(futures=[future]), LayerSpec([[0]])], [1]))

    def run(self) -> None:
        for _ in range(self.draw(st.integers(1, 6))):
            able = [(worker, id) for worker in self.workers for id in worker.runnable()]
            if able:
                worker, id = self.draw(st.sampled_from(able))
                worker.run(id)

    def report(self) -> None:
        self.trial.report(self._any_worker())

    def release(self) -> None:
        held = self.trial.model.held()
        if held:
            self.trial.release(self.draw(st.lists(st.sampled_from(held), min_size=1, max_size=4, unique=True)))

    def cancel_job(self) -> None:
        jobs = sorted(self.trial.model.live_jobs())
        if jobs:
            base = self.draw(st.sampled_from(jobs))
            self.trial.release([id for id in self.trial.model.jobs[base] if self.trial.model.tasks[id].held])

    def report_ended(self) -> None:
        ids = self.draw(st.lists(st.sampled_from(self.trial.stale_ids()), min_size=1, max_size=3, unique=True))
        self.trial.report_nonsense(self._any_worker(), ids, attempt=1, fails=self.draw(st.booleans()))

    def report_wrongly(self) -> None:
        """Of tasks that are under way, but as another attempt, or by another worker."""
        home = self.trial.home
        running = [id for id in self.trial.model.unfinished() if id in home]
        if running:
            id = self.draw(st.sampled_from(running))
            others = [number for number in range(len(self.workers)) if number != home[id]]
            worker, attempt = self.draw(st.sampled_from([(home[id], 0), (home[id], 2), *((at, 1) for at in others)]))
            self.trial.report_nonsense(worker, [id], attempt, fails=self.draw(st.booleans()))

    def exchange(self) -> None:
        self.trial.exchange()

    def finish(self) -> None:
        """Run whatever there is, as fast as workers can, and let go of it."""
        while True:
            for number in range(len(self.workers)):
                self.trial.report(number)
            self.trial.exchange()
            able = [(worker, id) for worker in self.workers for id in worker.runnable()]
            if not able:
                break
            for worker, id in able:
                worker.run(id)
        self.trial.check_end()

    def _any_worker(self) -> int:
        return self.draw(st.integers(0, len(self.workers) - 1))


ACTIONS = [
    *[Driver.submit, Driver.run, Driver.report, Driver.exchange] * 2,
    *[Driver.release, Driver.cancel_job, Driver.submit_too_late, Driver.report_ended, Driver.report_wrongly],
]


@settings(
    max_examples=80,
    # one small failing example, soon: with more, or explained, it takes longer than a test may
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    data=st.data(),
    threads=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    horizon=st.sampled_from([0.0, 0.05, 0.2, 1e6]),
    actions=st.integers(0, 50).flatmap(lambda n: st.lists(st.sampled_from(ACTIONS), min_size=n, max_size=n)),
)
def test_scheduler_does_what_the_model_says_whatever_happens_in_whatever_order(
    data: st.DataObject, threads: list[int], horizon: float, actions: list[Any]
) -> None:
    driver = Driver(data, threads, horizon)
    driver.submit()
    for action in actions:
        action(driver)
    driver.finish()
