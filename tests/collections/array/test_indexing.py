from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import restride as rs
import restride.array as ra
from restride.collections.array.operations.take import Take
from restride.collections.lowering import lower
from tests.collections.array.indices import numpy_indices
from tests.collections.array.strategies import assert_same, axis_chunks, chunks_of, pairs, shapes


@settings(max_examples=200)
@given(pairs(max_dims=4), st.data())
def test_indexing_is_numpys(pair, data):
    a, x = pair
    index = data.draw(numpy_indices(a.shape))
    try:
        expected = a[index]
    except IndexError:
        with pytest.raises(IndexError):
            x[index]
    else:
        assert_same(x[index], np.asarray(expected))


@st.composite
def lazily(draw, a):
    """A numpy array as an array in blocks."""
    return ra.from_array(a, draw(chunks_of(a.shape)))


class TestArraysThatAreYetToBeComputed:
    @given(pairs(min_dims=1, min_side=1), st.data())
    def test_are_indices_as_numpys_are(self, pair, data):
        a, x = pair
        axis = data.draw(st.integers(0, a.ndim - 1))
        n = a.shape[axis]
        places = data.draw(arrays(np.int64, shapes(max_dims=2), elements=st.integers(-n, n - 1)))
        before = (data.draw(st.sampled_from([slice(None), slice(None, None, -1), 0])),) * axis
        assert_same(x[(*before, data.draw(lazily(places)))], np.asarray(a[(*before, places)]))

    @given(pairs(min_dims=2, max_dims=3, min_side=1), st.data())
    def test_look_up_points_together(self, pair, data):
        a, x = pair
        together = data.draw(shapes(max_dims=2))
        rows, columns = (data.draw(arrays(np.int64, together, elements=st.integers(-n, n - 1))) for n in a.shape[:2])
        lazy = data.draw(lazily(rows))
        assert_same(x[lazy, columns], np.asarray(a[rows, columns]))
        if a.ndim == 3:
            columns = data.draw(arrays(np.int64, together, elements=st.integers(0, a.shape[2] - 1)))
            assert_same(x[lazy, :, columns], np.asarray(a[rows, :, columns]))

    @settings(max_examples=150)
    @given(pairs(max_dims=3), st.data())
    def test_masks_go_together_with_all_else_that_numpy_takes(self, pair, data):
        a, x = pair
        index = data.draw(numpy_indices(a.shape))
        lazy = tuple(
            data.draw(lazily(entry)) if isinstance(entry, np.ndarray) and entry.dtype == bool else entry
            for entry in index
        )
        try:
            expected = np.asarray(a[index])
        except IndexError:
            with pytest.raises(IndexError):
                x[lazy].compute()
        else:
            result = x[lazy].compute()
            assert result.dtype == expected.dtype
            np.testing.assert_array_equal(result, expected)

    @pytest.mark.parametrize("chunks", [((1, 1), (1,)), ((2, 0), (1,)), ((0, 2), (1,))])
    @pytest.mark.parametrize("others", [(1,), (0, 1), (1, 0)])
    @pytest.mark.parametrize("rows", [[True, True], [True, False]])
    def test_blocks_of_two_masks_do_not_belong_together(self, chunks, others, rows):
        a = np.arange(2.0).reshape(2, 1, 1)
        mask, other = np.array(rows)[:, None], np.array([True])
        found = ra.from_array(a, chunks=-1)[ra.from_array(mask, chunks=chunks), ra.from_array(other, chunks=(others,))]
        np.testing.assert_array_equal(found.compute(), a[mask, other])

    def test_a_single_truth_value_is_a_mask_of_no_axes(self):
        a = np.arange(6.0).reshape(2, 3)
        x = ra.from_array(a, chunks=(1, 2))
        assert x[x.sum() > 0].compute().shape == (1, 2, 3)
        assert x[1, x.sum() < 0].compute().shape == (0, 3)
        y = x.copy()
        y[x.sum() < 0] = 7
        assert_same(y, a)

    def test_out_of_bounds_are_an_error_on_compute(self):
        x = ra.arange(5, chunks=2)
        with pytest.raises(IndexError, match="index 5 is out of bounds"):
            x[ra.asarray([0, 5])].compute()

    def test_do_not_make_blocks_larger_than_the_arrays(self):
        x = ra.ones((1000, 50), chunks=(100, 50))
        assert max(x[ra.arange(10_000, chunks=10_000) % 1000].chunks[0]) <= 200


