"""Volume shipping: what France and Germany shipped to each other, by year."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select supp_nation, cust_nation, l_year, sum(volume) as revenue
    from (
      select n1.n_name as supp_nation, n2.n_name as cust_nation, extract(year from l_shipdate) as l_year,
             l_extendedprice * (1 - l_discount) as volume
      from supplier, lineitem, orders, customer, nation n1, nation n2
      where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey
        and s_nationkey = n1.n_nationkey and c_nationkey = n2.n_nationkey
        and ((n1.n_name = 'FRANCE' and n2.n_name = 'GERMANY') or (n1.n_name = 'GERMANY' and n2.n_name = 'FRANCE'))
        and l_shipdate between date '1995-01-01' and date '1996-12-31'
    ) as shipping
    group by supp_nation, cust_nation, l_year
    order by supp_nation, cust_nation, l_year
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1995-01-01"), pd.Timestamp("1996-12-31")
    nation, lines = t.nation, t.lineitem
    nation = nation[nation.n_name.isin(["FRANCE", "GERMANY"])][["n_nationkey", "n_name"]]
    lines = lines[(lines.l_shipdate >= start) & (lines.l_shipdate <= end)]
    supplier = t.supplier.merge(nation, left_on="s_nationkey", right_on="n_nationkey")
    supplier = supplier.rename(columns={"n_name": "supp_nation"})[["s_suppkey", "supp_nation"]]
    customer = t.customer.merge(nation, left_on="c_nationkey", right_on="n_nationkey")
    customer = customer.rename(columns={"n_name": "cust_nation"})[["c_custkey", "cust_nation"]]
    orders = t.orders.merge(customer, left_on="o_custkey", right_on="c_custkey")
    lines = lines.merge(supplier, left_on="l_suppkey", right_on="s_suppkey")
    lines = lines.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    lines = lines[lines.supp_nation != lines.cust_nation]
    lines = lines.assign(l_year=lines.l_shipdate.dt.year, revenue=lines.l_extendedprice * (1 - lines.l_discount))
    by = ["supp_nation", "cust_nation", "l_year"]
    return lines.groupby(by).revenue.sum().reset_index().sort_values(by)
