"""Large volume customer: the largest orders of more than 300 pieces."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) as sum_qty
    from customer, orders, lineitem
    where o_orderkey in (select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 300)
      and c_custkey = o_custkey and o_orderkey = l_orderkey
    group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
    order by o_totalprice desc, o_orderdate
    limit 100
"""


def query(t: Tables) -> Any:
    quantity = t.lineitem.groupby("l_orderkey").agg(sum_qty=("l_quantity", "sum")).reset_index()
    large = quantity[quantity.sum_qty > 300]
    orders = t.orders.merge(large, left_on="o_orderkey", right_on="l_orderkey")
    orders = orders.merge(t.customer, left_on="o_custkey", right_on="c_custkey")
    columns = ["c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "sum_qty"]
    return orders[columns].sort_values(["o_totalprice", "o_orderdate"], ascending=[False, True]).head(100)