@given(pairs(min_dims=1), st.data())
def test_masks_that_are_yet_to_be_computed_are_indices_as_numpys_are(pair, data):
    a, x = pair
    axis = data.draw(st.integers(0, a.ndim - 1))
    stop = data.draw(st.integers(axis + 1, a.ndim))
    mask = data.draw(arrays(np.bool, a.shape[axis:stop]))
    y = x[(*(slice(None),) * axis, data.draw(lazily(mask)))]
    expected = a[(*(slice(None),) * axis, mask)]
    np.testing.assert_array_equal(y.compute(), expected)
    assert y.dtype == expected.dtype
    assert y.ndim == expected.ndim
    assert np.isnan(y.shape[axis])
    assert_same(y.compute_chunk_sizes(), expected)


def test_a_mask_of_another_shape_is_an_error_at_the_call():
    x = ra.ones((4, 3), chunks=2)
    for mask in (np.ones(3, bool), ra.ones(3, bool), np.ones((4, 2), bool), ra.ones((4, 2), dtype=bool)):
        with pytest.raises(IndexError, match="boolean index did not match"):
            x[mask]


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        ([0, 3], IndexError, "index 3 is out of bounds for axis 0 with size 3"),
        (([0, 1], [0, 1, 1]), IndexError, "could not be broadcast together"),
        ([0.5], IndexError, "must be of integer"),
        ((slice(None), [5]), IndexError, "index 5 is out of bounds for axis 1"),
        (([0], [0], [0]), IndexError, "too many indices"),
    ],
)
def test_wrong_arrays_are_an_error_at_the_call(index, error, message):
    with pytest.raises(error, match=message):
        ra.ones((3, 2))[index]


def n_tasks(x):
    graph, _ = lower([x.expr])
    return sum(layer.count for layer in graph.layers)


