from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restride.collections.dataframe.meta import meta_of
from restride.collections.dataframe.operations.merge.joining import IndexSide, JoinPartitions
from restride.collections.dataframe.operations.merge.plan import plan_merge
from restride.collections.dataframe.partition import from_pandas, to_pandas

pytestmark = [
    pytest.mark.filterwarnings("ignore:You are merging on int and float"),
    pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning"),  # pandas' comparison of indexes with NaN
]
HOWS = ["inner", "left", "right", "outer", "left_anti", "right_anti"]
KEYS = {
    "int64": st.integers(-3, 3),
    "int8": st.integers(-3, 3),
    "uint16": st.integers(0, 4),
    "float64": st.sampled_from([0.0, -0.0, 1.0, 2.0, np.nan]),
    "float32": st.sampled_from([0.0, 1.0, 2.0, np.nan]),
    "bool": st.booleans(),
    "str": st.sampled_from(["", "a", "b", "ä", None]),
    "datetime64[ns]": st.sampled_from(["2020-01-01", "1999-05-03", None]),
    "datetime64[s]": st.sampled_from(["2020-01-01", "1999-05-03", None]),
    "Int64": st.sampled_from([1, 2, None]),
    "category": st.sampled_from(["a", "b", "c", None]),
    "object": st.sampled_from(["a", 1, None, 2.5]),
}
PARTNERS = {
    "int64": ["int64", "int8", "float64", "Int64"],
    "int8": ["int64", "uint16"],
    "float64": ["float64", "int64"],
    "datetime64[ns]": ["datetime64[ns]", "datetime64[s]"],
}
EXTRAS = {
    "int64": st.integers(-(2**40), 2**40),
    "float64": st.floats(allow_nan=True, width=32),
    "bool": st.booleans(),
    "str": st.text(max_size=3),
    "datetime64[ns]": st.sampled_from(["2020-01-01", None]),
    "category": st.sampled_from(["x", "y", None]),
    "Int64": st.sampled_from([7, None]),
}


def series(draw, dtype: str, values: st.SearchStrategy, n: int) -> pd.Series:
    drawn = draw(st.lists(values, min_size=n, max_size=n))
    if dtype == "category":
        categories = draw(st.permutations(["a", "b", "c", "x", "y"]))
        return pd.Series(pd.Categorical(drawn, categories=categories))
    return pd.Series(drawn, dtype=dtype)


