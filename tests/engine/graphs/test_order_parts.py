"""The parts of the static order: contraction, levels, prices and sweeps, each against a naive model."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from restride.engine.graphs.order.blocks import Blocks, condense
from restride.engine.graphs.order.candidates import breadth_first, candidate_orders
from restride.engine.graphs.order.cycle import find_cycle
from restride.engine.graphs.order.levels import LevelGraph
from restride.engine.graphs.order.ordering import Ordering, topological

Csr = tuple[NDArray[np.int64], NDArray[np.int64]]


def csr(rows: list[list[int]]) -> Csr:
    return np.cumsum([0, *map(len, rows)]), np.array([needed for row in rows for needed in row], np.int64)


def rows_of(indptr: NDArray[np.int64], indices: NDArray[np.int64]) -> list[list[int]]:
    return [indices[begin:end].tolist() for begin, end in pairwise(indptr)]


@st.composite
def acyclic(draw: st.DrawFn, most: int = 40) -> list[list[int]]:
    """Rows of dependencies, all on smaller ids."""
    n = draw(st.integers(1, most))
    reach = draw(st.integers(1, n))
    return [
        [i - back for back in draw(st.lists(st.integers(1, min(i, reach)), max_size=3))] if i else [] for i in range(n)
    ]


@st.composite
def level_graphs(draw: st.DrawFn) -> LevelGraph:
    rows = draw(acyclic())
    sizes = draw(st.lists(st.integers(1, 5), min_size=len(rows), max_size=len(rows)))
    return LevelGraph(*csr(rows), np.array(sizes))


def is_topological(graph: LevelGraph, nodes: NDArray[np.int64]) -> bool:
    position = np.empty(len(graph), np.int64)
    position[nodes] = np.arange(len(graph))
    return sorted(nodes.tolist()) == list(range(len(graph))) and bool(
        (position[graph.indices] < position[graph.owners]).all()
    )


def naive_cost(graph: LevelGraph, nodes: NDArray[np.int64]) -> int:
    """Node by node: from the end of a node to the start of its last dependent, or to the end of all."""
    start = dict(zip(nodes.tolist(), (np.cumsum(graph.sizes[nodes]) - graph.sizes[nodes]).tolist(), strict=True))
    rows = rows_of(graph.indptr, graph.indices)
    cost = 0
    for node in range(len(graph)):
        uses = [start[user] for user, row in enumerate(rows) if node in row] or [int(graph.sizes.sum())]
        cost += max(uses) - (start[node] + int(graph.sizes[node]))
    return cost


class TestContraction:
    def contracted(self, rows: list[list[int]]) -> Blocks:
        return condense(*csr(rows))

    def test_a_tree_becomes_one_block(self) -> None:
        assert len(self.contracted([[], [], [], [0, 1], [2, 3]])) == 1

    def test_a_chain_becomes_one_block_whatever_its_head_needs(self) -> None:
        blocks = self.contracted([[], [], [0, 1], [2], [3], [0], [1]])
        assert blocks.block[2] == blocks.block[3] == blocks.block[4]

    def test_the_pieces_of_a_shuffle_join_the_task_that_merges_them(self) -> None:
        n = 5
        pieces = [[source] for source in range(n) for _ in range(n)]
        merges = [[n + source * n + target for source in range(n)] for target in range(n)]
        assert self.contracted([*([[]] * n), *pieces, *merges]).sizes.tolist() == [1] * n + [n + 1] * n

    def test_a_large_tree_stays_apart_from_a_task_that_needs_something_else(self) -> None:
        rows: list[list[int]] = [[] for _ in range(20)] + [list(range(20)), [], [20, 21], [21], [21], [21]]
        blocks = self.contracted(rows)
        assert blocks.block[20] != blocks.block[22]

    def test_in_a_block_the_larger_input_comes_first(self) -> None:
        blocks = self.contracted([[], [], [], [1, 2], [0, 3]])
        assert blocks.offset.tolist() == [3, 0, 1, 2, 4]

    @given(rows=acyclic())
    def test_positions_in_a_block_are_distinct_and_follow_the_dependencies(self, rows: list[list[int]]) -> None:
        blocks = self.contracted(rows)
        places = list(zip(blocks.block.tolist(), blocks.offset.tolist(), strict=True))
        assert sorted(places) == [(block, at) for block, size in enumerate(blocks.sizes) for at in range(size)]
        for task, row in enumerate(rows):
            for needed in row:
                same = blocks.block[needed] == blocks.block[task]
                assert not same or blocks.offset[needed] < blocks.offset[task]

    @given(rows=acyclic())
    def test_blocks_depend_on_each_other_as_their_tasks_do(self, rows: list[list[int]]) -> None:
        blocks = self.contracted(rows)
        of = blocks.block.tolist()
        expected = sorted((of[task], of[d]) for task, row in enumerate(rows) for d in row if of[task] != of[d])
        found = [(block, d) for block, row in enumerate(rows_of(blocks.indptr, blocks.indices)) for d in row]
        assert sorted(found) == expected

    @given(rows=acyclic(most=80))
    def test_many_at_a_time_decide_as_one_by_one(self, rows: list[list[int]]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("restride.engine.graphs.order.blocks._NARROW", 1)
            many = self.contracted(rows)
            patch.setattr("restride.engine.graphs.order.blocks._NARROW", 10**9)
            each = self.contracted(rows)
        assert many.block.tolist() == each.block.tolist()
        assert many.offset.tolist() == each.offset.tolist()


class TestLevels:
    @given(rows=acyclic())
    def test_a_level_is_the_longest_distance_from_a_leaf(self, rows: list[list[int]]) -> None:
        graph = LevelGraph(*csr(rows), np.ones(len(rows), np.int64))
        depth: list[int] = []
        for row in rows:
            depth.append(max((depth[needed] for needed in row), default=-1) + 1)
        assert graph.depth.tolist() == sorted(depth)
        assert graph.depth[graph.by_id].tolist() == depth

    def test_a_cycle_leaves_the_graph_incomplete(self) -> None:
        assert not LevelGraph(*csr([[], [0, 2], [1]]), np.ones(3, np.int64)).complete


class TestPrices:
    @given(graph=level_graphs(), seed=st.integers(0, 2**32))
    def test_a_price_is_the_sum_of_all_lifetimes(self, graph: LevelGraph, seed: int) -> None:
        nodes = topological(graph, np.random.default_rng(seed).permutation(len(graph)))
        assert Ordering(graph, nodes).cost == naive_cost(graph, nodes)


class TestSweeps:
    @given(graph=level_graphs(), seed=st.integers(0, 2**32))
    def test_a_repaired_order_is_topological(self, graph: LevelGraph, seed: int) -> None:
        assert is_topological(graph, topological(graph, np.random.default_rng(seed).permutation(len(graph))))

    @given(graph=level_graphs(), seed=st.integers(0, 2**32))
    def test_sweeps_keep_an_order_topological(self, graph: LevelGraph, seed: int) -> None:
        ordering = Ordering(graph, topological(graph, np.random.default_rng(seed).permutation(len(graph))))
        assert is_topological(graph, ordering.late().nodes)
        assert is_topological(graph, ordering.early().nodes)

    def test_late_moves_a_leaf_to_right_before_its_dependent(self) -> None:
        graph = LevelGraph(*csr([[], [], [0], [1]]), np.ones(4, np.int64))
        assert Ordering(graph, np.array([0, 1, 2, 3])).late().nodes.tolist() == [0, 2, 1, 3]

    def test_early_moves_a_task_to_right_after_its_last_dependency(self) -> None:
        graph = LevelGraph(*csr([[], [], [0], [1]]), np.ones(4, np.int64))
        assert Ordering(graph, np.array([0, 1, 2, 3])).early().nodes.tolist() == [0, 2, 1, 3]


class TestCandidates:
    @given(graph=level_graphs())
    def test_each_is_topological(self, graph: LevelGraph) -> None:
        assert all(is_topological(graph, candidate.nodes) for candidate in candidate_orders(graph))

    @given(graph=level_graphs())
    def test_breadth_first_is_topological_in_every_component(self, graph: LevelGraph) -> None:
        nodes = breadth_first(graph, np.arange(len(graph)))
        assert nodes is None or is_topological(graph, nodes)

    def test_breadth_first_gives_up_where_it_would_creep(self) -> None:
        graph = LevelGraph(*csr([[i - 1] if i else [] for i in range(500)]), np.ones(500, np.int64))
        assert breadth_first(graph, np.arange(500)) is None


class TestCycles:
    @given(rows=acyclic())
    def test_there_is_none_to_find_in_an_acyclic_graph(self, rows: list[list[int]]) -> None:
        assert find_cycle(*csr(rows)) == []

    @given(rows=acyclic(), data=st.data())
    def test_what_is_found_is_a_cycle(self, rows: list[list[int]], data: st.DataObject) -> None:
        rows = [row[:] for row in rows]
        ends = [data.draw(st.integers(0, len(rows) - 1)) for _ in range(2)]
        rows[min(ends)].append(max(ends))
        cycle = find_cycle(*csr(rows))
        assert all(after in rows[task] for task, after in zip(cycle, cycle[1:] + cycle[:1], strict=True))
        assert cycle or max(ends) != min(ends)
