"""Jobs as the scheduler of other processes has them: columns to look at, functions and parameters as opaque bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints, positions, row_starts, transpose
from restride.engine.graphs.job import Job
from restride.engine.graphs.params import ParamPages
from restride.engine.messages import Blob, PackedKernels, Submit
from restride.errors import GraphError


@dataclass(slots=True)
class PackedLayer:
    """What the scheduler knows of a layer."""

    name: str
    origin: str | None
    count: int
    """How many tasks it has; not all of them need be in the job."""
    digest: str
    """Of the kernel."""
    kernel: Blob
    """Pickle of ``(function, constants)``."""
    has_param: bool
    resources: Mapping[str, float]


@dataclass(eq=False, slots=True)
class PackedJob(Job):
    """A job that has come from another process."""

    first_page: Ints
    """Of each layer: its first page of parameters."""
    rows_per_page: Ints
    """Of each layer: how many parameters stand in a page, 0 where its tasks have none."""
    page_starts: Ints
    """Where each page begins in `pages`, int64[pages + 1]."""
    pages: Blob

    def params(self, rows: Ints) -> ParamPages:  # type: ignore[override]
        """The pages that the parameters of some tasks are in, and where."""
        if len(rows) == 1:
            return self._param(int(rows[0]))
        layer = self.layer[rows]
        per_page = self.rows_per_page[layer]
        if not per_page.any():
            none = np.full(len(rows), -1, np.int32)
            return ParamPages(none, none, np.zeros(0, np.int64), b"")
        index = self.index[rows]
        per_page_or_one = np.maximum(per_page, 1)
        page = np.where(per_page > 0, self.first_page[layer] + index // per_page_or_one, -1)
        offset = np.where(per_page > 0, index % per_page_or_one, -1).astype(np.int32)
        pages, which = np.unique(page, return_inverse=True)
        if pages[0] < 0:
            pages, which = pages[1:], which - 1
        starts, lengths = self.page_starts[pages], self.page_starts[pages + 1] - self.page_starts[pages]
        return ParamPages(which.astype(np.int32), offset, lengths, self._joined(pages, starts, lengths))

    def _param(self, row: int) -> ParamPages:
        """The same for a single task, without the cost of columns."""
        layer, index = self.layer[row], int(self.index[row])
        per_page = int(self.rows_per_page[layer])
        if not per_page:
            none = np.full(1, -1, np.int32)
            return ParamPages(none, none, np.zeros(0, np.int64), b"")
        page = int(self.first_page[layer]) + index // per_page
        start, stop = self.page_starts[page : page + 2].tolist()
        offset = np.array([index % per_page], np.int32)
        return ParamPages(np.zeros(1, np.int32), offset, np.array([stop - start]), memoryview(self.pages)[start:stop])

    def _joined(self, pages: Ints, starts: Ints, lengths: Ints) -> Blob:
        if pages[-1] - pages[0] == len(pages) - 1:  # neighbours in the order are mostly neighbours here
            return memoryview(self.pages)[int(starts[0]) : int(starts[-1] + lengths[-1])]
        return np.frombuffer(self.pages, np.uint8)[positions(starts, lengths)].tobytes()


def unpack(message: Submit) -> PackedJob:
    """The job that a client has sent, its columns checked.

    Raises
    ------
    GraphError
        Columns that contradict each other, or a task that does not come after what it depends on.
    """
    if _is_single_call(message):
        return _job(message, message.indptr, message.indices)
    n, inputs, layers = len(message.layer), len(message.inputs), len(message.names)
    _require(len(message.index) == n and len(message.indptr) == n + 1, "columns over tasks differ in length")
    indptr, indices = message.indptr, message.indices
    _require(
        indptr[0] == 0 and indptr[-1] == len(indices) and bool((indptr[1:] >= indptr[:-1]).all()),
        "indptr does not rise from 0 to the number of dependencies",
    )
    _require(_within(indices, 0, n + inputs), "a dependency that does not exist")
    own = indices < n
    owners = np.repeat(np.arange(n), np.diff(indptr))
    _require(bool((indices[own] < owners[own]).all()), "a task does not come after what it depends on")
    _require(_within(message.wanted, 0, n), "a wanted task that does not exist")
    _require(bool((np.diff(message.wanted) > 0).all()), "wanted tasks repeat, or are out of order")
    _require(_within(message.layer, 0, layers) and _within(message.index, 0, 2**31), "a layer that does not exist")
    _check_layers(message, layers)
    return _job(message, *transpose(indptr, indices, n + inputs))


def _is_single_call(message: Submit) -> bool:
    """Whether this is a sound job of one task that needs nothing: 5 µs to see, where columns take 50."""
    lengths = message.page_lengths.tolist()
    per_page, counts = message.rows_per_page.tolist(), message.counts.tolist()
    index = message.index.tolist()
    return (
        len(message.names) == len(message.origins) == len(counts) == len(per_page) == len(message.digests) == 1
        and len(message.inputs) == len(message.indices) == 0
        and len(message.kernels) == len(index) == 1
        and message.indptr.tolist() == [0, 0]
        and message.layer.tolist() == message.kernel.tolist() == message.wanted.tolist() == [0]
        and message.first_page.tolist() == [0]
        and 0 <= index[0] < counts[0]
        and (per_page[0] == 0 or (per_page[0] > 0 and index[0] // per_page[0] < len(lengths)))
        and min(lengths, default=0) >= 0
        and sum(lengths) == len(message.pages)
    )


def _job(message: Submit, rindptr: Ints, rindices: Ints) -> PackedJob:
    return PackedJob(
        layers=cast(Any, _layers(message)),
        layer=message.layer,
        index=message.index,
        indptr=message.indptr,
        indices=message.indices,
        rindptr=rindptr,
        rindices=rindices,
        inputs=len(message.inputs),
        wanted=message.wanted,
        first_page=message.first_page,
        rows_per_page=message.rows_per_page,
        page_starts=row_starts(message.page_lengths),
        pages=message.pages,
    )


def _check_layers(message: Submit, layers: int) -> None:
    columns: tuple[Sequence[Any] | NDArray[Any], ...] = (
        message.origins, message.counts, message.kernel, message.first_page, message.rows_per_page
    )  # fmt: skip
    _require(all(len(column) == layers for column in columns), "columns over layers differ in length")
    _require(bool((message.index < message.counts[message.layer]).all()), "more tasks than a layer has")
    _require(len(message.digests) == len(message.kernels), "as many digests as kernels are needed")
    _require(_within(message.kernel, -1, len(message.kernels)), "a kernel that does not exist")
    _require(bool((message.kernel[np.unique(message.layer)] >= 0).all()), "tasks without a kernel")
    lengths = message.page_lengths
    _require(_within(lengths, 0, 2**62) and int(lengths.sum()) == len(message.pages), "pages of another length")
    per_page = message.rows_per_page
    _require(_within(per_page, 0, 2**62) and _within(message.first_page, 0, len(lengths) + 1), "pages out of range")
    paged = per_page[message.layer] > 0
    layer = message.layer[paged]
    last = message.first_page[layer] + message.index[paged] // per_page[layer]
    _require(_within(last, 0, len(lengths)), "parameters beyond the last page")


def _layers(message: Submit) -> list[PackedLayer]:
    resources = message.options.get("resources", {})
    return [
        PackedLayer(
            name,
            origin,
            count,
            message.digests[kernel] if kernel >= 0 else "",
            message.kernels[kernel] if kernel >= 0 else b"",
            bool(per_page),
            resources,
        )
        for name, origin, count, kernel, per_page in zip(
            message.names,
            message.origins,
            message.counts.tolist(),
            message.kernel.tolist(),
            message.rows_per_page.tolist(),
        )
    ]


def packed_kernels(numbers: Sequence[int], layers: Sequence[PackedLayer]) -> PackedKernels:
    """The message that tells a worker what layers run; a kernel that several share stands in it once."""
    used = [(number, layer) for number, layer in zip(numbers, layers) if layer.digest]
    at: dict[str, int] = {}
    kernels: list[Blob] = []
    for _, layer in used:
        if layer.digest not in at:
            at[layer.digest] = len(kernels)
            kernels.append(layer.kernel)
    return PackedKernels(
        numbers=np.array([number for number, _ in used], np.int64),
        kernel=np.array([at[layer.digest] for _, layer in used], np.int32),
        has_param=np.array([layer.has_param for _, layer in used], np.bool_),
        resources=[layer.resources for _, layer in used],
        digests=list(at),
        kernels=kernels,
    )


def _within(column: NDArray[Any], low: int, high: int) -> bool:
    return not len(column) or (int(column.min()) >= low and int(column.max()) < high)


def _require(holds: bool | np.bool_, otherwise: str) -> None:
    if not holds:
        raise GraphError(f"a job that cannot be: {otherwise}")
