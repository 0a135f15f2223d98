"""The array API standard, checked against array-api-strict, its reference on numpy: names, signatures and dtypes."""

from __future__ import annotations

import inspect
import itertools

import array_api_strict as strict
import numpy as np
import pytest

import restride.array as ra

VERSION = "2024.12"
DTYPES = list(ra.__array_namespace_info__().dtypes())
INTERNAL = {"__slots__", "__array__", "__buffer__", "__array_ufunc__", "__array_priority__", "__weakref__", "__dict__"}
NEWER = {"broadcast_shapes", "isin"}  # of 2025.12


def public(namespace):
    names = [name for name in namespace.__all__ if inspect.isfunction(getattr(namespace, name))]
    return [name for name in names if name not in NEWER and not name.endswith("_flags")]


FUNCTIONS = [
    *public(strict),
    *(f"linalg.{name}" for name in public(strict.linalg)),
    *(f"fft.{name}" for name in public(strict.fft)),
]


def look_up(namespace, name):
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


@pytest.fixture(autouse=True)
def standards_version():
    with strict.ArrayAPIStrictFlags(api_version=VERSION):
        yield


@pytest.mark.parametrize("name", FUNCTIONS)
def test_has_every_function_of_the_standard_with_its_parameters(name):
    theirs, parameters = look_up(strict, name), inspect.signature(look_up(ra, name)).parameters
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    positional = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for at, parameter in enumerate(inspect.signature(theirs).parameters.values()):
        if parameter.kind is parameter.VAR_POSITIONAL:
            assert takes_any
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            assert takes_any or at < len(positional)
        else:
            assert parameter.name in parameters
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                assert positional[at].name == parameter.name


@pytest.mark.parametrize("name", ["e", "inf", "nan", "newaxis", "pi"])
def test_has_the_constants(name):
    np.testing.assert_equal(getattr(ra, name), getattr(np, name))


@pytest.mark.parametrize("name", [name for name in vars(type(strict.ones(1))) if name not in vars(object)])
def test_arrays_have_every_method_of_the_standard(name):
    theirs = name.startswith("_") and (not name.endswith("__") or name in INTERNAL)
    in_place = name.startswith("__i") and hasattr(ra.Array, "__" + name[3:])  # Python falls back to the other
    assert hasattr(ra.Array, name) or in_place or theirs


BINARY = ["add", "subtract", "multiply", "divide", "floor_divide", "remainder", "pow", "atan2", "hypot", "copysign",
          "logaddexp", "maximum", "minimum", "equal", "less", "greater_equal", "logical_and", "logical_xor",
          "bitwise_and", "bitwise_or", "bitwise_left_shift", "bitwise_right_shift", "nextafter"]  # fmt: skip
UNARY = ["abs", "negative", "positive", "sign", "square", "sqrt", "exp", "log", "sin", "tanh", "acos", "floor", "ceil",
         "trunc", "round", "isnan", "isfinite", "isinf", "signbit", "real", "imag", "conj", "logical_not",
         "bitwise_invert", "reciprocal", "sum", "prod", "mean", "std", "var", "max", "argmax", "all", "any",
         "count_nonzero", "cumulative_sum", "cumulative_prod", "sort", "argsort", "diff"]  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
def test_results_of_two_arrays_have_the_dtype_that_the_standard_says(name):
    tried = 0
    for one, two in itertools.product(DTYPES, repeat=2):
        try:
            a, b = strict.ones(2, dtype=getattr(strict, one)), strict.ones(2, dtype=getattr(strict, two))
            expected = getattr(strict, name)(a, b)
        except TypeError:  # the standard leaves it open
            continue
        ours = getattr(ra, name)(ra.ones(2, dtype=one), ra.ones(2, dtype=two))
        assert ours.dtype == np.asarray(expected).dtype, (one, two)
        tried += 1
    assert tried


@pytest.mark.parametrize("name", UNARY)
def test_results_of_one_array_have_the_dtype_that_the_standard_says(name):
    tried = 0
    for one in DTYPES:
        try:
            expected = np.asarray(getattr(strict, name)(strict.ones(2, dtype=getattr(strict, one))))
        except TypeError:
            continue
        ours = getattr(ra, name)(ra.ones(2, dtype=one))
        assert ours.dtype == expected.dtype, one
        np.testing.assert_allclose(ours.compute(), expected)
        tried += 1
    assert tried


