"""Promotion effect: promoted parts as a percentage of a month's revenue."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select 100.00 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end)
           / sum(l_extendedprice * (1 - l_discount)) as promo_revenue
    from lineitem, part
    where l_partkey = p_partkey and l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-10-01'
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1995-09-01"), pd.Timestamp("1995-10-01")
    lines = t.lineitem
    lines = lines[(lines.l_shipdate >= start) & (lines.l_shipdate < end)]
    lines = lines.merge(t.part, left_on="l_partkey", right_on="p_partkey")
    revenue = lines.l_extendedprice * (1 - lines.l_discount)
    return 100 * (revenue * lines.p_type.str.startswith("PROMO")).sum() / revenue.sum()
