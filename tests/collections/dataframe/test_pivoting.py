"""Pivot tables, crosstabs, dummies, levels as columns: values that become labels, beside pandas."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

few = settings(max_examples=15)
FRAME = pd.DataFrame(
    {"a": list("xyxyzx"), "b": [1, 2, 1, 1, 2, 2], "c": list("ppqqpq"), "v": range(6), "w": [0.5, 1, None, 2, 3, 4]}
)


@pytest.mark.parametrize(
    "arguments",
    [
        {"values": "v", "index": ["a", "b"], "columns": ["c"]},
        {"values": ["v", "w"], "index": "a", "columns": ["b", "c"], "aggfunc": "sum"},
        {"values": "v", "index": "a", "columns": "b", "aggfunc": ["sum", "mean"]},
        {"values": ["v", "w"], "index": ["a"], "columns": ["b"], "aggfunc": {"v": "sum", "w": "max"}},
        {"index": "a", "aggfunc": {"v": "sum", "w": ["min", "max"]}},
        {"values": "v", "index": ["a", "b"], "aggfunc": ["sum", "count"]},
        {"values": "v", "columns": "c", "aggfunc": "sum"},
        {"values": "w", "index": "a", "columns": "b", "aggfunc": "sum", "dropna": False, "fill_value": 0},
        {"values": "v", "index": "a", "columns": "b", "aggfunc": lambda values: values.max() - values.min()},
    ],
)
def test_tables_of_several_keys_and_aggregates(arguments):
    assert_same(from_pandas(FRAME).pivot_table(**arguments), FRAME.pivot_table(**arguments))


@few
@given(partitioned(frames_of({"a": "str", "b": "int8", "v": "int64"}, min_rows=1, index=["default"])))
def test_tables_of_any_values(case):
    if case.theirs.a.notna().any():
        arguments = {"values": "v", "index": "b", "columns": ["a"], "aggfunc": ["sum", "max"]}
        assert_same(case.ours.pivot_table(**arguments), case.theirs.pivot_table(**arguments))


MARGINS = [
    {"values": "v", "index": "a", "columns": "b", "aggfunc": "sum"},
    {"values": "w", "index": "a", "columns": ["b", "c"]},
    {"values": ["v", "w"], "index": ["a", "b"], "columns": "c", "aggfunc": "max", "margins_name": "total"},
    {"values": ["v"], "index": ["a", "b"], "columns": "c", "aggfunc": "count", "fill_value": 0},
    {"values": ["v", "w"], "index": "a", "aggfunc": "sum"},
    {"values": "w", "index": ["a", "c"], "aggfunc": ["mean", "max"]},
    {"values": ["v", "w"], "index": "a", "columns": "c", "aggfunc": {"v": "sum", "w": "mean"}},
    {"values": "v", "index": "a", "columns": "b", "aggfunc": lambda values: float(values.max() - values.min())},
]


@pytest.mark.parametrize("arguments", MARGINS)
@pytest.mark.parametrize("dropna", [True, False])
def test_margins_are_aggregates_of_all_rows_and_columns(arguments, dropna):
    arguments = {"margins": True, "dropna": dropna, **arguments}
    assert_same(from_pandas(FRAME).pivot_table(**arguments), FRAME.pivot_table(**arguments))


def test_margins_that_cannot_be_are_an_error_at_the_call():
    ours = from_pandas(FRAME)
    with pytest.raises(ValueError, match="Conflicting name"):
        ours.pivot_table("v", "a", "b", margins=True, margins_name="x")
    with pytest.raises(ValueError, match="must be a string"):
        ours.pivot_table("v", "a", "b", margins=True, margins_name=5)
    with pytest.raises(NotImplementedError, match="index="):
        ours.pivot_table("v", columns="b", margins=True)


@few
@given(
    partitioned(frames_of({"a": "str", "b": "int8", "v": "int64", "w": "finite"}, min_rows=1, index=["default"])),
    st.sampled_from(["sum", "mean", "count"]),
    st.booleans(),
)
def test_margins_of_any_values(case, aggfunc, dropna):
    if case.theirs.dropna().shape[0]:
        arguments = {"values": ["v", "w"], "index": "b", "columns": "a", "aggfunc": aggfunc, "dropna": dropna}
        assert_same(
            case.ours.pivot_table(**arguments, margins=True), case.theirs.pivot_table(**arguments, margins=True)
        )


@few
@given(
    partitioned(frames_of({"a": "str", "b": "int8"}, min_rows=1)), st.sampled_from([False, True, "index", "columns"])
)
def test_crosstabs_count_values_that_are_there_together(case, normalize):
    if case.theirs.a.notna().any():
        ours, theirs = case.ours, case.theirs
        for margins in (False, True):
            options = {"normalize": normalize, "margins": margins}
            assert_same(rd.crosstab(ours.a, ours.b, **options), pd.crosstab(theirs.a, theirs.b, **options))


def test_crosstabs_take_lists_and_aggregates():
    ours = from_pandas(FRAME)
    assert_same(rd.crosstab(ours.a, [ours.b, ours.c]), pd.crosstab(FRAME.a, [FRAME.b, FRAME.c]))
    assert_same(
        rd.crosstab(ours.a, ours.b, ours.w, aggfunc="mean"), pd.crosstab(FRAME.a, FRAME.b, FRAME.w, aggfunc="mean")
    )
    with pytest.raises(ValueError, match="without an aggfunc"):
        rd.crosstab(ours.a, ours.b, ours.w)


@few
@given(partitioned(frames_of({"a": "str", "b": "category", "v": "int8"}, min_rows=1)), st.booleans())
def test_dummies_of_texts_are_columns_of_their_values(case, dummy_na):
    ours, theirs = case.ours, case.theirs
    assert_same(rd.get_dummies(ours, dummy_na=dummy_na), pd.get_dummies(theirs, dummy_na=dummy_na))
    assert_same(rd.get_dummies(ours, columns=["v"]), pd.get_dummies(theirs, columns=["v"]))
    assert_same(rd.get_dummies(ours.a, dtype=float), pd.get_dummies(theirs.a, dtype=float))


def test_columns_become_a_level_and_levels_columns():
    wide = FRAME.groupby(["a", "b"])[["v"]].sum()
    assert_same(from_pandas(wide).unstack(), wide.unstack())
    assert_same(from_pandas(wide.v).unstack("a", fill_value=0), wide.v.unstack("a", fill_value=0))
    numbers = FRAME[["v", "w"]].set_axis(list("klmnop"))
    assert_same(from_pandas(numbers).stack(), numbers.stack())
    assert_same(from_pandas(wide).stack(), wide.stack())
    assert_same(
        from_pandas(FRAME.iloc[:2]).pivot(index="a", columns="b", values="v"),
        FRAME.iloc[:2].pivot(index="a", columns="b", values="v"),
    )
    with pytest.raises(ValueError, match="duplicate entries"):
        from_pandas(FRAME).pivot(index="a", columns="b", values="v")


WIDE = {
    "x1": "int64",
    "x2": "int64",
    "x10": "int8",
    "y1": "finite",
    "y3": "int64",
    "s2": "str",
    "s1": "str",
    "other": "str",
    "k": "category",
}


@few
@given(
    frames_of(WIDE, min_rows=1),
    st.integers(1, 5),
    st.sampled_from([["x"], ["x", "y"], ["y", "s"], ["z"]]),
    st.sampled_from(["id", ["id"], ["no", "id"]]),
    st.randoms(use_true_random=False),
)
def test_columns_that_begin_alike_go_below_each_other(frame, npartitions, stubs, by, random):
    frame = frame.assign(id=random.sample(range(100), len(frame)), no=range(len(frame)))
    assert_same(
        rd.wide_to_long(from_pandas(frame, npartitions), stubs, by, "n"), pd.wide_to_long(frame, stubs, by, "n")
    )


def test_columns_that_cannot_go_below_each_other():
    frame = pd.DataFrame({"id": [1, 1], "x1": [1, 2]})
    with pytest.raises(ValueError, match="uniquely identify"):
        rd.wide_to_long(from_pandas(frame, 1), "x", "id", "n").compute()
    with pytest.raises(ValueError, match="identical to a column"):
        rd.wide_to_long(from_pandas(frame), "x1", "id", "n")
    with pytest.raises(TypeError, match="DataFrame"):
        rd.wide_to_long(frame, "x", "id", "n")
