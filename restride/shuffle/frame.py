"""Shuffles of frames: which partitions are split together, and which buckets of which go where.

A shuffle moves each row from the partition it is in to the one it belongs to. Every old partition is split into as many
buckets as there will be partitions, and every new partition is gathered from its bucket of each. Old partitions with
few rows are split together, as a piece costs the same whatever is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restride.engine.graphs.csr import Ints

ROWS_TOGETHER = 500_000
"""Rows up to which neighbouring partitions are split together."""
BYTES_TOGETHER = 64 * 2**20
"""And bytes."""
LEAST_SPLITS = 16
"""Partitions are not split together where fewer tasks than this would be left."""


@dataclass(frozen=True)
class ShufflePlan:
    """What is split, and what is gathered.

    Attributes
    ----------
    runs : tuple of int
        The first old partition of each run that is split together, and the number of old partitions.
    n_outputs : int
        How many new partitions there are.
    """

    runs: tuple[int, ...]
    n_outputs: int

    @property
    def n_splits(self) -> int:
        """How many tasks split."""
        return len(self.runs) - 1

    @property
    def n_pieces(self) -> int:
        """How many pieces there are."""
        return self.n_splits * self.n_outputs

    @property
    def merges(self) -> bool:
        """Whether any old partitions are split together."""
        return self.n_splits < self.runs[-1]

    def pieces(self) -> tuple[Ints, Ints]:
        """For each piece, in the order of the splits, the split that it is of and its bucket."""
        splits, buckets = np.arange(self.n_splits), np.arange(self.n_outputs)
        return np.repeat(splits, self.n_outputs), np.tile(buckets, self.n_splits)

    def gathers(self) -> tuple[Ints, Ints]:
        """For each new partition its pieces, as rows of CSR columns: those of the first split come first."""
        indptr = np.arange(self.n_outputs + 1) * self.n_splits
        indices = np.arange(self.n_pieces).reshape(self.n_splits, self.n_outputs).T.ravel()
        return indptr, indices


def plan_shuffle(
    n_inputs: int, n_outputs: int, lengths: Sequence[int] | None = None, row_bytes: int = 0
) -> ShufflePlan:
    """Plan a shuffle.

    Parameters
    ----------
    n_inputs, n_outputs : int
        How many partitions there are and will be.
    lengths : sequence of int, optional
        How many rows each partition has, where that is known.
    row_bytes : int
        About how many bytes a row has.

    Examples
    --------
    >>> plan_shuffle(300, 300, [10_000] * 300).n_splits
    17
    >>> plan_shuffle(20, 20, [500_000] * 20).n_splits
    20
    """
    every = tuple(range(n_inputs + 1))
    if lengths is None or n_inputs <= LEAST_SPLITS:
        return ShufflePlan(every, n_outputs)
    rows = min(ROWS_TOGETHER, max(BYTES_TOGETHER // max(row_bytes, 1), 1), -(-sum(lengths) // LEAST_SPLITS))
    runs, filled = [0], 0
    for number, length in enumerate(lengths):
        if filled and filled + length > rows:
            runs.append(number)
            filled = 0
        filled += length
    runs.append(n_inputs)
    if len(runs) <= LEAST_SPLITS:  # few have all the rows
        return ShufflePlan(every, n_outputs)
    return ShufflePlan(tuple(runs), n_outputs)
