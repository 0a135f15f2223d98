"""Small-quantity-order revenue: what would be lost a year without small orders of a part."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select sum(l_extendedprice) / 7.0 as avg_yearly
    from lineitem, part
    where p_partkey = l_partkey and p_brand = 'Brand#23' and p_container = 'MED BOX'
      and l_quantity < (select 0.2 * avg(l_quantity) from lineitem where l_partkey = p_partkey)
"""


def query(t: Tables) -> Any:
    part = t.part
    part = part[(part.p_brand == "Brand#23") & (part.p_container == "MED BOX")]
    lines = t.lineitem.merge(part, left_on="l_partkey", right_on="p_partkey")
    usual = lines.groupby("p_partkey").agg(usual=("l_quantity", "mean")).reset_index()
    lines = lines.merge(usual, on="p_partkey")
    return lines[lines.l_quantity < 0.2 * lines.usual].l_extendedprice.sum() / 7.0
