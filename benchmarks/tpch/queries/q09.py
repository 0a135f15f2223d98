"""Product type profit: what was earned with green parts, by nation and year."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select nation, o_year, sum(amount) as sum_profit
    from (
      select n_name as nation, extract(year from o_orderdate) as o_year,
             l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity as amount
      from part, supplier, lineitem, partsupp, orders, nation
      where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey and p_partkey = l_partkey
        and o_orderkey = l_orderkey and s_nationkey = n_nationkey and p_name like '%green%'
    ) as profit
    group by nation, o_year
    order by nation, o_year desc
"""


def query(t: Tables) -> Any:
    part = t.part
    part = part[part.p_name.str.contains("green", regex=False)]
    supplier = t.supplier.merge(t.nation, left_on="s_nationkey", right_on="n_nationkey")[["s_suppkey", "n_name"]]
    lines = t.lineitem.merge(part, left_on="l_partkey", right_on="p_partkey")
    lines = lines.merge(t.partsupp, left_on=["l_partkey", "l_suppkey"], right_on=["ps_partkey", "ps_suppkey"])
    lines = lines.merge(supplier, left_on="l_suppkey", right_on="s_suppkey")
    lines = lines.merge(t.orders, left_on="l_orderkey", right_on="o_orderkey")
    profit = lines.l_extendedprice * (1 - lines.l_discount) - lines.ps_supplycost * lines.l_quantity
    lines = lines.assign(nation=lines.n_name, o_year=lines.o_orderdate.dt.year, sum_profit=profit)
    result = lines.groupby(["nation", "o_year"]).sum_profit.sum().reset_index()
    return result.sort_values(["nation", "o_year"], ascending=[True, False])
