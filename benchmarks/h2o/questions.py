"""The ten questions of grouping and the five of joining, in pandas' API and in SQL.

Each function takes frames of pandas, dask or restride. In SQL the tables have the names of the folders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """One of them."""

    name: str
    tables: tuple[str, ...]
    """What `ask` is given."""
    ask: Callable[..., Any]
    sql: str


def _largest(df: Any) -> Any:
    return df[["id6", "v3"]].sort_values("v3", ascending=False).groupby("id6").head(2).reset_index(drop=True)


def _regression(df: Any) -> Any:
    r = df[["id2", "id4", "v1", "v2"]].groupby(["id2", "id4"]).corr().reset_index()
    r = r[r["level_2"] == "v1"]
    return r.assign(r2=r["v2"] ** 2)[["id2", "id4", "r2"]].reset_index(drop=True)


def _range(df: Any) -> Any:
    ends = df.groupby("id3").agg(most=("v1", "max"), least=("v2", "min")).reset_index()
    return ends.assign(range=ends["most"] - ends["least"])[["id3", "range"]]


GROUPBY = (
    Question(
        "1: sum v1 by id1",
        ("groupby",),
        lambda df: df.groupby("id1").agg(v1=("v1", "sum")).reset_index(),
        "select id1, sum(v1) as v1 from groupby group by id1",
    ),
    Question(
        "2: sum v1 by id1, id2",
        ("groupby",),
        lambda df: df.groupby(["id1", "id2"]).agg(v1=("v1", "sum")).reset_index(),
        "select id1, id2, sum(v1) as v1 from groupby group by id1, id2",
    ),
    Question(
        "3: sum v1, mean v3 by id3",
        ("groupby",),
        lambda df: df.groupby("id3").agg(v1=("v1", "sum"), v3=("v3", "mean")).reset_index(),
        "select id3, sum(v1) as v1, avg(v3) as v3 from groupby group by id3",
    ),
    Question(
        "4: mean v1, v2, v3 by id4",
        ("groupby",),
        lambda df: df.groupby("id4")[["v1", "v2", "v3"]].mean().reset_index(),
        "select id4, avg(v1) as v1, avg(v2) as v2, avg(v3) as v3 from groupby group by id4",
    ),
    Question(
        "5: sum v1, v2, v3 by id6",
        ("groupby",),
        lambda df: df.groupby("id6")[["v1", "v2", "v3"]].sum().reset_index(),
        "select id6, sum(v1) as v1, sum(v2) as v2, sum(v3) as v3 from groupby group by id6",
    ),
    Question(
        "6: median v3, sd v3 by id4, id5",
        ("groupby",),
        lambda df: df.groupby(["id4", "id5"]).agg(median=("v3", "median"), sd=("v3", "std")).reset_index(),
        "select id4, id5, median(v3) as median, stddev_samp(v3) as sd from groupby group by id4, id5",
    ),
    Question(
        "7: max v1 - min v2 by id3",
        ("groupby",),
        _range,
        "select id3, max(v1) - min(v2) as range from groupby group by id3",
    ),
    Question(
        "8: largest two v3 by id6",
        ("groupby",),
        _largest,
        "select id6, v3 from groupby qualify row_number() over (partition by id6 order by v3 desc) <= 2",
    ),
    Question(
        "9: regression v1, v2 by id2, id4",
        ("groupby",),
        _regression,
        "select id2, id4, corr(v1, v2) ** 2 as r2 from groupby group by id2, id4",
    ),
    Question(
        "10: sum v3, count by id1 to id6",
        ("groupby",),
        lambda df: (
            df.groupby(["id1", "id2", "id3", "id4", "id5", "id6"])
            .agg(v3=("v3", "sum"), count=("v1", "count"))
            .reset_index()
        ),
        """select id1, id2, id3, id4, id5, id6, sum(v3) as v3, count(*) as count
        from groupby group by id1, id2, id3, id4, id5, id6""",
    ),
)

JOIN = (
    Question(
        "1: small inner on int",
        ("x", "small"),
        lambda x, y: x.merge(y, on="id1"),
        """select id1, id2, id3, x.id4 as id4_x, id5, id6, v1, small.id4 as id4_y, v2 from x join small using (id1)""",
    ),
    Question(
        "2: medium inner on int",
        ("x", "medium"),
        lambda x, y: x.merge(y, on="id2"),
        """select x.id1 as id1_x, id2, id3, x.id4 as id4_x, x.id5 as id5_x, id6, v1, medium.id1 as id1_y,
        medium.id4 as id4_y, medium.id5 as id5_y, v2 from x join medium using (id2)""",
    ),
    Question(
        "3: medium left on int",
        ("x", "medium"),
        lambda x, y: x.merge(y, how="left", on="id2"),
        """select x.id1 as id1_x, id2, id3, x.id4 as id4_x, x.id5 as id5_x, id6, v1, medium.id1 as id1_y,
        medium.id4 as id4_y, medium.id5 as id5_y, v2 from x left join medium using (id2)""",
    ),
    Question(
        "4: medium inner on string",
        ("x", "medium"),
        lambda x, y: x.merge(y, on="id5"),
        """select x.id1 as id1_x, x.id2 as id2_x, id3, x.id4 as id4_x, id5, id6, v1, medium.id1 as id1_y,
        medium.id2 as id2_y, medium.id4 as id4_y, v2 from x join medium using (id5)""",
    ),
    Question(
        "5: big inner on int",
        ("x", "big"),
        lambda x, y: x.merge(y, on="id3"),
        """select x.id1 as id1_x, x.id2 as id2_x, id3, x.id4 as id4_x, x.id5 as id5_x, x.id6 as id6_x, v1,
        big.id1 as id1_y, big.id2 as id2_y, big.id4 as id4_y, big.id5 as id5_y, big.id6 as id6_y, v2
        from x join big using (id3)""",
    ),
)
