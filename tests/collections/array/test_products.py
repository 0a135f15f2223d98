from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.array.operations import products as operation
from tests.collections.array.strategies import DTYPES, assert_same, axis_chunks, broadcasting_pairs, pairs, values

KINDS = ["?", "i1", "u2", "i8", "f4", "f8", "c16"]


def of_shape(data, shape, dtypes=KINDS):
    return data.draw(pairs(shape=tuple(shape), dtypes=dtypes))


def assert_close(lazy, expected):
    assert_same(lazy, np.asarray(expected), rtol=1e-5)


@given(st.data())
def test_products_of_matrices_are_numpys(data):
    m, k, n = (data.draw(st.integers(0, 6)) for _ in range(3))
    lead = data.draw(st.sampled_from([((), ()), ((3,), ()), ((2, 1), (3,)), ((1,), (4,))]))
    row, column = data.draw(st.booleans()), data.draw(st.booleans())
    a, x = of_shape(data, (*lead[0], m, k) if row else (k,))
    b, y = of_shape(data, (*lead[1], k, n) if column else (k,))
    assert_close(x @ y, a @ b)
    assert_close(ra.matmul(a, y), a @ b)
    assert_close(a @ y, a @ b)
    assert_close(x @ b, a @ b)


def test_no_product_depends_on_what_numpy_finds_in_memory(monkeypatch):
    x = ra.ones((2, 2), chunks=1, dtype="f4")
    with monkeypatch.context() as patch:  # as large as may be: a product of it would overflow, which is a warning
        patch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, 3e38).astype(dtype))
        products = [x @ x, ra.dot(x, x), ra.vecdot(x, x), ra.outer(x, x)]
    assert {product.dtype for product in products} == {np.dtype("f4")}


@given(st.data())
def test_dot_is_numpys(data):
    k = data.draw(st.integers(0, 4))
    before, between = (data.draw(st.lists(st.integers(0, 3), max_size=2)) for _ in range(2))
    a, x = of_shape(data, (*before, k) if data.draw(st.booleans()) else ())
    b, y = of_shape(data, (*between, k, data.draw(st.integers(0, 3))) if data.draw(st.booleans()) else (k,))
    assert_close(np.dot(x, y), np.dot(a, b))
    assert_close(x.dot(b), np.dot(a, b))


@given(st.data())
def test_tensordot_is_numpys(data):
    a, x = data.draw(pairs(min_dims=1, max_side=4, dtypes=KINDS))
    axes = data.draw(st.lists(st.integers(0, a.ndim - 1), unique=True))
    others = data.draw(st.lists(st.integers(0, 3), max_size=2))
    order = data.draw(st.permutations(range(len(axes) + len(others))))
    lengths = [a.shape[axis] for axis in axes] + others
    shape = [lengths[at] for at in order]
    b, y = of_shape(data, shape)
    pairing = (axes, [order.index(at) for at in range(len(axes))])
    assert_close(ra.tensordot(x, y, pairing), np.tensordot(a, b, pairing))


@pytest.mark.parametrize("axes", [0, 1, 2])
def test_tensordot_takes_a_number_of_axes(axes):
    a, b = np.arange(24.0).reshape(2, 3, 4), np.arange(36.0).reshape(3, 4, 3)
    a, b = (a, b) if axes == 2 else (a, np.arange(12.0).reshape(4, 3))
    assert_close(np.tensordot(ra.from_array(a, 2), ra.from_array(b, 2), axes), np.tensordot(a, b, axes))


@given(broadcasting_pairs(2, dtypes=KINDS), st.data())
def test_vecdot_is_numpys(pair, data):
    (a, _), (b, _) = pair
    k = data.draw(st.integers(0, 4))
    (c, z), (d, w) = of_shape(data, (*a.shape, k)), of_shape(data, (*b.shape, k))
    assert_close(ra.vecdot(z, w), np.vecdot(c, d))
    assert_close(np.vecdot(z, d), np.vecdot(c, d))
    (e, u), (f, v) = of_shape(data, (k, 3)), of_shape(data, (k, 3))
    assert_close(ra.vecdot(u, v, axis=0), np.vecdot(e, f, axis=0))


@given(pairs(dtypes=KINDS), pairs(dtypes=KINDS))
def test_outer_and_kron_are_numpys(one, other):
    (a, x), (b, y) = one, other
    assert_close(np.outer(x, y), np.outer(a, b))
    assert_close(np.kron(x, y), np.kron(a, b))


@given(st.data())
def test_inner_and_vdot_are_numpys(data):
    a, x = of_shape(data, (3, 4))
    b, y = of_shape(data, (2, 4))
    c, z = of_shape(data, (2, 6))
    assert_close(np.inner(x, y), np.inner(a, b))
    assert_close(np.vdot(x, z), np.vdot(a, c))
    assert_close(np.inner(x, 2), np.inner(a, 2))


@given(st.data())
def test_cross_is_numpys(data):
    a, x = of_shape(data, (4, 3), ["i8", "f8", "c16"])
    b, y = of_shape(data, (3,), ["i8", "f8"])
    assert_close(np.cross(x, y), np.cross(a, b))
    assert_close(ra.cross(x.T, y, axisa=0, axisc=0), np.cross(a.T, b, axisa=0, axisc=0))


SUBSCRIPTS = [
    "ij,jk->ik", "ij,jk", "ij->ji", "ij->", "ii", "ii->i", "iij->j", "ij,ij->i", "i,j", "i,i", "ij,jk,kl->il",
    "ij,kj,ki", "...i,...i->...", "i...,i...->...",
    "...ij,...jk", "ba", "ij,jk,kl,lm->m", "i,ij,j->", "...", "ij,j->...i",
]  # fmt: skip


