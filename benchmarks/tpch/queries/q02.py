"""Minimum cost supplier: who in Europe sells brass parts of size 15 at the lowest cost."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
    from part, supplier, partsupp, nation, region
    where p_partkey = ps_partkey and s_suppkey = ps_suppkey and p_size = 15 and p_type like '%BRASS'
      and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'EUROPE'
      and ps_supplycost = (
        select min(ps_supplycost)
        from partsupp, supplier, nation, region
        where p_partkey = ps_partkey and s_suppkey = ps_suppkey and s_nationkey = n_nationkey
          and n_regionkey = r_regionkey and r_name = 'EUROPE'
      )
    order by s_acctbal desc, n_name, s_name, p_partkey
    limit 100
"""


def query(t: Tables) -> Any:
    part, region = t.part, t.region
    part = part[(part.p_size == 15) & part.p_type.str.endswith("BRASS")]
    region = region[region.r_name == "EUROPE"]
    nation = t.nation.merge(region, left_on="n_regionkey", right_on="r_regionkey")
    supplier = t.supplier.merge(nation, left_on="s_nationkey", right_on="n_nationkey")
    offers = t.partsupp.merge(part, left_on="ps_partkey", right_on="p_partkey")
    offers = offers.merge(supplier, left_on="ps_suppkey", right_on="s_suppkey")
    lowest = offers.groupby("p_partkey").agg(lowest=("ps_supplycost", "min")).reset_index()
    offers = offers.merge(lowest, on="p_partkey")
    offers = offers[offers.ps_supplycost == offers.lowest]
    columns = ["s_acctbal", "s_name", "n_name", "p_partkey", "p_mfgr", "s_address", "s_phone", "s_comment"]
    by = ["s_acctbal", "n_name", "s_name", "p_partkey"]
    return offers[columns].sort_values(by, ascending=[False, True, True, True]).head(100)
