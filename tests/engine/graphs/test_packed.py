"""Jobs from other processes: what comes out of the columns is what went in, and columns that lie are refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.graphs import params as params_module
from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import Job, compile_job
from restride.engine.graphs.options import Options
from restride.engine.graphs.packed import PackedJob, packed_kernels, unpack
from restride.engine.graphs.packing import pack
from restride.engine.messages import Submit
from restride.errors import GraphError

PARAM = st.integers(-5, 5) | st.text(max_size=20) | st.binary(min_size=0, max_size=300) | st.none()


def add(*args: Any) -> int:
    return len(args)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """Layers with and without parameters, of which only some tasks are needed."""
    graph = TaskGraph()
    for _ in range(draw(st.integers(1, 4))):
        n = draw(st.integers(1, 30))
        params: Any = draw(
            st.none()
            | st.lists(PARAM, min_size=n, max_size=n)
            | st.just(np.arange(n))
            | st.just(np.linspace(0.0, 1.0, n))
        )
        rows = [draw(st.lists(st.integers(0, len(graph) - 1), max_size=2)) if len(graph) else [] for _ in range(n)]
        indptr = np.cumsum([0, *map(len, rows)])
        graph.add(add, n, deps=(indptr, [dep for row in rows for dep in row]), params=params)
    return compile_job(graph, draw(st.lists(st.integers(0, len(graph) - 1), min_size=1, max_size=20)))[0]


@given(jobs(), st.data(), st.sampled_from([1, 60, 4096]))
def test_the_parameters_of_any_rows_are_those_of_the_job_that_was_packed(
    job: Job, data: st.DataObject, page: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(params_module, "PAGE_BYTES", page)
        packed = unpack(pack(job, Options()))
    rows = np.array(data.draw(st.lists(st.integers(0, job.n - 1), min_size=1, unique=True).map(sorted)), np.int64)
    pages = packed.params(rows)
    expected = job.params(rows)
    assert len(pages) == len(rows)
    has_param = [job.layers[layer].params is not None for layer in job.layer[rows].tolist()]
    assert (pages.page >= 0).tolist() == has_param
    assert [pages[at] if has else None for at, has in enumerate(has_param)] == expected
    assert len(pages.blob) == pages.lengths.sum()


@given(jobs())
def test_a_job_that_was_packed_is_the_same_to_a_scheduler(job: Job) -> None:
    packed = unpack(pack(job, Options(resources={"GPU": 1.0})))
    for column in ("layer", "index", "indptr", "indices", "rindptr", "rindices", "wanted"):
        assert np.array_equal(getattr(packed, column), getattr(job, column))
    assert (packed.n, packed.inputs) == (job.n, job.inputs)
    for row in range(job.n):
        assert (packed.task_name(row), packed.origin(row)) == (job.task_name(row), job.origin(row))


def test_a_run_of_neighbours_takes_along_no_more_than_their_pages() -> None:
    graph = TaskGraph()
    graph.add(add, 1000, params=[bytes([i % 256]) * 1000 for i in range(1000)])
    packed = unpack(pack(compile_job(graph, np.arange(1000))[0], Options()))
    assert 10_000 <= len(packed.params(np.arange(500, 510)).blob) <= 30_000
    assert 1000 <= len(packed.params(np.array([500])).blob) <= 10_000


def test_a_kernel_that_layers_share_is_sent_once_and_layers_without_tasks_are_not_sent() -> None:
    graph = TaskGraph()
    first = graph.add(add, 2)
    graph.add(add, 1, name="not needed")
    other = graph.add(max, 2, deps=([0, 1, 2], first.ids))
    last = graph.add(add, 2, deps=([0, 1, 2], other.ids))
    packed = unpack(pack(compile_job(graph, last.ids)[0], Options()))
    message = packed_kernels(range(10, 14), packed.layers)  # type: ignore[arg-type]
    assert message.numbers.tolist() == [10, 12, 13]
    assert message.kernel.tolist() == [0, 1, 0]
    assert [pickle.loads(kernel)[0] for kernel in message.kernels] == [add, max]


# ---- columns that lie


def small() -> Submit:
    """Three tasks, the last on the two before it, each with a parameter."""
    graph = TaskGraph()
    first = graph.add(add, 2, params=[1, 2])
    last = graph.add(add, 1, deps=([0, 2], first.ids), params=[3])
    return pack(compile_job(graph, last.ids)[0], Options())


def ints(*values: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, np.int64)


def int32s(*values: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.array(values, np.int32)


LIES: list[tuple[str, Callable[[Submit], dict[str, Any]]]] = [
    ("differ in length", lambda job: {"index": job.index[:2]}),
    ("differ in length", lambda job: {"indptr": ints(0, 0, 2)}),
    ("indptr does not rise", lambda job: {"indptr": ints(1, 1, 1, 2)}),
    ("indptr does not rise", lambda job: {"indptr": ints(0, 0, 0, 1)}),
    ("indptr does not rise", lambda job: {"indptr": ints(0, 2, 0, 2)}),
    ("a dependency that does not exist", lambda job: {"indices": ints(0, 3)}),
    ("a dependency that does not exist", lambda job: {"indices": ints(-1, 0)}),
    ("does not come after what it depends on", lambda job: {"indices": ints(0, 2)}),
    ("a wanted task that does not exist", lambda job: {"wanted": ints(3)}),
    ("a wanted task that does not exist", lambda job: {"wanted": ints(-1)}),
    ("wanted tasks repeat", lambda job: {"wanted": ints(1, 1)}),
    ("wanted tasks repeat", lambda job: {"wanted": ints(2, 1)}),
    ("a layer that does not exist", lambda job: {"layer": int32s(0, 0, 2)}),
    ("a layer that does not exist", lambda job: {"layer": int32s(0, 0, -1)}),
    ("a layer that does not exist", lambda job: {"index": int32s(0, -1, 0)}),
    ("columns over layers differ in length", lambda job: {"origins": job.origins[:1]}),
    ("columns over layers differ in length", lambda job: {"kernel": job.kernel[:1]}),
    ("as many digests as kernels", lambda job: {"digests": []}),
    ("a kernel that does not exist", lambda job: {"kernel": int32s(0, 7)}),
    ("tasks without a kernel", lambda job: {"kernel": int32s(0, -1)}),
    ("pages of another length", lambda job: {"pages": bytes(job.pages)[1:]}),
    ("pages of another length", lambda job: {"page_lengths": job.page_lengths - 1000}),
    ("pages out of range", lambda job: {"first_page": ints(-1, 0)}),
    ("pages out of range", lambda job: {"rows_per_page": ints(-1, 1)}),
    ("parameters beyond the last page", lambda job: {"rows_per_page": ints(1, 1), "first_page": ints(0, 2)}),
    ("parameters beyond the last page", lambda job: {"index": int32s(0, 1000, 0), "counts": ints(2000, 1)}),
    ("more tasks than a layer has", lambda job: {"index": int32s(0, 2, 0)}),
    ("columns over layers differ in length", lambda job: {"counts": ints(2)}),
]


@pytest.mark.parametrize(("reason", "lie"), LIES)
def test_columns_that_contradict_each_other_are_refused(reason: str, lie: Callable[[Submit], dict[str, Any]]) -> None:
    job = small()
    assert isinstance(unpack(job), PackedJob)
    with pytest.raises(GraphError, match=reason):
        unpack(replace(job, **lie(job)))


@given(st.data())
def test_whatever_the_columns_say_a_job_is_refused_or_can_be_run(data: st.DataObject) -> None:
    """Each of the columns may be set wrong at one place."""
    job = small()
    columns = (
        "layer",
        "index",
        "indptr",
        "indices",
        "wanted",
        "counts",
        "kernel",
        "first_page",
        "rows_per_page",
        "page_lengths",
    )
    name = data.draw(st.sampled_from(columns))
    column = getattr(job, name).copy()
    column[data.draw(st.integers(0, len(column) - 1))] = data.draw(
        st.integers(-(2**31), 2**31 - 1) | st.integers(-3, 5)
    )
    try:
        packed = unpack(replace(job, **{name: column}))
    except GraphError:
        return
    rows = np.arange(packed.n)
    assert len(packed.params(rows)) == packed.n
    packed_kernels(range(len(packed.layers)), packed.layers)  # type: ignore[arg-type]
    for row in range(packed.n):
        packed.task_name(row)


def test_a_job_without_tasks_can_be() -> None:
    packed = unpack(pack(compile_job(TaskGraph(), [])[0], Options()))
    assert packed.n == 0