@given(st.data())
def test_einsum_is_numpys(data):
    subscripts = data.draw(st.sampled_from(SUBSCRIPTS))
    lengths = {letter: data.draw(st.integers(1, 4)) for letter in "abijklm"}
    inside = subscripts.split("->")[0].split(",")
    if "ii" in subscripts:
        lengths["i"] = 3
    shapes = [[n for c in some.replace("...", ".") for n in ([2, 3] if c == "." else [lengths[c]])] for some in inside]
    arrays = [of_shape(data, shape) for shape in shapes]
    expected = np.einsum(subscripts, *(a for a, _ in arrays))
    assert_close(ra.einsum(subscripts, *(x for _, x in arrays)), expected)
    assert_close(np.einsum(subscripts, *(x for _, x in arrays), optimize=False), expected)


def test_einsum_takes_lists_of_axes_and_a_dtype():
    a = np.arange(6).reshape(2, 3)
    x = ra.from_array(a, 2)
    assert_close(ra.einsum(x, [0, 1], x, [2, 1], [0, 2]), a @ a.T)
    assert_close(ra.einsum(x, [0, ...], [..., 0]), a.T)
    assert_close(ra.einsum("ij->i", x, dtype="f8"), np.einsum("ij->i", a, dtype="f8"))
    with pytest.raises(TypeError, match="cannot cast"):
        ra.einsum("ij->i", x, dtype="i1")


@pytest.mark.parametrize("subscripts", ["ij,jk->ik", "ij->jz", "ij->jj", "ijk->i", "i->i", "i j->", "ij,ij", "i!->i"])
def test_malformed_subscripts_are_errors_as_in_numpy(subscripts):
    a = np.ones((2, 3))
    arrays = [a] * (subscripts.count(",") + 1) if subscripts != "ij,ij" else [a, a.T]
    try:
        expected = np.einsum(subscripts, *arrays)
    except (ValueError, np.exceptions.AxisError):
        with pytest.raises(ValueError):
            ra.einsum(subscripts, *(ra.from_array(b, 1) for b in arrays))
    else:
        assert_close(ra.einsum(subscripts, *(ra.from_array(b, 1) for b in arrays)), expected)


@pytest.mark.parametrize("name", ["matmul", "dot", "vecdot", "inner"])
def test_lengths_that_do_not_go_together_are_errors_at_the_call(name):
    a = np.ones((2, 3))
    with pytest.raises(ValueError):
        getattr(np, name)(a, np.ones((4, 4)))
    with pytest.raises(ValueError):
        getattr(ra, name)(ra.from_array(a, 1), np.ones((4, 4)))


def test_scalars_are_no_matrices():
    with pytest.raises(ValueError, match="does not have enough dimensions"):
        ra.ones((2, 2)) @ 3
    with pytest.raises(ValueError, match="does not have enough dimensions"):
        ra.matmul(3, ra.ones((2, 2)))
    with pytest.raises(TypeError):
        ra.ones((2, 2)) @ object()
    with pytest.raises(ValueError, match="differ in length"):
        ra.tensordot(ra.ones((2, 3)), ra.ones((2, 3)), 1)


@given(st.data())
def test_blocks_of_a_product_are_no_larger_than_twice_those_of_its_factors(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operation, "SMALL_BLOCK", 0)
        x = ra.from_array(values((12, 2), "f8", 0), (data.draw(axis_chunks(12)), data.draw(axis_chunks(2))))
        y = ra.from_array(values((2, 15), "f8", 1), (data.draw(axis_chunks(2)), data.draw(axis_chunks(15))))
        largest = max(np.prod(x.chunksize), np.prod(y.chunksize))
        for result, expected in [
            (x @ y, x.compute() @ y.compute()),
            (ra.outer(x, y[0]), np.outer(x.compute(), y[0].compute())),
            (ra.einsum("ij,jk->ki", x, y), (x.compute() @ y.compute()).T),
        ]:
            assert np.prod(result.chunksize) <= max(2 * largest, 1)
            assert_close(result, expected)


def test_no_task_gets_more_than_one_block_of_each_factor():
    seen = []

    def remember(a, b):
        seen.append((a.shape, b.shape))
        return a @ b

    x = ra.ones((8, 8), chunks=2)
    product = operation.product(remember, "ik", [x.expr, x.expr], ["ij", "jk"], np.dtype(float), "product")
    assert_close(ra.Array(product), np.full((8, 8), 8.0))
    assert seen == [((2, 2), (2, 2))] * 64


def test_arrays_of_unknown_lengths_may_be_multiplied():
    a = np.arange(12.0).reshape(6, 2)
    x = ra.from_array(a, (2, 2))
    mask = x[:, 0] > 2
    some = x[mask]
    np.testing.assert_array_equal((some.T @ some).compute(), a[a[:, 0] > 2].T @ a[a[:, 0] > 2])
    np.testing.assert_array_equal((some @ np.ones((2, 3))).compute(), a[a[:, 0] > 2] @ np.ones((2, 3)))


def test_products_run_on_processes():
    a = np.arange(36.0).reshape(6, 6)
    with rs.Client("processes", workers=2):
        x = ra.from_array(a, (2, 3))
        assert_close(x @ x.T, a @ a.T)
        assert_close(ra.einsum("ij,jk,kl->il", x, x, x), a @ a @ a)
        assert_close(ra.tensordot(x, x, (0, 1)), np.tensordot(a, a, (0, 1)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_products_are_numpys(dtype):
    a = values((3, 3), dtype, 0)
    x = ra.from_array(a, 2)
    assert_close(x @ x, a @ a)
    assert_close(ra.einsum("ij,jk", x, x), np.einsum("ij,jk", a, a))
    assert_close(ra.linalg.multi_dot([x, x, x]), np.linalg.multi_dot([a, a, a]))
