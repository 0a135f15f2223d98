"""`agg` and `transform` of frames and series by names, beside pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

NAMES = ["sum", "mean", "min", "max", "count", "std", "median", "nunique"]
names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
few = settings(max_examples=25)
FRAME = pd.DataFrame({"x": [3, 1, 2, 5], "y": [1.5, None, 0.5, 2.0], "s": list("abca")})


@few
@given(partitioned(frames_of({"x": "int64", "y": "finite"}, min_rows=1)), names, names)
def test_several_reductions_are_rows(case, some, others):
    for func in (some, {"y": some}, {"x": some, "y": others}, {"y": some, "x": others[0]}, {"x": some[0], "y": "max"}):
        assert_same(case.ours.agg(func), case.theirs.agg(func))
    assert_same(case.ours.y.agg(some), case.theirs.y.agg(some))
    assert_same(case.ours.x.agg({"first": some[0], "b": "max"}), case.theirs.x.agg({"first": some[0], "b": "max"}))


def test_one_name_is_the_method():
    ours = from_pandas(FRAME)
    assert_same(ours.agg("count"), FRAME.agg("count"))
    assert_same(ours[["x", "y"]].agg("sum", axis=1), FRAME[["x", "y"]].agg("sum", axis=1))
    assert_same(ours.x.aggregate(np.sum), FRAME.x.agg(np.sum))
    assert_same(ours.apply(["min", "max"]), FRAME.apply(["min", "max"]))


def test_columns_of_any_dtype_have_reductions_of_their_own():
    assert_same(from_pandas(FRAME).agg(["min", "count"]), FRAME.agg(["min", "count"]))
    assert_same(from_pandas(FRAME).agg(a=("x", "sum"), b=("s", "max")), FRAME.agg(a=("x", "sum"), b=("s", "max")))
    assert_same(from_pandas(FRAME).x.agg(a="sum", b=np.mean), FRAME.x.agg(a="sum", b="mean"))


@pytest.mark.parametrize("func", [["sum", "min"], {"a": ["sum"], "b": ["max"]}, {"a": "sum"}, {"b": "max", "a": "min"}])
def test_columns_of_one_label_have_each_its_own_results(func):
    frame = pd.DataFrame(np.arange(12).reshape(4, 3), columns=["a", "b", "a"])
    assert_same(from_pandas(frame).agg(func), frame.agg(func))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nope",), AttributeError),
        (({"q": "sum"},), KeyError),
        ((["sum", "nope"],), AttributeError),
        ((), TypeError),
        ((["sum", "cumsum"],), ValueError),
    ],
)
def test_wrong_calls_raise_what_pandas_raises(arguments, error):
    for frame in (from_pandas(FRAME[["x", "y"]]), FRAME[["x", "y"]]):
        with pytest.raises(error):
            frame.agg(*arguments)


def test_functions_of_whole_columns_are_told_what_to_take():
    with pytest.raises(NotImplementedError, match="reduction"):
        from_pandas(FRAME).agg(lambda column: column.max())
    with pytest.raises(NotImplementedError, match="map_partitions"):
        from_pandas(FRAME).x.transform(lambda column: column - column.mean())


@pytest.mark.parametrize("func", ["cumsum", "abs", np.sqrt, "sqrt", ["cumsum", np.abs], {"x": "abs", "y": ["cummax"]}])
def test_transforms_make_a_row_of_each(func):
    numbers = FRAME[["x", "y"]]
    assert_same(from_pandas(numbers).transform(func), numbers.transform(func))
    if not isinstance(func, dict):
        assert_same(from_pandas(FRAME.x).transform(func), FRAME.x.transform(func))


def test_transforms_that_are_none_are_refused():
    for series in (from_pandas(FRAME.x), FRAME.x):
        with pytest.raises(ValueError, match="did not transform"):
            series.transform("sum")
