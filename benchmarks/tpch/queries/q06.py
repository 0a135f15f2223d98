"""Forecasting revenue change: what some small discounts cost in a year."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select sum(l_extendedprice * l_discount) as revenue
    from lineitem
    where l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01'
      and l_discount between 0.05 - 1e-9 and 0.07 + 1e-9 and l_quantity < 24
"""


def query(t: Tables) -> Any:
    lines = t.lineitem
    lines = lines[
        (lines.l_shipdate >= pd.Timestamp("1994-01-01"))
        & (lines.l_shipdate < pd.Timestamp("1995-01-01"))
        & (lines.l_discount >= 0.05)
        & (lines.l_discount <= 0.07)
        & (lines.l_quantity < 24)
    ]
    return (lines.l_extendedprice * lines.l_discount).sum()
