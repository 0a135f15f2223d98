from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.lowering import lower
from restride.errors import BlockError, ChunkError
from tests.collections.array.strategies import assert_same, pairs

A = np.arange(24.0).reshape(4, 6)


@pytest.fixture
def x():
    return ra.from_array(A, chunks=(2, 3))


# ---- blockwise -------------------------------------------------------------------------------------------------------


def test_blocks_correspond_by_the_names_of_their_axes(x):
    y = ra.from_array(np.arange(6.0), 4)
    assert_same(ra.blockwise(np.multiply, "ij", x, "ij", y, "j"), A * np.arange(6))
    assert_same(ra.blockwise(lambda b: b.T, "ji", x, "ij"), A.T)
    assert_same(ra.blockwise(np.multiply.outer, "ijk", x, "ij", y, "k"), np.multiply.outer(A, np.arange(6.0)))


def test_names_may_be_anything_hashable(x):
    assert_same(ra.blockwise(np.transpose, (1, "a"), x, ("a", 1)), A.T)


def test_along_contracted_axes_the_function_gets_all_blocks(x):
    nested = ra.blockwise(lambda blocks: sum(b.sum(1) for b in blocks), "i", x, "ij", dtype=float)
    assert_same(nested, A.sum(1))
    deep = ra.blockwise(lambda rows: sum(b.sum() for row in rows for b in row), "", x, "ij", dtype=float)
    assert_same(deep, A.sum())
    assert_same(ra.blockwise(lambda b: b.sum(1), "i", x, "ij", concatenate=True), A.sum(1))
    product = ra.blockwise(np.matmul, "ik", x, "ij", x.T, "jk", concatenate=True, dtype=float)
    assert_same(product, A @ A.T)


def test_lone_blocks_along_contracted_axes_come_in_lists_too(x):
    assert_same(ra.blockwise(lambda b: b[0].sum(1), "i", x.rechunk((2, -1)), "ij", dtype=float), A.sum(1))


def test_a_name_met_twice_is_the_diagonal():
    a = np.arange(25).reshape(5, 5)
    x = ra.from_array(a, (2, 3))
    assert_same(ra.blockwise(np.diagonal, "i", x, "ii", dtype=int), np.diagonal(a))


def test_axes_may_be_added_and_blocks_change_their_lengths(x):
    stacked = ra.blockwise(lambda b: np.stack([b, b], 1), "izj", x, "ij", new_axes={"z": 2}, dtype=float)
    assert_same(stacked, np.stack([A, A], 1))
    for change in (1, lambda n: n - 2, (1, 1)):
        firsts = ra.blockwise(lambda b: b[:, :1], "ij", x, "ij", adjust_chunks={"j": change})
        assert firsts.chunks == ((2, 2), (1, 1))
        assert_same(firsts, A[:, ::3])


def test_literals_and_keywords_are_handed_over(x):
    assert_same(ra.blockwise(lambda p, b, *, plus: b**p + plus, "ij", 2, None, x, "ij", plus=1), A**2 + 1)


def test_arrays_need_not_be_aligned_if_they_have_as_many_blocks():
    x, y = ra.ones(4, chunks=(2, 2)), ra.ones(6, chunks=(3, 3))
    total = ra.blockwise(lambda a, b: a.sum() + b, "i", x, "i", y, "i", align_arrays=False, dtype=float,
                         adjust_chunks={"i": 3})  # fmt: skip
    assert_same(total, np.full(6, 3.0))
    with pytest.raises(ChunkError, match="2 blocks in one array and 3"):
        ra.blockwise(np.add, "i", x, "i", ra.ones(6, chunks=2), "i", align_arrays=False)


