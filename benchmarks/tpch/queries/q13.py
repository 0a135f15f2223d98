"""Customer distribution: how many customers have so many orders."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select c_count, count(*) as custdist
    from (
      select c_custkey, count(o_orderkey) as c_count
      from customer left outer join orders on c_custkey = o_custkey and o_comment not like '%special%requests%'
      group by c_custkey
    ) as c_orders
    group by c_count
    order by custdist desc, c_count desc
"""


def query(t: Tables) -> Any:
    orders = t.orders
    orders = orders[~orders.o_comment.str.contains("special.*requests")]
    both = t.customer.merge(orders, how="left", left_on="c_custkey", right_on="o_custkey")
    counts = both.groupby("c_custkey").agg(c_count=("o_orderkey", "count"))
    result = counts.reset_index().groupby("c_count").agg(custdist=("c_custkey", "count")).reset_index()
    return result.sort_values(["custdist", "c_count"], ascending=[False, False])