class TestChunks:
    @given(st.integers(1, 60), st.integers(0, 200), st.data())
    def test_of_a_lookup_are_at_most_twice_as_large_as_those_of_the_array(self, n, wanted, data):
        x = ra.from_array(np.arange(n), (data.draw(axis_chunks(n)),))
        places = data.draw(arrays(np.int64, wanted, elements=st.integers(0, n - 1)))
        for y in (x[places], x[np.sort(places)]):
            assert max(y.chunks[0]) < 2 * max(x.chunks[0]) or y.npartitions == 1

    def test_of_sorted_places_are_made_of_one_block_each(self):
        x = ra.arange(1000, chunks=100)
        places = np.flatnonzero(np.arange(1000) % 3)
        assert x[places].chunks == ((66, 67, 67) * 3 + (66,),)
        assert n_tasks(x[places]) == 10

    def test_of_few_sorted_places_are_merged(self):
        x = ra.arange(10_000, chunks=100)
        places = np.sort(np.random.default_rng(0).choice(10_000, 100, replace=False))
        assert x[places].npartitions == 1

    def test_places_with_one_step_are_a_slice(self):
        x = ra.arange(10, chunks=5)
        assert not isinstance(x[[1, 3, 5, 7]].expr, Take)
        assert_same(x[[7, 5, 3]], np.array([7, 5, 3]))

    def test_unsorted_places_shuffle_small_pieces(self):
        n = 1_000_000
        places = np.random.default_rng(0).permutation(n)
        x = ra.arange(n, chunks=n // 50)
        y = x[places]
        assert y.npartitions == 50
        assert n_tasks(y) <= 50 + 50 * 50 + 50
        np.testing.assert_array_equal(y.compute(), places)

    def test_a_grid_of_places_is_looked_up_axis_by_axis(self):
        a = np.arange(24).reshape(4, 6)
        x = ra.from_array(a, chunks=2)
        assert_same(x[np.ix_([3, 0], [5, 1, 1])], a[np.ix_([3, 0], [5, 1, 1])])
        assert n_tasks(x[np.ix_([3, 0], [5, 1, 1])]) <= 16


class TestVindex:
    @given(pairs(min_dims=3, max_dims=3, min_side=1), st.data())
    def test_puts_the_points_first(self, pair, data):
        a, x = pair
        together = data.draw(shapes(min_dims=1, max_dims=2, min_side=1))
        i, k = (data.draw(arrays(np.int64, together, elements=st.integers(-n, n - 1))) for n in (len(a), a.shape[2]))
        assert_same(x.vindex[i, :, k], a[i, :, k])
        assert_same(x.vindex[:, i * 0, k], np.moveaxis(a[:, i * 0, k], 0, -1))
        assert_same(x.vindex[i], a[i])

    def test_is_out_of_bounds_where_numpy_is(self):
        with pytest.raises(IndexError, match="out of bounds"):
            ra.ones((3, 3)).vindex[[0, 3], [0, 0]]


class TestBlocks:
    def test_are_arrays_of_some_blocks(self):
        a = np.arange(35).reshape(5, 7)
        x = ra.from_array(a, chunks=(2, 3))
        assert_same(x.blocks[0, 1], a[:2, 3:6])
        assert_same(x.blocks[-1], a[4:])
        assert_same(x.blocks[:2, ::-1], np.concatenate([a[:4, 6:], a[:4, 3:6], a[:4, :3]], axis=1))
        assert_same(x.blocks[..., [2, 0]], np.concatenate([a[:, 6:], a[:, :3]], axis=1))
        assert_same(x.partitions[[True, False, True]], a[[0, 1, 4]])

    def test_tell_how_many_they_are(self):
        x = ra.ones((5, 7), chunks=(2, 3))
        assert (x.blocks.shape, x.blocks.ndim, x.blocks.size, len(x.blocks)) == ((3, 3), 2, 9, 3)
        assert [block.shape for block in x.blocks.ravel()[:3]] == [(2, 3), (2, 3), (2, 1)]
        assert [rows.shape for rows in x.blocks] == [(2, 7), (2, 7), (1, 7)]

    @pytest.mark.parametrize("index", [3, (0, 0, 0), None, ([0], [0]), slice(3, 3)])
    def test_that_are_not_there_are_an_error(self, index):
        with pytest.raises(IndexError):
            ra.ones((5, 7), chunks=(2, 3)).blocks[index]

    def test_are_no_work(self):
        x = ra.ones((5, 7), chunks=(2, 3)).map_blocks(np.negative)
        assert n_tasks(x.blocks[0]) <= 9


def test_all_of_it_runs_in_other_processes():
    a = np.arange(60.0).reshape(6, 10)
    with rs.Client("processes", workers=1):
        x = ra.from_array(a, chunks=(4, 3))
        np.testing.assert_array_equal(x[:, [9, 0, 4, 4]].compute(), a[:, [9, 0, 4, 4]])
        np.testing.assert_array_equal(x[x > 20].compute(), a[a > 20])
        np.testing.assert_array_equal(x[ra.asarray([5, 0])].compute(), a[[5, 0]])
        x[[4, 0], [1, 2]] = [-1, -2]
        a[[4, 0], [1, 2]] = [-1, -2]
        x[x > 50] = 0
        a[a > 50] = 0
        np.testing.assert_array_equal(x.compute(), a)
        np.testing.assert_array_equal(ra.unique(x).compute(), np.unique(a))


class TestCutsOfLookups:
    """A cut of a lookup is a lookup in a part."""

    @given(pairs(min_dims=2, max_dims=3, min_side=1), st.data())
    def test_are_what_they_are_of_the_result(self, pair, data):
        a, x = pair
        axis = data.draw(st.integers(0, a.ndim - 1))
        places = data.draw(arrays(np.int64, 5, elements=st.integers(0, a.shape[axis] - 1)))
        before = (slice(None),) * axis
        expected, looked_up = a[(*before, places)], x[(*before, places)]
        cut = tuple(data.draw(st.one_of(st.slices(n), st.integers(-n, n - 1))) for n in expected.shape)
        assert_same(looked_up[cut], np.asarray(expected[cut]))
        mask = data.draw(arrays(np.bool, a.shape[axis]))
        cut = tuple(slice(None) if k == axis else by for k, by in enumerate(cut))
        masked = x[(*before, ra.from_array(mask, data.draw(chunks_of(mask.shape))))]
        np.testing.assert_array_equal(masked[cut].compute(), a[(*before, mask)][cut])

    def test_read_no_more_than_they_need(self):
        x = ra.zeros((100, 100), chunks=10).map_blocks(np.negative)
        places = np.random.default_rng(0).permutation(100)
        assert n_tasks(x[places][:, 3]) <= n_tasks(x[places]) / 5
