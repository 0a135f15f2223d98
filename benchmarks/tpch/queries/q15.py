"""Top supplier: who sold most in a quarter."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    with revenue as (
      select l_suppkey as supplier_no, sum(l_extendedprice * (1 - l_discount)) as total_revenue
      from lineitem
      where l_shipdate >= date '1996-01-01' and l_shipdate < date '1996-04-01'
      group by l_suppkey
    )
    select s_suppkey, s_name, s_address, s_phone, total_revenue
    from supplier, revenue
    where s_suppkey = supplier_no and total_revenue > (select max(total_revenue) from revenue) * (1 - 1e-12)
    order by s_suppkey
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1996-01-01"), pd.Timestamp("1996-04-01")
    lines = t.lineitem
    lines = lines[(lines.l_shipdate >= start) & (lines.l_shipdate < end)]
    lines = lines.assign(total_revenue=lines.l_extendedprice * (1 - lines.l_discount))
    revenue = lines.groupby("l_suppkey").total_revenue.sum().reset_index()
    top = revenue[revenue.total_revenue == revenue.total_revenue.max()]
    result = t.supplier.merge(top, left_on="s_suppkey", right_on="l_suppkey")
    return result[["s_suppkey", "s_name", "s_address", "s_phone", "total_revenue"]].sort_values("s_suppkey")
