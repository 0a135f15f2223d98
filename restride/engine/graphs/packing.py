"""The client's side of `graphs.packed`: a job written so that it can travel, functions and parameters pickled.

Each kernel is pickled once a layer, and travels once a job however many layers share it. Parameters go in pages, see
`graphs.params`: a layer's pages count over its tasks in the graph, and those without a task of the job are
empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from restride.engine.graphs.csr import Ints
from restride.engine.graphs.graph import Layer
from restride.engine.graphs.job import Job
from restride.engine.graphs.options import Options
from restride.engine.graphs.params import as_list, rows_per_page
from restride.engine.messages import Submit
from restride.engine.serialize import dump_function, dump_value
from restride.errors import SerializationError

DIGEST_BYTES = 16


def pack(job: Job, options: Options, *, nested: bool = False, token: int = 0) -> Submit:
    """Write a job as a message.

    Parameters
    ----------
    job : Job
    options : Options
    nested : bool
        Whether a task submits it.
    token : int
        The client's number for it.

    Returns
    -------
    Submit
        Without the ids of its inputs, which may not be known yet.

    Raises
    ------
    SerializationError
        A function or a parameter cannot be pickled; it names the layer, and what in it.
    """
    kernels = _Kernels()
    pages = _Pages()
    counts = np.bincount(job.layer, minlength=len(job.layers)).tolist()
    for number, (layer, count) in enumerate(zip(job.layers, counts)):
        kernels.add(layer if count else None)
        if count and layer.params is not None:
            pages.add(layer, None if count == layer.count else np.sort(job.index[job.layer == number]))
        else:
            pages.skip()
    return Submit(
        token=token,
        nested=nested,
        options=options.to_mapping(),
        layer=job.layer,
        index=job.index,
        indptr=job.indptr,
        indices=job.indices,
        wanted=job.wanted,
        inputs=np.zeros(0, np.int64),
        names=[layer.name for layer in job.layers],
        origins=[layer.origin for layer in job.layers],
        counts=np.array([layer.count for layer in job.layers], np.int64),
        kernel=np.array(kernels.of_layer, np.int32),
        first_page=np.array(pages.first, np.int64),
        rows_per_page=np.array(pages.rows_per_page, np.int64),
        page_lengths=np.array(pages.lengths, np.int64),
        pages=pages.joined(),
        digests=list(kernels.digests),
        kernels=kernels.pickles,
    )


class _Kernels:
    """The kernels of a job, each once."""

    def __init__(self) -> None:
        self.of_layer: list[int] = []
        self.digests: dict[str, int] = {}
        self.pickles: list[bytes] = []
        self._numbers: dict[tuple[Any, ...], int] = {}
        """By identity of the function and its constants."""

    def add(self, layer: Layer | None) -> None:
        """The next layer; None for one of which no task is in the job."""
        if layer is None:
            self.of_layer.append(-1)
            return
        same = (id(layer.kernel), *((name, id(value)) for name, value in layer.constants.items()))
        known = self._numbers.get(same)
        if known is not None:  # a graph with a layer for each of many steps
            self.of_layer.append(known)
            return
        data = _pickled_kernel(layer)
        digest = hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()
        number = self.digests.setdefault(digest, len(self.pickles))
        if number == len(self.pickles):
            self.pickles.append(data)
        self._numbers[same] = number
        self.of_layer.append(number)


class _Pages:
    """The pages of a job's parameters."""

    def __init__(self) -> None:
        self.first: list[int] = []
        self.rows_per_page: list[int] = []
        self.lengths: list[int] = []
        self._pages: list[bytes] = []

    def skip(self) -> None:
        """The next layer has no parameters."""
        self.first.append(len(self.lengths))
        self.rows_per_page.append(0)

    def add(self, layer: Layer, index: Ints | None) -> None:
        """The parameters of those tasks of the next layer, ascending; of all of them with None."""
        assert layer.params is not None
        if index is None:
            params = as_list(layer.params)
        elif isinstance(layer.params, np.ndarray):
            params = layer.params[index].tolist()
        else:
            params = list(map(layer.params.__getitem__, index.tolist()))
        try:
            step = 1 if len(params) == 1 else rows_per_page(params, dump_value)
            pages = _pages(params, step) if index is None else _pages_with_holes(params, index, step)
        except SerializationError as error:
            numbers = range(len(params)) if index is None else index.tolist()
            number, reason = culprit(zip(numbers, params)) or ("?", error)
            raise SerializationError(f"layer {layer.name!r}: parameter {number}: {reason}") from error
        self.first.append(len(self.lengths))
        self.rows_per_page.append(step)
        self.lengths += map(len, pages)
        self._pages += pages

    def joined(self) -> bytes:
        return self._pages[0] if len(self._pages) == 1 else b"".join(self._pages)


def _pages(params: list[Any], step: int) -> list[bytes]:
    return [dump_value(params[start : start + step]) for start in range(0, len(params), step)]


def _pages_with_holes(params: list[Any], index: Ints, step: int) -> list[bytes]:
    """Pages of a layer of which only some tasks are in the job."""
    page_of = index // step
    starts = np.searchsorted(page_of, np.arange(int(page_of[-1]) + 2)).tolist()
    pages = []
    for page, (start, stop) in enumerate(pairwise(starts)):
        if start == stop:
            pages.append(b"")
            continue
        offsets = (index[start:stop] - page * step).tolist()
        padded: list[Any] = [None] * (offsets[-1] + 1)
        for offset, param in zip(offsets, params[start:stop]):
            padded[offset] = param
        pages.append(dump_value(padded))
    return pages


def _pickled_kernel(layer: Layer) -> bytes:
    try:
        return dump_function((layer.kernel, dict(layer.constants)))
    except SerializationError as error:
        parts = [("its function", layer.kernel), *((f"argument {name!r}", x) for name, x in layer.constants.items())]
        what, reason = culprit(parts) or ("its function", error)
        raise SerializationError(f"layer {layer.name!r}: {what}: {reason}") from error


def culprit(named: Iterable[tuple[Any, Any]]) -> tuple[Any, SerializationError] | None:
    """The first of several values that cannot be pickled by itself: its name, and why."""
    for name, value in named:
        try:
            dump_function(value)
        except SerializationError as error:
            return name, error
    return None
