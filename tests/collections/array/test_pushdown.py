from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.array.operations.pushdown import push_slices
from restride.collections.array.operations.slicing import Slice
from restride.collections.expression import subexpressions
from restride.collections.lowering import lower
from restride.collections.optimize import optimized
from tests.collections.array.strategies import pairs


class Watched:
    """A matrix that remembers what has been read of it."""

    def __init__(self, shape, chunks=None, dtype=float):
        self.values = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
        self.shape = self.values.shape
        self.dtype = self.values.dtype
        if chunks is not None:
            self.chunks = chunks
        self.reads = []
        self.lock = threading.Lock()

    def __getitem__(self, where):
        with self.lock:
            self.reads.append(tuple((side.start, side.stop) for side in where))
        return self.values[where]

    @property
    def elements(self):
        return sum(np.prod([stop - start for start, stop in read], dtype=int) for read in self.reads)


@pytest.fixture
def source():
    return Watched((12, 20))


@pytest.fixture
def x(source):
    return ra.from_array(source, chunks=(3, 5))


def depth_of_slices(lazy):
    """For each slice that is left, what stands between it and the sources."""
    (expr,) = optimized([lazy.expr])
    return {child.label for e in subexpressions([expr]) if isinstance(e, Slice) for child in e.children}


def n_tasks(*arrays):
    graph, _ = lower([x.expr for x in arrays])
    return sum(layer.count for layer in graph.layers)


def expected_of(source, make):
    return np.asarray(make(source.values))


# ---- only what is needed is read -------------------------------------------------------------------------------------

CUT = (slice(4, 9), slice(7, 16))

