"""`query` and `eval` mean what they mean in pandas, and become expressions like any other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.errors import UndefinedVariableError

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = pd.DataFrame(
    {"x": [1, 2, 3, 4], "y": [0.5, 1.5, -2.5, 4.0], "s": list("abca"), "my col": [4, 3, 2, 1],
     "t": pd.date_range("2024-01-30", periods=4)},
    index=pd.Index([10, 20, 30, 40], name="k"),
)  # fmt: skip
CONDITIONS = [
    "x > 2", "x > 1 and y < 2", "x > 1 & y < 2", "x == 1 or x == 4", "x == 1 | s == 'b'", "not x > 2", "~(x > 2)",
    "1 < x <= 3", "s in ['a', 'c']", "s not in ['a']", "s == ['a', 'b']", "s != ['a', 'b']", "x + y > 3", "-x < -2",
    "x ** 2 % 3 == 1", "`my col` > 2", "k > 15", "index >= 20", "s == 'a' and t > '2024-01-31'", "sqrt(y + 3) > 1.5",
    "s.str.contains('a')", "t.dt.month == 2", "x.isin([1, 2])", "y.abs() > 1", "x // 2 == 1", "(x > 1) & (x < 4)",
    "s == '`a`' or s == \"b & c\" or x == 2", "x > y",
]  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_choose_the_rows_that_pandas_chooses(condition):
    assert_same(from_pandas(FRAME).query(condition), FRAME.query(condition))


@pytest.mark.parametrize("expression", ["x + y", "x * 2 - y / 4", "x > y", "-y", "sin(y) + abs(x)", "s.str.upper()"])
def test_expressions_have_the_values_that_pandas_gives(expression):
    # pandas hands what it can to numexpr where that is installed, which knows no strings.
    assert_same(from_pandas(FRAME).eval(expression), FRAME.eval(expression, engine="python"))


@given(
    partitioned(frames_of({"x": "int64", "y": "finite", "s": "str"})),
    st.sampled_from(["x > 0", "y < 2 and x != 1", "s == 'a'"]),
)
def test_conditions_hold_for_any_partitions(case, condition):
    assert_same(case.ours.query(condition), case.theirs.query(condition))


def test_variables_are_those_of_the_caller():
    least, among = 2, ["a", "b"]  # noqa: F841  # used in the strings
    assert_same(from_pandas(FRAME).query("x >= @least and s in @among"), FRAME.query("x >= @least and s in @among"))
    assert_same(from_pandas(FRAME).query("x >= @n", local_dict={"n": 3}), FRAME.query("x >= 3"))
    assert_same(from_pandas(FRAME).eval("y.clip(@np.float64(0))"), FRAME.y.clip(0))
    assert np.__name__ == "numpy"


def test_columns_are_assigned():
    assert_same(from_pandas(FRAME).eval("z = x + y"), FRAME.eval("z = x + y"))
    lines = "z = x + y\nw = z * 2"
    assert_same(from_pandas(FRAME).eval(lines), FRAME.eval(lines))
    ours = from_pandas(FRAME)
    ours.eval("x = x * 10", inplace=True)
    assert_same(ours, FRAME.eval("x = x * 10"))


def test_a_condition_in_a_string_is_the_expression_that_it_would_be_written_out():
    ours = from_pandas(FRAME)
    assert ours.query("x > 2 and y < 1").expr == ours[(ours.x > 2) & (ours.y < 1)].expr


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("nothing > 1", UndefinedVariableError),
        ("x > @nothing", UndefinedVariableError),
        ("x >", SyntaxError),
        ("s == 'a", SyntaxError),
        ("", ValueError),
        ("x if x else y", NotImplementedError),
        ("lambda: x", NotImplementedError),
        ("x.__class__", NotImplementedError),
        ("z = x", ValueError),
    ],
)
def test_what_is_no_condition_raises_at_the_call(expression, error):
    with pytest.raises(error):
        from_pandas(FRAME).query(expression)
