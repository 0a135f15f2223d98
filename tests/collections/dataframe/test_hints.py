"""Errors say what there is and what was meant; everything that users hold says what it is."""

from __future__ import annotations

import pandas as pd
import pytest

import restride.dataframe as rd

FRAME = pd.DataFrame({"carrier": ["UA", "AA"] * 3, "delay": [1.25, 2.5] * 3, "t": pd.date_range("2024", periods=6)})
DF = rd.from_pandas(FRAME, npartitions=2)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda df: df["dealy"],
        lambda df: df[["carrier", "dealy"]],
        lambda df: df.groupby("dealy"),
        lambda df: df.groupby("carrier")["dealy"],
        lambda df: df.groupby("carrier")[["dealy"]],
        lambda df: df.groupby("carrier").agg({"dealy": "sum"}),
        lambda df: df.groupby("carrier").agg(x=("dealy", "sum")),
        lambda df: df.sort_values("dealy"),
        lambda df: df.set_index("dealy"),
    ],
)
def test_a_label_that_there_is_not_is_a_key_error_with_what_may_have_been_meant(mistake):
    with pytest.raises(KeyError, match="dealy") as caught:
        mistake(DF)
    assert caught.value.__notes__ == ["did you mean 'delay'?", "there are ['carrier', 'delay', 't']"]


def test_keys_of_merges_that_a_side_has_not_name_what_both_have():
    with pytest.raises(KeyError) as caught:
        DF.merge(DF[["carrier"]], on="delay")
    (note,) = caught.value.__notes__
    assert note == "the left side has the columns ['carrier', 'delay', 't'], the right side ['carrier']"


@pytest.mark.parametrize("of", [DF, DF.delay])
def test_what_only_pandas_has_says_how_to_get_there(of):
    with pytest.raises(AttributeError, match="has no attribute 'plot'") as caught:
        of.plot  # noqa: B018
    assert "compute()" in caught.value.__notes__[0]
    with pytest.raises(AttributeError, match="has no attribute 'nosuch'") as caught:
        of.nosuch  # noqa: B018
    assert not hasattr(caught.value, "__notes__")
    assert caught.value.name == "nosuch"  # by which Python suggests others


def test_what_a_property_says_is_heard():
    with pytest.raises(AttributeError, match=r"Can only use \.str accessor"):
        DF.delay.str  # noqa: B018


@pytest.mark.parametrize("kind", [rd.DataFrame, rd.Series, rd.Index])
def test_frames_are_not_made_of_values_by_their_class(kind):
    with pytest.raises(TypeError, match=r"from_pandas\(\).*not of a dict"):
        kind({"a": [1]})


def test_all_that_users_hold_says_what_it_is():
    assert repr(DF.groupby("carrier")) == "<DataFrameGroupBy: 6 rows, ['delay', 't'] by ['carrier']>"
    assert repr(DF.groupby(["carrier", "t"]).delay) == "<SeriesGroupBy: 6 rows, ['delay'] by ['carrier', 't']>"
    assert repr(DF.delay.rolling(3)) == f"<Rolling: window=3, center=False, of {DF.delay!r}>"
    assert repr(DF.delay.expanding()) == f"<ExpandingWindows of {DF.delay!r}>"
    assert repr(DF.delay.ewm(span=3)) == f"<ExponentialWindows of {DF.delay!r}>"
    assert repr(DF.carrier.str) == f"<StringMethods of {DF.carrier!r}>"
    assert repr(DF.set_index("t").resample("D")).startswith("<Resampler of <DataFrame: ")


def test_single_values_are_formatted_and_rounded():
    assert f"{DF.delay.mean():.3f}" == "1.875"
    assert f"{DF.delay.mean()}" == repr(DF.delay.mean())
    assert round(DF.delay.mean(), 1).compute() == 1.9
    assert round(DF.delay.mean()).compute() == 2
