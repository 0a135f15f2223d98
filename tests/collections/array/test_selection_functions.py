from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import restride.array as ra
from tests.collections.array.strategies import REALS, assert_same, broadcasting_pairs, chunks_of, pairs, shapes


def assert_same_values(lazy, expected):
    """As `assert_same`, for arrays of unknown lengths."""
    assert lazy.dtype == expected.dtype
    assert lazy.ndim == expected.ndim
    result = lazy.compute()
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)


@st.composite
def axes_of(draw, a):
    return draw(st.sampled_from([None, *range(-a.ndim, a.ndim)]))


class TestTake:
    @given(pairs(min_dims=1, min_side=1), st.data())
    def test_is_numpys(self, pair, data):
        a, x = pair
        axis = data.draw(axes_of(a))
        n = a.size if axis is None else a.shape[axis]
        places = data.draw(arrays(np.int64, shapes(max_dims=2), elements=st.integers(-n, n - 1)))
        expected = np.asarray(np.take(a, places, axis))
        assert_same(ra.take(x, places, axis), expected)
        assert_same(np.take(x, ra.from_array(places, data.draw(chunks_of(places.shape))), axis), expected)

    @pytest.mark.parametrize("mode", ["wrap", "clip"])
    def test_of_places_out_of_bounds_wraps_or_clips(self, mode):
        a = np.arange(5) * 10
        for places in ([-7, 12, 3], np.array([[5]])):
            assert_same(ra.take(ra.from_array(a, chunks=2), places, mode=mode), np.take(a, places, mode=mode))

    @pytest.mark.parametrize(
        ("places", "axis", "error"),
        [
            ([5], 0, IndexError),
            (np.array([0.5]), 0, TypeError),
            ([0], 2, np.exceptions.AxisError),
            ([[-6]], None, IndexError),
        ],
    )
    def test_errors_are_numpys(self, places, axis, error):
        with pytest.raises(error):
            np.take(np.zeros((5,)), places, axis)
        with pytest.raises(error):
            ra.take(ra.zeros((5,), chunks=2), places, axis)


class TestTakeAlongAxis:
    @given(pairs(min_dims=1, min_side=1), st.data())
    def test_is_numpys(self, pair, data):
        a, x = pair
        axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
        shape = [1 if data.draw(st.integers(0, 3)) == 0 else n for n in a.shape]
        shape[axis] = data.draw(st.integers(0, 5))
        n = a.shape[axis]
        places = data.draw(arrays(np.int64, tuple(shape), elements=st.integers(-n, n - 1)))
        expected = np.take_along_axis(a, places, axis)
        assert_same(ra.take_along_axis(x, ra.from_array(places, data.draw(chunks_of(places.shape))), axis), expected)

    def test_undoes_a_sort(self):
        a = np.random.default_rng(0).random((4, 6))
        x = ra.from_array(a, chunks=(3, 2))
        assert_same(np.take_along_axis(x, np.argsort(a, axis=1), 1), np.sort(a, axis=1))

    def test_errors_are_numpys(self):
        x = ra.zeros((3, 3))
        with pytest.raises(ValueError, match="same number of dimensions"):
            ra.take_along_axis(x, [0], 0)
        with pytest.raises(IndexError, match="integer"):
            ra.take_along_axis(x, [[0.5]], 0)


class TestMasks:
    @given(pairs(min_dims=1), st.data())
    def test_compress_and_extract_are_numpys(self, pair, data):
        a, x = pair
        axis = data.draw(axes_of(a))
        n = a.size if axis is None else a.shape[axis]
        condition = data.draw(arrays(np.bool, data.draw(st.integers(0, n))))
        expected = np.compress(condition, a, axis)
        assert_same(ra.compress(condition, x, axis), expected)
        lazy = ra.from_array(condition, data.draw(chunks_of(condition.shape)))
        assert_same_values(np.compress(lazy, x, axis), expected)
        assert_same_values(ra.extract(x > 0, x), np.extract(a > 0, a))

    @given(pairs(min_dims=1))
    def test_places_of_what_is_not_zero_are_numpys(self, pair):
        a, x = pair
        for ours, numpys in zip(ra.nonzero(x), np.nonzero(a), strict=True):
            assert_same_values(ours, numpys)
        for ours, numpys in zip(ra.where(x), np.where(a), strict=True):
            assert_same_values(ours, numpys)
        assert_same_values(np.argwhere(x), np.argwhere(a))
        assert_same_values(np.flatnonzero(x), np.flatnonzero(a))

    def test_places_of_a_scalar_are_an_error(self):
        with pytest.raises(ValueError, match="0d"):
            ra.nonzero(ra.ones(()))
        assert_same_values(ra.argwhere(ra.ones(())), np.argwhere(np.ones(())))
        assert_same_values(ra.argwhere(ra.zeros(())), np.argwhere(np.zeros(())))

    @given(broadcasting_pairs(3))
    def test_where_is_numpys(self, three):
        (a, x), (b, y), (c, z) = three
        assert_same(ra.where(x, y, z), np.where(a, b, c))
        with pytest.raises(ValueError, match="neither"):
            ra.where(x, y)


