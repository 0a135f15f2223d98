"""Discounted revenue: of three kinds of parts in certain quantities, shipped by air."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select sum(l_extendedprice * (1 - l_discount)) as revenue
    from lineitem, part
    where p_partkey = l_partkey and l_shipmode in ('AIR', 'AIR REG') and l_shipinstruct = 'DELIVER IN PERSON'
      and (
        (p_brand = 'Brand#12' and p_container in ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')
         and l_quantity between 1 and 11 and p_size between 1 and 5)
        or (p_brand = 'Brand#23' and p_container in ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK')
         and l_quantity between 10 and 20 and p_size between 1 and 10)
        or (p_brand = 'Brand#34' and p_container in ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG')
         and l_quantity between 20 and 30 and p_size between 1 and 15)
      )
"""


def query(t: Tables) -> Any:
    lines = t.lineitem
    lines = lines[lines.l_shipmode.isin(["AIR", "AIR REG"]) & (lines.l_shipinstruct == "DELIVER IN PERSON")]
    lines = lines.merge(t.part, left_on="l_partkey", right_on="p_partkey")
    small = (
        (lines.p_brand == "Brand#12")
        & lines.p_container.isin(["SM CASE", "SM BOX", "SM PACK", "SM PKG"])
        & lines.l_quantity.between(1, 11)
        & lines.p_size.between(1, 5)
    )
    medium = (
        (lines.p_brand == "Brand#23")
        & lines.p_container.isin(["MED BAG", "MED BOX", "MED PKG", "MED PACK"])
        & lines.l_quantity.between(10, 20)
        & lines.p_size.between(1, 10)
    )
    large = (
        (lines.p_brand == "Brand#34")
        & lines.p_container.isin(["LG CASE", "LG BOX", "LG PACK", "LG PKG"])
        & lines.l_quantity.between(20, 30)
        & lines.p_size.between(1, 15)
    )
    lines = lines[small | medium | large]
    return (lines.l_extendedprice * (1 - lines.l_discount)).sum()
