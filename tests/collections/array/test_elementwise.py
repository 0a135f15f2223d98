from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from restride.collections.array import elementwise
from tests.collections.array.strategies import DTYPES, NUMBERS, REALS, assert_same, broadcasting_pairs, pairs

UNARY = ["negative", "absolute", "square", "exp", "sin", "conjugate", "sign", "isfinite", "positive", "cosh", "cos"]
BINARY = ["add", "subtract", "multiply", "maximum", "equal", "less", "logical_and", "hypot", "arctan2", "copysign"]
OPERATORS = ["add", "sub", "mul", "lt", "le", "gt", "ge", "eq", "ne", "and_", "or_", "xor"]


def numpys(function, *args):
    """What numpy gives, or the type of what it raises."""
    try:
        return np.asarray(function(*args))
    except (TypeError, OverflowError) as error:
        return type(error)


@given(pairs(), st.sampled_from(UNARY))
def test_unary_ufuncs_are_numpys(pair, name):
    a, x = pair
    expected = numpys(getattr(np, name), a)
    if isinstance(expected, type):
        with pytest.raises(expected):
            getattr(ra, name)(x)
    else:
        assert_same(getattr(ra, name)(x), expected, rtol=1e-5)
        assert_same(getattr(np, name)(x), expected, rtol=1e-5)


@given(broadcasting_pairs(), st.sampled_from(BINARY))
def test_binary_ufuncs_broadcast_and_promote_as_numpys(both, name):
    (a, x), (b, y) = both
    expected = numpys(getattr(np, name), a, b)
    if isinstance(expected, type):
        with pytest.raises(expected):
            getattr(ra, name)(x, y)
    else:
        assert_same(getattr(ra, name)(x, y), expected, rtol=1e-5)


@given(
    pairs(),
    st.sampled_from(OPERATORS),
    st.sampled_from([2, True, 1.5, 1j, np.float32(2), np.int16(3), 300, np.arange(3)]),
    st.booleans(),
)
def test_operators_with_scalars_and_numpy_arrays_promote_as_numpys(pair, name, other, reflected):
    a, x = pair
    if isinstance(other, np.ndarray):
        a, x = a[..., None], x[..., None]
    function = getattr(operator, name)
    operands, lazy = ((other, a), (other, x)) if reflected else ((a, other), (x, other))
    expected = numpys(function, *operands)
    if isinstance(expected, type):
        with pytest.raises(expected):
            function(*lazy)
    else:
        assert_same(function(*lazy), expected)


@pytest.mark.parametrize("name", ["truediv", "floordiv", "mod", "pow", "lshift", "rshift"])
@pytest.mark.parametrize("other", [3, np.int8(2), np.array([1, 2, 3, 4])])
def test_the_other_operators_work_on_both_sides(name, other):
    a = np.array([1, 2, 3, 4], np.int16)
    x = ra.from_array(a, chunks=3)
    function = getattr(operator, name)
    assert_same(function(x, other), function(a, other))
    assert_same(function(other, x), function(other, a))


def test_divmod_modf_and_frexp_give_two_arrays():
    a = np.array([1.5, -2.25, 7.0])
    x = ra.from_array(a, chunks=2)
    for lazy, expected in [
        (divmod(x, 2), divmod(a, 2)),
        (divmod(7, x), divmod(7, a)),
        (np.modf(x), np.modf(a)),
        (ra.frexp(x), np.frexp(a)),
        (np.divmod(x, 2), np.divmod(a, 2)),
    ]:
        for one, other in zip(lazy, expected, strict=True):
            assert_same(one, other)


def test_the_dtype_of_a_ufunc_can_be_chosen():
    a = np.arange(4)
    x = ra.from_array(a, chunks=3)
    assert_same(ra.add(x, 1, dtype="f4"), np.add(a, 1, dtype="f4"))
    assert_same(np.sin(x, dtype="f4"), np.sin(a, dtype="f4"))
    with pytest.raises(TypeError):
        ra.add(x)


