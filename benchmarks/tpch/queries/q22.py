"""Global sales opportunity: wealthy customers of some countries who have not ordered."""

from __future__ import annotations

from typing import Any

from benchmarks.tpch.tables import Tables

SQL = """
    select cntrycode, count(*) as numcust, sum(c_acctbal) as totacctbal
    from (
      select substring(c_phone from 1 for 2) as cntrycode, c_acctbal
      from customer
      where substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17')
        and c_acctbal > (
          select avg(c_acctbal)
          from customer
          where c_acctbal > 0.00 and substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17')
        )
        and not exists (select * from orders where o_custkey = c_custkey)
    ) as custsale
    group by cntrycode
    order by cntrycode
"""


def query(t: Tables) -> Any:
    customer = t.customer
    customer = customer.assign(cntrycode=customer.c_phone.str.slice(0, 2))
    customer = customer[customer.cntrycode.isin(["13", "31", "23", "29", "30", "18", "17"])]
    usual = customer[customer.c_acctbal > 0].c_acctbal.mean()
    customer = customer[customer.c_acctbal > usual]
    ordered = t.orders[["o_custkey"]].drop_duplicates()
    customer = customer.merge(ordered, how="left", left_on="c_custkey", right_on="o_custkey", indicator=True)
    customer = customer[customer._merge == "left_only"]
    result = customer.groupby("cntrycode").agg(numcust=("c_custkey", "count"), totacctbal=("c_acctbal", "sum"))
    return result.reset_index().sort_values("cntrycode")
