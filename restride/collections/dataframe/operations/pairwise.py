"""Covariances and correlations of all pairs of columns, in one pass.

Each partition gives for each pair the number of rows in which both are there, their means, and sums of products of
deviations from these, over those rows alone. Parts are merged by the formulas of Chan, Golub and LeVeque (1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.operations.reductions import is_numeric
from restride.collections.dataframe.operations.selection import narrow, without_index
from restride.collections.dataframe.operations.tree import Reduced, ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas


@dataclass(frozen=True, eq=False)
class PairMoments:
    """Moments of the pairs of k columns; each array is of shape (k, k)."""

    count: np.ndarray
    """Rows in which both columns have a value."""
    mean: np.ndarray
    """Of the column of the row, over the rows that count for the pair."""
    products: np.ndarray
    """Sum of products of deviations of both."""
    squares: np.ndarray
    """Sum of squares of deviations of the column of the row."""

    def merged(self, other: PairMoments) -> PairMoments:
        """The moments of the rows of both."""
        count = self.count + other.count
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(count > 0, other.count / count, 0.0)
        delta = other.mean - self.mean
        weight = self.count * share
        return PairMoments(
            count,
            self.mean + delta * share,
            self.products + other.products + delta * delta.T * weight,
            self.squares + other.squares + delta**2 * weight,
        )

    def covariance(self, min_periods: int, ddof: int) -> np.ndarray:
        """The covariance of each pair; NaN where fewer rows have both."""
        with np.errstate(invalid="ignore", divide="ignore"):
            values = self.products / (self.count - ddof)
        return np.where((self.count < max(min_periods, 1)) | (self.count <= ddof), np.nan, values)

    def correlation(self, min_periods: int) -> np.ndarray:
        """The correlation of each pair; NaN where fewer rows have both, or a column does not vary."""
        with np.errstate(invalid="ignore", divide="ignore"):
            values = self.products / np.sqrt(self.squares * self.squares.T)
        values = np.clip(values, -1.0, 1.0)
        varies = (self.squares > 0) & (self.squares.T > 0)
        return np.where((self.count < max(min_periods, 1)) | ~varies, np.nan, values)


def moments_of_pairs(values: np.ndarray) -> PairMoments:
    """The moments of the pairs of columns of an array of floats, of shape (n, k), where NaN is missing."""
    there = np.isfinite(values)
    k = values.shape[1]
    if there.all():
        n = len(values)
        means = values.mean(axis=0) if n else np.zeros(k)
        deviations = values - means
        products = deviations.T @ deviations
        squares = np.broadcast_to(np.diag(products)[:, None], (k, k))
        return PairMoments(
            np.full((k, k), float(n)), np.broadcast_to(means[:, None], (k, k)).copy(), products, squares.copy()
        )
    weights = there.astype(float)
    filled = np.where(there, values, 0.0)
    # Deviations from a value near the mean, so that sums of squares lose nothing to cancellation.
    centre = np.array([column[mask].mean() if mask.any() else 0.0 for column, mask in zip(values.T, there.T)])
    shifted = np.where(there, filled - centre, 0.0)
    count = weights.T @ weights
    sums = shifted.T @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(count > 0, sums / count, 0.0)
    products = shifted.T @ shifted - means * means.T * count
    squares = (shifted**2).T @ weights - means**2 * count
    mean = np.where(count > 0, means + centre[:, None], 0.0)
    return PairMoments(count, mean, products, np.maximum(squares, 0.0))


@dataclass(frozen=True)
class PairsOfPartition:
    """Kernel: the moments of the pairs of a partition's columns."""

    meta: Any
    __name__ = "pairs"

    def __call__(self, partition: Partition) -> PairMoments:
        frame = to_pandas(partition, self.meta, index=False)
        return moments_of_pairs(frame.to_numpy(dtype=float, na_value=np.nan))


def _merged(*parts: PairMoments) -> PairMoments:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merged(part)
    return whole


@dataclass(frozen=True)
class FinishPairs:
    """Kernel: covariances or correlations as a frame by the columns' labels both ways, or of the one pair."""

    name: str
    min_periods: int
    ddof: int
    meta: Any = None

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, moments: PairMoments) -> Any:
        corr = self.name == "corr"
        values = moments.correlation(self.min_periods) if corr else moments.covariance(self.min_periods, self.ddof)
        if self.meta is None:
            return values[0, 1]
        columns = self.meta.columns
        return from_pandas(pd.DataFrame(values, index=columns, columns=columns), self.meta)


def of_all_pairs(frame: FrameExpr, name: str, min_periods: int, ddof: int, *, numeric_only: bool) -> FrameExpr:
    """``corr`` or ``cov`` of a frame, as one partition."""
    meta = frame.meta
    if numeric_only:
        chosen = [i for i, dtype in enumerate(meta.dtypes) if is_numeric(dtype)]
        frame = narrow(frame, Wanted(tuple(chosen), False))
    frame = without_index(frame)
    meta = frame.meta
    strings = [label for label, dtype in zip(meta.columns, meta.dtypes) if not is_numeric(dtype)]
    if strings:
        raise ValueError(f"columns {strings} are not of numbers; leave them out by numeric_only=True")
    labels = meta.columns
    result = pd.DataFrame(np.empty((len(labels), len(labels))), index=labels, columns=labels).iloc[:0]
    return Reduced(
        frame, Steps(PairsOfPartition(meta), _merged, FinishPairs(name, min_periods, ddof, result)), result, name
    )


def of_one_pair(frame: FrameExpr, name: str, min_periods: int, ddof: int) -> ScalarExpr:
    """``corr`` or ``cov`` of the two columns of a frame."""
    frame = without_index(frame)
    steps = Steps(PairsOfPartition(frame.meta), _merged, FinishPairs(name, min_periods, ddof))
    return ReducedScalar(frame, steps, np.dtype(float), name)
