from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.kernels.ranges import ValueRange
from restride.collections.dataframe.operations.within import apart, are_neighbours


@pytest.mark.parametrize("n", [3, 10, 100])
def test_ranges_that_follow_each_other_are_neighbours_and_random_ones_are_not(n):
    steps = tuple(ValueRange(10 * i, 10 * i + 10, False) for i in range(n))
    shifted = tuple(ValueRange(10 * i + 5, 10 * i + 14, False) for i in range(n))
    wide = tuple(ValueRange(i, 10 * n + i, False) for i in range(n))
    assert are_neighbours(steps, steps)
    assert are_neighbours(steps, shifted)
    assert are_neighbours(steps, (ValueRange(0, 5 * n), ValueRange(5 * n, 10 * n)))
    assert are_neighbours(steps, wide) == are_neighbours(wide, wide) == (n == 3)


def test_ranges_apart_have_every_value_once():
    assert apart(tuple(ValueRange(i, i) for i in range(9))) is None  # each may have missing values
    have = (ValueRange(1, 5, False), ValueRange(5, 8, False), None, ValueRange(9, 9, False))
    assert apart(have) == (
        ValueRange(None, 5, True, True),
        ValueRange(5, 9, False, True),
        ValueRange(9, None, False, False),
    )
    assert apart((ValueRange(1, 1, False),) * 3) is None


@st.composite
def sorted_files(draw):
    n = draw(st.integers(20, 60))
    numbers = np.sort(draw(st.lists(st.integers(0, 40), min_size=n, max_size=n)))
    key = numbers if draw(st.booleans()) else pd.Series([f"{number:02d}" for number in numbers], dtype="str")
    other = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return pd.DataFrame({"k": key, "other": other, "v": np.arange(n)}), draw(st.integers(3, 12))


def words(frame) -> set[str]:
    lines = str(frame.explain()).split("optimised")[1].splitlines()
    return {line.split()[0] for line in lines if line.strip()}


@pytest.fixture
def no_rows_are_few(monkeypatch):
    from restride.collections.dataframe.operations.groupby import duplicates, plan

    for module in (duplicates, plan):
        monkeypatch.setattr(module, "rows_are_few", lambda frame: False)
    for name, value in (("FEW_GROUPS", 0), ("SPLIT_ROWS", 1), ("KEPT", 0.01)):
        monkeypatch.setattr(plan, name, value)


@pytest.mark.usefixtures("no_rows_are_few")
@given(made=sorted_files(), sort=st.booleans(), several=st.booleans())
def test_groups_of_sorted_files_are_those_of_pandas(made, sort, several, tmp_path_factory):
    frame, rows = made
    path = tmp_path_factory.mktemp("groups") / "f"
    frame.to_parquet(path, row_group_size=rows)
    ours, on = rd.read_parquet(str(path), blocksize=1), ["k", "other"] if several else ["k"]

    def ask(frame):
        return frame.groupby(on, sort=sort).agg(v=("v", "sum"), n=("v", "count"))

    pd.testing.assert_frame_equal(ask(ours).compute(), ask(frame), check_dtype=False)
    for keep in ("first", "last", False):
        got = ours.drop_duplicates(subset=on, keep=keep).compute()
        pd.testing.assert_frame_equal(got, frame.drop_duplicates(subset=on, keep=keep))


@pytest.mark.usefixtures("no_rows_are_few")
def test_rows_of_sorted_files_stay_where_they_are(tmp_path):
    frame = pd.DataFrame({"k": np.repeat(np.arange(3000), 2), "v": range(6000)})
    frame.to_parquet(tmp_path / "f", row_group_size=1001)
    ours = rd.read_parquet(str(tmp_path / "f"), blocksize=1)
    late = ours[ours["v"] % 5 > 0]
    for asked in (ours.groupby("k").agg({"v": "sum"}), late.drop_duplicates(subset=["k"])):
        assert "ranges" in words(asked)
        assert not words(asked) & {"shuffle", "groupby-sample"}, str(asked.explain())


@pytest.mark.usefixtures("no_rows_are_few")
def test_groups_of_what_is_shuffled_by_the_same_keys_are_not_shuffled_again():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"k": rng.integers(0, 4000, 8000), "j": rng.integers(0, 9, 8000), "v": np.arange(8000)})
    ours = rd.from_pandas(frame, npartitions=6).shuffle("k")
    for on in (["k"], ["j", "k"]):
        asked = ours[ours["v"] > 10].groupby(on).agg({"v": "sum"})
        assert str(asked.explain()).split("optimised")[1].count("shuffle-split") == 1, str(asked.explain())
        pd.testing.assert_frame_equal(asked.compute(), frame[frame["v"] > 10].groupby(on).agg({"v": "sum"}))
    asked = ours.groupby("j").agg({"v": "sum"})
    pd.testing.assert_frame_equal(asked.compute(), frame.groupby("j").agg({"v": "sum"}))
