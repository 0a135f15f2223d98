"""Parameters of tasks as they travel between processes: pickled in pages, a run of a layer's tasks each.

A page is about `PAGE_BYTES` long, or holds a single parameter that is longer. The scheduler passes on the pages that a
run of tasks needs without looking into them; a worker unpickles a page when the first of its tasks runs.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints

PAGE_BYTES = 4096
SAMPLE = 16
"""Of so many parameters at most is the size looked at, to choose how many go to a page."""


@dataclass(eq=False, slots=True)
class ParamPages:
    """The parameters of a run of k tasks; indexed by position in the run."""

    page: NDArray[np.int32]
    """Which page each task's parameter is in, -1 where it has none, int32[k]."""
    offset: NDArray[np.int32]
    """Which parameter of the page, int32[k]."""
    lengths: Ints
    """Bytes of each page."""
    blob: bytes | memoryview
    """The pages, one after another, each the pickle of a list."""
    _unpickled: dict[int, list[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.page)

    def __getitem__(self, row: int) -> Any:
        page = int(self.page[row])
        params = self._unpickled.get(page)
        if params is None:
            start = int(self.lengths[:page].sum())
            params = pickle.loads(memoryview(self.blob)[start : start + int(self.lengths[page])])
            self._unpickled[page] = params
        return params[self.offset[row]]


def rows_per_page(params: Sequence[Any] | NDArray[Any], dumps: Callable[[Any], bytes]) -> int:
    """How many of a layer's parameters to put in a page.

    Parameters
    ----------
    params : sequence or ndarray, not empty
    dumps : callable
        Pickles.
    """
    step = max(len(params) // SAMPLE, 1)
    sample = as_list(params[::step])
    nbytes = max(len(dumps(sample)) // len(sample), 1)
    return int(min(max(PAGE_BYTES // nbytes, 1), len(params)))


def as_list(params: Sequence[Any] | NDArray[Any]) -> list[Any]:
    """Parameters as the tasks get them."""
    return params.tolist() if isinstance(params, np.ndarray) else list(params)