OPERATIONS = {
    "elementwise": lambda x: np.sqrt(x + 1) * 2,
    "transpose": lambda x: x.T.T,
    "expand_dims": lambda x: x[None, :, :, None][0, ..., 0],
    "broadcast": lambda x: (np.broadcast_to(x, (2, *x.shape)) + 1)[1],
    "rechunk": lambda x: x.rechunk((4, 10)) if isinstance(x, ra.Array) else x,
    "rechunks": lambda x: (x.rechunk((12, 1)) + 1).rechunk((1, 20)) if isinstance(x, ra.Array) else x + 1,
    "with a row": lambda x: x - np.arange(20.0),
    "flip": lambda x: np.flip(np.flip(x)),
    "diamond": lambda x: (x + 1) * (x + 2),
    "map_blocks": lambda x: x,
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_of_what_is_cut_off_nothing_is_read(source, x, operation):
    make = OPERATIONS[operation]
    result = make(x)[CUT].compute()
    np.testing.assert_array_equal(result, make(source.values)[CUT])
    assert source.elements == 5 * 9


def test_of_what_is_cut_off_before_a_reduction_nothing_is_read(source, x):
    assert (x + 1).sum(axis=0)[7:9].compute().tolist() == (source.values + 1).sum(axis=0)[7:9].tolist()
    assert source.elements == 12 * 2
    source.reads.clear()
    assert x.max(axis=1, keepdims=True)[5, 0].compute() == source.values[5].max()
    assert source.elements <= 3 * 20


def test_of_several_arrays_one_after_another_only_those_needed_are_read():
    sources = [Watched((4, 6)) for _ in range(3)]
    x = ra.concatenate([ra.from_array(source, chunks=(2, 3)) for source in sources])
    expected = np.concatenate([source.values for source in sources])
    np.testing.assert_array_equal(x[9:3:-2, 1].compute(), expected[9:3:-2, 1])
    assert [source.elements for source in sources] == [0, 3, 1]


def test_whole_blocks_are_read_where_a_function_needs_them(source, x):
    y = x.map_blocks(lambda block: block - block.mean())
    np.testing.assert_array_equal(y[4, 7:9].compute(), y.compute()[4, 7:9])
    assert source.reads[0] == ((3, 6), (5, 10))
    assert n_tasks(y[4, 7:9]) == 1


def test_overlapping_blocks_read_no_more_than_their_edges(source):
    x = ra.from_array(source, chunks=(3, 5))
    y = x.map_overlap(lambda block: block + 1, depth=1, boundary="none")
    assert y[4, 7].compute() == source.values[4, 7] + 1
    assert source.elements == 5 * 7
    assert n_tasks(y[4, 7]) <= 10


def test_a_transform_is_made_of_the_lines_that_are_asked_for(source, x):
    y = ra.fft.fft(x.rechunk((3, -1)), axis=1)
    np.testing.assert_allclose(y[4].compute(), np.fft.fft(source.values[4]))
    assert source.elements == 20


def test_blocks_are_cut_inside(source):
    x = ra.from_array(source, chunks=-1)
    assert (x * 2)[3, 4].compute() == source.values[3, 4] * 2
    assert source.elements == 1


# ---- nothing is made twice -------------------------------------------------------------------------------------------


def test_what_two_slices_share_is_read_once(source, x):
    y = x + 1
    z = y[:, 1:] - y[:, :-1]
    np.testing.assert_array_equal(z.compute(), np.diff(source.values))
    assert source.elements == 12 * 20
    source.reads.clear()
    w = y[2:5, 1:7] - y[3:6, 2:8]
    np.testing.assert_array_equal(w.compute(), (source.values + 1)[2:5, 1:7] - (source.values + 1)[3:6, 2:8])
    assert source.elements == 4 * 7


def test_what_is_wanted_whole_and_cut_is_made_once(source, x):
    y = np.exp(x / 100)
    whole, part = rs.compute(y, y[2:4] + 1)
    np.testing.assert_array_equal(part, whole[2:4] + 1)
    assert source.elements == 12 * 20


def test_persisted_blocks_that_are_not_needed_are_no_part_of_the_graph(x):
    y = x.persist()
    assert n_tasks(y[0, 0] + 1) <= 2
    np.testing.assert_array_equal((y + 1)[4:9, 2].compute(), y.compute()[4:9, 2] + 1)


# ---- rechunks --------------------------------------------------------------------------------------------------------


def test_rechunks_in_a_row_are_one(x):
    y = x.rechunk((12, 2))[:, 4:].rechunk((2, 16))
    (expr,) = optimized([y.expr])
    assert [e.label for e in subexpressions([expr])].count("rechunk") == 1


def test_what_is_rechunked_at_once_is_read_so_if_no_stored_chunk_is_read_twice():
    source = Watched((12, 20), chunks=(3, 5))
    x = ra.from_array(source, chunks=None)
    assert x.chunks == ((3,) * 4, (5,) * 4)
    y = ra.from_array(source, chunks=(12, 20)).rechunk((6, 10))
    y.compute()
    assert sorted(source.reads) == [((a, a + 6), (b, b + 10)) for a in (0, 6) for b in (0, 10)]
    source.reads.clear()
    ra.from_array(source, chunks=(12, 20)).rechunk((4, 10)).compute()
    assert source.reads == [((0, 12), (0, 20))]


def test_what_is_read_for_a_rechunk_and_for_more_is_read_once():
    source = Watched((12, 20), chunks=(3, 5))
    x = ra.from_array(source, chunks=(12, 20))
    rs.compute(x.rechunk((6, 10)), x + 1)
    assert source.elements == 12 * 20


# ---- the same as numpy -----------------------------------------------------------------------------------------------

STEPS = ["index", "slice", "add", "add row", "transpose", "sum", "concatenate", "rechunk", "expand", "broadcast", "map"]


@st.composite
def cuts(draw, shape):
    entries = []
    for length in shape:
        match draw(st.sampled_from(["whole", "slice", "int", "back"])):
            case "whole":
                entries.append(slice(None))
            case "int" if length:
                entries.append(draw(st.integers(-length, length - 1)))
            case "back":
                entries.append(slice(None, None, -draw(st.integers(1, 3))))
            case _:
                start, stop = draw(st.integers(0, length)), draw(st.integers(0, length))
                entries.append(slice(start, stop, draw(st.sampled_from([None, 1, 2]))))
    return tuple(entries)


@given(pairs(dtypes=["f8", "i8"], min_dims=1, max_side=6), st.data())
def test_pushed_slices_give_what_numpy_gives(pair, data):
    a, x = pair
    source = Watched(a.shape, dtype=a.dtype)
    source.values = a
    x = ra.from_array(source, x.chunks)
    known = [(a, x)]
    for _ in range(data.draw(st.integers(1, 7))):
        a, x = data.draw(st.sampled_from(known))
        match data.draw(st.sampled_from(STEPS)):
            case "index" | "slice":
                where = data.draw(cuts(a.shape))
                known.append((a[where], x[where]))
            case "add":
                b, y = data.draw(st.sampled_from(known))
                if a.shape == b.shape:
                    known.append((a + b, x + y))
            case "add row" if a.ndim > 1:
                known.append((a + a[:1], x + x[:1]) if len(a) else (a, x))
            case "transpose":
                axes = data.draw(st.permutations(range(a.ndim)))
                known.append((a.transpose(axes), x.transpose(axes)))
            case "sum" if a.ndim:
                axis, keepdims = data.draw(st.integers(0, a.ndim - 1)), data.draw(st.booleans())
                known.append((a.sum(axis, keepdims=keepdims), x.sum(axis, keepdims=keepdims)))
            case "concatenate" if a.ndim:
                axis = data.draw(st.integers(0, a.ndim - 1))
                known.append((np.concatenate([a, a + 1], axis), ra.concatenate([x, x + 1], axis)))
            case "rechunk":
                known.append((a, x.rechunk(data.draw(st.integers(1, 4)))))
            case "expand":
                known.append((a[None], x[None]))
            case "broadcast":
                known.append((np.broadcast_to(a, (2, *a.shape)), ra.broadcast_to(x, (2, *a.shape))))
            case "map":
                known.append((a + 1, x.map_blocks(lambda block: block + 1)))
            case _:
                pass
    results = rs.compute(*(x for _, x in known))
    for result, (expected, _) in zip(results, known):
        np.testing.assert_array_equal(result, expected)
    a, x = known[-1]
    np.testing.assert_array_equal(x.compute(), a)
    (pushed,) = push_slices([x.expr])
    assert (pushed.chunks, pushed.dtype) == (x.chunks, x.dtype)


def test_origins_stay_with_what_they_are_of(x):
    y = x + 1  # here
    (pushed,) = push_slices([y[2:5].expr])
    assert pushed.label == "add"
    assert pushed.origin == y.expr.origin


def test_slices_of_long_chains_are_pushed_in_one_pass(x):
    y = x
    for _ in range(1000):
        y = y + 1
    assert y[3, 3].compute() == 63 + 1000
