"""The static order: always valid, the same each time, and close to the best where the best is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from restride.engine.graphs import order as order_package
from restride.engine.graphs.order import mean_live, order
from restride.errors import GraphError

Csr = tuple[NDArray[np.int64], NDArray[np.int64]]


def csr(rows: list[list[int]]) -> Csr:
    return np.cumsum([0, *map(len, rows)]), np.array([needed for row in rows for needed in row], np.int64)


def assert_valid(indptr: NDArray[np.int64], indices: NDArray[np.int64], priorities: NDArray[np.int64]) -> None:
    assert priorities.dtype == np.int64
    assert sorted(priorities.tolist()) == list(range(len(indptr) - 1))
    assert (priorities[indices] < np.repeat(priorities, np.diff(indptr))).all()


@st.composite
def acyclic(draw: st.DrawFn, most: int = 40) -> Csr:
    """Random graphs, with repeated dependencies, isolated tasks, and ids in no order."""
    n = draw(st.integers(1, most))
    ids = draw(st.permutations(range(n)))
    reach = draw(st.integers(1, n))
    rows: list[list[int]] = [[] for _ in range(n)]
    for i in range(1, n):
        back = draw(st.lists(st.integers(1, min(i, reach)), max_size=4))
        rows[ids[i]] = [ids[i - distance] for distance in back]
    return csr(rows)


@st.composite
def layered(draw: st.DrawFn) -> Csr:
    """Random graphs wide enough for every candidate and for whole levels at a time."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    widths = rng.integers(1, 120, draw(st.integers(2, 6)))
    spread, fan_in = draw(st.sampled_from([1, 5, 1000])), draw(st.integers(1, 4))
    rows: list[list[int]] = [[] for _ in range(widths[0])]
    for before, width in pairwise(widths):
        start = len(rows) - before
        for i in range(width):
            near = np.clip(
                i * before // width + rng.integers(-spread, spread + 1, rng.integers(fan_in + 1)), 0, before - 1
            )
            rows.append((start + near).tolist())
    new = rng.permutation(len(rows))
    shuffled: list[list[int]] = [[] for _ in rows]
    for i, row in enumerate(rows):
        shuffled[new[i]] = new[row].tolist() if row else []
    return csr(shuffled)


def tree_sum(leaves: int, fan_in: int) -> Csr:
    rows: list[list[int]] = [[] for _ in range(leaves)]
    level = range(leaves)
    while len(level) > 1:
        start = len(rows)
        rows += [list(level[i : i + fan_in]) for i in range(0, len(level), fan_in)]
        level = range(start, len(rows))
    return csr(rows)


def all_to_all(n: int) -> Csr:
    """n sources, n * n pieces, n merges, and a task that needs all of these."""
    rows: list[list[int]] = [[] for _ in range(n)]
    rows += [[source] for source in range(n) for _ in range(n)]
    rows += [[n + source * n + target for source in range(n)] for target in range(n)]
    rows.append(list(range(n + n * n, n + n * n + n)))
    return csr(rows)


