"""Rows of each group picked at random, the same ones for the same seed, however the rows are parted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from restride.collections.dataframe.operations.groupby.pandas_groups import PandasKeys, SomeRows


@dataclass(frozen=True)
class SampleGroups:
    """So many rows of each group, or a fraction of them, in the order of all rows; a random generator a group."""

    n: int | None
    frac: float | None
    replace: bool
    seed: int
    dropna = True
    """Rows in no group are in no sample."""
    __name__ = "sample"

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> SomeRows:
        groups = by.grouped(value, by.keys[0], observed=True).indices
        picked = [self._of_group(name, np.asarray(rows)) for name, rows in groups.items()]
        numbers = np.sort(np.concatenate(picked)) if picked else np.arange(0)
        chosen = value.iloc[:, values if isinstance(values, int) else list(values)]
        return SomeRows(chosen.iloc[numbers], numbers)

    def _of_group(self, name: Any, rows: np.ndarray) -> np.ndarray:
        n = round(self.frac * len(rows)) if self.frac is not None else 1 if self.n is None else self.n
        if n > len(rows) and not self.replace:
            raise ValueError(
                f"Cannot take a larger sample than population when 'replace=False': {n} rows of group {name!r}, which "
                f"has {len(rows)}"
            )
        rng = np.random.default_rng([self.seed, crc32(repr(name).encode())])
        return rng.choice(rows, n, replace=self.replace) if n else rows[:0]
