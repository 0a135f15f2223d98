"""Categories that are not known until the result is computed, as columns and as labels."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.errors import SchemaError
from tests.collections.dataframe.strategies import assert_same, frames, partitioned


def occurring(value):
    """An object of pandas whose columns and levels have no categories but those that occur."""
    if isinstance(value, pd.MultiIndex):
        return pd.MultiIndex.from_arrays([occurring(value.get_level_values(i)) for i in range(value.nlevels)])
    if isinstance(value, pd.Index):
        return value.remove_unused_categories() if isinstance(value, pd.CategoricalIndex) else value
    value = value.set_axis(occurring(value.index), axis=0)
    if isinstance(value, pd.Series):
        return value.cat.remove_unused_categories() if isinstance(value.dtype, pd.CategoricalDtype) else value
    return value.apply(occurring)


OPERATIONS = {
    "as labels": lambda df, pd: df.set_index("k").sort_index(),
    "as labels of two levels": lambda df, pd: df.sort_values(["k", "n"]).set_index(["k", "n"])[["l"]],
    "an index": lambda df, pd: df.sort_values("k").set_index("k").index,
    "labels made columns": lambda df, pd: df.sort_values(["k", "n"]).set_index("k").reset_index(),
    "groups": lambda df, pd: df.groupby("k").n.sum(),
    "groups of all": lambda df, pd: df.groupby("k", observed=False, dropna=False).n.sum(),
    "groups of several": lambda df, pd: df.groupby(["k", "l"]).n.agg(["count", "max"]),
    "groups without index": lambda df, pd: df.groupby("k", as_index=False).n.sum(),
    "first of groups": lambda df, pd: df.groupby("n").l.first(),
    "groups by a function": lambda df, pd: df.groupby("k").apply(lambda group: group.n.sum()),
    "merged": lambda df, pd: df.merge(df[["k", "n"]], on="k"),
    "merged, outer": lambda df, pd: df.merge(df[df.n > 0][["k", "n"]], on="k", how="outer"),
    "below each other": lambda df, pd: pd.concat([df, df[["l", "n"]]]),
    "sorted": lambda df, pd: df.sort_values(["k", "n"], kind="stable"),
    "moved": lambda df, pd: df.l.shift(),
}


@given(
    partitioned(frames(["str"], min_rows=2, min_columns=2, max_columns=2, index=["default"])),
    st.sampled_from(list(OPERATIONS)),
    st.sampled_from(["str", "int64"]),
    st.booleans(),
)
def test_results_are_those_of_pandas_with_the_categories_that_occur(case, operation, kind, opaque):
    def prepared(frame, of):
        frame = frame.set_axis(["k", "l"], axis=1).dropna()
        frame = frame.assign(n=frame.k.str.len().astype("int64"))
        if kind == "int64":
            frame = frame.assign(k=frame.n)
        if opaque:
            frame = frame.assign(o=frame.n.astype(object))
        return OPERATIONS[operation](frame.astype({"k": "category", "l": "category"}), of)

    expected = prepared(case.theirs, pd)
    if len(expected):
        assert_same(prepared(case.ours, rd), occurring(expected))


def test_a_function_of_partitions_may_hand_on_columns_whose_categories_are_not_known():
    theirs = pd.DataFrame({"k": list("aabbc"), "n": range(5)})
    ours = rd.from_pandas(theirs, npartitions=3).astype({"k": "category"})
    theirs = theirs.astype({"k": "category"})
    assert_same(ours.map_partitions(lambda part: part), theirs)
    assert_same(ours.map_partitions(lambda part: part.k), theirs.k)
    assert_same(ours.map_partitions(lambda part: part.set_index("k")), theirs.set_index("k"))
    assert_same(ours.map_partitions(lambda part: part.set_index(["k", "n"])), theirs.set_index(["k", "n"]))


def test_columns_of_other_categories_than_declared_are_an_error_that_names_both():
    ours = rd.from_pandas(pd.DataFrame({"k": list("aabbc")}), npartitions=3)
    with pytest.raises(SchemaError, match=r"\['b'.*\['a'\]"):
        ours.map_partitions(lambda part: part.astype("category")).compute()


def test_combinations_of_unknown_categories_without_rows_are_asked_for_in_vain():
    ours = rd.from_pandas(pd.DataFrame({"k": list("aab"), "l": list("xyx"), "n": range(3)}), npartitions=2)
    ours = ours.astype({"k": "category", "l": "category"})
    with pytest.raises(NotImplementedError, match=r"\['k', 'l'\].*categorize"):
        ours.groupby(["k", "l"], observed=False)
    assert len(ours.categorize().groupby(["k", "l"], observed=False).n.sum().compute()) == 4