@pytest.mark.parametrize("kind", [None, "bool", "integral", "numeric", "real floating", ("bool", "complex floating")])
def test_namespace_info_lists_dtypes_by_kind(kind):
    theirs = strict.__array_namespace_info__().dtypes(kind=kind)
    assert set(ra.__array_namespace_info__().dtypes(kind=kind)) == set(theirs)


def test_namespace_info_says_what_new_arrays_are():
    info = ra.__array_namespace_info__()
    assert info.default_device() == ra.ones(1).device
    assert info.devices() == ["cpu"]
    defaults = info.default_dtypes()
    assert defaults["real floating"] == ra.zeros(1).dtype
    assert defaults["integral"] == ra.arange(3).dtype
    assert defaults["indexing"] == ra.argmax(ra.arange(3)).dtype
    assert set(info.capabilities()) == {"boolean indexing", "data-dependent shapes", "max dimensions"}
    with pytest.raises(ValueError, match="kind"):
        info.dtypes(kind="quaternion")
    with pytest.raises(ValueError, match="device"):
        info.dtypes(device="gpu")


@pytest.mark.parametrize("version", [None, "2021.12", "2024.12"])
def test_an_array_knows_its_namespace(version):
    assert ra.ones(1).__array_namespace__(api_version=version) is ra


def test_an_array_knows_no_namespace_of_another_version():
    with pytest.raises(ValueError, match="api_version"):
        ra.ones(1).__array_namespace__(api_version="1999.12")


def test_there_is_one_device():
    x = ra.ones(3)
    assert x.to_device("cpu") is x
    with pytest.raises(ValueError, match="device"):
        x.to_device("gpu")
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)
    with pytest.raises(ValueError, match="device"):
        ra.asarray([1], device="gpu")


def test_other_libraries_take_arrays_over_dlpack():
    x = ra.arange(6, chunks=2).reshape(2, 3)
    np.testing.assert_array_equal(np.from_dlpack(x), np.arange(6).reshape(2, 3))
    assert x.__dlpack_device__() == np.ones(1).__dlpack_device__()
    np.testing.assert_array_equal(ra.from_dlpack(np.arange(3)).compute(), np.arange(3))
    np.testing.assert_array_equal(ra.from_dlpack(x, copy=False).compute(), np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(np.from_dlpack(x, copy=False), np.arange(6).reshape(2, 3))


def test_asarray_copies_when_asked_and_refuses_when_it_must_not():
    values = np.zeros(100_000)
    copied, shared = ra.asarray(values, copy=True), ra.asarray(values, copy=False)
    values[:] = 1
    assert copied.sum().compute() == 0
    assert shared.sum().compute() == 100_000
    with pytest.raises(ValueError, match="copy"):
        ra.asarray([1, 2], copy=False)
    with pytest.raises(ValueError, match="copy"):
        ra.asarray(shared, dtype="int8", copy=False)
    x = ra.ones(3)
    assert ra.asarray(x) is x
    assert ra.asarray(x, copy=True) is not x


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((np.int8, np.uint8), "int16"),
        ((ra.ones(2, dtype="f4"), np.int8, 3), "float32"),
        ((ra.ones((), dtype="f4"), ra.ones(2, dtype="i4")), "float64"),
        ((ra.ones(2, dtype="i1"), 1.5), "float64"),
    ],
)
def test_result_type_is_numpys(args, expected):
    assert ra.result_type(*args) == expected
    assert np.result_type(*args) == expected


def test_limits_and_kinds_of_dtypes():
    x = ra.ones(2, dtype="f4")
    assert ra.finfo(x).bits == ra.finfo(np.float32).bits == 32
    assert ra.iinfo(ra.arange(3)).max == 2**63 - 1
    assert ra.isdtype(x.dtype, "real floating")
    assert not ra.isdtype(x.dtype, ("integral", ra.float64))
    assert ra.can_cast(x, ra.float64)
    assert not ra.can_cast(x, ra.int8)


def test_the_last_two_axes_are_transposed():
    x = np.arange(24).reshape(4, 2, 3)
    ours = ra.from_array(x, chunks=(2, 1, 2))
    np.testing.assert_array_equal(ours.mT.compute(), x.mT)
    np.testing.assert_array_equal(np.matrix_transpose(ours).compute(), x.mT)
    with pytest.raises(ValueError, match="two axes"):
        _ = ra.ones(3).mT


def test_astype_checks_casting():
    x = ra.ones(2, dtype="f8")
    assert x.astype("i4").dtype == "i4"
    with pytest.raises(TypeError, match="cannot cast"):
        x.astype("i4", casting="safe")
