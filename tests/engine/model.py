"""What scheduler and workers must do, said the naive way: an object a task, dicts and loops.

`Model` knows what is computed, released, cancelled and failed; `GraphSpec` is a graph in lists. Where tasks go, and
when they run, is not the model's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import Job, compile_job
from restride.engine.graphs.options import Options

Ints = np.ndarray[Any, np.dtype[np.int64]]


class BoomError(Exception):
    """What the tasks raise that raise."""


def mix(*inputs: Any, salt: int) -> int:
    """Kernel of layers without parameters."""
    return hash((salt, *inputs))


def mix_or_raise(param: tuple[int, bool], *inputs: int, salt: int) -> int:
    """Kernel of layers with parameters: which task of the layer it is, and whether it raises."""
    which, raises = param
    if raises:
        raise BoomError(salt, which)
    return mix(which, *inputs, salt=salt)


# ---- graphs


@dataclass
class LayerSpec:
    """A layer: the dependencies of each task, as ids in the graph; or the earlier outputs that it stands for."""

    rows: list[list[int]] = field(default_factory=list)
    raising: list[bool] | None = None
    """Which of its tasks raise; None for a layer without parameters."""
    futures: list[int] | None = None

    def __len__(self) -> int:
        return len(self.rows if self.futures is None else self.futures)


@dataclass
class GraphSpec:
    layers: list[LayerSpec]
    wanted: list[int]

    def __len__(self) -> int:
        return sum(map(len, self.layers))

    def tasks(self) -> list[tuple[LayerSpec, int, int]]:
        """Of each id: its layer, the number of the layer, and which task of it."""
        return [(layer, number, at) for number, layer in enumerate(self.layers) for at in range(len(layer))]

    def needed(self) -> set[int]:
        """Ids that the wanted ones need, themselves included."""
        tasks = self.tasks()
        needed: set[int] = set()
        left = list(self.wanted)
        while left:
            id = left.pop()
            if id not in needed:
                needed.add(id)
                layer, _, at = tasks[id]
                left += layer.rows[at] if layer.futures is None else []
        return needed

    def build(self, salt: int) -> TaskGraph:
        """The graph itself; layer ``i`` mixes ``salt + i`` into its values."""
        graph = TaskGraph()
        for number, layer in enumerate(self.layers):
            if layer.futures is not None:
                graph.add_futures(layer.futures)  # type: ignore[arg-type]  # nothing here looks into a future
                continue
            indptr = np.cumsum([0, *map(len, layer.rows)])
            deps = (indptr, [dep for row in layer.rows for dep in row])
            kernel, params = mix, None
            if layer.raising is not None:
                kernel, params = mix_or_raise, list(enumerate(layer.raising))
            graph.add(kernel, len(layer), deps=deps, params=params, name=f"layer{number}", salt=salt + number)
        return graph


@st.composite
def graph_specs(draw: st.DrawFn, futures: Iterable[int] = (), *, failures: bool = True, most: int = 6) -> GraphSpec:
    """Random graphs of some layers, which depend on each other and on the outputs of `futures`."""
    futures = list(futures)
    layers: list[LayerSpec] = []
    n = 0
    for _ in range(draw(st.integers(2, 5))):
        if futures and draw(st.booleans()):
            layers.append(LayerSpec(futures=draw(st.lists(st.sampled_from(futures), min_size=1, max_size=3))))
        else:
            row = st.lists(st.integers(0, n - 1), min_size=1, max_size=3) | st.just([]) if n else st.just([])
            rows = draw(st.lists(row, min_size=draw(st.integers(1, most)), max_size=most))
            raising = None
            if draw(st.booleans()):
                raises = st.sampled_from([False] * 5 + [True]) if failures else st.just(False)
                raising = draw(st.lists(raises, min_size=len(rows), max_size=len(rows)))
            layers.append(LayerSpec(rows, raising))
        n += len(layers[-1])
    return GraphSpec(layers, draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=6)))


# ---- tasks


@dataclass
class ModelTask:
    id: int
    name: tuple[int, int]
    """Salt of its layer, and which task of the layer: what its exception says, if it raises."""
    deps: list[int]
    raises: bool
    holds: Counter[int]
    """How often each client wants it, and has not released it."""
    state: str = "unfinished"
    """Then ``finished``, ``released``, ``failed`` or ``cancelled``."""
    home: int | None = None
    """The worker that it is placed at, or that has its output."""
    attempt: int = 0
    tries: int = 0
    """How often it was tried again."""
    deaths: int = 0
    """How many workers have died of it."""

    @property
    def held(self) -> bool:
        return self.holds.total() > 0


@dataclass
class ModelJob:
    client: int
    ids: list[int]
    inputs: set[int]
    """Outputs of other jobs that its tasks need."""
    nested: bool
    options: Options


class Model:
    """All tasks that ever were, by id."""

    def __init__(self) -> None:
        self.tasks: dict[int, ModelTask] = {}
        self.jobs: dict[int, ModelJob] = {}
        """By the id of the first task."""
        self.values: dict[int, int | None] = {}
        """What each task must compute; None where it, or something before it, raises."""
        self._dependents: dict[int, list[ModelTask]] = {}
        self.told: list[tuple[int, int, str, int | None]] = []
        """What clients must have heard: client, id, what, and where."""

    def submit(self, spec: GraphSpec, salt: int, job: Job, base: int, note: ModelJob) -> None:
        """A job has begun. Nothing but the numbering of its tasks is taken from its columns."""
        tasks = spec.tasks()
        starts = np.cumsum([0, *map(len, spec.layers)])
        graph_ids = (starts[job.layer] + job.index).tolist()
        id_of = {graph_id: base + row for row, graph_id in enumerate(graph_ids)}
        for id, (layer, _, at) in enumerate(tasks):
            if layer.futures is not None:
                id_of[id] = layer.futures[at]
        self.jobs[base] = note
        for graph_id in sorted(graph_ids):
            layer, number, at = tasks[graph_id]
            raises = layer.raising is not None and layer.raising[at]
            deps = [id_of[dep] for dep in layer.rows[at]]
            id = id_of[graph_id]
            holds = Counter([note.client] if graph_id in spec.wanted else [])
            task = ModelTask(id, (salt + number, at), deps, raises, holds)
            self.tasks[id] = task
            for dep in deps:
                self._dependents.setdefault(dep, []).append(task)
            note.ids.append(id)
            note.inputs.update(dep for dep in deps if not base <= dep < base + len(graph_ids))
            inputs = [self.values[dep] for dep in deps]
            if raises or None in inputs:
                self.values[id] = None
            else:
                self.values[id] = mix(*([] if layer.raising is None else [at]), *inputs, salt=salt + number)
        self._spread()

    def place(self, id: int, worker: int, attempt: int) -> None:
        task = self.tasks[id]
        task.home, task.attempt = worker, attempt

    def finish(self, id: int) -> None:
        task = self.tasks[id]
        task.state = "finished"
        self._tell(task, "done")
        self._spread()

    def fail(self, id: int) -> None:
        self._fail(self.tasks[id])
        self._spread()

    def release(self, ids: Iterable[int], client: int) -> None:
        """A client lets go, once for each id; of what it does not hold it cannot."""
        for id in ids:
            if self.tasks[id].holds[client]:
                self.tasks[id].holds[client] -= 1
        self._spread()

    def hold(self, ids: Iterable[int], client: int) -> None:
        for id in set(ids):
            task = self.tasks[id]
            if task.state == "finished":
                self.told.append((client, id, "done", task.home))
            elif task.state == "failed":
                self.told.append((client, id, "broken", None))
        for id in ids:
            self.tasks[id].holds[client] += 1

    def lose_client(self, client: int) -> None:
        for task in self.tasks.values():
            del task.holds[client]
        self._spread()

    def lose_worker(self, worker: int, running: Iterable[int], most_deaths: int) -> None:
        """What it had is computed again where that is needed, and whatever that needs; what is behind waits, too."""
        for task in self.tasks.values():
            if task.home == worker and task.state in ("unfinished", "finished"):
                self._undo(task)
        self._undo_further()
        self._spread()
        suspects = []
        for id in running:
            task = self.tasks[id]
            task.deaths += 1
            if task.deaths >= most_deaths and task.state == "unfinished" and task.home is None:
                suspects.append((task.deaths, id))
        if suspects:
            self._fail(self.tasks[max(suspects)[1]])
            self._spread()

    def go_deaf(self, workers: Sequence[int], running: Iterable[int], taken: set[int]) -> None:
        """What they have not begun, of jobs that others take, waits again, and so does what is behind."""
        begun: set[int] = set()
        left = [id for id in running if self.tasks[id].home in workers]
        while left:
            task = self.tasks[left.pop()]
            if task.id not in begun and task.state == "unfinished" and task.home is not None:
                begun.add(task.id)
                left += task.deps
        for base in taken:
            for id in self.jobs[base].ids:
                task = self.tasks[id]
                if task.state == "unfinished" and task.home in workers and id not in begun:
                    self._undo(task)
        self._undo_further()

    def held(self, client: int | None = None) -> list[int]:
        """What some client holds, or this one."""
        return [id for id, task in self.tasks.items() if (task.held if client is None else task.holds[client])]

    def unfinished(self) -> list[int]:
        return [id for id, task in self.tasks.items() if task.state == "unfinished"]

    def placed(self) -> list[int]:
        return [id for id in self.unfinished() if self.tasks[id].home is not None]

    def live_jobs(self) -> set[int]:
        """Jobs of which there is something left that somebody could ask for."""
        return {base for base, job in self.jobs.items() if any(self._is_left(self.tasks[id]) for id in job.ids)}

    def kept_jobs(self) -> set[int]:
        """Those, and the ones from which they, or others that are kept, were made."""
        kept = self.live_jobs()
        left = list(kept)
        while left:
            inputs = self.jobs[left.pop()].inputs
            owners = {base for base, job in self.jobs.items() if not inputs.isdisjoint(job.ids)} - kept
            kept |= owners
            left += owners
        return kept

    def to_blame(self, id: int) -> set[int]:
        """Tasks that can be to blame where this one fails."""
        found: set[int] = set()
        left = [id]
        while left:
            task = self.tasks[left.pop()]
            if task.id not in found:
                found.add(task.id)
                left += task.deps
        return {id for id in found if self.tasks[id].raises or self.tasks[id].deaths}

    def _is_left(self, task: ModelTask) -> bool:
        return task.state in ("unfinished", "finished") or (task.state == "failed" and task.held)

    def _is_needed(self, task: ModelTask) -> bool:
        return task.held or any(other.state == "unfinished" for other in self._dependents.get(task.id, ()))

    def _tell(self, task: ModelTask, what: str) -> None:
        where = task.home if what == "done" else None
        self.told += [(client, task.id, what, where) for client, times in task.holds.items() if times]

    def _undo(self, task: ModelTask) -> None:
        if task.state == "finished":
            self._tell(task, "undone")
        task.state = "unfinished"
        task.home = None

    def _undo_further(self) -> None:
        """Of tasks that wait, what they need and is gone; and what is placed behind them."""
        changed = True
        while changed:
            changed = False
            for task in self.tasks.values():
                for dep in map(self.tasks.__getitem__, task.deps if task.state == "unfinished" else ()):
                    if dep.state in ("released", "cancelled"):
                        self._undo(dep)
                        changed = True
                    if task.home is not None and dep.state == "unfinished" and dep.home is None:
                        self._undo(task)
                        changed = True

    def _fail(self, task: ModelTask) -> None:
        task.state = "failed"
        self._tell(task, "broken")

    def _spread(self) -> None:
        """Failures to dependents first, then the end of what nobody needs, until nothing changes."""
        changed = True
        while changed:
            changed = False
            for task in self.tasks.values():
                if task.state == "unfinished" and any(self.tasks[dep].state == "failed" for dep in task.deps):
                    self._fail(task)
                    changed = True
        changed = True
        while changed:
            changed = False
            for task in self.tasks.values():
                if task.state in ("unfinished", "finished") and not self._is_needed(task):
                    task.state = "released" if task.state == "finished" else "cancelled"
                    changed = True


def compiled(spec: GraphSpec, salt: int) -> tuple[Job, Ints]:
    """The job of a graph, and the ids of the earlier outputs that it needs."""
    job, futures, _ = compile_job(spec.build(salt), spec.wanted)
    return job, np.array(futures, np.int64)
