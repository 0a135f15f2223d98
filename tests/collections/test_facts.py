"""Questions that nodes have before they lower."""

import pandas as pd
import pytest

from restride.collections.dataframe.operations.groupby import plan
from restride.collections.lowering import lower
from restride.errors import InternalError
from tests.collections.dataframe.strategies import from_pandas


def test_what_has_been_asked_once_is_not_asked_again(monkeypatch):
    frame = pd.DataFrame({"key": [f"{i % 7}" for i in range(60)], "value": range(60)})
    monkeypatch.setattr(plan, "FEW_ROWS", 1)
    monkeypatch.setattr(plan, "FEW_GROUPS", 1)
    grouped = from_pandas(frame, npartitions=4).groupby("key").value.sum()
    expected = frame.groupby("key").value.sum()
    with pytest.raises(InternalError, match="cannot be answered here"):
        lower([grouped.expr])
    pd.testing.assert_series_equal(grouped.compute(), expected)
    graph, _ = lower([grouped.expr])  # with nobody to ask
    assert len(graph) > 4
    pd.testing.assert_series_equal(grouped.compute(), expected)
