"""Which rows of two tables a join puts together, and in which order: pandas' rules on row numbers alone.

One side asks: its rows, in their order, each with the rows of the other side of its key in theirs. For an inner or left
join that is the left side, for a right join the right one. Gathering columns by the pairs is the work of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restride.collections.dataframe.kernels.key_index import KeyIndex
from restride.collections.dataframe.kernels.memory import Column
from restride.engine.graphs.csr import Ints, stable_argsort

MUCH_LARGER = 4
"""How many times longer the other side has to be for a table of the asking side's keys to pay."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Row numbers of the two sides of a join, of one length; -1 where a side has no row."""

    asking: Ints | None
    """None for every row once, in order."""
    rows: Ints | None
    """Rows of the other side; None where the result has none of its columns."""
    n: int
    some_alone: bool = False
    """Whether some of `rows` may be -1."""
    rows_alone: bool = False
    """Whether some of `asking` are -1."""

    def taken(self, order: Ints) -> Pairs:
        """Some of the pairs."""
        asking = order if self.asking is None else self.asking.take(order)
        rows = None if self.rows is None else self.rows.take(order)
        return Pairs(asking, rows, len(order), self.some_alone, self.rows_alone)


def join(how: str, asking: Sequence[Column], other: Sequence[Column] | KeyIndex) -> Pairs:
    """Pair the rows of two tables whose keys are equal.

    Parameters
    ----------
    how : {"inner", "left", "outer", "semi", "anti"}
        What becomes of rows without a partner: ``left`` keeps those of the asking side; ``outer`` those of the other
        side, too, after all others. ``semi`` and ``anti`` give the rows of the asking side that have a partner or
        none, once each.
    asking : sequence of pyarrow columns
        Key columns.
    other : sequence of pyarrow columns, or KeyIndex
        Key columns of the same types, or what has been made of them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> pairs = join("left", [pa.array([2, 7, 1])], [pa.array([1, 2, 2])])
    >>> pairs.asking.tolist(), pairs.rows.tolist()
    ([0, 0, 1, 2], [1, 2, -1, 0])
    """
    if isinstance(other, KeyIndex):
        return _looked_up(how, asking, other)
    n, n_other = len(asking[0]), len(other[0])
    if n_other <= MUCH_LARGER * n:
        return _looked_up(how, asking, KeyIndex(other))
    return _looked_up_in_turn(how, asking, other)


def _looked_up(how: str, asking: Sequence[Column], index: KeyIndex) -> Pairs:
    found = index.find(asking)
    if how in ("semi", "anti"):
        rows = np.flatnonzero(found >= 0 if how == "semi" else found < 0)
        return Pairs(None if len(rows) == len(found) else rows, None, len(rows))
    if how == "inner":
        some, rows = index.pairs(found)
        return Pairs(some, rows, len(rows))
    some, rows = index.pairs(found, keep=True)
    alone = len(found) > 0 and int(found.min()) < 0
    pairs = Pairs(some, rows, len(rows), some_alone=alone)
    if how == "left":
        return pairs
    hit = np.zeros(index.n_groups, np.bool_)
    hit[found[found >= 0] if alone else found] = True
    return _with_others(pairs, np.flatnonzero(~hit.take(index.groups)), len(found))


def _looked_up_in_turn(how: str, asking: Sequence[Column], other: Sequence[Column]) -> Pairs:
    """The same, where the other side is much larger: it looks up, and the order is made afterwards."""
    index = KeyIndex(asking)
    n = len(asking[0])
    found = index.find(other)
    if how in ("semi", "anti"):
        hit = np.zeros(index.n_groups + 1, np.bool_)
        hit[found] = True
        rows = np.flatnonzero(hit.take(index.groups) == (how == "semi"))
        return Pairs(None if len(rows) == n else rows, None, len(rows))
    kept = np.flatnonzero(found >= 0)
    some, asked = index.pairs(found.take(kept, mode="clip"))
    rows = kept if some is None else kept.take(some)
    if how == "inner":
        return _in_asking_order(Pairs(asked, rows, len(rows)), n)
    counts = np.bincount(asked, minlength=n)
    lonely = np.flatnonzero(counts == 0)
    asked, rows = np.concatenate([asked, lonely]), np.concatenate([rows, np.full(len(lonely), -1)])
    pairs = _in_asking_order(Pairs(asked, rows, len(rows), some_alone=len(lonely) > 0), n)
    return pairs if how == "left" else _with_others(pairs, np.flatnonzero(found < 0), n)


def _in_asking_order(pairs: Pairs, n: int) -> Pairs:
    assert pairs.asking is not None
    return pairs.taken(stable_argsort(pairs.asking, n))


def _with_others(pairs: Pairs, others: Ints, n: int) -> Pairs:
    """Rows of the other side that nobody asked for, at the end."""
    if not len(others):
        return pairs
    assert pairs.rows is not None
    asking = np.arange(n) if pairs.asking is None else pairs.asking
    return Pairs(
        np.concatenate([asking, np.full(len(others), -1)]),
        np.concatenate([pairs.rows, others]),
        pairs.n + len(others),
        some_alone=pairs.some_alone,
        rows_alone=True,
    )


def cross(n: int, n_other: int) -> Pairs:
    """Each row of one table with each of another."""
    return Pairs(np.repeat(np.arange(n), n_other), np.tile(np.arange(n_other), n), n * n_other)
