from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from tests.collections.array.strategies import pairs


def assert_masked_same(lazy, expected):
    assert lazy.dtype == expected.dtype
    assert lazy.shape == expected.shape
    result = lazy.compute()
    np.testing.assert_array_equal(np.ma.getmaskarray(result), np.ma.getmaskarray(expected))
    np.testing.assert_allclose(np.ma.filled(result, 0), np.ma.filled(expected, 0), rtol=1e-6)


@st.composite
def masked_pairs(draw, **kwargs):
    a, x = draw(pairs(dtypes=["i8", "f4", "f8"], **kwargs))
    return np.ma.masked_greater(a, 0), ra.ma.masked_greater(x, 0)


@given(
    masked_pairs(min_dims=1, min_side=1),
    st.sampled_from(["sum", "prod", "min", "max", "mean", "var", "std"]),
    st.data(),
)
def test_reductions_leave_out_what_is_masked(pair, name, data):
    a, x = pair
    axis = data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1))
    assert_masked_same(
        getattr(x, name)(axis=axis),
        np.ma.asarray(getattr(a, name)(axis=axis)).astype(getattr(x, name)(axis=axis).dtype),
    )


@given(masked_pairs(min_dims=1), st.data())
def test_rechunks_slices_and_arithmetic_keep_masks(pair, data):
    a, x = pair
    assert_masked_same(x.rechunk(2), a)
    assert_masked_same((x + x)[::-1], (a + a)[::-1])
    assert_masked_same(x.reshape(-1).T, a.reshape(-1).T)
    assert_masked_same(ra.concatenate([x, x]), np.ma.concatenate([a, a]))
    assert_masked_same(x.persist() * 2, np.multiply(a, 2))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("masked_equal", (2,)), ("masked_not_equal", (2,)), ("masked_greater", (2,)), ("masked_greater_equal", (2,)),
        ("masked_less", (2,)), ("masked_less_equal", (2,)), ("masked_inside", (1, 3)), ("masked_outside", (1, 3)),
        ("masked_values", (2,)), ("masked_invalid", ()), ("fix_invalid", ()),
    ],
)  # fmt: skip
def test_masks_are_numpys(name, values):
    a = np.array([[0.0, 1, 2], [3, np.nan, 5]])
    if name != "masked_invalid" and name != "fix_invalid":
        a = np.nan_to_num(a)
    assert_masked_same(getattr(ra.ma, name)(ra.from_array(a, 2), *values), getattr(np.ma, name)(a, *values))


def test_masked_arrays_are_taken_apart_and_put_together():
    a = np.ma.masked_array(np.arange(12).reshape(3, 4), np.arange(12).reshape(3, 4) % 5 == 1, fill_value=77)
    for x in (
        ra.from_array(a, 2),
        ra.asarray(a),
        ra.ma.masked_array(ra.from_array(a.data, 2), ra.from_array(a.mask, 3), fill_value=77),
    ):
        assert_masked_same(x, a)
        assert_masked_same(ra.ma.filled(x), a.filled())
        assert_masked_same(ra.ma.filled(x.rechunk((1, 4))), a.filled())
        assert_masked_same(ra.ma.getdata(x), a.data)
        assert_masked_same(ra.ma.getmaskarray(x), a.mask)
        assert_masked_same(ra.ma.count(x, axis=0), a.count(axis=0))
        assert_masked_same(ra.ma.where(x > 3, x, -x), np.ma.where(a > 3, a, -a))
        assert_masked_same(ra.ma.masked_where(ra.ma.getdata(x) > 9, x), np.ma.masked_where(a.data > 9, a))
        assert_masked_same(ra.ma.zeros_like(x), np.ma.zeros_like(a))
        assert_masked_same(x.cumsum(axis=1), a.cumsum(axis=1))
        assert x.argmax().compute() == a.argmax()
        for mine, theirs in zip(ra.ma.nonzero(x), np.ma.nonzero(a)):
            np.testing.assert_array_equal(mine.compute(), theirs)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_averages_leave_out_what_is_masked(axis, weighted):
    a = np.ma.masked_greater(np.random.default_rng(0).random((4, 6)), 0.6)
    weights = np.random.default_rng(1).random((4, 6)) if weighted else None
    assert_masked_same(
        ra.ma.average(ra.from_array(a, 2), axis, weights), np.ma.asarray(np.ma.average(a, axis, weights))
    )


def test_what_is_all_masked_is_masked():
    x = ra.ma.masked_array(ra.ones(4, chunks=2), True)
    assert x.sum().compute() is np.ma.masked
    assert x.mean().compute() is np.ma.masked


def test_a_fill_value_is_chosen():
    x = ra.ma.masked_equal(ra.arange(3, chunks=2), 1)
    ra.ma.set_fill_value(x, 9)
    assert ra.ma.filled(x).compute().tolist() == [0, 9, 2]


def test_masks_of_other_shapes_are_errors():
    with pytest.raises(ValueError, match="not compatible"):
        ra.ma.masked_array(ra.ones(3), [True, False])
    with pytest.raises(IndexError, match="Inconsistent shape"):
        ra.ma.masked_where([True, False], ra.ones(3))
    with pytest.raises(TypeError, match="takes an array and value"):
        ra.ma.masked_equal(ra.ones(3))


