"""What the passes over frame expressions do: columns and filters go to the sources, rows are worked on in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import restride.dataframe as rd
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.rowwise import Filter, Rowwise, StoreIndex
from restride.collections.dataframe.operations.sources import FromMemory, from_memory
from restride.collections.dataframe.optimize.filters import Predicate
from restride.collections.dataframe.optimize.programs import Program, Select
from restride.collections.expression import Expr, subexpressions
from restride.collections.optimize import optimized


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.integers(0, 9, 60), "b": rng.random(60), "s": rng.choice(list("xyz"), 60)})


@pytest.fixture
def df(frame: pd.DataFrame) -> rd.DataFrame:
    return rd.from_pandas(frame, npartitions=4)


def nodes(collection: rd.DataFrame | rd.Series) -> list[Expr]:
    return subexpressions(optimized([collection.expr]))


def of_kind(collection: rd.DataFrame | rd.Series, kind: type) -> list[Expr]:
    return [node for node in nodes(collection) if isinstance(node, kind)]


def test_a_chain_of_operations_is_one_program(df: rd.DataFrame, frame: pd.DataFrame) -> None:
    result = (df.a * 2 + df.b).abs() - 1
    (node,) = of_kind(result, Rowwise)
    assert isinstance(node, Rowwise)
    assert isinstance(node.function, Program)
    assert node.function.__name__ == "sub(abs(add(mul())))"
    assert_series_equal(result.compute(), (frame.a * 2 + frame.b).abs() - 1)


def test_what_is_used_twice_is_computed_once(df: rd.DataFrame, frame: pd.DataFrame) -> None:
    twice = df.a * 2
    result = (twice + 1) * (twice - 1)
    assert len(of_kind(result, Rowwise)) == 2
    assert_series_equal(result.compute(), (frame.a * 2 + 1) * (frame.a * 2 - 1))


def test_labels_are_those_of_the_first_operand_through_programs(frame: pd.DataFrame) -> None:
    labelled = frame.set_index("s")
    df = rd.from_pandas(labelled, npartitions=3)
    assert_series_equal((1 - df.a * df.b + df.b).compute(), 1 - labelled.a * labelled.b + labelled.b)


def test_a_filter_makes_its_mask_and_the_numbers_of_its_rows_itself(df: rd.DataFrame, frame: pd.DataFrame) -> None:
    chosen = df[(df.a > 2) & (df.b < df.b.mean())]
    (select,) = of_kind(chosen, Select)
    assert isinstance(select, Select)
    assert select.numbered
    assert not of_kind(chosen, StoreIndex)
    assert_frame_equal(chosen.compute(), frame[(frame.a > 2) & (frame.b < frame.b.mean())])


def test_missing_truth_values_are_false(frame: pd.DataFrame) -> None:
    frame["m"] = pd.array(([True, False, None] * 20), dtype="boolean")
    df = rd.from_pandas(frame, npartitions=4)
    assert_frame_equal(df[df.m].compute(), frame[frame.m])
    assert_frame_equal(df[~df.m & (df.a > 3)].compute(), frame[~frame.m & (frame.a > 3)])


def test_filters_move_below_what_works_row_by_row(df: rd.DataFrame, frame: pd.DataFrame) -> None:
    doubled = df.assign(c=df.a * 2)[["b", "c"]]
    chosen = doubled[df.a > 4]
    tree = str(chosen.explain()).split("optimised")[1].split("tasks")[0]
    assert tree.index("assign") < tree.index("filter")
    expected = frame.assign(c=frame.a * 2)[["b", "c"]][frame.a > 4]
    assert_frame_equal(chosen.compute(), expected)


def test_filters_by_one_mask_give_rows_that_go_together(df: rd.DataFrame, frame: pd.DataFrame) -> None:
    mask = df.s == "x"
    assert_series_equal((df[mask].a + df.b[mask]).compute(), frame[frame.s == "x"].a + frame.b[frame.s == "x"])


def test_columns_that_are_replaced_are_not_read(df: rd.DataFrame) -> None:
    replaced = df.assign(a=df.b)[["a"]]
    (source,) = of_kind(replaced, FromMemory)
    assert isinstance(source, FromMemory)
    assert list(source.meta.columns) == ["b"]


@dataclass(frozen=True, eq=False, repr=False)
class Parts(FromMemory):
    """A source that says which predicates it was given."""

    predicates: tuple[Predicate, ...] = ()

    def with_predicates(self, predicates: Sequence[Predicate]) -> FrameExpr:
        return self.replace(predicates=tuple(predicates)) if not self.predicates else self


def source_of(frame: pd.DataFrame) -> rd.DataFrame:
    memory = from_memory(frame, [0, 20, 60])
    assert isinstance(memory, FromMemory)
    return new_collection(Parts(memory.whole, memory.of_meta, memory.bounds, memory.known, memory.key))


def given(collection: rd.DataFrame | rd.Series) -> list[tuple[int, str, object]]:
    (source,) = of_kind(collection, Parts)
    assert isinstance(source, Parts)
    return [(p.column, p.op, p.value) for p in source.predicates]


def test_a_source_is_told_what_rows_must_pass(frame: pd.DataFrame) -> None:
    df = source_of(frame)
    assert given(df[(df.a >= 2) & (df.b < 0.5)].b) == [(0, ">=", 2), (1, "<", 0.5)]
    assert given(df[(df.a == 2) & (df.b < df.b * 2)].b) == [(0, "==", 2)]
    assert given(df[["s", "a"]][df.a.isin([1, 2])]) == [(0, "in", (1, 2))]
    chosen = df[df.a > 1]
    assert given(chosen[chosen.b < 0.5].s.str.upper()) == [(0, ">", 1), (1, "<", 0.5)]


def test_a_source_is_told_nothing_where_other_rows_are_used_too(frame: pd.DataFrame) -> None:
    df = source_of(frame)
    assert given(df[(df.a > 2) | (df.b < 0.5)]) == []
    assert given(df[df.b < df.b.mean()].b) == []
    assert given(df.b - df[df.a > 2].b.sum()) == []
    assert given(df[~(df.a > 2)]) == []


def test_filters_one_after_the_other_are_one(df: rd.DataFrame, frame: pd.DataFrame) -> None:
    first = df[df.a > 2]
    second = first[first.b < 0.5]
    assert len([node for node in nodes(second) if isinstance(node, (Filter, Select))]) == 1
    expected = frame[(frame.a > 2) & (frame.b < 0.5)]
    assert_frame_equal(second.compute(), expected)


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
def test_conditions_on_one_side_of_a_join_filter_that_side(df: rd.DataFrame, frame: pd.DataFrame, how: str) -> None:
    other = pd.DataFrame({"a": range(12), "c": np.arange(12) / 2})
    merged = df.merge(rd.from_pandas(other, npartitions=2), on="a", how=how)
    chosen = merged[(merged.b < 0.5) & (merged.c > 1) & (merged.b < merged.c)]
    expected = frame.merge(other, on="a", how=how)
    expected = expected[(expected.b < 0.5) & (expected.c > 1) & (expected.b < expected.c)]
    assert_frame_equal(chosen.compute(), expected)  # rows have numbers that only the whole join tells
    total = chosen[["b", "c"]].sum()
    tree = str(total.explain()).split("optimised")[1].split(" tasks")[0]
    below = tree[tree.index("merge") :].count("filter")
    assert below == {"inner": 2, "left": 1, "right": 1, "outer": 0}[how]
    assert_series_equal(total.compute(), expected[["b", "c"]].sum())
