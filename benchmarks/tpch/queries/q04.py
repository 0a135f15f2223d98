"""Order priority checking: orders of a quarter with a line that arrived late, by priority."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select o_orderpriority, count(*) as order_count
    from orders
    where o_orderdate >= date '1993-07-01' and o_orderdate < date '1993-10-01'
      and exists (select * from lineitem where l_orderkey = o_orderkey and l_commitdate < l_receiptdate)
    group by o_orderpriority
    order by o_orderpriority
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1993-07-01"), pd.Timestamp("1993-10-01")
    orders, lines = t.orders, t.lineitem
    quarter = (orders.o_orderdate >= start) & (orders.o_orderdate < end)
    late = lines[lines.l_commitdate < lines.l_receiptdate]
    late = late[["l_orderkey"]].drop_duplicates()
    orders = orders[quarter].merge(late, left_on="o_orderkey", right_on="l_orderkey")
    result = orders.groupby("o_orderpriority").agg(order_count=("o_orderkey", "count"))
    return result.reset_index().sort_values("o_orderpriority")
