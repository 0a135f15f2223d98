"""Values, each by itself: cast, rounded, limited, replaced, chosen, looked up, as pandas has it."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.methods import elements
from restride.collections.expression import subexpressions
from tests.collections.dataframe.strategies import (
    KINDS,
    NUMBERS,
    NUMERIC,
    assert_same,
    frames,
    frames_of,
    from_pandas,
    partitioned,
    series,
)

MIXED = pd.DataFrame(
    {"x": [1, 2, 3, 4], "y": [0.5, np.nan, -1.25, 2.0], "s": ["a", None, "c", "a"]}, index=list("pqrs")
)


def assert_same_values(ours, theirs) -> None:
    """As `assert_same`, but for dtypes that depend in pandas on the values."""
    computed = ours.compute()
    compare = pd.testing.assert_frame_equal if isinstance(theirs, pd.DataFrame) else pd.testing.assert_series_equal
    compare(computed, theirs, check_dtype=False, check_freq=False)


# ---- dtypes ---------------------------------------------------------------------------------------------------------


@given(
    partitioned(frames(["int64", "int32", "bool", "uint8"])),
    st.sampled_from(["float64", "str", "int64", "Int64", object]),
)
def test_frames_are_cast(case, dtype):
    assert_same(case.ours.astype(dtype), case.theirs.astype(dtype))


def test_columns_are_cast_by_label():
    to = {"x": "float32", "s": "string"}
    assert_same(from_pandas(MIXED).astype(to), MIXED.astype(to))
    assert_same(from_pandas(MIXED).x.astype({"x": "int8"}), MIXED.x.astype("int8"))
    with pytest.raises(KeyError, match="nothing"):
        from_pandas(MIXED).astype({"nothing": int})


def test_a_value_that_cannot_be_cast_is_an_error_when_it_is_computed():
    with pytest.raises(ValueError, match="non-finite"):
        from_pandas(MIXED).y.astype("int64").compute()


# ---- numbers --------------------------------------------------------------------------------------------------------


@given(partitioned(frames(NUMERIC)), st.integers(0, 2))
def test_numbers_are_rounded_and_made_absolute(case, decimals):
    assert_same(case.ours.round(decimals), case.theirs.round(decimals))
    assert_same(case.ours.abs(), case.theirs.abs())
    assert_same(abs(case.ours), abs(case.theirs))


def test_columns_are_rounded_by_label():
    assert_same(from_pandas(MIXED).round({"y": 1}), MIXED.round({"y": 1}))


@given(partitioned(frames(NUMERIC)), st.sampled_from([None, -1, 0.5]), st.sampled_from([None, 2, 2.5]))
def test_numbers_are_limited(case, lower, upper):
    assert_same_values(case.ours.clip(lower, upper), case.theirs.clip(lower, upper))


def test_limits_can_be_series():
    theirs = MIXED[["x", "y"]]
    ours = from_pandas(theirs)
    assert_same(ours.x.clip(lower=ours.x.mean()), theirs.x.clip(lower=theirs.x.mean()))
    assert_same(ours.y.clip(upper=ours.x - 2), theirs.y.clip(upper=theirs.x - 2))
    assert_same_values(ours.clip(upper=ours.x - 2, axis=0), theirs.clip(upper=theirs.x - 2, axis=0))


@given(partitioned(series(NUMERIC)), st.sampled_from(["both", "neither", "left", "right"]))
def test_values_between_two_are_found(case, inclusive):
    assert_same(case.ours.between(-1, 2, inclusive), case.theirs.between(-1, 2, inclusive))


# ---- membership -----------------------------------------------------------------------------------------------------


@given(partitioned(series(["int64", "finite", "str", "category", "datetime", "Int64"])), st.data())
def test_values_that_are_among_others_are_found(case, data):
    values = data.draw(st.lists(st.sampled_from(case.theirs.tolist()), max_size=3)) if len(case.theirs) else []
    for given_as in (list, pd.Series, np.array):
        among = given_as(values) if values else given_as([])
        if not len(values) and case.theirs.dtype == "datetime64[ns]":
            continue
        assert_same(case.ours.isin(among), case.theirs.isin(among))


@given(partitioned(series(["int64", "int32", "float64", "bool", "str", "datetime", "zoned", "category"])), st.data())
def test_values_that_are_among_many_others_are_found(case, data):
    here = case.theirs.tolist()
    values = data.draw(st.lists(st.sampled_from([*here, *here, 1, 0.0, float("nan"), "a"]), min_size=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elements, "FEW_VALUES", 0)
        for given_as in (list, pd.Series, np.array):
            among = given_as(values)
            assert_same(case.ours.isin(among), case.theirs.isin(among))


def test_many_values_are_put_into_a_table_once():
    df = rd.from_pandas(pd.DataFrame({"s": [f"id{i}" for i in range(3000)]}), npartitions=3)
    among = df.s.isin([f"id{i}" for i in range(0, 4000, 2)])
    assert among.sum().compute() == 1500
    function = next(e for e in subexpressions([among.expr]) if e.label == "isin").function
    made = function._index._lookup
    assert df[among].s.count().compute() == 1500
    assert function._index._lookup is made
    assert len(pickle.dumps(function)) < 2 * len(pickle.dumps(function.values))


@given(partitioned(series(["int64", "float64", "str", "datetime", "zoned", "category", "Int64"])), st.data())
def test_values_that_are_among_those_of_another_series_are_found(case, data):
    n = len(case.theirs)
    rows = data.draw(st.lists(st.integers(0, n - 1), max_size=4)) if n else []
    theirs = case.theirs.iloc[rows].reset_index(drop=True)
    others = rd.from_pandas(theirs, npartitions=2)
    assert_same(case.ours.isin(others), case.theirs.isin(theirs))


def test_values_of_another_series_are_collected_once():
    ours = from_pandas(MIXED)
    others = rd.from_pandas(pd.Series(["a", "z", None]), npartitions=2)
    assert_same(ours.s.isin(others), MIXED.s.isin(["a", "z", None]))
    assert_same(ours.isin(ours.s), MIXED.isin(MIXED.s))
    assert_same(ours.s.isin(ours.set_index("s").index), MIXED.s.isin(MIXED.s))
    assert_same(ours[ours.x.isin(ours.x[ours.y > 0])], MIXED[MIXED.x.isin([1, 4])])


def test_many_values_are_looked_up():
    values = list(range(2, 5000))
    assert_same(from_pandas(MIXED).x.isin(values), MIXED.x.isin(values))
    assert_same(from_pandas(MIXED).x.isin(set(values)), MIXED.x.isin(values))


def test_values_are_looked_up_by_column():
    among = {"x": [1], "s": ["a"]}
    assert_same(from_pandas(MIXED).isin(among), MIXED.isin(among))
    assert_same(from_pandas(MIXED).isin([1, "a"]), MIXED.isin([1, "a"]))
    with pytest.raises(TypeError, match="list-like"):
        from_pandas(MIXED).x.isin("a")


# ---- choices --------------------------------------------------------------------------------------------------------


@given(partitioned(frames_of({"x": "int64", "y": "finite", "s": "str", "b": "bool"})))
def test_values_are_kept_where_a_condition_is_true(case):
    ours, theirs = case.ours, case.theirs
    assert_same(ours.y.where(ours.b), theirs.y.where(theirs.b))
    assert_same(ours.y.mask(ours.b, -1.0), theirs.y.mask(theirs.b, -1.0))
    assert_same(ours.s.where(ours.b, "other"), theirs.s.where(theirs.b, "other"))
    assert_same(ours.x.where(ours.b, ours.x * 2), theirs.x.where(theirs.b, theirs.x * 2))
    assert_same_values(ours.x.where(lambda x: x > 1), theirs.x.where(lambda x: x > 1))
    assert_same_values(ours.x.mask(ours.b, ours.y), theirs.x.mask(theirs.b, theirs.y))


@given(partitioned(frames_of({"x": "int64", "y": "finite"})))
def test_frames_are_chosen_from_by_frames_and_by_series(case):
    ours, theirs = case.ours, case.theirs
    assert_same_values(ours.where(ours > 0), theirs.where(theirs > 0))
    assert_same_values(ours[ours > 0], theirs[theirs > 0])
    assert_same_values(ours.where(ours > 0, -ours), theirs.where(theirs > 0, -theirs))
    assert_same_values(ours.mask(ours.x > 0, 9), theirs.mask(theirs.x > 0, 9))
    assert_same_values(ours.where(ours > 0, ours.y, axis=0), theirs.where(theirs > 0, theirs.y, axis=0))


def test_integers_of_which_some_are_not_kept_become_floats():
    assert_same(from_pandas(MIXED).x.where(from_pandas(MIXED).x > 2), MIXED.x.where(MIXED.x > 2))


@given(partitioned(series(NUMERIC)))
def test_the_first_case_that_is_true_decides(case):
    ours, theirs = case.ours, case.theirs
    assert_same_values(
        ours.case_when([(ours > 5, 0), (lambda x: x < 0, ours * 2)]),
        theirs.case_when([(theirs > 5, 0), (lambda x: x < 0, theirs * 2)]),
    )


def test_wrong_cases_raise_as_in_pandas():
    with pytest.raises(TypeError, match="list"):
        from_pandas(MIXED).x.case_when(())
    with pytest.raises(ValueError, match="at least one"):
        from_pandas(MIXED).x.case_when([])
    with pytest.raises(ValueError, match="length 2"):
        from_pandas(MIXED).x.case_when([(1,)])


# ---- replacement ----------------------------------------------------------------------------------------------------


@given(partitioned(frames(["int64", "str", "finite"])))
def test_values_are_replaced(case):
    for arguments in ((1, 7), ({1: 7, 2: 8},), ([0, 1], 5), ("a", "Z"), ({"a": {1: 9}},), ([1, 2], [2, 1])):
        assert_same(case.ours.replace(*arguments), case.theirs.replace(*arguments))
    assert_same(case.ours.replace("^a", "x", regex=True), case.theirs.replace("^a", "x", regex=True))


def test_a_value_replaced_by_one_of_another_dtype_widens_the_column():
    assert_same(from_pandas(MIXED).x.replace(1, 0.5), MIXED.x.replace(1, 0.5))


# ---- functions ------------------------------------------------------------------------------------------------------


@given(partitioned(series(["int64", "finite"], min_rows=1)))
def test_values_go_through_functions(case):
    function = lambda x: x * 2.5  # noqa: E731
    assert_same(case.ours.map(function), case.theirs.map(function))
    assert_same(case.ours.map(function, meta="float64"), case.theirs.map(function))
    assert_same(case.ours.apply(function), case.theirs.apply(function))


def test_a_function_is_called_with_values_of_the_data_alone():
    seen = []

    def record(value):
        seen.append(value)
        return value

    theirs = pd.Series([10, 20, 30, 40])
    made = from_pandas(theirs, 4).map(record)
    assert set(seen) <= {10}
    made.compute()
    assert set(seen) == {10, 20, 30, 40}
    seen.clear()
    from_pandas(theirs, 4).map(record, meta="int64")
    assert seen == []


def test_values_are_looked_up_in_mappings():
    ours = from_pandas(MIXED)
    assert_same(ours.s.map({"a": "A"}), MIXED.s.map({"a": "A"}))
    assert_same(ours.s.map({"a": 1.5}), MIXED.s.map({"a": 1.5}))
    assert_same(ours.s.map(pd.Series({"a": 1.5, "c": 2.0})), MIXED.s.map(pd.Series({"a": 1.5, "c": 2.0})))
    assert_same(ours.s.map(str.upper, na_action="ignore"), MIXED.s.map(str.upper, na_action="ignore"))


def test_frames_go_through_functions_value_by_value():
    assert_same(from_pandas(MIXED)[["x", "y"]].map(lambda v: v * 2), MIXED[["x", "y"]].map(lambda v: v * 2))
    assert_same(from_pandas(MIXED)[["x", "y"]].applymap(lambda v: v * 2), MIXED[["x", "y"]].map(lambda v: v * 2))


@given(partitioned(frames_of({"x": "int64", "y": "finite"}, min_rows=1)))
def test_rows_go_through_functions(case):
    assert_same(
        case.ours.apply(lambda row: row.x + row.y, axis=1, meta="float64"),
        case.theirs.apply(lambda row: row.x + row.y, axis=1),
    )
    assert_same(
        case.ours.apply(lambda row: pd.Series({"a": row.x, "b": row.y * 2}), axis=1),
        case.theirs.apply(lambda row: pd.Series({"a": row.x, "b": row.y * 2}), axis=1),
    )


def test_functions_of_rows_see_labels_and_get_arguments():
    assert_same(
        from_pandas(MIXED).apply(lambda row, more, less: f"{row.name}{more}{less}", axis=1, args=("+",), less="-"),
        MIXED.apply(lambda row, more, less: f"{row.name}{more}{less}", axis=1, args=("+",), less="-"),
    )
    assert_same(from_pandas(MIXED).x.apply(lambda x, n: x * n, args=(3,)), MIXED.x.apply(lambda x, n: x * n, args=(3,)))


def test_functions_of_whole_columns_are_refused():
    with pytest.raises(NotImplementedError, match="whole columns"):
        from_pandas(MIXED).apply(lambda column: column)


def test_two_series_are_combined_by_a_function():
    ours = from_pandas(MIXED)
    assert_same(ours.x.combine(ours.y, max), MIXED.x.combine(MIXED.y, max))


def test_a_label_of_an_index_goes_through_a_function():
    assert_same(from_pandas(MIXED).index.map(str.upper), MIXED.index.map(str.upper))


# ---- lists ----------------------------------------------------------------------------------------------------------


@given(partitioned(series(["str"])))
def test_elements_of_lists_become_rows(case):
    assume(case.theirs.notna().any())
    # the dtype is that of the first partition's elements
    assert_same_values(case.ours.str.split().explode(), case.theirs.str.split().explode())
    assert_same_values(
        case.ours.str.split().explode(ignore_index=True), case.theirs.str.split().explode(ignore_index=True)
    )


def test_elements_of_lists_in_a_column_become_rows():
    theirs = MIXED.assign(l=[[1, 2], [], [3], None], m=[["a", "b"], [], ["c"], None])
    ours = from_pandas(theirs)
    assert_same(ours.explode("l"), theirs.explode("l"))
    assert_same(ours.explode(["l", "m"]), theirs.explode(["l", "m"]))


# ---- own reductions -------------------------------------------------------------------------------------------------


@given(partitioned(frames_of({"x": "int64", "y": "int64"}, min_rows=1)))
def test_partitions_are_reduced_by_functions(case):
    total = case.ours.x.reduction(lambda part: part.sum(), lambda sums: sums.sum())
    assert total.compute() == case.theirs.x.sum()
    sums = case.ours.reduction(lambda part: part.sum(), lambda sums: sums.sum(), meta=case.theirs.sum().iloc[:0])
    assert_same(sums, case.theirs.sum())
    least = case.ours.reduction(lambda part: part.head(2), lambda parts: parts.head(2), meta=case.theirs)
    assert_same(least, case.theirs.head(2))


def test_arguments_reach_the_functions_of_a_reduction():
    ours = rd.from_pandas(pd.Series(range(40)), npartitions=40)
    made = ours.reduction(
        lambda part, by: part.sum() * by, lambda sums, plus: sums.sum() + plus, lambda sums: sums.sum(),
        by=2, aggregate_kwargs={"plus": 5},
    )  # fmt: skip
    assert made.compute() == 2 * sum(range(40)) + 5


@given(partitioned(frames(KINDS, duplicates=True)))
def test_a_copy_is_the_same_and_changes_by_itself(case):
    copied = case.ours.copy()
    copied["new"] = 1
    assert "new" not in case.ours.columns
    assert case.ours.pipe(lambda frame, n: (frame, n), 3)[1] == 3
    assert case.ours.pipe((lambda n, frame: frame, "frame"), 3) is case.ours


@given(partitioned(series(NUMBERS)))
def test_products_are_summed(case):
    assert np.isclose(case.ours.dot(case.ours).compute(), (case.theirs * case.theirs).sum())