def masked_example():
    data = np.random.default_rng(0).permutation(60).reshape(6, 10) / 4
    return np.ma.masked_array(data, data * 4 % 7 == 2)


MASKS_KEPT = {
    "pad": (lambda x: ra.pad(x, 1)[1:-1, 1:-1], lambda a: a),
    "pad, reflect": (lambda x: ra.pad(x, ((0, 0), (2, 0)), "reflect")[:, :2], lambda a: a[:, [2, 1]]),
    "broadcast_to": (lambda x: ra.broadcast_to(x, (2, 6, 10)), lambda a: np.ma.stack([a, a])),
    "map_overlap": (lambda x: x.map_overlap(np.negative, depth=2, boundary="nearest"), lambda a: -a),
    "sliding_window_view": (
        lambda x: ra.sliding_window_view(x, 2, 1).sum(-1), lambda a: np.ma.stack([a[:, :-1], a[:, 1:]]).sum(0)
    ),
    "median": (lambda x: ra.median(x, 0), lambda a: np.ma.median(a, 0)),
    "sort": (lambda x: ra.sort(x, 0), lambda a: np.ma.sort(a, 0)),
    "where": (lambda x: ra.where(x > 3, x, 0), lambda a: np.ma.where(a > 3, a, 0)),
    "tril": (ra.tril, lambda a: np.ma.where(np.tri(6, 10, dtype=bool), a, 0)),
    "diagonal": (ra.diagonal, lambda a: a.diagonal()),
    "repeat": (lambda x: x.repeat(2, 0), lambda a: a.repeat(2, 0)),
    "take_along_axis": (lambda x: ra.take_along_axis(x, [[5], [1]], 0), lambda a: a[[5, 1]]),
    "places": (lambda x: x[ra.asarray([5, 1], chunks=1)], lambda a: a[[5, 1]]),
    "points": (lambda x: x.vindex[[0, 5], [1, 9]], lambda a: a[[0, 5], [1, 9]]),
    "coarsen": (lambda x: ra.coarsen(np.max, x, {0: 2}), lambda a: a.reshape(3, 2, 10).max(1)),
    "nansum": (lambda x: ra.nansum(x, 0), lambda a: a.sum(0)),
    "cumsum": (lambda x: x.cumsum(1), lambda a: a.cumsum(1)),
    "blockwise": (lambda x: ra.blockwise(np.add, "ij", x, "ij", x, "ij"), lambda a: a + a),
    "reduction": (lambda x: ra.reduction(x, np.sum, aggregate=np.sum, axis=0, dtype=float), lambda a: a.sum(0)),
    "nonzero": (lambda x: ra.nonzero(x > 3)[1].compute_chunk_sizes(), lambda a: np.nonzero(a > 3)[1]),
}  # fmt: skip


@pytest.mark.parametrize("name", MASKS_KEPT)
def test_masks_go_where_their_elements_go(name):
    lazy, expected = MASKS_KEPT[name]
    a = masked_example()
    assert_masked_same(lazy(ra.from_array(a, chunks=(2, 5))), np.ma.asarray(expected(a)))


REFUSED = {
    "quantile": lambda x: ra.quantile(x, 0.5, 0),
    "topk": lambda x: ra.topk(x, 2, 0),
    "unique": ra.unique,
    "matmul": lambda x: x @ x.T,
    "histogram": lambda x: ra.histogram(x, 3, (0, 1)),
    "fft": lambda x: ra.fft.fft(x, axis=0),
    "isin": lambda x: ra.isin(x, [3]),
    "select": lambda x: ra.select([x > 3], [x]),
    "apply_along_axis": lambda x: ra.apply_along_axis(np.sum, 0, x),
    "svd": lambda x: ra.linalg.svd(x),
    "values of a plain array": lambda x: ra.zeros((6, 10), chunks=5).__setitem__(0, x[0]),
    "to_zarr": lambda x: x.to_zarr({}),
    "store": lambda x: ra.store(x, np.zeros((6, 10))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_masks_says_so_when_it_is_called(name):
    with pytest.raises(TypeError, match=r"ra\.ma\.filled"):
        REFUSED[name](ra.from_array(masked_example(), chunks=(2, 5)))


def test_masks_that_a_function_makes_are_in_the_result():
    a = masked_example()
    x = ra.from_array(a.data, chunks=(2, 5)).map_blocks(np.ma.masked_greater, 9.0)
    assert_masked_same(x, np.ma.masked_greater(a.data, 9))


def test_assignment_masks_and_unmasks_as_numpy_does():
    a = masked_example()
    x = ra.from_array(a, chunks=(2, 5))
    for index, values in [
        ((slice(0, 2), 3), np.ma.masked_array([1.0, 2.0], [True, False])),
        (([5, 1],), 7.0),
        (([2, 4], 3), np.ma.masked),
        ((a.data > 8,), 0.5),
    ]:
        x[index] = values
        a[index] = values
    x[x > 4] = -1.0
    a[a > 4] = -1.0
    assert_masked_same(x, a)


def test_masked_arrays_are_stored_in_masked_arrays():
    a = masked_example()
    target = np.ma.zeros((6, 10))
    target.mask = False
    ra.store(ra.from_array(a, chunks=(2, 5)), target)
    np.testing.assert_array_equal(np.ma.getmaskarray(target), a.mask)
