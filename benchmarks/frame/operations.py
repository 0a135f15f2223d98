"""The operations, in pandas' API for restride and dask, in polars' own, and in SQL for duckdb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One of them, on tables of `benchmarks.frame.data`."""

    name: str
    tables: tuple[str, ...]
    pandas: Callable[..., Any]
    """Takes frames of pandas, dask or restride."""
    polars: Callable[..., Any]
    """Takes polars' lazy frames."""
    sql: str
    sorted_by: str | None = None
    """A column that is to be in order."""
    agreed: tuple[str, ...] | None = None
    """Columns in which the results have to agree, where the contenders may choose among rows; else all."""
    decoded: tuple[str, ...] = ()
    """Columns that have to be decoded whole; if there are none, all of all tables."""


def _filtered(df: Any, *columns: str) -> Any:
    df = df[(df["v1"] >= 3) & (df["id4"] < 50)]
    return df.assign(x=df["v3"] * 2 + df["v1"])[[*columns, "x"]].reset_index(drop=True)


def _filtered_polars(df: Any, *columns: str) -> Any:
    import polars as pl

    chosen = df.filter((pl.col("v1") >= 3) & (pl.col("id4") < 50))
    return chosen.select(*columns, x=pl.col("v3") * 2 + pl.col("v1"))


def _counts_polars(df: Any, column: str) -> Any:
    import polars as pl

    return df.group_by(column).agg(count=pl.len()).sort("count", descending=True)


def _sums_polars(df: Any, column: str) -> Any:
    import polars as pl

    return df.group_by(column).agg(v1=pl.col("v1").sum(), v3=pl.col("v3").mean())


def _groupby(kind: str, key: str) -> Operation:
    return Operation(
        f"groupby {kind}",
        ("rows",),
        lambda df: df.groupby(key).agg(v1=("v1", "sum"), v3=("v3", "mean")).reset_index(),
        lambda df: _sums_polars(df, key),
        f"select {key}, sum(v1) as v1, avg(v3) as v3 from rows group by {key}",
        decoded=(key, "v1", "v3"),
    )


def _join_sum(kind: str) -> Operation:
    def polars(left: Any, right: Any) -> Any:
        import polars as pl

        return left.join(right, on="k").select(total=(pl.col("v") * pl.col("w")).sum())

    def pandas(left: Any, right: Any) -> Any:
        both = left.merge(right, on="k")
        return (both["v"] * both["w"]).sum()

    return Operation(
        f"join as large, {kind} keys, sum",
        (f"{kind}_left", f"{kind}_right"),
        pandas,
        polars,
        f"select sum(v * w) as total from {kind}_left join {kind}_right using (k)",
    )


def _join(kind: str) -> Operation:
    return Operation(
        f"join as large, {kind} keys",
        (f"{kind}_left", f"{kind}_right"),
        lambda left, right: left.merge(right, on="k"),
        lambda left, right: left.join(right, on="k"),
        f"select k, v, w from {kind}_left join {kind}_right using (k)",
    )


def _sort(kind: str, key: str) -> Operation:
    return Operation(
        f"sort by {kind}",
        ("rows",),
        lambda df: df.sort_values(key, ignore_index=True),
        lambda df: df.sort(key),
        f"select * from rows order by {key}",
        sorted_by=key,
    )


def _value_counts(kind: str, key: str) -> Operation:
    return Operation(
        f"value_counts {kind}",
        ("rows",),
        lambda df: df[key].value_counts().reset_index(),
        lambda df: _counts_polars(df, key),
        f"select {key}, count(*) as count from rows group by {key} order by count desc",
        decoded=(key,),
    )


def _drop_duplicates(kind: str, key: str) -> Operation:
    return Operation(
        f"drop_duplicates {kind}",
        ("rows",),
        lambda df: df.drop_duplicates(subset=[key], ignore_index=True),
        lambda df: df.unique(subset=[key], keep="first", maintain_order=True),
        f"select distinct on ({key}) * from rows",
        agreed=(key,),
        decoded=(key,),
    )


OPERATIONS = (
    _groupby("few, str", "id1"),
    _groupby("few, int", "id4"),
    _groupby("many, str", "id3"),
    _groupby("many, int", "id6"),
    Operation(
        "join small",
        ("rows", "small"),
        lambda df, small: df.merge(small, on="id6"),
        lambda df, small: df.join(small, on="id6"),
        "select * from rows join small using (id6)",
    ),
    _join_sum("dense"),
    _join_sum("sparse"),
    _join("dense"),
    _join("sparse"),
    _sort("int", "id6"),
    _sort("str", "id3"),
    _value_counts("few, str", "id1"),
    _value_counts("many, str", "id3"),
    _value_counts("many, int", "id6"),
    Operation(
        "filter and arithmetic",
        ("rows",),
        lambda df: _filtered(df, "id6"),
        lambda df: _filtered_polars(df, "id6"),
        "select id6, v3 * 2 + v1 as x from rows where v1 >= 3 and id4 < 50",
        decoded=("id4", "id6", "v1", "v3"),
    ),
    _drop_duplicates("many, str", "id3"),
    _drop_duplicates("many, int", "id6"),
    Operation(
        "scan: filter with a str",
        ("rows",),
        lambda df: _filtered(df, "id3", "id6"),
        lambda df: _filtered_polars(df, "id3", "id6"),
        "select id3, id6, v3 * 2 + v1 as x from rows where v1 >= 3 and id4 < 50",
        decoded=("id3", "id4", "id6", "v1", "v3"),
    ),
)
"""All of them; scans that decode strings have a limit of their own."""