@pytest.fixture(params=["in Python", "in numpy"])
def forced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to order, whatever the size of the graph."""
    monkeypatch.setattr(order_package, "_SMALL", 10**9 if request.param == "in Python" else 0)


class TestValidity:
    @given(graph=acyclic())
    def test_each_task_of_a_small_graph_comes_after_its_dependencies(self, graph: Csr) -> None:
        assert_valid(*graph, order(*graph))

    @given(graph=acyclic())
    def test_so_does_each_when_ordered_with_numpy(self, graph: Csr) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(order_package, "_SMALL", 0)
            assert_valid(*graph, order(*graph))

    @given(graph=layered())
    def test_each_task_of_a_wide_graph_comes_after_its_dependencies(self, graph: Csr) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(order_package, "_SMALL", 0)
            assert_valid(*graph, order(*graph))

    @given(graph=layered())
    def test_the_order_is_the_same_each_time(self, graph: Csr) -> None:
        assert order(*graph).tolist() == order(*graph).tolist()

    @given(graph=layered())
    def test_narrow_integers_give_the_same_order(self, graph: Csr) -> None:
        narrow = [column.astype(np.int32) for column in graph]
        assert order(*narrow).tolist() == order(*graph).tolist()

    @given(graph=layered())
    def test_the_input_is_left_as_it_was(self, graph: Csr) -> None:
        before = [column.copy() for column in graph]
        order(*graph)
        assert all((column == old).all() for column, old in zip(graph, before, strict=True))

    def test_a_graph_without_tasks_has_an_empty_order(self) -> None:
        assert order(*csr([])).tolist() == []

    def test_independent_tasks_keep_their_sequence(self) -> None:
        assert order(*csr([[]] * 1000)).tolist() == list(range(1000))


@pytest.mark.usefixtures("forced")
class TestCycles:
    @pytest.mark.parametrize(
        "rows",
        [
            pytest.param([[0]], id="a task that needs itself"),
            pytest.param([[1], [0]], id="two tasks"),
            pytest.param([[2], [0], [1], [], [3, 0]], id="three, and tasks apart from them"),
            pytest.param([[i + 1] for i in range(1999)] + [[0]], id="a long one"),
            pytest.param([[], [0, 3], [0, 1], [0, 2]] + [[1, 2, 3]] * 50, id="one with tasks below and above"),
        ],
    )
    def test_a_cycle_is_refused(self, rows: list[list[int]]) -> None:
        with pytest.raises(GraphError, match="cycle"):
            order(*csr(rows))

    def test_the_error_names_the_tasks_of_the_cycle(self) -> None:
        with pytest.raises(ValueError, match="cycle of 3 tasks: 1 needs 4 needs 2 needs 1"):
            order(*csr([[], [0, 4], [1], [2], [2]]))

    @given(graph=acyclic(), data=st.data())
    def test_a_graph_with_an_edge_back_is_refused(self, graph: Csr, data: st.DataObject) -> None:
        indptr, indices = graph
        rows = [indices[begin:end].tolist() for begin, end in pairwise(indptr)]
        task = data.draw(st.integers(0, len(rows) - 1))
        behind = task
        while rows[behind] and data.draw(st.booleans()):
            behind = data.draw(st.sampled_from(rows[behind]))
        rows[behind].append(task)
        with pytest.raises(GraphError):
            order(*csr(rows))


@pytest.mark.usefixtures("forced")
class TestKnownShapes:
    @pytest.mark.parametrize(
        ("graph", "best"),
        [
            pytest.param(lambda: csr([[i - 1] if i else [] for i in range(700)]), 1.0, id="chain: one at a time"),
            pytest.param(
                lambda: csr([[]] * 300 + [[i, 299 + i] if i else [0] for i in range(300)]), 899 / 600, id="accumulation"
            ),
            pytest.param(lambda: csr([[], *[[0]] * 300]), 45450 / 301, id="fan out: every result is kept"),
            pytest.param(
                lambda: csr([[]] * 1000 + [[2 * i, 2 * i + 1] for i in range(500)]),
                376250 / 1500,
                id="pairs: results are kept",
            ),
        ],
    )
    def test_the_order_is_as_good_as_can_be(self, graph: Callable[[], Csr], best: float) -> None:
        indptr, indices = graph()
        assert mean_live(indptr, indices, order(indptr, indices)) == pytest.approx(best, abs=1e-3)

    def test_a_tree_holds_few_outputs_a_level(self) -> None:
        indptr, indices = tree_sum(8**4, 8)
        live = mean_live(indptr, indices, order(indptr, indices))
        assert live <= 4 * (1 + (8 - 1) / 2)  # on the average half of each of the four levels is waiting

    def test_the_heavier_branch_goes_first(self) -> None:
        heavy = tree_sum(64, 8)
        rows = [heavy[1][begin:end].tolist() for begin, end in pairwise(heavy[0])]
        top = len(rows) - 1
        rows += [[], [top + 1, top]]  # a light leaf, needed with the heavy tree
        priorities = order(*csr(rows))
        assert priorities[top] < priorities[top + 1]

    def test_of_an_all_to_all_the_sources_alone_are_held(self) -> None:
        n = 40
        indptr, indices = all_to_all(n)
        assert mean_live(indptr, indices, order(indptr, indices)) <= 2.1 * n

    def test_independent_pipelines_run_one_by_one(self) -> None:
        rows: list[list[int]] = []
        for _ in range(200):  # two inputs, their sum and difference, and the product of these
            at = len(rows)
            rows += [[], [], [at, at + 1], [at, at + 1], [at + 2, at + 3]]
        rows.append(list(range(4, 1000, 5)))
        new = np.random.default_rng(0).permutation(len(rows))
        shuffled: list[list[int]] = [[] for _ in rows]
        for i, row in enumerate(rows):
            shuffled[new[i]] = new[row].tolist() if row else []
        indptr, indices = csr(shuffled)
        assert mean_live(indptr, indices, order(indptr, indices)) == pytest.approx(101301 / 1001)


class TestLargeGraphs:
    def test_a_rechunk_of_slabs_holds_no_more_than_its_sources_and_sums(self) -> None:
        n = 160
        rows: list[list[int]] = [[] for _ in range(n)]
        rows += [[source] for source in range(n) for _ in range(n)]
        rows += [[n + source * n + target for source in range(n)] for target in range(n)]
        totals = tree_sum(n, 8)
        start = n + n * n
        rows += [(row + start).tolist() for row in np.split(totals[1], totals[0][1:-1])[n:]]
        indptr, indices = csr(rows)
        priorities = order(indptr, indices)
        assert_valid(indptr, indices, priorities)
        assert mean_live(indptr, indices, priorities) <= 1.6 * n

    def test_a_long_narrow_graph_is_ordered_well(self) -> None:
        steps = 3000
        rows = [[]] * 2 + [[i - 2, i - 1] for i in range(2, steps)]
        indptr, indices = csr(rows)
        assert mean_live(indptr, indices, order(indptr, indices)) <= 2.01


class TestMeanLive:
    @given(graph=acyclic())
    def test_it_is_what_a_run_step_by_step_counts(self, graph: Csr) -> None:
        indptr, indices = graph
        priorities = order(indptr, indices)
        rows = [set(indices[begin:end].tolist()) for begin, end in pairwise(indptr)]
        pending = [sum(task in row for row in rows) for task in range(len(rows))]
        live: set[int] = set()
        counts = []
        for task in np.argsort(priorities).tolist():
            for needed in rows[task]:
                pending[needed] -= 1
                if not pending[needed]:
                    live.remove(needed)
            live.add(task)
            counts.append(len(live))
        assert mean_live(indptr, indices, priorities) == pytest.approx(np.mean(counts))

    def test_it_is_nothing_for_no_tasks(self) -> None:
        assert mean_live(*csr([]), np.zeros(0, np.int64)) == 0


def test_maps_that_share_with_their_neighbours_are_finished_map_by_map() -> None:
    """Two readings for each part of a map, parts that need their neighbours', and means over 10 maps, then over all."""
    maps, parts = 60, 4
    n = maps * parts
    read: list[list[int]] = [[] for _ in range(2 * n)]
    edges = [[first + i, first + i // parts * parts + (i + 1) % parts] for first in (0, n) for i in range(n)]
    blocks = [[i, n + i, 2 * n + i, 3 * n + i] for i in range(n)]
    means = [
        [4 * n + (ten * 10 + i) * parts + part for i in range(10)] for ten in range(maps // 10) for part in range(parts)
    ]
    ends = [[5 * n + ten * parts + part for ten in range(maps // 10)] for part in range(parts)]
    rows = [*read, *edges, *blocks, *means, *ends]
    indptr, indices = csr(rows)
    priorities = order(indptr, indices)
    assert_valid(indptr, indices, priorities)
    assert mean_live(indptr, indices, priorities) < 2 * 10 * parts, "about the maps of one mean, not all of them"
