"""The nearest row by an ordered key, among those of equal other keys: what joins by time look up."""

from __future__ import annotations

from typing import Literal

import numpy as np

from restride.engine.graphs.csr import Ints, row_starts, stable_argsort


class AsofIndex:
    """Rows in the order of one key, by group.

    Parameters
    ----------
    on : array
        The ordered key, ascending, without missing values.
    groups : int64 array or None
        The number of the group of each row; None for one group.
    n_groups : int

    Examples
    --------
    >>> index = AsofIndex(np.array([1, 3, 7]))
    >>> index.find(np.array([0, 3, 6])).tolist()
    [-1, 1, 1]
    >>> index.find(np.array([0, 3, 6]), direction="forward", exact=False).tolist()
    [0, 2, 2]
    """

    def __init__(self, on: np.ndarray, groups: Ints | None = None, n_groups: int = 1) -> None:
        self.on = on
        self.n_groups = n_groups
        if groups is None:
            return
        n = len(on)
        self.starts = row_starts(np.bincount(groups, minlength=n_groups))
        self.rows = stable_argsort(groups, max(n_groups, 1))
        # Ascending, as rows are in each group: one search finds a place in a group.
        self.places = groups.take(self.rows) * (n + 1) + self.rows

    def find(
        self,
        on: np.ndarray,
        groups: Ints | None = None,
        *,
        direction: str = "backward",
        exact: bool = True,
        tolerance: float | int | None = None,
    ) -> Ints:
        """The row nearest to each of some keys, -1 where there is none.

        Parameters
        ----------
        on : array
        groups : int64 array or None
            The group in which to look; -1 for none.
        direction : {"backward", "forward", "nearest", "nearest_after"}
            Before, after, or whichever is nearer: of two that are equally near the one before, or the one after.
        exact : bool
            Whether a row of the very key counts.
        tolerance : number, optional
            How far a row may be.

        Notes
        -----
        A batch costs a search among the keys that lie between its own, which are few where it is one of many in order.
        By group, it costs a radix sort of the groups that are asked for and a search in what is sorted like
        them; searches of groups as they come would miss the caches, which takes five times as long.
        """
        if direction in ("nearest", "nearest_after"):
            before, after = (self._one_way(on, groups, way, exact) for way in ("backward", "forward"))
            nearer = np.less if direction == "nearest_after" else np.less_equal
            takes_before = nearer(self._distances(on, before), self._distances(on, after))
            found = np.where((before >= 0) & ((after < 0) | takes_before), before, after)
        else:
            found = self._one_way(on, groups, direction, exact)
        if tolerance is not None:
            found = np.where((found >= 0) & (self._distances(on, found) <= tolerance), found, -1)
        return found

    def _one_way(self, on: np.ndarray, groups: Ints | None, direction: str, exact: bool) -> Ints:
        n = len(self.on)
        if not n or not len(on):
            return np.full(len(on), -1)
        backward = direction == "backward"
        side: Literal["left", "right"] = "right" if backward == exact else "left"
        low, high = (int(np.searchsorted(self.on, end, side)) for end in (on.min(), on.max()))
        upto = low + np.searchsorted(self.on[low:high], on, side)
        if groups is None:
            return upto - 1 if backward else np.where(upto < n, upto, -1)
        order = stable_argsort(groups + 1, self.n_groups + 1)
        places = np.empty(len(on), np.int64)
        places[order] = np.searchsorted(self.places, (groups * (n + 1) + upto)[order]) - backward
        first, last = self.starts.take(groups, mode="clip"), self.starts.take(groups + 1, mode="clip")
        there = (groups >= 0) & (places >= first) & (places < last)
        return np.where(there, self.rows.take(places, mode="clip"), -1)

    def _distances(self, on: np.ndarray, rows: Ints) -> np.ndarray:
        """How far rows are; of no matter for -1."""
        if not len(self.on):
            return np.zeros(len(on), on.dtype)
        there = self.on.take(rows, mode="clip")
        return np.where(there > on, there - on, on - there)