@st.composite
def frames(draw, n_keys: int, least: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    kinds = [draw(st.sampled_from(sorted(KEYS))) for _ in range(n_keys)]
    others = [draw(st.sampled_from(PARTNERS.get(kind, [kind]))) for kind in kinds]
    least = least or int(kinds != others)  # pandas does not look at dtypes where one side has no rows
    made = []
    for side, dtypes in (("l", kinds), ("r", others)):
        n = draw(st.integers(least, 12))
        columns = {f"k{i}": series(draw, dtype, KEYS[dtype], n) for i, dtype in enumerate(dtypes)}
        columns["row"] = pd.Series(np.arange(n))
        for i, dtype in enumerate(draw(st.lists(st.sampled_from(sorted(EXTRAS)), max_size=2))):
            columns[f"{side}{i}"] = series(draw, dtype, EXTRAS[dtype], n)
        made.append(pd.DataFrame(columns))
    return made[0], made[1]


def merged(left: pd.DataFrame, right: pd.DataFrame, how: str, *, index: bool = False, **arguments) -> pd.DataFrame:
    if arguments.get("left_index") or arguments.get("right_index"):
        left, right = (
            f.set_axis(pd.Index(f.index.to_numpy(), name=f.index.name)) if isinstance(f.index, pd.RangeIndex) else f
            for f in (left, right)
        )
    metas = [meta_of(frame) for frame in (left, right)]
    plan = plan_merge(metas[0], metas[1], how, arguments)
    parts = [from_pandas(frame, meta) for frame, meta in zip((left, right), metas)]
    if index:
        side, keys, as_keys = (
            (1, plan.right_keys, plan.as_right) if plan.asks == "left" else (0, plan.left_keys, plan.as_left)
        )
        parts[side] = IndexSide(metas[side], keys, as_keys)(parts[side])
    join = JoinPartitions(plan, metas[0], metas[1], plan.asks, by_key=how == "outer")
    return to_pandas(join(*parts), plan.meta)


def check(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal, but that dtypes are those of the most general data, where pandas' depend on which rows have a partner."""
    pd.testing.assert_index_equal(got.columns, expected.columns)
    for i in range(expected.shape[1]):
        have, want = got.iloc[:, i], expected.iloc[:, i]
        pd.testing.assert_series_equal(
            have, want.astype(have.dtype), check_index_type=False, check_category_order=False, check_names=False
        )
        assert have.name == want.name
        assert len(want) == 0 or have.dtype == want.dtype or wider(have.dtype, want.dtype), (have.dtype, want.dtype)


def wider(have: object, want: object) -> bool:
    if isinstance(have, np.dtype) and isinstance(want, np.dtype):
        return have.kind == "O" or (have.kind in "iuf" and np.can_cast(want, have)) or have.kind == want.kind == "M"
    return str(want) == "object" or str(have).lower() == str(want).lower()


@pytest.mark.parametrize("how", HOWS)
@settings(max_examples=25)
@given(data=st.data(), n_keys=st.integers(1, 2), index=st.booleans())
def test_merges_on_columns_are_those_of_pandas(how, data, n_keys, index):
    left, right = data.draw(frames(n_keys))
    keys = [f"k{i}" for i in range(n_keys)]
    expected = left.merge(right, how=how, on=keys)
    if how.endswith("anti"):
        expected = expected.reset_index(drop=True)  # pandas numbers them by their places in another join
    check(merged(left, right, how, on=keys, index=index), expected)


@pytest.mark.parametrize("how", HOWS)
@settings(max_examples=25)
@given(data=st.data())
def test_merges_by_labels_of_either_side_are_those_of_pandas(how, data):
    left, right = data.draw(frames(1, least=1))
    arguments = data.draw(st.sampled_from(["left_on", "index", "right_on", "two names"]))
    if left["k0"].dtype == "category":
        arguments = "two names"  # whether pandas keeps the order of an index' categories depends on its labels
    if arguments == "left_on":
        right = right.set_index("k0")
        options = {"left_on": "k0", "right_index": True}
    elif arguments == "right_on":
        left = left.set_index("k0")
        options = {"left_index": True, "right_on": "k0"}
    elif arguments == "index":
        left, right = left.set_index("k0"), right.set_index("k0")
        options = {"left_index": True, "right_index": True}
    else:
        right = right.rename(columns={"k0": "other"})
        options = {"left_on": "k0", "right_on": "other"}
    expected = left.merge(right, how=how, **options)
    if how == "outer" and arguments == "index" and left.index.dtype.kind == "M":
        # Where labels come twice, pandas has missing times first; they are last as elsewhere.
        missing = expected.index.isna()
        expected = pd.concat([expected[~missing], expected[missing]])
    if how.endswith("anti") and arguments == "two names":
        expected = expected.reset_index(drop=True)
    check(merged(left, right, how, **options), expected)


@pytest.mark.parametrize("how", ["inner", "left", "outer"])
def test_categories_match_strings_by_what_they_stand_for(how):
    left = pd.DataFrame({"k": pd.Categorical(["b", None, "a", "z"], categories=["z", "b", "a"]), "l": range(4)})
    right = pd.DataFrame({"k": pd.Series(["a", "b", None, "c"]), "r": range(4)})
    for one, other in ((left, right), (right, left)):
        expected = one.merge(other, how=how, on="k")
        got = merged(one, other, how, on="k")
        pd.testing.assert_frame_equal(got.astype(object), expected.astype(object), check_dtype=False)


def test_a_filtering_join_has_the_columns_of_the_left_alone():
    left = pd.DataFrame({"k": [3, 1, 2, 1], "x": list("abcd")})
    right = pd.DataFrame({"k": [1, 1, 4], "x": [1, 2, 3]})
    assert merged(left, right, "leftsemi", on="k").to_dict("list") == {"k": [1, 1], "x": ["b", "d"]}
    assert merged(left, right, "leftanti", on="k").to_dict("list") == {"k": [3, 2], "x": ["a", "c"]}


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
def test_an_indicator_tells_the_side_of_each_row(how):
    left, right = pd.DataFrame({"k": [1, 2]}), pd.DataFrame({"k": [2, 3]})
    for indicator in (True, "from"):
        got = merged(left, right, how, on="k", indicator=indicator)
        pd.testing.assert_frame_equal(got, left.merge(right, on="k", how=how, indicator=indicator), check_dtype=False)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"on": "none"}, KeyError),
        ({"left_on": "k"}, pd.errors.MergeError),
        ({"left_on": ["k", "s"], "right_on": ["k"]}, ValueError),
        ({"left_on": "k", "right_on": "s"}, ValueError),
        ({"left_on": "t", "right_on": "k"}, ValueError),
        ({"on": "k", "suffixes": (None, None)}, ValueError),
        ({"on": "k", "how": "sideways"}, ValueError),
        ({"on": "k", "indicator": "s"}, ValueError),
    ],
)
def test_what_pandas_would_not_merge_is_an_error_of_its_type_before_anything_runs(arguments, error):
    frame = pd.DataFrame({"k": [1], "s": ["a"], "t": pd.to_datetime(["2020-01-01"])})
    arguments = {"how": "inner", **arguments}
    with pytest.raises(error):
        frame.merge(frame, **arguments)
    with pytest.raises(error):
        plan_merge(meta_of(frame), meta_of(frame), arguments.pop("how"), arguments)


def test_two_columns_of_one_label_stay_two():
    left = pd.DataFrame([[1, 2, 3]], columns=["k", "x", "x"])
    right = pd.DataFrame([[1, 4]], columns=["k", "y"])
    pd.testing.assert_frame_equal(merged(left, right, "inner", on="k"), left.merge(right, on="k"))
