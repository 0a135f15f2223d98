"""Important stock identification: the parts that make up most of what German suppliers have."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select ps_partkey, sum(ps_supplycost * ps_availqty) as value
    from partsupp, supplier, nation
    where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY'
    group by ps_partkey
    having sum(ps_supplycost * ps_availqty) > (
      select sum(ps_supplycost * ps_availqty) * 0.0001 / $scale
      from partsupp, supplier, nation
      where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY'
    )
    order by value desc
"""


def query(t: Tables) -> Any:
    nation = t.nation
    nation = nation[nation.n_name == "GERMANY"]
    supplier = t.supplier.merge(nation, left_on="s_nationkey", right_on="n_nationkey")[["s_suppkey"]]
    stock = t.partsupp.merge(supplier, left_on="ps_suppkey", right_on="s_suppkey")
    stock = stock.assign(value=stock.ps_supplycost * stock.ps_availqty)
    result = stock.groupby("ps_partkey").value.sum().reset_index()
    result = result[result.value > stock.value.sum() * (0.0001 / t.scale)]
    return result.sort_values("value", ascending=False)
