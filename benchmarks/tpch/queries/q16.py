"""Parts/supplier relationship: how many suppliers nobody complains of have parts of some kinds."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select p_brand, p_type, p_size, count(distinct ps_suppkey) as supplier_cnt
    from partsupp, part
    where p_partkey = ps_partkey and p_brand <> 'Brand#45' and p_type not like 'MEDIUM POLISHED%'
      and p_size in (49, 14, 23, 45, 19, 3, 36, 9)
      and ps_suppkey not in (select s_suppkey from supplier where s_comment like '%Customer%Complaints%')
    group by p_brand, p_type, p_size
    order by supplier_cnt desc, p_brand, p_type, p_size
"""


def query(t: Tables) -> Any:
    part, supplier = t.part, t.supplier
    part = part[
        (part.p_brand != "Brand#45")
        & ~part.p_type.str.startswith("MEDIUM POLISHED")
        & part.p_size.isin([49, 14, 23, 45, 19, 3, 36, 9])
    ]
    bad = supplier[supplier.s_comment.str.contains("Customer.*Complaints")][["s_suppkey"]]
    offers = t.partsupp.merge(part, left_on="ps_partkey", right_on="p_partkey")
    offers = offers.merge(bad, how="left", left_on="ps_suppkey", right_on="s_suppkey", indicator=True)
    offers = offers[offers._merge == "left_only"]
    result = offers.groupby(["p_brand", "p_type", "p_size"]).ps_suppkey.nunique().reset_index()
    result = result.rename(columns={"ps_suppkey": "supplier_cnt"})
    by = ["supplier_cnt", "p_brand", "p_type", "p_size"]
    return result.sort_values(by, ascending=[False, True, True, True])
