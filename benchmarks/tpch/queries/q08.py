"""National market share: Brazil's part of what America spends on a type of steel."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select o_year, sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) as mkt_share
    from (
      select extract(year from o_orderdate) as o_year, l_extendedprice * (1 - l_discount) as volume, n2.n_name as nation
      from part, supplier, lineitem, orders, customer, nation n1, nation n2, region
      where p_partkey = l_partkey and s_suppkey = l_suppkey and l_orderkey = o_orderkey and o_custkey = c_custkey
        and c_nationkey = n1.n_nationkey and n1.n_regionkey = r_regionkey and r_name = 'AMERICA'
        and s_nationkey = n2.n_nationkey and o_orderdate between date '1995-01-01' and date '1996-12-31'
        and p_type = 'ECONOMY ANODIZED STEEL'
    ) as all_nations
    group by o_year
    order by o_year
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1995-01-01"), pd.Timestamp("1996-12-31")
    part, region, orders = t.part, t.region, t.orders
    part = part[part.p_type == "ECONOMY ANODIZED STEEL"]
    region = region[region.r_name == "AMERICA"]
    orders = orders[(orders.o_orderdate >= start) & (orders.o_orderdate <= end)]
    nation = t.nation.merge(region, left_on="n_regionkey", right_on="r_regionkey")[["n_nationkey"]]
    customer = t.customer.merge(nation, left_on="c_nationkey", right_on="n_nationkey")[["c_custkey"]]
    supplier = t.supplier.merge(t.nation, left_on="s_nationkey", right_on="n_nationkey")[["s_suppkey", "n_name"]]
    lines = t.lineitem.merge(part, left_on="l_partkey", right_on="p_partkey")
    lines = lines.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    lines = lines.merge(customer, left_on="o_custkey", right_on="c_custkey")
    lines = lines.merge(supplier, left_on="l_suppkey", right_on="s_suppkey")
    volume = lines.l_extendedprice * (1 - lines.l_discount)
    brazil = volume.where(lines.n_name == "BRAZIL", 0.0)
    lines = lines.assign(o_year=lines.o_orderdate.dt.year, volume=volume, brazil=brazil)
    result = lines.groupby("o_year")[["volume", "brazil"]].sum().reset_index()
    result = result.assign(mkt_share=result.brazil / result.volume)
    return result[["o_year", "mkt_share"]].sort_values("o_year")