def test_declarations_that_do_not_fit_are_errors(x):
    with pytest.raises(ValueError, match="different lengths"):
        ra.blockwise(np.add, "i", ra.ones(3), "i", ra.ones(4), "i")
    with pytest.raises(ValueError, match="names"):
        ra.blockwise(np.add, "i", x, "i")
    with pytest.raises(ValueError, match="new_axes"):
        ra.blockwise(np.add, "ijk", x, "ij")
    with pytest.raises(ValueError, match="pass dtype="):
        ra.blockwise(lambda b: b[7], "ij", x, "ij")
    with pytest.raises(ValueError, match="which there is not"):
        ra.blockwise(np.sin, "ij", x, "ij", adjust_chunks={"k": 1})
    with pytest.raises(BlockError, match="shape"):
        ra.blockwise(lambda b: b[:1], "ij", x, "ij").compute()
    with pytest.raises(BlockError, match="dtype"):
        ra.blockwise(np.sin, "ij", x, "ij", dtype="f4").compute()


def test_blockwise_is_fused_with_what_it_is_made_of(x):
    graph, _ = lower([ra.blockwise(np.multiply, "ij", x + 1, "ij", 2, None).expr])
    assert len(graph) == x.npartitions


@given(pairs(dtypes=["i8", "f4"]), st.sampled_from(["i8", "f8"]))
def test_elemwise_is_the_function_itself(pair, dtype):
    a, x = pair
    assert_same(ra.elemwise(np.add, x, 1), a + 1)
    assert_same(ra.elemwise(lambda b: (b + 1).astype(dtype), x, dtype=dtype), (a + 1).astype(dtype))


# ---- along axes ------------------------------------------------------------------------------------------------------


@given(pairs(min_dims=1, min_side=1, dtypes=["i8", "f8"]), st.data())
def test_apply_along_axis_is_numpys(pair, data):
    a, x = pair
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    for function in (np.sum, np.cumsum, lambda v: np.outer(v[:2], v[:1]) * 1.5):
        assert_same(np.apply_along_axis(function, axis, x), np.apply_along_axis(function, axis, a))


def test_apply_along_axis_does_not_try_what_it_is_told(x):
    def strict(v, least, *, plus):
        assert v[0] in A[:, 0]
        return [max(v.max(), least) + plus] * 2

    told = ra.apply_along_axis(strict, 1, x, 7.0, dtype=float, shape=(2,), plus=1)
    assert_same(told, np.stack([np.maximum(A.max(1), 7) + 1] * 2, 1))
    with pytest.raises(np.exceptions.AxisError):
        ra.apply_along_axis(np.sum, 2, x)


@given(pairs(min_dims=1, dtypes=["i8", "f8"]), st.data())
def test_apply_over_axes_is_numpys(pair, data):
    a, x = pair
    axes = data.draw(st.lists(st.integers(-a.ndim, a.ndim - 1), min_size=1, max_size=2))
    assert_same(ra.apply_over_axes(ra.sum, x, axes), np.apply_over_axes(np.sum, a, axes))


def test_fromfunction_is_numpys():
    for function in (lambda i, j: i * 10 + j, lambda i, j: 7):
        for dtype in (int, float):
            expected = np.broadcast_to(np.fromfunction(function, (5, 4), dtype=dtype), (5, 4))
            assert_same(ra.fromfunction(function, (5, 4), dtype=dtype, chunks=2), expected)


# ---- gufuncs ---------------------------------------------------------------------------------------------------------


def test_core_dimensions_are_the_last_and_others_broadcast(x):
    rows = x.rechunk((2, -1))
    assert_same(ra.apply_gufunc(np.vecdot, "(i),(i)->()", rows, np.arange(6.0)), A @ np.arange(6.0))
    means, spans = ra.apply_gufunc(lambda b: (b.mean(-1), np.ptp(b, -1)), "(i)->(),()", rows)
    assert_same(means, A.mean(1))
    assert_same(spans, np.ptp(A, 1))
    product = ra.apply_gufunc(np.matmul, "(m,k),(k,n)->(m,n)", x, x.T, allow_rechunk=True)
    assert_same(product, A @ A.T)


