"""Packing jobs to travel: what a scheduler unpacks holds the same tasks, with the same parameters for each."""

from __future__ import annotations

import pickle
import threading
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
from restride.engine.graphs.job import compile_job
from restride.engine.graphs.options import Options
from restride.engine.graphs.packed import PackedJob, unpack
from restride.engine.graphs.packing import pack
from restride.engine.serialize import load_function
from restride.errors import SerializationError


def add(*numbers: int, to: int = 0) -> int:
    return sum(numbers) + to


def packed(graph: rs.TaskGraph, ids: Any, **options: Any) -> PackedJob:
    return unpack(pack(compile_job(graph, ids)[0], Options(**options)))


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    widths=st.lists(st.sampled_from([0, 1, 300, 5000]), min_size=4, max_size=4),
    data=st.data(),
)
def test_every_task_has_its_own_parameter_whichever_of_a_layer_are_wanted(
    sizes: list[int], widths: list[int], data: st.DataObject
) -> None:
    g = rs.TaskGraph()
    expected: list[object] = []
    for number, (size, width) in enumerate(zip(sizes, widths)):
        params = [f"{number}/{i}/{'x' * width}" for i in range(size)] if width else None
        g.add(add, size, params=params)
        expected += params or [None] * size
    ids = data.draw(st.lists(st.integers(0, len(g) - 1), min_size=1, max_size=20))
    job, _, rows = compile_job(g, ids)
    there = unpack(pack(job, Options()))
    some = data.draw(st.permutations(range(job.n)).map(lambda rows: np.array(sorted(rows[: len(rows) // 2 + 1]))))
    params = there.params(some)
    taken = [params[i] if params.page[i] >= 0 else None for i in range(len(some))]
    assert taken == job.params(some)
    assert [expected[id] for id in ids] == job.params(rows)


def test_numbers_in_an_array_travel_as_plain_numbers() -> None:
    g = rs.TaskGraph()
    g.add(add, 3, params=np.arange(3))
    params = packed(g, [0, 1, 2]).params(np.arange(3))
    assert [type(params[i]) for i in range(3)] == [int] * 3


def test_a_parameter_that_is_not_needed_does_not_travel() -> None:
    g = rs.TaskGraph()
    g.add(add, 1000, params=["x" * 10_000] * 1000)
    assert len(pack(compile_job(g, [7, 990])[0], Options()).pages) < 3 * 10_000


def test_columns_and_names_stay_as_they_are() -> None:
    g = rs.TaskGraph()
    a = g.add(add, 4, params=range(4), name="first")
    b = g.add(add, 2, deps=([0, 2, 4], [0, 1, 2, 3]), name="second")
    job, _, _ = compile_job(g, b.ids)
    there = packed(g, b.ids)
    for column in ("layer", "index", "indptr", "indices", "rindptr", "rindices", "wanted"):
        assert (getattr(there, column) == getattr(job, column)).all()
    assert [layer.name for layer in there.layers] == ["first", "second"]
    assert [layer.origin for layer in there.layers] == [a.origin, b.origin]


def test_a_kernel_that_layers_share_travels_once() -> None:
    g = rs.TaskGraph()
    g.add(add, 2, to=3)
    g.add(add, 2, to=3)
    g.add(add, 2, to=4)
    g.add(add, 2, to=5)
    message = pack(compile_job(g, range(6))[0], Options())
    assert message.kernel.tolist() == [0, 0, 1, -1]
    assert [pickle.loads(kernel)[1] for kernel in message.kernels] == [{"to": 3}, {"to": 4}]


def test_functions_of_the_main_module_travel_by_value() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("k = 5\ndef f(x): return x + k", namespace)
    g = rs.TaskGraph()
    g.add(namespace["f"], 1, params=[1])
    (kernel,) = pack(compile_job(g, [0])[0], Options()).kernels
    assert load_function(kernel)[0](1) == 6


def test_options_travel() -> None:
    g = rs.TaskGraph()
    g.add(add, 1)
    options = Options(retries=2, priority=3, workers=("a",), resources={"GPU": 1.0})
    message = pack(compile_job(g, [0])[0], options, nested=True, token=7)
    assert Options.from_mapping(message.options) == options
    assert (message.nested, message.token) == (True, 7)


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        ({"kernel": partial(add, threading.Lock())}, "layer 'f': its function: .*lock"),
        ({"kernel": add, "to": threading.Lock()}, "layer 'f': argument 'to': .*lock"),
        ({"kernel": add, "params": [1, 2, threading.Lock(), 3]}, "layer 'f': parameter 2: .*lock"),
    ],
)
def test_what_cannot_be_pickled_is_named(layer: dict[str, Any], what: str) -> None:
    g = rs.TaskGraph()
    g.add(layer.pop("kernel"), 4, name="f", **layer)
    with pytest.raises(SerializationError, match=what):
        pack(compile_job(g, range(4))[0], Options())


def test_of_a_layer_in_part_the_parameter_is_named_by_its_place_in_the_layer() -> None:
    g = rs.TaskGraph()
    g.add(add, 100, params=[threading.Lock() if i == 70 else i for i in range(100)], name="f")
    with pytest.raises(TypeError, match="layer 'f': parameter 70: "):
        pack(compile_job(g, [3, 70, 71])[0], Options())