class TestUnique:
    @given(pairs(), st.booleans(), st.booleans(), st.booleans())
    def test_is_numpys(self, pair, index, inverse, counts):
        a, x = pair
        ours = ra.unique(x, index, inverse, counts)
        numpys = np.unique(a, index, inverse, counts)
        if not (index or inverse or counts):
            ours, numpys = (ours,), (numpys,)
        for our, numpy in zip(ours, numpys, strict=True):
            assert_same_values(our, np.asarray(numpy))

    @given(pairs(min_dims=1, min_side=1), st.data())
    def test_along_an_axis_is_numpys(self, pair, data):
        a, x = pair
        axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
        ours = ra.unique(x, True, True, True, axis=axis)
        for our, numpy in zip(ours, np.unique(a, True, True, True, axis=axis), strict=True):
            assert_same_values(our, numpy.ravel() if our.ndim == 1 and numpy.ndim > 1 else numpy)

    def test_takes_nan_for_one_unless_told_otherwise(self):
        a = np.array([np.nan, 1, np.nan, 0])
        x = ra.from_array(a, chunks=2)
        for equal in (True, False):
            assert_same_values(ra.unique(x, equal_nan=equal), np.unique(a, equal_nan=equal))
        assert_same_values(ra.unique(x, return_inverse=True)[1], np.unique(a, return_inverse=True)[1])
        assert_same_values(ra.unique_counts(x).counts, np.unique_counts(a).counts)

    @given(pairs(dtypes=["f4", "f8", "c16", "i8"]))
    def test_of_the_standard_takes_every_nan_for_itself(self, pair):
        a, x = pair
        a = np.where(a == 1, np.nan, a)
        x = ra.where(x == 1, np.nan, x)
        for ours, numpys in zip(ra.unique_all(x), np.unique_all(a), strict=True):
            assert_same_values(ours, np.asarray(numpys))
        assert_same_values(ra.unique_values(x), np.unique(a, equal_nan=False))

    def test_works_on_text_and_on_unknown_lengths(self):
        a = np.array(["b", "a", "b", "c"])
        x = ra.from_array(a, chunks=3)
        assert_same_values(np.unique(x), np.unique(a))
        assert_same_values(ra.unique(x[ra.greater(x, "a")]), np.array(["b", "c"]))
        with pytest.raises(ValueError, match="compute_chunk_sizes"):
            ra.unique(x[ra.greater(x, "a")], return_index=True)

    @given(pairs(), pairs())
    def test_of_two_arrays_is_their_union(self, one, other):
        (a, x), (b, y) = one, other
        assert_same_values(ra.union1d(x, y), np.union1d(a, b))


class TestBins:
    @given(pairs(dtypes=REALS), pairs(dtypes=REALS), st.booleans())
    def test_isin_is_numpys(self, one, other, invert):
        (a, x), (b, y) = one, other
        assert_same(ra.isin(x, y, invert=invert), np.asarray(np.isin(a, b, invert=invert)))

    @given(pairs(dtypes=REALS, min_dims=1, max_dims=1, max_side=20), pairs(dtypes=REALS), st.booleans())
    def test_searchsorted_is_numpys(self, ordered, sought, left):
        (a, x), (b, y) = ordered, sought
        side = "left" if left else "right"
        order = np.argsort(a, kind="stable")
        expected = np.asarray(np.searchsorted(a[order], b, side))
        assert_same(ra.searchsorted(x[order], y, side), expected)
        assert_same(ra.searchsorted(x, y, side, sorter=order), expected)

    @given(pairs(dtypes=REALS), st.sets(st.integers(-4, 4), min_size=1), st.booleans(), st.booleans())
    def test_digitize_is_numpys(self, pair, bins, right, descending):
        a, x = pair
        edges = np.array(sorted(bins, reverse=descending))
        expected = np.asarray(np.digitize(a, edges, right))
        assert_same(ra.digitize(x, edges, right), expected)
        assert_same(np.digitize(x, ra.from_array(edges, chunks=2), right), expected)

    def test_errors_are_numpys(self):
        with pytest.raises(ValueError, match="mono"):
            ra.digitize(ra.ones(3), [1, 3, 2])
        with pytest.raises(ValueError, match="side"):
            ra.searchsorted(ra.ones(3), 1, "middle")
        with pytest.raises(ValueError, match="deep"):
            ra.searchsorted(ra.ones((3, 3)), 1)


