"""Shipping priority: the orders worth most that had not been shipped on a day."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate, o_shippriority
    from customer, orders, lineitem
    where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey
      and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
    group by l_orderkey, o_orderdate, o_shippriority
    order by revenue desc, o_orderdate
    limit 10
"""


def query(t: Tables) -> Any:
    day = pd.Timestamp("1995-03-15")
    customer, orders, lines = t.customer, t.orders, t.lineitem
    customer = customer[customer.c_mktsegment == "BUILDING"]
    orders = orders[orders.o_orderdate < day]
    lines = lines[lines.l_shipdate > day]
    orders = orders.merge(customer, left_on="o_custkey", right_on="c_custkey")
    lines = lines.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    lines = lines.assign(revenue=lines.l_extendedprice * (1 - lines.l_discount))
    result = lines.groupby(["l_orderkey", "o_orderdate", "o_shippriority"]).revenue.sum().reset_index()
    result = result[["l_orderkey", "revenue", "o_orderdate", "o_shippriority"]]
    return result.sort_values(["revenue", "o_orderdate"], ascending=[False, True]).head(10)
