"""numpy's protocols: what stays lazy when numpy's own functions are called, and what says that it cannot."""

from __future__ import annotations

import numpy as np
import pytest

import restride.array as ra
from restride.collections.array.array import NUMPY_FUNCTIONS

VALUES = np.random.default_rng(0).integers(1, 9, (6, 4)).astype(float)
FUNCTIONS = {
    "mean": lambda x: np.mean(x, axis=0),
    "std, ddof": lambda x: np.std(x, axis=1, ddof=1, keepdims=True),
    "nansum": lambda x: np.nansum(x, axis=(0, 1)),
    "amax": lambda x: np.amax(x, axis=0),
    "amin": lambda x: np.amin(x),
    "median": lambda x: np.median(x, axis=0),
    "quantile": lambda x: np.quantile(x, 0.3, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "diff": lambda x: np.diff(x, axis=0),
    "concatenate": lambda x: np.concatenate([x, VALUES]),
    "stack": lambda x: np.stack([x, x], axis=1),
    "vstack": lambda x: np.vstack([VALUES, x]),
    "where": lambda x: np.where(x > 4, x, 0),
    "clip": lambda x: np.clip(x, 2, 5),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, VALUES),
    "tensordot": lambda x: np.tensordot(x, VALUES, axes=([0], [0])),
    "dot": lambda x: np.dot(x, VALUES.T),
    "matmul": lambda x: np.matmul(VALUES.T, x),
    "linalg.norm": lambda x: np.linalg.norm(x, axis=1),
    "fft": lambda x: np.fft.fft(x, axis=0),
    "reshape": lambda x: np.reshape(x, (3, 8)),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "pad": lambda x: np.pad(x, 1),
    "roll": lambda x: np.roll(x, 2, axis=0),
    "flip": lambda x: np.flip(x),
    "tile": lambda x: np.tile(x, (2, 1)),
    "sort": lambda x: np.sort(x, axis=0),
    "take": lambda x: np.take(x, [2, 0], axis=1),
    "isclose": lambda x: np.isclose(x, VALUES),
    "isin": lambda x: np.isin(x, [2, 3]),
    "full_like": lambda x: np.full_like(x, 3),
    "copy": lambda x: np.copy(x),
    "astype": lambda x: np.astype(x, np.float32),
    "ufunc": lambda x: np.hypot(x, 2),
    "ufunc of two results": lambda x: np.divmod(x, 3)[1],
    "ufunc with a list": lambda x: np.add(x, [1, 2, 3, 4]),
    "add.reduce": lambda x: np.add.reduce(x),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=1, keepdims=True),
    "logical_or.reduce": lambda x: np.logical_or.reduce(x > 4, axis=None),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpys_functions_stay_lazy(name, monkeypatch):
    function = FUNCTIONS[name]
    with monkeypatch.context() as patched:
        patched.setattr("restride.collections.collection.compute", _refuse)
        result = function(ra.from_array(VALUES, chunks=(3, 2)))
        assert isinstance(result, ra.Array)
    np.testing.assert_allclose(result.compute(), function(VALUES))


def _refuse(*_args, **_kwargs):
    raise AssertionError("computed while nobody asked for it")


def dispatched(module):
    """numpy's functions that ask ``__array_function__``."""
    for name in sorted(set(dir(module))):
        function = getattr(module, name)
        if not name.startswith("_") and type(function).__name__ == "_ArrayFunctionDispatcher":
            yield name, function


@pytest.mark.parametrize(("theirs", "ours"), [(np, ra), (np.linalg, ra.linalg), (np.fft, ra.fft)])
def test_each_function_that_numpy_has_too_is_what_numpys_becomes(theirs, ours):
    both = {function: name for name, function in dispatched(theirs) if hasattr(ours, name) and name != "linspace"}
    assert [name for function, name in both.items() if function not in NUMPY_FUNCTIONS] == []


def test_a_function_without_a_lazy_form_says_so_and_computes_nothing(monkeypatch):
    monkeypatch.setattr("restride.collections.collection.compute", _refuse)
    x = ra.ones(3)
    with pytest.raises(TypeError, match=r"numpy.unwrap has no lazy form"):
        np.unwrap(x)
    with pytest.raises(TypeError):
        np.add.accumulate(x)
    with pytest.raises(TypeError):
        np.add(x, 1, out=np.ones(3))
    with pytest.raises(TypeError):
        np.add.reduce(x, where=[True, False, True])


class Labelled:
    """A library's array that knows what to make of other arrays."""

    __array_ufunc__ = None

    def __array_function__(self, *_args):
        return "theirs"

    def __radd__(self, other):
        return "theirs"


class Wrapper:
    """A library's array that takes part in ufuncs and functions."""

    def __array_ufunc__(self, *_args, **_kwargs):
        return "theirs"

    def __array_function__(self, *_args, **_kwargs):
        return "theirs"

    __radd__ = __array_ufunc__


def test_arrays_of_other_libraries_decide_what_becomes_of_ours():
    x = ra.ones(3)
    assert x + Labelled() == "theirs"
    assert x + Wrapper() == "theirs"
    assert np.add(x, Wrapper()) == "theirs"
    assert np.concatenate([x, Wrapper()]) == "theirs"