class TestChoices:
    @given(broadcasting_pairs(3, dtypes=REALS))
    def test_choose_and_select_are_numpys(self, three):
        (a, x), (b, y), (c, z) = three
        assert_same(ra.choose((x > 0).astype(int), [y, z]), np.asarray(np.choose((a > 0).astype(int), [b, c])))
        assert_same(ra.select([x > 1, x < 0], [y, z], 7), np.asarray(np.select([a > 1, a < 0], [b, c], 7)))

    @given(pairs(dtypes=["i8", "f8"]))
    def test_piecewise_is_numpys(self, pair):
        a, x = pair
        for functions in ([np.negative, 5], [np.negative, 5, np.square]):
            expected = np.piecewise(a, [a < 0, a > 1], functions)
            assert_same(ra.piecewise(x, [x < 0, x > 1], functions), np.asarray(expected))
        if a.ndim == 1 and a.size:
            assert_same(ra.piecewise(x, x < 0, [np.negative]), np.piecewise(a, a < 0, [np.negative]))

    def test_errors_are_numpys(self):
        x = ra.ones(3)
        with pytest.raises(ValueError, match="same length"):
            ra.select([x > 0], [x, x])
        with pytest.raises(TypeError, match="boolean"):
            ra.select([x], [x])
        with pytest.raises(ValueError, match="functions are expected"):
            ra.piecewise(x, [x > 0], [1, 2, 3])
        with pytest.raises(ValueError, match="invalid entry"):
            ra.choose(ra.asarray([2]), [x, x]).compute()


class TestFlatNumbers:
    @given(st.data())
    def test_go_there_and_back(self, data):
        shape = data.draw(shapes(min_dims=1, min_side=1))
        size = int(np.prod(shape))
        a = data.draw(arrays(np.int64, shapes(max_dims=2), elements=st.integers(0, size - 1)))
        x = ra.from_array(a, data.draw(chunks_of(a.shape)))
        for order in "CF":
            there = ra.unravel_index(x, shape, order)
            for ours, numpys in zip(there, np.unravel_index(a, shape, order), strict=True):
                assert_same(ours, np.asarray(numpys))
            assert_same(ra.ravel_multi_index(there, shape, order=order), np.asarray(a))


class TestInsertion:
    @given(pairs(min_dims=1), st.data())
    def test_delete_is_numpys(self, pair, data):
        a, x = pair
        axis = data.draw(axes_of(a))
        n = a.size if axis is None else a.shape[axis]
        kinds = [st.slices(n), arrays(np.bool, (n,))]
        kinds += [st.integers(-n, n - 1), st.lists(st.integers(-n, n - 1))] if n else []
        obj = data.draw(st.one_of(kinds))
        assert_same(np.delete(x, obj, axis), np.delete(a, obj, axis))

    @given(pairs(min_dims=1), st.data())
    def test_insert_is_numpys(self, pair, data):
        a, x = pair
        axis = data.draw(axes_of(a))
        n = a.size if axis is None else a.shape[axis]
        obj = data.draw(st.one_of(st.integers(-n, n), st.lists(st.integers(-n, n)), st.slices(n)))
        new = 5 if data.draw(st.booleans()) or axis is None else np.delete(a, slice(1, None), axis).max(initial=3)
        assert_same(ra.insert(x, obj, new, axis), np.insert(a, obj, new, axis))

    def test_insert_takes_values_for_each_place_or_many_for_one(self):
        a = np.arange(12).reshape(3, 4)
        x = ra.from_array(a, chunks=2)
        for obj, new, axis in [
            ([1, 3], [[7, 8]], 1),
            (1, [1, 2, 3], 1),
            ([1], [[1], [2], [3]], 1),
            (2, [[1, 2, 3, 4], [5, 6, 7, 8]], 0),
            ([0, 0], np.ones((2, 4)), 0),
            (slice(0, 4, 2), 9, 1),
            ([True, False, True], 9, 0),
        ]:
            obj = np.array(obj) if isinstance(obj, list) else obj
            assert_same(np.insert(x, obj, new, axis), np.insert(a, obj, new, axis))

    @given(pairs(), pairs(), st.data())
    def test_append_is_numpys(self, one, other, data):
        (a, x), (b, y) = one, other
        assert_same(ra.append(x, y), np.append(a, b))
        if a.ndim:
            axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
            assert_same(ra.append(x, x, axis), np.append(a, a, axis))

    @pytest.mark.parametrize("function", ["delete", "insert"])
    def test_places_out_of_bounds_are_an_error(self, function):
        arguments = (0,) if function == "insert" else ()
        for obj in (5, -5, [0, 5], [-5]):
            with pytest.raises(IndexError):
                getattr(np, function)(np.arange(4), obj, *arguments)
            with pytest.raises(IndexError, match="out of bounds"):
                getattr(ra, function)(ra.arange(4, chunks=2), obj, *arguments)


class TestShuffle:
    def test_keeps_groups_in_one_block(self):
        a = np.arange(24).reshape(12, 2)
        x = ra.from_array(a, chunks=(4, 1))
        groups = [[11, 0], [3], [], [5, 4, 3, 2, 1], [6, 7]]
        y = x.shuffle(groups, axis=0)
        assert_same(y, a[[place for group in groups for place in group]])
        assert y.chunks == ((3, 5, 2), (1, 1))
        assert ra.shuffle(x, groups, axis=0, chunks=100).chunks[0] == (10,)
        assert_same(x.shuffle([[]], axis=1), a[:, :0])

    def test_of_places_out_of_bounds_is_an_error(self):
        with pytest.raises(IndexError, match="out of bounds"):
            ra.arange(3).shuffle([[3]], axis=0)
