"""Fusion: a map whose blocks are each used by one task alone runs inside that task.

Walking from the wanted tables towards the sources, every consumer of a table has been settled before the table itself.
So its uses are known: in which groups of tasks (a group is one map of the result, with one task per block of it), and
by which columns, that tell which block of the table each of these tasks uses. If no block is used by two tasks, or the
map is free to be repeated, it becomes a step of each of these groups; otherwise a group of its own. Chains, diamonds,
broadcasts, parts of tables and several outputs need no rules beyond that one.

A kernel with a method ``after(kernel)`` may return a kernel that does what both do, one after the other, or None.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from restride.collections.blocks import Blocks, Kernel, Map, Select, compose, every, take_params
from restride.collections.traversal import postorder
from restride.engine.graphs.csr import Ints
from restride.engine.graphs.graph import Params


class FusedKernel:
    """Several kernels as one: a flat program over numbered values, picklable if they are.

    The values are the parameters (one for each step that takes one), then the inputs, then the result of each step. A
    step is ``(kernel, numbers of its arguments, numbers of the values that no later step uses)``; forgetting those
    keeps a task's memory at what its intermediates need at one time.

    Parameters
    ----------
    name : str
        What people see: "add-exp-sum".
    params : sequence of slice or int
        For each step that takes a parameter, in order, what of the task's parameter it is. If there is but one such
        step, the whole; then this is empty, and the task's parameter comes as the first value.
    n_values : int
        How many values there are before the first step's result.
    steps : sequence of (callable, tuple of int, tuple of int)
    origins : sequence of (str or None)
        The user's line behind each step.

    Examples
    --------
    >>> import numpy as np
    >>> kernel = FusedKernel("add-sqrt", [], 2, [(np.add, (0, 1), (0, 1)), (np.sqrt, (2,), (2,))], [None, None])
    >>> print(kernel(7.0, 9.0))
    4.0
    """

    def __init__(
        self,
        name: str,
        params: Sequence[slice | int],
        n_values: int,
        steps: Sequence[tuple[Kernel, tuple[int, ...], tuple[int, ...]]],
        origins: Sequence[str | None],
    ) -> None:
        self.__name__ = name
        self.params = tuple(params)
        self.n_values = n_values
        self.steps = tuple(steps)
        self.origins = tuple(origins)

    def __call__(self, *values: Any) -> Any:
        slots = list(values)
        if self.params:
            param = slots[0]
            slots[:1] = [param[part] for part in self.params]
        del values
        add = slots.append
        try:
            for kernel, arguments, dead in self.steps:
                add(kernel(*[slots[i] for i in arguments]))
                for i in dead:
                    slots[i] = None
        except Exception as error:
            at = len(slots) - self.n_values
            made = f", made at {self.origins[at]}" if self.origins[at] else ""
            error.add_note(f"in step {at + 1} of {len(self.steps)} of {self.__name__!r}{made}")
            raise
        return slots.pop()

    def __repr__(self) -> str:
        return f"<FusedKernel {self.__name__}>"


Use = tuple[Blocks, int]
"""A table, and which of the columns by which a group uses it."""


class _Group:
    """The maps that will be one map."""

    def __init__(self, table: Map) -> None:
        self.table = table
        self.columns: dict[Blocks, list[Ints]] = {}
        """For each table used, or fused, the blocks of it that the tasks use; several columns if in several places."""
        self.steps: dict[Use, tuple[Map, Ints, list[Use]]] = {}
        """What runs, consumers first: a map, its block for each task, and its arguments."""
        self.columns[table] = [every(table.n)]

    def fuse(self, table: Map) -> list[Blocks]:
        """Make a table that the group uses a step of it; which tables it uses for that."""
        used = []
        for number, column in enumerate(self.columns[table]):
            arguments = [self._use(t, compose(index, column)) for t, index in zip(table.inputs, table.index)]
            self.steps[table, number] = (table, column, arguments)
            used += [t for t, _ in arguments]
        return used

    def fused(self, made: dict[Blocks, Blocks]) -> Map:
        """The one map, over the tables that came of those it uses."""
        self._join()
        steps = list(reversed(self.steps.items()))
        if len(steps) == 1:
            (_, (table, _, arguments)) = steps[0]
            inputs = tuple(made[used] for used, _ in arguments)
            index = tuple(self.columns[used][number] for used, number in arguments)
            return dataclasses.replace(table, inputs=inputs, index=index)

        columns = [take_params(table.params, column) for _, (table, column, _) in steps]
        n_params = sum(column is not None for column in columns)
        uses = dict.fromkeys(use for _, (_, _, arguments) in steps for use in arguments if use not in self.steps)
        slots = {use: number for number, use in enumerate([*uses, *(use for use, _ in steps)], n_params)}
        program = [(table.kernel, [slots[use] for use in arguments]) for _, (table, _, arguments) in steps]
        number = 0
        for (_, used), column in zip(program, columns):
            if column is not None:
                used.insert(0, number)
                number += 1
        params, parts = _joined([column for column in columns if column is not None])
        tables = [table for _, (table, _, _) in steps]
        name = _name([table.name for table in tables])
        origins = [table.origin for table in tables]
        return Map(
            n=self.table.n,
            inputs=tuple(made[used] for used, _ in uses),
            kernel=FusedKernel(name, parts, n_params + len(uses), _with_last_uses(program), origins),
            index=tuple(self.columns[used][number] for used, number in uses),
            params=params,
            name=name,
            origin=self.table.origin,
        )

    def _join(self) -> None:
        """Make one step of two where a kernel knows how, by a method `after`, and nothing else uses what is between."""
        uses = Counter(use for _, _, arguments in self.steps.values() for use in arguments)
        for use in list(self.steps):
            while use in self.steps:
                table, column, arguments = self.steps[use]
                after = getattr(table.kernel, "after", None)
                if after is None or len(arguments) > 1 or uses[arguments[0]] > 1 or arguments[0] not in self.steps:
                    break
                first, _, before = self.steps[arguments[0]]
                kernel = after(first.kernel)
                if kernel is None or first.params is not None or table.params is not None:
                    break
                del self.steps[arguments[0]]
                name = f"{first.name}-{table.name}"
                self.steps[use] = dataclasses.replace(table, kernel=kernel, name=name), column, before

    def _use(self, table: Blocks, column: Ints) -> Use:
        table, column = _through_selects(table, column)
        columns = self.columns.setdefault(table, [])
        for number, have in enumerate(columns):
            if have is column or np.array_equal(have, column):
                return table, number
        columns.append(column)
        return table, len(columns) - 1


def fuse(roots: Sequence[Blocks]) -> list[Blocks]:
    """Merge maps into maps; the tables that give the same blocks as `roots`, with fewer tasks."""
    order = postorder(roots, lambda table: table.inputs)
    users: dict[Blocks, dict[_Group, None]] = {}
    kept = set(roots)
    groups: dict[Blocks, _Group] = {}

    def fuse_into(group: _Group, table: Map) -> None:
        for used in group.fuse(table):
            users.setdefault(used, {})[group] = None

    for table in reversed(order):
        using = users.get(table, {})
        if not isinstance(table, Map):
            if table in kept or using:
                kept.update(table.inputs)
            continue
        inside = table.free or (table not in kept and _used_once(table, using))
        if inside:
            for group in using:
                fuse_into(group, table)
        if table in kept or (using and not inside):
            groups[table] = _Group(table)
            fuse_into(groups[table], table)

    made: dict[Blocks, Blocks] = {}
    for table in order:
        if table in groups:
            made[table] = groups[table].fused(made)
        elif not isinstance(table, Map) and (table in kept or table in users):
            made[table] = dataclasses.replace(table, inputs=tuple(made[used] for used in table.inputs))
    return [made[root] for root in roots]


def _name(names: list[str]) -> str:
    return "-".join(names if len(names) <= 6 else [*names[:2], "...", *names[-3:]])


def _used_once(table: Map, users: Iterable[_Group]) -> bool:
    columns = [column for group in users for column in group.columns[table]]
    if len(columns) == 1 and columns[0] is every(table.n):
        return True
    return bool(np.bincount(np.concatenate(columns)).max(initial=0) <= 1) if columns else False


def _through_selects(table: Blocks, column: Ints) -> tuple[Blocks, Ints]:
    """The table that blocks really come from, as far as it is one table for all of them."""
    while isinstance(table, Select):
        taken = table.table[column]
        starts = np.cumsum([0, *(used.n for used in table.inputs)])
        which = int(np.searchsorted(starts, taken[0], side="right")) - 1 if len(taken) else 0
        if len(taken) and (taken.min() < starts[which] or taken.max() >= starts[which + 1]):
            break
        table, column = table.inputs[which], taken - starts[which]
    if len(column) == table.n and np.array_equal(column, every(table.n)):
        column = every(table.n)
    return table, column


def _with_last_uses(program: list[tuple[Kernel, list[int]]]) -> list[tuple[Kernel, tuple[int, ...], tuple[int, ...]]]:
    seen: set[int] = set()
    steps = []
    for kernel, slots in reversed(program):
        dead = set(slots) - seen
        seen |= dead
        steps.append((kernel, tuple(slots), tuple(sorted(dead))))
    return steps[::-1]


def _joined(columns: list[Params]) -> tuple[Params | None, list[slice | int]]:
    """One column of several, and what of its values came from each; nothing of that where there is no need to tell.

    Columns of numbers lie side by side in one array, as a row in an array is far smaller than one in a list.
    """
    if len(columns) < 2:
        return (columns[0] if columns else None), []
    if all(isinstance(column, np.ndarray) and column.ndim == 2 and column.dtype == np.int64 for column in columns):
        stops = np.cumsum([0, *(np.shape(column)[1] for column in columns)]).tolist()
        return np.concatenate([np.asarray(column) for column in columns], axis=1), list(map(slice, stops, stops[1:]))
    rows = zip(*(column.tolist() if isinstance(column, np.ndarray) else column for column in columns))
    return list(rows), list(range(len(columns)))
