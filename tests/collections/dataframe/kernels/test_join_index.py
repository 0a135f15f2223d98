from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.gathering import Missing, Rows
from restride.collections.dataframe.kernels.join_index import cross, join
from restride.collections.dataframe.kernels.key_index import KeyIndex

KEYS = st.one_of(
    st.just(("int64", st.integers(0, 6))),
    st.just(("int64", st.sampled_from([-(2**62), 5, 2**61, 7]))),
    st.just(("float64", st.sampled_from([0.0, -0.0, 1.5, np.nan]))),
    st.just(("str", st.sampled_from(["", "a", "b", None, "ä"]))),
    st.just(("datetime64[ns]", st.sampled_from(["2020-01-01", "1999-05-03", None]))),
)


def arrow(series: pd.Series) -> pa.Array:
    if series.dtype == "str":
        return pa.array(series.array).cast(pa.string())
    return pa.array(series.to_numpy(), from_pandas=series.dtype.kind == "M")


@st.composite
def frames(draw) -> tuple[pd.DataFrame, pd.DataFrame]:
    kinds = draw(st.lists(KEYS, min_size=1, max_size=3))
    made = []
    for _ in range(2):
        n = draw(st.integers(0, 30))
        columns = {
            f"k{i}": pd.Series(draw(st.lists(values, min_size=n, max_size=n)), dtype=dtype)
            for i, (dtype, values) in enumerate(kinds)
        }
        made.append(pd.DataFrame({**columns, "row": np.arange(n)}))
    return made[0], made[1]


def numbers(rows: np.ndarray | None, n: int) -> list[int]:
    return (np.arange(n) if rows is None else rows).tolist()


@pytest.mark.parametrize("how", ["inner", "left"])
@pytest.mark.parametrize("prepared", [False, True])
@given(both=frames())
def test_pairs_are_those_of_pandas_in_its_order(how, prepared, both):
    left, right = both
    keys = [name for name in left if name != "row"]
    expected = left.merge(right, on=keys, how=how, suffixes=("_l", "_r"))
    other = [arrow(right[key]) for key in keys]
    pairs = join(how, [arrow(left[key]) for key in keys], KeyIndex(other) if prepared else other)
    assert numbers(pairs.asking, pairs.n) == expected["row_l"].tolist()
    assert numbers(pairs.rows, pairs.n) == expected["row_r"].fillna(-1).astype(int).tolist()
    assert pairs.some_alone == (-1 in numbers(pairs.rows, pairs.n))


@given(both=frames())
def test_an_outer_join_has_the_rows_of_pandas_in_any_order(both):
    left, right = both
    keys = [name for name in left if name != "row"]
    expected = left.merge(right, on=keys, how="outer", suffixes=("_l", "_r"))[["row_l", "row_r"]].fillna(-1).astype(int)
    pairs = join("outer", [arrow(left[key]) for key in keys], [arrow(right[key]) for key in keys])
    got = list(zip(numbers(pairs.asking, pairs.n), numbers(pairs.rows, pairs.n)))
    assert sorted(got) == sorted(expected.itertuples(index=False, name=None))
    assert pairs.rows_alone == any(row < 0 for row, _ in got)


@given(both=frames())
def test_semi_and_anti_joins_part_the_asking_rows(both):
    left, right = both
    keys = [name for name in left if name != "row"]
    with_partner = set(left.merge(right, on=keys, suffixes=("_l", "_r"))["row_l"])
    semi, anti = (
        join(how, [arrow(left[k]) for k in keys], [arrow(right[k]) for k in keys]) for how in ("semi", "anti")
    )
    assert numbers(semi.asking, semi.n) == sorted(with_partner)
    assert numbers(anti.asking, anti.n) == sorted(set(range(len(left))) - with_partner)


def test_one_key_that_nearly_all_rows_have_makes_no_more_pairs_than_there_are():
    left, right = pa.array([7] * 1000 + [1, 2]), pa.array([7] * 1000 + [2])
    pairs = join("outer", [left], [right])
    assert pairs.n == 1000 * 1000 + 2
    assert pairs.asking is not None
    assert pairs.asking[-2:].tolist() == [1000, 1001]


def test_a_cross_join_has_each_row_with_each_in_the_order_of_the_left():
    pairs = cross(2, 3)
    assert numbers(pairs.asking, 6) == [0, 0, 0, 1, 1, 1]
    assert numbers(pairs.rows, 6) == [0, 1, 2, 0, 1, 2]


def test_values_of_rows_that_are_not_there_are_missing_in_the_way_of_their_column():
    rows = Rows(np.array([1, -1]), some_missing=True)
    assert str(rows.of(pa.array([3, 4]), Missing("nan", pa.float64())).to_numpy().tolist()) == "[4.0, nan]"
    assert rows.of(pa.array([3, 4], pa.int32()), Missing("code", pa.int32())).to_pylist() == [4, -1]
    assert rows.of(pa.array(["a", "b"]), Missing("null", pa.string())).to_pylist() == ["b", None]
    nothing = pa.chunked_array([], pa.int64())
    assert np.isnan(Rows(np.array([-1]), some_missing=True).of(nothing, Missing("nan", pa.float64())).to_numpy()).all()


def test_a_column_that_may_lack_values_has_one_dtype_whether_it_does_or_not():
    column = pa.chunked_array([[1], [2]])
    for rows in (Rows(None), Rows(np.array([0, 1]), some_missing=True), Rows(np.array([0, 1]))):
        assert rows.of(column, Missing("nan", pa.float64())).type == pa.float64()