def test_a_tuple_of_one_is_a_tuple(x):
    (only,) = ra.apply_gufunc(lambda b: (b.mean(-1),), "(i)->(),", x, allow_rechunk=True)
    assert_same(only, A.mean(1))


def test_functions_of_core_dimensions_alone_can_be_vectorized(x):
    def strict(v):
        assert v.shape == (6,)
        return v.sum()

    assert_same(ra.apply_gufunc(strict, "(i)->()", x, vectorize=True, allow_rechunk=True), A.sum(1))
    assert_same(ra.apply_gufunc(lambda v: v + 1, "()->()", x, vectorize=True), A + 1)


def test_core_dimensions_may_be_elsewhere(x):
    assert_same(ra.apply_gufunc(np.cumsum, "(i)->(i)", x[0], axis=0, allow_rechunk=True), np.cumsum(A[0]))
    total = ra.apply_gufunc(lambda b: b.sum(-1), "(i)->()", x, axis=0, keepdims=True, allow_rechunk=True)
    assert_same(total, A.sum(0, keepdims=True))
    swapped = ra.apply_gufunc(lambda b: b[..., :2], "(i)->(j)", x, axes=[0, 0], output_sizes={"j": 2},
                              allow_rechunk=True)  # fmt: skip
    assert_same(swapped, A[:2])


def test_functions_can_be_made_gufuncs(x):
    @ra.as_gufunc("(i)->()", output_dtypes=float, allow_rechunk=True)
    def spread(b):
        """Say how far apart."""
        return np.ptp(b, -1)

    assert_same(spread(x), np.ptp(A, 1))
    assert spread.__doc__ == "Say how far apart."
    assert_same(ra.gufunc(np.ptp, signature="(i)->()", vectorize=True)(x.rechunk(-1)), np.ptp(A, 1))


@pytest.mark.parametrize("signature", ["(i)", "(i->()", "i->()", "(i)->", "(i,)(j)->()"])
def test_malformed_signatures_are_errors(x, signature):
    with pytest.raises(ValueError, match="signature"):
        ra.apply_gufunc(np.sum, signature, x)


def test_arguments_that_do_not_fit_a_signature_are_errors(x):
    with pytest.raises(ChunkError, match=r"rechunk\(\{1: -1\}\)"):
        ra.apply_gufunc(np.sum, "(i)->()", x)
    with pytest.raises(ValueError, match="lacks core dimensions"):
        ra.apply_gufunc(np.sum, "(i,j)->()", x[0])
    with pytest.raises(ValueError, match="6 long in one array and 4"):
        ra.apply_gufunc(np.vecdot, "(i),(i)->()", x, x[:, 0], allow_rechunk=True)
    with pytest.raises(ValueError, match="output_sizes"):
        ra.apply_gufunc(np.sum, "(i)->(j)", x, allow_rechunk=True)
    with pytest.raises(ValueError, match="is for 2 arrays"):
        ra.apply_gufunc(np.vecdot, "(i),(i)->()", x)
    with pytest.raises(ValueError, match="output_dtypes"):
        ra.apply_gufunc(lambda b: 1 / 0, "()->()", x)
    with pytest.raises(BlockError):
        ra.apply_gufunc(lambda b: b, "(i)->()", x, output_dtypes=float, allow_rechunk=True).compute()


def _doubled(block):
    return block * 2


def test_users_functions_run_on_processes():
    with rs.Client("processes", workers=2):
        x = ra.from_array(A, (2, 3))
        assert_same(ra.blockwise(_doubled, "ij", x, "ij"), A * 2)
        assert_same(ra.apply_gufunc(lambda b: b.sum(-1), "(i)->()", x, allow_rechunk=True), A.sum(1))
        assert_same(ra.apply_along_axis(np.ptp, 0, x), np.ptp(A, 0))
