"""No operation makes blocks more than twice as large as those it is given, unless it is asked to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.array as ra
from restride.collections.array.chunks import SMALL_BLOCK, is_unknown
from restride.collections.array.expr import ArrayExpr
from restride.collections.expression import subexpressions

TIMES = 2.1
"""Of which a twentieth is for lengths that do not divide."""

OPERATIONS = {
    "elementwise": lambda x, y: x + y,
    "broadcasting": lambda x, y: x[:, None, :10] * y[None, :, :10],
    "matmul": lambda x, y: x @ y.T,
    "tensordot": lambda x, y: ra.tensordot(x, y, axes=((0,), (0,))),
    "einsum": lambda x, y: ra.einsum("ij,kj->ik", x, y),
    "outer": lambda x, y: ra.outer(x[0], y[0]),
    "mean": lambda x, y: x.mean(axis=0),
    "cumsum": lambda x, y: x.cumsum(axis=0),
    "median": lambda x, y: ra.median(x, axis=0),
    "quantile": lambda x, y: ra.quantile(x, 0.3, axis=1),
    "sort": lambda x, y: ra.sort(x, axis=0),
    "sort of a line": lambda x, y: ra.sort(x.ravel()),
    "argsort": lambda x, y: ra.argsort(x, axis=1),
    "topk": lambda x, y: ra.topk(x, 5, axis=0),
    "unique": lambda x, y: ra.unique(x),
    "reshape": lambda x, y: x.reshape(x.shape[1], x.shape[0]),
    "ravel": lambda x, y: x.T.ravel(),
    "concatenate": lambda x, y: ra.concatenate([x, y.rechunk({0: -1, 1: 1})], axis=1),
    "stack": lambda x, y: ra.stack([x, y], axis=-1),
    "block": lambda x, y: ra.block([[x, y], [y, x]]),
    "pad with a constant": lambda x, y: ra.pad(x, 300),
    "pad with edges": lambda x, y: ra.pad(x, 300, mode="edge"),
    "pad with means": lambda x, y: ra.pad(x, 30, mode="mean"),
    "pad with the greatest": lambda x, y: ra.pad(x, 30, mode="maximum"),
    "pad with reflections": lambda x, y: ra.pad(x, 50, mode="reflect"),
    "roll": lambda x, y: ra.roll(x, 7, axis=0),
    "rot90": lambda x, y: ra.rot90(x),
    "repeat": lambda x, y: ra.repeat(x, 10, axis=0),
    "tile": lambda x, y: ra.tile(x, (3, 2)),
    "places of one block": lambda x, y: x[np.zeros(30_000, int)],
    "places everywhere": lambda x, y: x[np.arange(30_000) * 7919 % x.shape[0]],
    "places yet to be computed": lambda x, y: x[ra.zeros(30_000, dtype=int, chunks=1000)],
    "mask": lambda x, y: x[x[:, 0] > 0.5],
    "where": lambda x, y: ra.where(x[:1] > 0.5, x, y),
    "diff": lambda x, y: ra.diff(x, axis=0),
    "gradient": lambda x, y: ra.gradient(x)[0],
    "map_overlap": lambda x, y: x.map_overlap(np.negative, depth=1, boundary="reflect"),
    "fft": lambda x, y: ra.fft.fft(x.astype("c16"), axis=0),
    "fft2": lambda x, y: ra.fft.fft2(x.astype("c16")),
    "histogram": lambda x, y: ra.histogram(x, bins=50, range=(0, 1))[0],
    "tril": lambda x, y: ra.tril(x),
    "diag": lambda x, y: ra.diag(x[0]),
    "diagonal": lambda x, y: ra.diagonal(x),
    "average": lambda x, y: ra.average(x, axis=0, weights=y[:, 0]),
    "cov": lambda x, y: ra.cov(x),
    "broadcast_to": lambda x, y: ra.broadcast_to(x, (50, *x.shape)),
    "broadcast_to, stretched": lambda x, y: ra.broadcast_to(x[:, :1], (x.shape[0], 50_000)),
    "meshgrid": lambda x, y: ra.meshgrid(x[0], y[:, 0])[0],
    "apply_along_axis": lambda x, y: ra.apply_along_axis(np.sum, 0, x),
    "take_along_axis": lambda x, y: ra.take_along_axis(x, (y * 5).astype(int), 0),
    "insert": lambda x, y: ra.insert(x, 3, 0, axis=0),
    "append": lambda x, y: ra.append(x, y, axis=0),
}


def largest(expr: ArrayExpr) -> float:
    """Bytes of the largest block; 0 where that is not known."""
    if any(map(is_unknown, expr.chunks)):
        return 0
    return math.prod(max(lengths) for lengths in expr.chunks) * expr.dtype.itemsize


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=5)
@given(shape=st.tuples(*[st.integers(1500, 6000)] * 2), grid=st.tuples(*[st.integers(2, 8)] * 2))
def test_blocks_grow_no_more_than_twice(name, shape, grid):
    chunks = tuple(-(-length // n) for length, n in zip(shape, grid))
    x, y = (ra.random.default_rng(seed).random(shape, chunks=chunks) for seed in (0, 1))
    given_to_it = {expr.name for expr in subexpressions([x.expr, y.expr])}
    limit = max(TIMES * largest(x.expr) * (2 if name.startswith("fft") else 1), SMALL_BLOCK)
    for expr in subexpressions([OPERATIONS[name](x, y).expr]):
        if isinstance(expr, ArrayExpr) and expr.name not in given_to_it:
            assert largest(expr) <= limit, f"{expr.name}: {expr.chunks}"


def test_blocks_that_broadcast_are_cut_and_give_what_numpy_gives():
    a, b = np.arange(300.0), np.arange(4000.0)
    x, y = ra.from_array(a, chunks=-1), ra.from_array(b, chunks=-1)
    product = x[:, None] * y
    assert product.npartitions > 4
    np.testing.assert_array_equal(product.compute(), a[:, None] * b)
    np.testing.assert_array_equal(ra.broadcast_to(x, (3000, 300)).compute(), np.broadcast_to(a, (3000, 300)))
    np.testing.assert_array_equal(ra.diag(y[:700]).compute(), np.diag(b[:700]))
    np.testing.assert_array_equal(ra.pad(x, 2, "mean").compute(), np.pad(a, 2, "mean"))
