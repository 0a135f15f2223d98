"""What frames, series and indexes have in common: partitions, divisions, and how they are computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.collection import Collection
from restride.collections.dataframe.expr import Divisions, FrameExpr, Persisted, ScalarExpr
from restride.collections.dataframe.meta import is_frame_like
from restride.collections.dataframe.operations import sources
from restride.collections.dataframe.operations.partitions import AsOne
from restride.collections.dataframe.operations.reductions import count_rows
from restride.collections.dataframe.operations.settling import settled
from restride.collections.dataframe.optimize.columns import push_columns
from restride.collections.dataframe.optimize.filters import push_filters
from restride.collections.dataframe.optimize.joins import plan_merges
from restride.collections.dataframe.optimize.partitions import in_fewer_partitions
from restride.collections.dataframe.optimize.programs import merge_programs
from restride.collections.dataframe.partition import concat, to_pandas
from restride.collections.expression import Expr
from restride.collections.optimize import add_passes, simplify

if TYPE_CHECKING:
    from restride.engine.client.futures import Future

add_passes(
    (FrameExpr, ScalarExpr),
    in_fewer_partitions,  # first: others look at how many there are
    simplify,  # projections in a row, before masks are compared with what they are masks of
    push_columns,  # before filters, which rows in the way that number themselves would stop
    simplify,
    push_filters,
    push_columns,
    simplify,
    plan_merges,  # nothing is pushed through the ways in which merges are carried out
    merge_programs,  # last: it hides what other passes look for
)


class FrameBase(Collection):
    """A frame expression and its properties; the base of the families of methods."""

    expr: FrameExpr

    def __init__(self, expr: FrameExpr) -> None:
        if not isinstance(expr, FrameExpr):
            raise TypeError(
                f"restride's {type(self).__name__} is made by from_pandas(), from_dict(), read_parquet() and the like, "
                f"not of a {type(expr).__name__}"
            )
        self.expr = expr

    @property
    def npartitions(self) -> int:
        """How many partitions there are."""
        return self.expr.npartitions

    @property
    def divisions(self) -> Divisions:
        """The least label of each partition's index and the greatest of all; all None where they are not known."""
        return self.expr.divisions

    @property
    def known_divisions(self) -> bool:
        """Whether the divisions are known."""
        return self.expr.known_divisions

    @property
    def name_of_expr(self) -> str:
        """Deterministic name of the expression: what has one name has the same values."""
        return self.expr.name

    @property
    def _meta(self) -> Any:
        """An empty pandas object of the same labels and dtypes."""
        return self.expr.meta

    def _computation(self, *, here: bool) -> tuple[Expr, Callable[[list[Any]], Any]]:
        meta = self.expr.meta
        expr = self.expr
        return self._to_compute(), lambda partitions: settled(
            expr, to_pandas(concat(partitions, meta), meta, writable=True)
        )

    def _to_compute(self) -> Expr:
        return AsOne(self.expr)

    def _over_futures(self, futures: Sequence[Future]) -> Self:
        return type(self)(Persisted(futures, self.expr))

    def _new(self, expr: Expr) -> Any:
        """The collection that an expression is."""
        return new_collection(expr)

    def to_arrow(self) -> pa.Table:
        """Compute, and return an Arrow table with the labels of the columns for names, the levels of the index last.

        Numbers and strings are not copied; a default index is left out.
        """
        from restride.collections.dataframe.io.arrow import arrow_table  # noqa: PLC0415  it stands on this module

        return arrow_table(self)

    def __len__(self) -> int:
        """How many rows there are; computed unless known."""
        if self.expr.length is not None:
            return self.expr.length
        return int(self._new(count_rows(self.expr)).compute())


KINDS: dict[type, Callable[[Any], Any]] = {}
"""For each kind of meta, and for scalars, the collection; filled by `collection_of`."""


def collection_of(kind: type) -> Callable[[Any], Any]:
    """Decorator: this class is the collection of expressions with such metas."""

    def register(cls: Any) -> Any:
        KINDS[kind] = cls
        return cls

    return register


def new_collection(expr: Expr) -> Any:
    """The collection that an expression is: a `DataFrame`, `Series`, `Index` or `Scalar`."""
    if isinstance(expr, ScalarExpr):
        return KINDS[ScalarExpr](expr)
    assert isinstance(expr, FrameExpr)
    for kind in (pd.DataFrame, pd.Series, pd.Index):
        if isinstance(expr.meta, kind):
            return KINDS[kind](expr)
    raise TypeError(f"no collection is of {type(expr.meta).__name__}")


def as_operand(value: Any, like: FrameExpr) -> Any:
    """What an operand beside a frame is in its expression; pandas objects are cut as the frame is where they fit."""
    if isinstance(value, Collection):
        return value.expr
    if is_frame_like(value):
        if like.lengths is not None and sum(like.lengths) == len(value):
            bounds = np.cumsum([0, *like.lengths]).tolist()
        else:
            bounds = [0, len(value)]
        return sources.from_memory(value, bounds)
    return value
