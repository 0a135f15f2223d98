"""Quantiles without a sort of everything: the ranges that values are parted into, and what is counted in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import restride.dataframe as rd
from restride.collections.dataframe.operations.quantiles import (
    FEW_BOUNDS,
    PlacesWanted,
    SampleValues,
    ValueRanges,
    Wanting,
    counts_of_ranges,
)
from restride.collections.dataframe.partition import from_pandas

NUMBERS = hnp.arrays(np.float64, st.integers(0, 50), elements=st.floats(-5, 5, width=16))


@given(NUMBERS, st.integers(0, 2 * FEW_BOUNDS), st.integers(0, 100))
def test_each_value_is_counted_in_the_range_between_its_bounds(values, n_bounds, seed):
    bounds = np.unique(np.random.default_rng(seed).integers(-50, 50, n_bounds) / 10)
    expected = np.histogram(values, [-np.inf, *bounds, np.inf])[0]
    assert counts_of_ranges(values, bounds).tolist() == expected.tolist()


@pytest.mark.parametrize("q", [0.0, 0.3, 0.5, 0.999, 1.0])
def test_the_range_around_a_quantile_holds_few_of_the_values(q):
    rng = np.random.default_rng(0)
    meta = pd.Series([], dtype="float64")
    # Partitions that are sampled alike, though one has twenty times the rows of the others, and other values.
    parts = [rng.normal(size=100_000), *(rng.normal(3, size=5_000) for _ in range(4))]
    partitions = [from_pandas(pd.Series(part), meta) for part in parts]
    wanting = Wanting((q,), "linear")
    (bounds,) = ValueRanges(wanting)(*map(SampleValues(meta), partitions))
    (place,) = PlacesWanted(wanting)(*([counts_of_ranges(part, bounds)] for part in parts))
    assert place.n == 120_000
    assert place.sizes.sum() < 0.07 * place.n  # evenly, an eighth of them


def test_quantiles_of_partitions_of_many_rows_and_of_few_are_exact():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.integers(0, 9, 30_000), "y": rng.normal(size=30_000), "z": np.nan})
    frame.loc[20_000:, "y"] += 100
    frame.loc[::5000, "z"] = 1.5
    parts = rd.concat([rd.from_pandas(frame.iloc[:29_000], npartitions=2), rd.from_pandas(frame.iloc[29_000:], 10)])
    q = [0, 0.01, 0.5, 0.7, 0.99, 1]
    pd.testing.assert_frame_equal(parts.quantile(q).compute(), frame.quantile(q))
