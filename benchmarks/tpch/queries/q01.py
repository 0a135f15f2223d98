"""Pricing summary report: what was shipped up to 90 days before the end."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.tpch.tables import Tables

SQL = """
    select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as sum_base_price,
           sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
           sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge,
           avg(l_quantity) as avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc,
           count(*) as count_order
    from lineitem
    where l_shipdate <= date '1998-12-01' - interval 90 day
    group by l_returnflag, l_linestatus
    order by l_returnflag, l_linestatus
"""


def query(t: Tables) -> Any:
    lines = t.lineitem
    lines = lines[lines.l_shipdate <= pd.Timestamp("1998-09-02")]
    price = lines.l_extendedprice * (1 - lines.l_discount)
    lines = lines.assign(disc_price=price, charge=price * (1 + lines.l_tax))
    groups = lines.groupby(["l_returnflag", "l_linestatus"])
    return (
        groups.agg(
            sum_qty=("l_quantity", "sum"),
            sum_base_price=("l_extendedprice", "sum"),
            sum_disc_price=("disc_price", "sum"),
            sum_charge=("charge", "sum"),
            avg_qty=("l_quantity", "mean"),
            avg_price=("l_extendedprice", "mean"),
            avg_disc=("l_discount", "mean"),
            count_order=("l_quantity", "count"),
        )
        .reset_index()
        .sort_values(["l_returnflag", "l_linestatus"])
    )