def test_in_place_operators_make_a_new_array():
    x = y = ra.ones(3)
    x += 1
    assert y.sum().compute() == 3
    assert x.sum().compute() == 6


@given(broadcasting_pairs(n=3, dtypes=REALS))
def test_where_is_numpys(three):
    (a, x), (b, y), (c, z) = three
    assert_same(ra.where(x > 0, y, z), np.where(a > 0, b, c))
    assert_same(np.where(x > 0, y, 1), np.where(a > 0, b, 1))
    assert_same(ra.where(x > 0, 1.5, z), np.where(a > 0, 1.5, c))


@given(pairs(dtypes=NUMBERS), st.sampled_from(NUMBERS))
@pytest.mark.filterwarnings("ignore:Casting complex:numpy.exceptions.ComplexWarning")
def test_astype_is_numpys(pair, dtype):
    a, x = pair
    assert_same(x.astype(dtype), a.astype(dtype))


@given(pairs(dtypes=DTYPES))
def test_parts_of_complex_numbers_are_numpys(pair):
    a, x = pair
    assert_same(x.real, a.real)
    assert_same(x.imag, a.imag)
    assert_same(x.conj(), np.conj(a))
    if a.dtype.kind != "b":
        assert_same(ra.angle(x), np.asarray(np.angle(a)), rtol=1e-6)
        assert_same(np.round(x, 1), np.round(a, 1))


@given(pairs(dtypes=REALS))
def test_clip_is_numpys(pair):
    a, x = pair
    assert_same(x.clip(1, 2), a.clip(1, 2))
    assert_same(np.clip(x, None, 2), np.clip(a, None, 2))
    assert_same(ra.clip(x, 1), a.clip(1))


def test_a_python_scalar_that_does_not_fit_is_an_error_at_the_call():
    with pytest.raises(OverflowError):
        ra.ones(3, np.int8) + 300


def test_shapes_that_do_not_broadcast_are_an_error_at_the_call():
    with pytest.raises(ValueError, match=r"operands could not be broadcast together with shapes \(3,\) \(4,\)"):
        ra.ones(3) + ra.ones(4)


def test_operands_with_different_chunks_meet_at_the_finer_ones():
    x, y = ra.ones((10, 4), chunks=(5, 4)), ra.ones((10, 1), chunks=(4, 1))
    assert (x + y).chunks == ((4, 1, 3, 2), (4,))
    assert_same(x + y, np.full((10, 4), 2.0))


def test_numpy_gives_arrays_on_either_side():
    a, x = np.arange(4.0), ra.arange(4.0, chunks=2)
    assert isinstance(a * x, ra.Array)
    assert isinstance(np.float64(2) * x, ra.Array)
    assert isinstance(np.add(a, x), ra.Array)


def test_what_cannot_stay_lazy_is_refused():
    x = ra.ones((2, 2))
    with pytest.raises(TypeError):
        np.linalg.eig(x)
    with pytest.raises(TypeError):
        np.add(x, 1, out=np.empty((2, 2)))
    with pytest.raises(TypeError):
        np.add.accumulate(x)
    with pytest.raises(TypeError):
        x + "a"
    with pytest.raises(TypeError):
        x + object()


def test_there_is_a_function_for_every_ufunc_that_works_element_by_element():
    skipped = {"matmul", "vecdot", "matvec", "vecmat"}
    names = {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
    ours = {name for name in dir(elementwise) if callable(getattr(elementwise, name))}
    missing = {name for name in names - skipped - ours if getattr(np, name).__name__ not in ours}
    assert not missing


def test_everything_the_modules_offer_is_in_the_public_namespace():
    offered = {name for name in vars(elementwise) if getattr(np, name, None) is not None and not name.startswith("_")}
    assert offered - {"np"} <= set(ra.__all__)
