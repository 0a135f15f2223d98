"""Potential part promotion: Canadian suppliers with more of a forest part than half a year needs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select s_name, s_address
    from supplier, nation
    where s_suppkey in (
        select ps_suppkey
        from partsupp
        where ps_partkey in (select p_partkey from part where p_name like 'forest%')
          and ps_availqty > (
            select 0.5 * sum(l_quantity)
            from lineitem
            where l_partkey = ps_partkey and l_suppkey = ps_suppkey and l_shipdate >= date '1994-01-01'
              and l_shipdate < date '1995-01-01'
          )
      )
      and s_nationkey = n_nationkey and n_name = 'CANADA'
    order by s_name
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1994-01-01"), pd.Timestamp("1995-01-01")
    part, lines, nation = t.part, t.lineitem, t.nation
    part = part[part.p_name.str.startswith("forest")][["p_partkey"]]
    nation = nation[nation.n_name == "CANADA"][["n_nationkey"]]
    lines = lines[(lines.l_shipdate >= start) & (lines.l_shipdate < end)]
    sold = lines.merge(part, left_on="l_partkey", right_on="p_partkey")
    sold = sold.groupby(["l_partkey", "l_suppkey"]).agg(sold=("l_quantity", "sum")).reset_index()
    stock = t.partsupp.merge(sold, left_on=["ps_partkey", "ps_suppkey"], right_on=["l_partkey", "l_suppkey"])
    stock = stock[stock.ps_availqty > 0.5 * stock.sold][["ps_suppkey"]].drop_duplicates()
    supplier = t.supplier.merge(nation, left_on="s_nationkey", right_on="n_nationkey")
    supplier = supplier.merge(stock, left_on="s_suppkey", right_on="ps_suppkey")
    return supplier[["s_name", "s_address"]].sort_values("s_name")
