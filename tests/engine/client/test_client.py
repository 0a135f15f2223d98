"""What a client computes, on both kinds of client; what it keeps, and for how long."""

from __future__ import annotations

import gc
import operator
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride as rs

PATIENCE = 20.0
ROOT = Path(rs.__file__).parent.parent

Pair = namedtuple("Pair", "left right")


def inc(x: int) -> int:
    return x + 1


def run_script(source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# ---- graphs


def test_get_returns_one_output_an_id_in_the_order_asked_for(client: rs.Client) -> None:
    g = rs.TaskGraph()
    squares = g.add(lambda x: x * x, 4, params=range(4))
    total = g.add(lambda *xs: sum(xs), 1, deps=([0, 4], squares.ids))
    assert client.get(g, [*total.ids, 3, 1, 3]) == [14, 9, 1, 9]


def test_get_of_nothing_is_nothing(client: rs.Client) -> None:
    assert client.get(rs.TaskGraph(), []) == []


def test_get_runs_only_what_the_ids_need(near: rs.Client) -> None:
    ran: list[int] = []
    g = rs.TaskGraph()
    g.add(ran.append, 10, params=range(10))
    near.get(g, [3, 7])
    assert sorted(ran) == [3, 7]


def test_get_refuses_an_id_that_is_not_in_the_graph_before_anything_runs(near: rs.Client) -> None:
    ran: list[int] = []
    g = rs.TaskGraph()
    g.add(ran.append, 2, params=range(2))
    for ids in ([0, 2], [-1, 0]):
        with pytest.raises(rs.GraphError, match=r"the graph has tasks 0 to 1"):
            near.get(g, ids)
    assert ran == []


def test_a_graph_can_be_computed_again(client: rs.Client) -> None:
    g = rs.TaskGraph()
    g.add(inc, 3, params=range(3))
    assert client.get(g, [0, 1, 2]) == client.get(g, [0, 1, 2]) == [1, 2, 3]


def test_submit_graph_gives_one_future_an_id_and_the_same_for_ids_that_repeat(client: rs.Client) -> None:
    g = rs.TaskGraph()
    g.add(inc, 3, params=range(3))
    a, b, c = client.submit_graph(g, [2, 0, 2])
    assert a is c
    assert (a.result(PATIENCE), b.result(PATIENCE)) == (3, 1)


def test_a_graph_can_depend_on_futures_and_ask_for_them(client: rs.Client) -> None:
    x, y = client.map(inc, [1, 10])
    g = rs.TaskGraph()
    earlier = g.add_futures([x, y])
    total = g.add(operator.add, 1, deps=([0, 2], earlier.ids))
    assert client.get(g, [*total.ids, *earlier.ids]) == [13, 2, 11]
    again = client.submit_graph(g, [*earlier.ids, *total.ids])
    assert again[:2] == [x, y]
    assert again[2].result(PATIENCE) == 13


def test_a_graph_that_depends_on_a_cancelled_future_fails_and_nothing_else_does(held: rs.Client, gate: Any) -> None:
    future = held.submit(inc, 1)
    future.cancel()
    g = rs.TaskGraph()
    g.add(inc, 1, deps=([0, 1], g.add_futures([future]).ids))
    (dependent,) = held.submit_graph(g, [1])
    other = held.submit(inc, 5)
    gate.open.set()
    with pytest.raises(rs.GraphError, match="was cancelled"):
        dependent.result(PATIENCE)
    assert other.result(PATIENCE) == 6


@st.composite
def random_graphs(draw: st.DrawFn) -> list[list[tuple[int, list[int]]]]:
    """Layers of tasks: a number each, and ids of earlier tasks to add to it."""
    layers: list[list[tuple[int, list[int]]]] = []
    count = 0
    for size in draw(st.lists(st.integers(1, 6), min_size=1, max_size=5)):
        deps = st.lists(st.integers(0, count - 1), max_size=4) if count else st.just([])
        layers.append(draw(st.lists(st.tuples(st.integers(0, 9), deps), min_size=size, max_size=size)))
        count += size
    return layers


@pytest.fixture(scope="module", params=["threads", "inline"])
def lasting(request: pytest.FixtureRequest) -> Any:
    with rs.Client(request.param, threads=2 if request.param == "threads" else None) as client:
        client.submit(inc, 1).result(PATIENCE)
        yield client


@settings(max_examples=60)
@given(layers=random_graphs(), data=st.data())
def test_random_graphs_compute_what_evaluating_them_task_by_task_does(
    lasting: rs.Client, layers: list[list[tuple[int, list[int]]]], data: st.DataObject
) -> None:
    g = rs.TaskGraph()
    expected: list[int] = []
    for layer in layers:
        lengths = [len(deps) for _, deps in layer]
        g.add(
            lambda number, *inputs: number + sum(inputs),
            len(layer),
            deps=(np.cumsum([0, *lengths]), [dep for _, deps in layer for dep in deps]),
            params=[number for number, _ in layer],
        )
        for number, deps in layer:
            expected.append(number + sum(expected[dep] for dep in deps))
    ids = data.draw(st.lists(st.integers(0, len(expected) - 1), max_size=6))
    assert lasting.get(g, ids) == [expected[id] for id in ids]


@pytest.mark.parametrize("graphs", [1_000, pytest.param(5_000, marks=pytest.mark.slow)])
def test_thousands_of_small_graphs_one_after_another_are_all_right(threads: rs.Client, graphs: int) -> None:
    random = np.random.default_rng(0)
    for _ in range(graphs // 10):
        futures, expected = [], []
        for _ in range(10):
            values = random.integers(0, 100, random.integers(1, 5)).tolist()
            g = rs.TaskGraph()
            leaves = g.add(inc, len(values), params=values)
            total = g.add(lambda *xs: sum(xs), 1, deps=([0, len(values)], leaves.ids))
            futures += threads.submit_graph(g, total.ids)
            expected.append(sum(values) + len(values))
        assert threads.gather(futures) == expected


# ---- single calls


def test_submit_calls_with_positional_and_keyword_arguments(client: rs.Client) -> None:
    assert client.submit(dict, [("a", 1)], b=2, self=3, function=4).result(PATIENCE) == {
        "a": 1,
        "b": 2,
        "self": 3,
        "function": 4,
    }


def test_map_calls_for_each_tuple_of_elements_up_to_the_shortest(client: rs.Client) -> None:
    futures = client.map(pow, [2, 3, 4], iter([5, 2]))
    assert client.gather(futures) == [32, 9]
    assert client.gather(client.map(int, ["10", "11"], base=2)) == [2, 3]
    assert client.map(inc, []) == []


@pytest.mark.parametrize("call", [lambda client: client.submit(3), lambda client: client.map("f", [1])])
def test_what_cannot_be_called_is_a_type_error_at_once(client: rs.Client, call: Callable[[rs.Client], object]) -> None:
    with pytest.raises(TypeError, match="callable"):
        call(client)


def test_map_without_an_iterable_is_a_type_error(client: rs.Client) -> None:
    with pytest.raises(TypeError, match="iterable"):
        client.map(inc)


def test_gather_keeps_the_structure(client: rs.Client) -> None:
    one, two = client.map(inc, [0, 1])
    assert client.gather({"a": [one, (two, 5)], "b": {one}, "c": "text"}) == {"a": [1, (2, 5)], "b": {1}, "c": "text"}
    assert client.gather(one) == 1
    assert client.gather(Pair(one, [two])) == Pair(1, [2])


def test_scatter_makes_a_future_of_each_element(client: rs.Client) -> None:
    array = np.arange(3)
    single = client.scatter(array)
    assert (single.result(PATIENCE) == array).all()
    assert client.gather(client.scatter([1, 2])) == [1, 2]
    assert client.gather(client.scatter((1, 2))) == (1, 2)
    assert client.gather(client.scatter({"a": 1})) == {"a": 1}
    assert client.gather(client.scatter(Pair(1, 2))) == Pair(1, 2)


def test_a_chain_of_submits_passes_results_on(client: rs.Client) -> None:
    future = client.submit(inc, 0)
    for _ in range(300):
        future = client.submit(inc, future)
    assert future.result(PATIENCE) == 301


def test_calls_that_wait_travel_as_one_graph(held: rs.Client, gate: Any) -> None:
    futures = [held.submit(inc, i) for i in range(2_000)]
    assert len({id(future.submission) for future in futures}) == 1
    gate.open.set()
    assert held.gather(futures) == list(range(1, 2_001))


def test_a_call_does_not_join_calls_that_were_made_before_what_it_depends_on(held: rs.Client, gate: Any) -> None:
    before = held.submit(inc, 0)
    g = rs.TaskGraph()
    g.add(inc, 1, params=[10])
    (between,) = held.submit_graph(g, [0])
    after = held.submit(operator.add, before, between)
    assert after.submission is not before.submission
    gate.open.set()
    assert after.result(PATIENCE) == 12


# ---- memory


def test_nothing_is_held_once_all_futures_are_gone(near: rs.Client) -> None:
    futures = near.map(np.ones, [1000] * 20)
    total = near.submit(sum, futures)
    near.gather(total)
    assert near.nbytes >= 20 * 8000
    del futures, total
    near.submit(inc, 1).result(PATIENCE)  # whatever was let go before is gone before the next call's result comes
    assert near.nbytes < 100


class Tracked:
    """An output whose end can be waited for."""

    def __init__(self, ended: threading.Event) -> None:
        weakref.finalize(self, ended.set)


def test_an_output_is_freed_when_its_future_goes(near: rs.Client) -> None:
    ended = threading.Event()
    future = near.submit(Tracked, ended)
    rs.wait([future], PATIENCE)
    assert not ended.is_set()
    del future
    assert ended.wait(PATIENCE)


def test_a_chain_frees_what_has_been_used(near: rs.Client) -> None:
    ended = [threading.Event() for _ in range(20)]
    future = near.submit(Tracked, ended[0])
    for event in ended[1:]:
        future = near.submit(lambda _, event: Tracked(event), future, event)
    rs.wait([future], PATIENCE)
    assert all(event.wait(PATIENCE) for event in ended[:-1])
    assert not ended[-1].is_set()


def test_get_keeps_nothing(near: rs.Client) -> None:
    g = rs.TaskGraph()
    g.add(np.ones, 10, params=[1000] * 10)
    near.get(g, range(10))
    near.submit(inc, 1).result(PATIENCE)
    assert near.nbytes < 100


def test_intermediate_outputs_are_freed_as_a_graph_goes_on(threads: rs.Client) -> None:
    most = 0
    lock = threading.Lock()

    def measure(*_: object) -> None:
        nonlocal most
        with lock:
            most = max(most, threads.nbytes)

    g = rs.TaskGraph()
    blocks = g.add(lambda _: np.ones(100_000), 1_000, params=range(1_000))
    g.add(measure, 1_000, deps=(np.arange(1_001), blocks.ids))
    threads.get(g, range(1_000, 2_000))
    assert most < 1_000 * 800_000 / 4


def test_futures_that_end_in_a_reference_cycle_are_released_whenever_garbage_is_collected(client: rs.Client) -> None:
    class Node:
        me: Node
        future: rs.Future

    thresholds = gc.get_threshold()
    gc.set_threshold(1)  # collects at every chance, also while the engine is at work
    try:
        for i in range(100):
            node = Node()
            node.me = node
            node.future = client.submit(inc, i)
            del node
            assert client.submit(inc, i).result(PATIENCE) == i + 1
    finally:
        gc.set_threshold(*thresholds)
    end = time.monotonic() + PATIENCE
    while client.nbytes >= 100:
        gc.collect()  # does nothing while another thread is at it
        client.submit(inc, 1).result(PATIENCE)
        assert time.monotonic() < end, f"{client.nbytes} bytes are held by nobody"


def test_an_output_that_holds_a_future_can_be_released(near: rs.Client) -> None:
    inner = [near.submit(inc, 1)]
    outer = near.submit(inner.pop)
    rs.wait([outer], PATIENCE)
    del outer
    assert near.submit(inc, 2).result(PATIENCE) == 3


def test_a_task_whose_future_goes_before_it_runs_does_not_run(held: rs.Client, gate: Any) -> None:
    ran: list[int] = []
    futures = held.map(ran.append, range(10))
    del futures[3:7]
    gate.open.set()
    rs.wait(futures, PATIENCE)
    assert sorted(ran) == [0, 1, 2, 7, 8, 9]


def test_waiting_for_a_future_in_vain_does_not_keep_it(held: rs.Client, gate: Any) -> None:
    ran: list[int] = []
    future = held.submit(ran.append, 1)
    assert rs.wait([future], timeout=0).not_done == {future}
    with pytest.raises(TimeoutError):
        future.result(timeout=0)
    del future
    last = held.submit(inc, 1)
    gate.open.set()
    assert last.result(PATIENCE) == 2
    assert ran == []


# ---- several threads, several clients


def test_computations_run_beside_each_other_from_several_threads(
    threads: rs.Client, in_threads: Callable[..., list[object]]
) -> None:
    def compute(number: int) -> list[int]:
        totals = []
        for i in range(50):
            g = rs.TaskGraph()
            leaves = g.add(lambda x: x + number, 5, params=range(i, i + 5))
            total = g.add(lambda *xs: sum(xs), 1, deps=([0, 5], leaves.ids))
            totals += threads.get(g, total.ids)
        return totals

    expected = [[5 * i + 10 + 5 * number for i in range(50)] for number in range(8)]
    assert in_threads(compute, 8) == expected


def test_calls_from_several_threads_share_batches_and_stay_apart(
    client: rs.Client, in_threads: Callable[..., list[object]]
) -> None:
    def compute(number: int) -> list[int]:
        futures = [client.submit(operator.add, client.submit(inc, i), number) for i in range(15)]
        return client.gather(futures)

    assert in_threads(compute, 4) == [[i + 1 + number for i in range(15)] for number in range(4)]


def test_results_do_not_wait_for_calls_that_others_make_meanwhile(held: rs.Client, gate: Any) -> None:
    futures = held.map(inc, range(3))
    results: list[Any] = []
    waiting = threading.Thread(target=lambda: results.append(held.gather(futures)))
    waiting.start()
    end = time.monotonic() + PATIENCE
    while not futures[0].submission._when_over and time.monotonic() < end:
        pass
    other = held.submit(inc, held.submit(inc, 0))  # in the same batch; the first is nobody's, and is never heard of
    assert other.submission is futures[0].submission
    gate.open.set()
    waiting.join(PATIENCE)
    assert results == [[1, 2, 3]]
    assert other.result(PATIENCE) == 2


def test_a_future_of_another_client_is_refused_at_the_call(client: rs.Client) -> None:
    with rs.Client("inline") as other:
        foreign = other.submit(inc, 1)
        with pytest.raises(rs.GraphError, match="cannot be used with"):
            client.submit(inc, foreign)
        with pytest.raises(ValueError, match="cannot be used with"):
            client.map(sum, [[1, foreign]])
        g = rs.TaskGraph()
        g.add(inc, 1, deps=([0, 1], g.add_futures([foreign]).ids))
        for submit in (client.get, client.submit_graph):
            with pytest.raises(rs.GraphError, match="cannot be used with"):
                submit(g, [1])
        assert client.submit(inc, 5).result(PATIENCE) == 6


# ---- its life


def test_what_is_no_place_to_run_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"'threads' or 'inline', .* got 'moon'"):
        rs.Client("moon")
    with pytest.raises(ValueError, match="at least 1 thread, got 0"):
        rs.Client(threads=0)
    with pytest.raises(ValueError, match="cannot have 2 threads"):
        rs.Client("inline", threads=2)


def test_the_setting_of_threads_is_for_clients_that_have_some() -> None:
    with rs.config.set(threads=3), rs.Client() as threads, rs.Client("inline") as inline:
        assert (threads.threads, inline.threads) == (3, 1)


def test_a_client_says_where_it_computes_and_whether_it_is_closed() -> None:
    with rs.Client(threads=2) as client:
        assert repr(client) == "<Client: threads, 2 threads>"
    assert repr(client) == "<Client: threads, closed>"


def test_the_default_client_is_the_newest_that_is_open() -> None:
    outside = rs.default_client()
    with rs.Client("inline") as first:
        assert rs.default_client() is first
        with rs.Client("inline") as second:
            assert rs.default_client() is second
        assert rs.default_client() is first
    assert rs.default_client() is outside


def test_without_a_client_one_is_made_and_made_again_after_it_was_closed() -> None:
    script = """
        import gc, restride as rs
        first = rs.default_client()
        assert first.where == "threads" and rs.default_client() is first
        number = id(first)
        del first
        gc.collect()
        first = rs.default_client()
        assert id(first) == number, "nobody else holds the default client"
        first.close()
        second = rs.default_client()
        assert second is not first and second.submit(abs, -3).result(20) == 3
    """
    done = run_script(script)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_may_end_without_closing_and_with_tasks_under_way() -> None:
    script = """
        import threading, restride as rs
        client = rs.Client(threads=2)
        begun = threading.Event()
        never = client.submit(lambda: (begun.set(), threading.Event().wait()))
        done = client.map(abs, range(100))
        client.gather(done)
        waiting = client.submit(abs, never)
        begun.wait(20)
        print("end")
    """
    done = run_script(script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_clients_of_its_own() -> None:
    script = """
        import os, warnings, restride as rs
        warnings.simplefilter("ignore")
        client = rs.default_client()
        assert client.submit(abs, -1).result(20) == 1
        child = os.fork()
        if child == 0:
            code = 1
            try:
                assert client.closed and rs.default_client() is not client
                assert rs.default_client().submit(abs, -2).result(20) == 2
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.submit(abs, -3).result(20) == 3
    """
    done = run_script(script)
    assert (done.returncode, done.stderr) == (0, "")
