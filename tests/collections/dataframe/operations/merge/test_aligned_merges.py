from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd

HOWS = ["inner", "left", "right", "outer"]
KINDS = ["int64", "uint8", "str", "datetime64[ns]", "datetime64[s]"]


def keys(draw, kind: str, n: int) -> pd.Series:
    numbers = np.sort(draw(st.lists(st.integers(0, 60), min_size=n, max_size=n)))
    if kind == "str":
        return pd.Series([f"k{number:03d}" for number in numbers], dtype="str")
    return pd.Series(numbers).astype(kind) if kind[0] != "d" else pd.Series(numbers).astype("int64").astype(kind)


@st.composite
def sorted_pairs(draw):
    kind = draw(st.sampled_from(KINDS))
    made = []
    for name in ("x", "y"):
        n = draw(st.integers(4, 40))
        made.append((pd.DataFrame({"k": keys(draw, kind, n), name: range(n)}), draw(st.integers(2, 5))))
    return made


def is_shuffled(frame) -> bool:
    words = [line.split()[0] for line in str(frame.explain()).split("optimised")[1].splitlines() if line.strip()]
    return any(word.endswith(("shuffle", "sort")) for word in words)


@given(pair=sorted_pairs(), how=st.sampled_from(HOWS))
def test_frames_with_divisions_merge_by_their_indexes_as_in_pandas(pair, how):
    (left, n_left), (right, n_right) = pair
    left, right = left.set_index("k"), right.set_index("k")
    ours = rd.from_pandas(left, npartitions=n_left), rd.from_pandas(right, npartitions=n_right)
    expected = left.merge(right, left_index=True, right_index=True, how=how)
    got = ours[0].merge(ours[1], left_index=True, right_index=True, how=how).compute()
    pd.testing.assert_frame_equal(got, expected, check_dtype=False)


@given(pair=sorted_pairs(), how=st.sampled_from(HOWS), rows=st.integers(3, 9))
def test_sorted_files_merge_by_columns_as_in_pandas(pair, how, rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sorted")
    ours, whole = [], []
    for number, (frame, _) in enumerate(pair):
        frame.to_parquet(folder / f"{number}.parquet", row_group_size=rows)
        ours.append(rd.read_parquet(str(folder / f"{number}.parquet"), blocksize=1))
        whole.append(frame)
    got = ours[0].merge(ours[1], on="k", how=how)
    pd.testing.assert_frame_equal(got.compute(), whole[0].merge(whole[1], on="k", how=how), check_dtype=False)


@pytest.fixture
def files(tmp_path):
    """Two sorted tables of 8 partitions each, whose bounds differ and have keys on either side."""
    rng = np.random.default_rng(1)
    frames = {}
    for name, n in (("left", 4000), ("right", 3000)):
        frames[name] = pd.DataFrame({"k": np.sort(rng.integers(0, 2000, n)), name: np.arange(n)})
        frames[name].to_parquet(tmp_path / name, row_group_size=n // 8)
    return frames, {name: rd.read_parquet(str(tmp_path / name), blocksize=1) for name in frames}


@pytest.mark.parametrize("how", [*HOWS, "leftsemi", "leftanti"])
def test_nothing_is_shuffled_where_partitions_are_known_to_have_ranges_of_the_key(files, how):
    frames, (left, right) = files[0], files[1].values()
    got = left.merge(right, on="k", how=how, broadcast=False)
    assert not is_shuffled(got), str(got.explain())
    if how in HOWS:
        expected = frames["left"].merge(frames["right"], on="k", how=how)
    else:
        there = frames["left"]["k"].isin(frames["right"]["k"])
        expected = frames["left"][there if how == "leftsemi" else ~there].reset_index(drop=True)
    pd.testing.assert_frame_equal(got.compute(), expected, check_dtype=False)


def test_filters_and_other_merges_in_between_do_not_hide_the_ranges(files):
    frames, (left, right) = files[0], files[1].values()

    def ask(left, right):
        merged = left[left["left"] % 3 > 0].merge(right, on="k").assign(z=1)
        return merged.merge(right.rename(columns={"right": "again"})[["again", "k"]], on="k")

    got = ask(left, right)
    assert not is_shuffled(got), str(got.explain())
    pd.testing.assert_frame_equal(got.compute(), ask(*frames.values()))


def test_a_frame_merged_with_itself_by_other_columns_is_not_taken_to_be_aligned(tmp_path):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"k": np.arange(400), "to": rng.permutation(400)})
    frame.to_parquet(tmp_path / "f", row_group_size=50)
    ours = rd.read_parquet(str(tmp_path / "f"), blocksize=1)

    def ask(frame):
        once = frame.merge(frame, left_on="k", right_on="to", suffixes=("", "_other"))
        return once.merge(frame.rename(columns={"k": "k_other", "to": "back"}), on="k_other")

    pd.testing.assert_frame_equal(ask(ours).compute(), ask(frame))


def test_unsorted_files_are_shuffled_as_before(tmp_path):
    frame = pd.DataFrame({"k": np.random.default_rng(3).permutation(800), "v": range(800)})
    frame.to_parquet(tmp_path / "f", row_group_size=100)
    ours = rd.read_parquet(str(tmp_path / "f"), blocksize=1)
    got = ours.merge(ours, on="k", broadcast=False)
    assert is_shuffled(got)
    pd.testing.assert_frame_equal(got.compute(), frame.merge(frame, on="k"))


def test_a_merge_that_must_have_unique_keys_sees_all_rows_of_a_key(files):
    (left, right) = files[1].values()
    with pytest.raises(pd.errors.MergeError, match="not unique in left"):
        left.merge(right, on="k", validate="1:m").compute()
