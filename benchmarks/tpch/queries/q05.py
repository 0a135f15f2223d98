"""Local supplier volume: what suppliers sold to customers of their own nation in Asia."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue
    from customer, orders, lineitem, supplier, nation, region
    where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey and c_nationkey = s_nationkey
      and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'ASIA'
      and o_orderdate >= date '1994-01-01' and o_orderdate < date '1995-01-01'
    group by n_name
    order by revenue desc
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1994-01-01"), pd.Timestamp("1995-01-01")
    region, orders = t.region, t.orders
    region = region[region.r_name == "ASIA"]
    orders = orders[(orders.o_orderdate >= start) & (orders.o_orderdate < end)]
    nation = t.nation.merge(region, left_on="n_regionkey", right_on="r_regionkey")
    supplier = t.supplier.merge(nation, left_on="s_nationkey", right_on="n_nationkey")
    orders = orders.merge(t.customer, left_on="o_custkey", right_on="c_custkey")
    lines = t.lineitem.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    lines = lines.merge(supplier, left_on=["l_suppkey", "c_nationkey"], right_on=["s_suppkey", "s_nationkey"])
    lines = lines.assign(revenue=lines.l_extendedprice * (1 - lines.l_discount))
    return lines.groupby("n_name").revenue.sum().reset_index().sort_values("revenue", ascending=False)
