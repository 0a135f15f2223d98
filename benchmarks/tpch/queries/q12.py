"""Shipping modes and order priority: late lines of a year, of urgent orders and of others."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select l_shipmode,
           sum(case when o_orderpriority in ('1-URGENT', '2-HIGH') then 1 else 0 end) as high_line_count,
           sum(case when o_orderpriority not in ('1-URGENT', '2-HIGH') then 1 else 0 end) as low_line_count
    from orders, lineitem
    where o_orderkey = l_orderkey and l_shipmode in ('MAIL', 'SHIP') and l_commitdate < l_receiptdate
      and l_shipdate < l_commitdate and l_receiptdate >= date '1994-01-01' and l_receiptdate < date '1995-01-01'
    group by l_shipmode
    order by l_shipmode
"""


def query(t: Tables) -> Any:
    lines = t.lineitem
    lines = lines[
        lines.l_shipmode.isin(["MAIL", "SHIP"])
        & (lines.l_commitdate < lines.l_receiptdate)
        & (lines.l_shipdate < lines.l_commitdate)
        & (lines.l_receiptdate >= pd.Timestamp("1994-01-01"))
        & (lines.l_receiptdate < pd.Timestamp("1995-01-01"))
    ]
    lines = lines.merge(t.orders, left_on="l_orderkey", right_on="o_orderkey")
    high = lines.o_orderpriority.isin(["1-URGENT", "2-HIGH"])
    lines = lines.assign(high_line_count=high.astype("int64"), low_line_count=(~high).astype("int64"))
    result = lines.groupby("l_shipmode")[["high_line_count", "low_line_count"]].sum()
    return result.reset_index().sort_values("l_shipmode")
