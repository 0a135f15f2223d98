"""Suppliers who kept orders waiting: they alone, in Saudi Arabia."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select s_name, count(*) as numwait
    from supplier, lineitem l1, orders, nation
    where s_suppkey = l1.l_suppkey and o_orderkey = l1.l_orderkey and o_orderstatus = 'F'
      and l1.l_receiptdate > l1.l_commitdate
      and exists (select * from lineitem l2 where l2.l_orderkey = l1.l_orderkey and l2.l_suppkey <> l1.l_suppkey)
      and not exists (
        select *
        from lineitem l3
        where l3.l_orderkey = l1.l_orderkey and l3.l_suppkey <> l1.l_suppkey and l3.l_receiptdate > l3.l_commitdate
      )
      and s_nationkey = n_nationkey and n_name = 'SAUDI ARABIA'
    group by s_name
    order by numwait desc, s_name
    limit 100
"""


def query(t: Tables) -> Any:
    lines, orders, nation = t.lineitem, t.orders, t.nation
    orders = orders[orders.o_orderstatus == "F"][["o_orderkey"]]
    nation = nation[nation.n_name == "SAUDI ARABIA"][["n_nationkey"]]
    supplier = t.supplier.merge(nation, left_on="s_nationkey", right_on="n_nationkey")[["s_suppkey", "s_name"]]
    late = lines[lines.l_receiptdate > lines.l_commitdate]
    everybody = lines.groupby("l_orderkey").agg(first=("l_suppkey", "min"), last=("l_suppkey", "max")).reset_index()
    several = everybody[everybody["first"] != everybody["last"]][["l_orderkey"]]
    who = late.groupby("l_orderkey").agg(first_late=("l_suppkey", "min"), last_late=("l_suppkey", "max")).reset_index()
    alone = who[who.first_late == who.last_late][["l_orderkey"]]
    waiting = late.merge(supplier, left_on="l_suppkey", right_on="s_suppkey")
    waiting = waiting.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    waiting = waiting.merge(several, on="l_orderkey").merge(alone, on="l_orderkey")
    result = waiting.groupby("s_name").agg(numwait=("l_orderkey", "count")).reset_index()
    return result.sort_values(["numwait", "s_name"], ascending=[False, True]).head(100)
