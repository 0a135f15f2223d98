"""The error for dependencies that form a cycle, with the cycle in it."""

from __future__ import annotations

from restride.engine.graphs.csr import Ints
from restride.errors import GraphError

_SHOWN = 8


def cycle_error(indptr: Ints, indices: Ints) -> GraphError:
    """The error to raise, naming the tasks of a cycle, for dependencies known to contain one."""
    cycle = find_cycle(indptr, indices)
    tasks = [str(task) for task in cycle[:_SHOWN]] + ["..."] * (len(cycle) > _SHOWN) + [str(cycle[0])]
    return GraphError(f"the dependencies form a cycle of {len(cycle)} tasks: {' needs '.join(tasks)}")


def find_cycle(indptr: Ints, indices: Ints) -> list[int]:
    """The tasks of a cycle, each needing the next and the last the first; empty if there is none."""
    cursor, ends, needs = indptr[:-1].tolist(), indptr[1:].tolist(), indices.tolist()
    depth = [-1] * len(ends)  # position on the path, -1 for a task not yet visited
    for first in range(len(ends)):
        path = [first] if depth[first] < 0 else []
        while path:
            task = path[-1]
            depth[task] = len(path) - 1
            if cursor[task] == ends[task]:
                depth[task] = len(ends)  # done: past any path
                path.pop()
                continue
            needed = needs[cursor[task]]
            cursor[task] += 1
            if depth[needed] < 0:
                path.append(needed)
            elif depth[needed] < len(ends):
                return path[depth[needed] :]
    return []
