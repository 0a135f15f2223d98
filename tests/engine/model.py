"""What scheduler and workers must do, said the naive way: an object a task, dicts and loops.

`Model` knows what is computed, released, cancelled and failed; `GraphSpec` is a graph in lists. Where tasks go, and
when they run, is not the model's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from restride.engine.graph import TaskGraph
from restride.engine.job import Job, compile_job

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
    held: bool
    """Whether the client wants it, and has not released it."""
    state: str = "unfinished"
    """Then ``finished``, ``released``, ``failed`` or ``cancelled``."""


class Model:
    """All tasks that ever were, by id."""

    def __init__(self) -> None:
        self.tasks: dict[int, ModelTask] = {}
        self.jobs: dict[int, list[int]] = {}
        """Ids of the tasks of each job, by its first."""
        self.values: dict[int, int | None] = {}
        """What each task must compute; None where it, or something before it, raises."""
        self._dependents: dict[int, list[ModelTask]] = {}
        self.told: list[tuple[str, int]] = []
        """What clients must have heard: ``("done", id)`` and ``("broken", id)``."""
        self.dropped: list[int] = []
        """What nobody needs any more of what once was needed."""

    def submit(self, spec: GraphSpec, salt: int, job: Job, base: int) -> None:
        """A job has begun. Nothing but the numbering of its tasks is taken from its columns."""
        tasks = spec.tasks()
        starts = np.cumsum([0, *map(len, spec.layers)])
        graph_ids = (starts[job.layer] + job.index).tolist()
        id_of = {graph_id: base + row for row, graph_id in enumerate(graph_ids)}
        for id, (layer, _, at) in enumerate(tasks):
            if layer.futures is not None:
                id_of[id] = layer.futures[at]
        self.jobs[base] = []
        for graph_id in sorted(graph_ids):
            layer, number, at = tasks[graph_id]
            raises = layer.raising is not None and layer.raising[at]
            deps = [id_of[dep] for dep in layer.rows[at]]
            id = id_of[graph_id]
            task = ModelTask(id, (salt + number, at), deps, raises, graph_id in spec.wanted)
            self.tasks[id] = task
            for dep in deps:
                self._dependents.setdefault(dep, []).append(task)
            self.jobs[base].append(id)
            inputs = [self.values[dep] for dep in deps]
            if raises or None in inputs:
                self.values[id] = None
            else:
                self.values[id] = mix(*([] if layer.raising is None else [at]), *inputs, salt=salt + number)
        self._spread()

    def finish(self, id: int) -> None:
        task = self.tasks[id]
        task.state = "finished"
        if task.held:
            self.told.append(("done", id))
        self._spread()

    def fail(self, id: int) -> None:
        self._fail(self.tasks[id])
        self._spread()

    def release(self, ids: Iterable[int]) -> None:
        for id in ids:
            assert self.tasks[id].held
            self.tasks[id].held = False
        self._spread()

    def held(self) -> list[int]:
        return [id for id, task in self.tasks.items() if task.held]

    def unfinished(self) -> list[int]:
        return [id for id, task in self.tasks.items() if task.state == "unfinished"]

    def live_jobs(self) -> set[int]:
        """Jobs of which there is something left that somebody could ask for."""
        return {base for base, ids in self.jobs.items() if any(self._is_left(self.tasks[id]) for id in ids)}

    def raising_ancestors(self, id: int) -> set[tuple[int, int]]:
        """Names of the tasks that can be to blame where this one fails."""
        found, seen, left = set(), set(), [id]
        while left:
            task = self.tasks[left.pop()]
            if task.id not in seen:
                seen.add(task.id)
                left += task.deps
                found |= {task.name} if task.raises else set()
        return found

    def _is_left(self, task: ModelTask) -> bool:
        return task.state in ("unfinished", "finished") or (task.state == "failed" and task.held)

    def _is_needed(self, task: ModelTask) -> bool:
        return task.held or any(other.state == "unfinished" for other in self._dependents.get(task.id, ()))

    def _fail(self, task: ModelTask) -> None:
        task.state = "failed"
        self.dropped.append(task.id)
        if task.held:
            self.told.append(("broken", task.id))

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
                    self.dropped.append(task.id)
                    changed = True


def compiled(spec: GraphSpec, salt: int) -> tuple[Job, Ints]:
    """The job of a graph, and the ids of the earlier outputs that it needs."""
    job, futures, _ = compile_job(spec.build(salt), spec.wanted)
    return job, np.array(futures, np.int64)
