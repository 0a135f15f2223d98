"""Running a batch of claimed tasks: the innermost loop of every worker.

Whatever a task raises, ``SystemExit`` and ``KeyboardInterrupt`` included, is an outcome like any other. A task costs
about 0.3 µs here beside what its kernel takes (``python -m benchmarks micro``), so this one loop is written out: no
call that could be left out, no lookup that could be made before it.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter

from restride.engine.worker.kernels import FIRST_CALL
from restride.engine.worker.sizes import MEASURES, Size, copy_of, size_of
from restride.engine.worker.state import Outcomes, WorkerState

LATE_SECONDS = 5e-3
"""After so long a batch is cut off: its tasks take longer than expected, and others may wait for what came of it."""


def run_claimed(worker: WorkerState, claimed: deque[int], outcomes: Outcomes) -> None:
    """Run claimed tasks one after another.

    Parameters
    ----------
    worker : WorkerState
    claimed : deque of int
        Emptied from the left, while other threads may take tasks from the right. Some stay where `worker.hungry`
        says that other threads wait for outcomes, or where it takes too long.
    outcomes : Outcomes
        Takes what comes of them, to be settled.
    """
    store, placed = worker.store, worker.tasks
    output, measure_for = store.outputs.__getitem__, MEASURES.get
    add_id, add_run, add_row = outcomes.ids.append, outcomes.runs.append, outcomes.rows.append
    add_value, add_size, add_seconds = outcomes.values.append, outcomes.sizes.append, outcomes.seconds.append
    running = outcomes.running
    outer = running[0]  # of a task that waits, in whose frame this runs
    begun = perf_counter()
    late = begun + LATE_SECONDS
    while claimed:
        try:
            id = claimed.popleft()
        except IndexError:
            break
        running[0] = id  # before it is looked up: who drops a task, and then finds nobody at it, can rely on that
        run = placed.get(id)
        if run is None:
            continue  # nobody needs it any more
        row = id - run.first if run.at is None else run.at[id]
        kernel = run.kernels[row]
        deps = run.deps[run.indptr[row] : run.indptr[row + 1]] if run.deps else ()
        try:
            if kernel.has_param:
                value = kernel.call(run.params[row], *map(output, deps)) if deps else kernel.call(run.params[row])
            else:
                value = kernel.call(*map(output, deps))
            measure = measure_for(type(value))
            size: Size = measure if type(measure) is int else size_of(value)
            if type(size) is not int and store.is_waste(size):
                value = copy_of(value)
                size = size_of(value)
        except BaseException as exception:  # noqa: BLE001  the user's code may raise anything, and the engine goes on
            outcomes.failures.append((id, run, _without_own_frames(exception)))
            break  # the rest may not be wanted any more
        else:
            ended = perf_counter()
            add_id(id)
            add_run(run)
            add_row(row)
            add_value(value)
            add_size(size)
            add_seconds(ended - begun)
            begun = ended
            del value
        if worker.hungry or ended > late:
            break
    running[0] = outer


def _without_own_frames(exception: BaseException) -> BaseException:
    traceback = exception.__traceback__
    if traceback is not None:
        traceback = traceback.tb_next
    if traceback is not None and traceback.tb_frame.f_code is FIRST_CALL:
        traceback = traceback.tb_next
    return exception.with_traceback(traceback)
