"""Values of pairs of columns, such as covariances, as matrices: of each row as many rows as there are columns."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.partitions import MapPartitions


def pairs_of(columns: list[Any]) -> list[tuple[Any, Any]]:
    """Each pair of columns once, each with itself as well.

    Examples
    --------
    >>> pairs_of(["x", "y"])
    [('x', 'x'), ('x', 'y'), ('y', 'y')]
    """
    return [(columns[i], columns[j]) for i, j in zip(*np.triu_indices(len(columns)))]


def square_matrices(pairs: FrameExpr, meta: pd.DataFrame, word: str) -> FrameExpr:
    """The matrices of values of pairs.

    Parameters
    ----------
    pairs : FrameExpr
        A frame with a column of floats for each pair of `pairs_of`, in this order, and its index stored.
    meta : pandas.DataFrame
        Of the result: the columns of which there are pairs, and as the last level of the index their labels.
    word : str
        What people see of the node.
    """
    return MapPartitions(SquareMatrices(meta.columns, tuple(meta.index.names)), (pairs,), (), meta, word)


@dataclass(frozen=True)
class SquareMatrices:
    """A symmetric matrix for each row of values of pairs."""

    labels: pd.Index
    names: tuple[Hashable, ...]

    def __call__(self, value: pd.DataFrame) -> pd.DataFrame:
        n, p = len(value), len(self.labels)
        rows, columns = np.triu_indices(p)
        matrices = np.empty((n, p, p))
        matrices[:, rows, columns] = matrices[:, columns, rows] = value.to_numpy()
        levels = [value.index.get_level_values(i).repeat(p) for i in range(value.index.nlevels)]
        inner = self.labels.take(np.tile(np.arange(p), n))
        index = pd.MultiIndex.from_arrays([*levels, inner], names=list(self.names))
        return pd.DataFrame(matrices.reshape(n * p, p), index=index, columns=self.labels)
