"""Returned item reporting: the customers whose returns of a quarter cost most."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) as revenue, c_acctbal, n_name, c_address, c_phone,
           c_comment
    from customer, orders, lineitem, nation
    where c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate >= date '1993-10-01'
      and o_orderdate < date '1994-01-01' and l_returnflag = 'R' and c_nationkey = n_nationkey
    group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment
    order by revenue desc
    limit 20
"""


def query(t: Tables) -> Any:
    start, end = pd.Timestamp("1993-10-01"), pd.Timestamp("1994-01-01")
    orders, lines = t.orders, t.lineitem
    orders = orders[(orders.o_orderdate >= start) & (orders.o_orderdate < end)]
    lines = lines[lines.l_returnflag == "R"]
    lines = lines.assign(revenue=lines.l_extendedprice * (1 - lines.l_discount))
    lines = lines.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    customer = t.customer.merge(t.nation, left_on="c_nationkey", right_on="n_nationkey")
    lines = lines.merge(customer, left_on="o_custkey", right_on="c_custkey")
    by = ["c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment"]
    result = lines.groupby(by).revenue.sum().reset_index()
    columns = ["c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment"]
    return result[columns].sort_values("revenue", ascending=False).head(20)
