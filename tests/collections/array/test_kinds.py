"""Arrays of times, durations, strings and truth values go through the functions that numpy has for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import restride.array as ra

KINDS = ("M8[D]", "m8[h]", "U3", "S2", "?", "f2", "c8")
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda xp, x: xp.sum(x, axis=0),
    "mean": lambda xp, x: xp.mean(x),
    "max": lambda xp, x: xp.max(x, axis=1),
    "any": lambda xp, x: xp.any(x, axis=0),
    "all": lambda xp, x: xp.all(x),
    "count_nonzero": lambda xp, x: xp.count_nonzero(x),
    "nonzero": lambda xp, x: xp.stack(xp.nonzero(x)),
    "cumsum": lambda xp, x: xp.cumsum(x, axis=1),
    "diff": lambda xp, x: xp.diff(x, axis=1),
    "ediff1d": lambda xp, x: xp.ediff1d(x),
    "gradient": lambda xp, x: xp.gradient(x, axis=1),
    "trace": lambda xp, x: xp.trace(x),
    "tril": lambda xp, x: xp.tril(x),
    "triu": lambda xp, x: xp.triu(x, 1),
    "diag": lambda xp, x: xp.diag(x[0], 1),
    "diagflat": lambda xp, x: xp.diagflat(x),
    "sort": lambda xp, x: xp.sort(x, axis=0),
    "unique": lambda xp, x: xp.unique(x),
    "where": lambda xp, x: xp.where(x == x[0, 0], x, x[1, 1]),
    "hstack": lambda xp, x: xp.hstack([x, x], dtype="f4"),
    "vstack": lambda xp, x: xp.vstack([x, x], dtype="c16", casting="safe"),
    "stack": lambda xp, x: xp.stack([x, x], dtype="i8"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_does_with_a_kind_what_numpy_does(name: str, kind: str) -> None:
    function = FUNCTIONS[name]
    theirs = np.array([[0, 1, 2], [3, 0, 5]]).astype(kind)
    ours = ra.from_array(theirs, chunks=2)
    try:
        expected = function(np, theirs)
    except TypeError:
        with pytest.raises(TypeError):
            function(ra, ours).compute()
        return
    found = function(ra, ours).compute()
    assert found.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(found, expected)
