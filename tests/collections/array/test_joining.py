"""Stacks, blocks, tiles, repeats and padding, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from tests.collections.array.strategies import NUMBERS, assert_same, pairs, shapes

MODES = [
    "constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap",
]  # fmt: skip


@given(st.data(), st.sampled_from(["vstack", "hstack", "dstack", "column_stack"]))
def test_stacks_are_numpys(data, name):
    shape = data.draw(shapes(min_dims=0, max_dims=3, max_side=4))
    made = [data.draw(pairs(shape=shape)) for _ in range(data.draw(st.integers(1, 3)))]
    expected = getattr(np, name)([x for x, _ in made])
    assert_same(getattr(ra, name)([lazy for _, lazy in made]), expected)
    assert_same(getattr(np, name)([lazy for _, lazy in made]), expected)


def test_block_puts_nested_lists_together_as_numpy_does():
    rng = np.random.default_rng(0)
    parts = [[rng.random((2, 3)), rng.random((2, 1))], [rng.random((4, 4))]]
    lazy = [[ra.from_array(x, chunks=2) for x in row] for row in parts]
    assert_same(ra.block(lazy), np.block(parts))
    assert_same(ra.block([1, np.arange(3), ra.zeros(2)]), np.block([1, np.arange(3), np.zeros(2)]))
    assert_same(ra.block(ra.ones(3)), np.ones(3))
    deep = [[[np.ones((1, 2, 2))]], [[np.zeros((2, 2, 2))]]]
    assert_same(ra.block([[[ra.asarray(x)] for x in rows[0]] for rows in deep]), np.block(deep))


@pytest.mark.parametrize(
    ("arrays", "error"),
    [([], ValueError), ([[1], 2], ValueError), (([1],), TypeError), ([[np.ones(2)], [np.ones(3)]], ValueError)],
)
def test_blocks_that_do_not_fit_are_errors(arrays, error):
    with pytest.raises(error):
        np.block(arrays)
    with pytest.raises(error):
        ra.block(arrays)


@given(pairs(max_dims=3, max_side=4), st.lists(st.integers(0, 3), max_size=4) | st.integers(0, 3))
def test_tile_is_numpys(pair, reps):
    x, lazy = pair
    assert_same(ra.tile(lazy, reps), np.tile(x, reps))


@given(pairs(max_dims=3, max_side=5), st.data())
def test_repeat_is_numpys(pair, data):
    x, lazy = pair
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1)) if x.ndim else None
    n = x.size if axis is None else x.shape[axis]
    repeats = data.draw(st.integers(0, 9) | st.lists(st.integers(0, 9), min_size=n, max_size=n).map(np.int64))
    assert_same(lazy.repeat(repeats, axis), np.repeat(x, repeats, axis))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 100))
def test_repeating_does_not_make_blocks_more_than_twice_as_large(length, chunk, times):
    x = ra.arange(length, chunks=chunk)
    assert max(ra.repeat(x, times).chunks[0]) <= 2 * max(x.chunks[0])


@pytest.mark.parametrize(
    ("repeats", "error"), [(-1, ValueError), ([1, 2], ValueError), ([[1, 2, 3]], ValueError), (1.5, TypeError)]
)
def test_repeats_that_do_not_fit_are_errors(repeats, error):
    with pytest.raises(error):
        ra.repeat(ra.arange(3), repeats)


@given(pairs(dtypes=NUMBERS, min_dims=1, max_dims=3, max_side=5), st.sampled_from(MODES), st.data())
def test_padding_is_numpys(pair, mode, data):
    x, lazy = pair
    widths = [data.draw(st.tuples(st.integers(0, 8), st.integers(0, 8))) for _ in x.shape]
    options = {}
    if mode == "constant":
        options["constant_values"] = [(k, k + 1) for k in range(x.ndim)]
    elif mode == "linear_ramp":
        options["end_values"] = 4
    elif mode in ("maximum", "mean", "median", "minimum"):
        options["stat_length"] = data.draw(st.none() | st.integers(1, 4))
    elif mode in ("reflect", "symmetric"):
        options["reflect_type"] = data.draw(st.sampled_from(["even", "odd"]))
    try:
        expected = np.pad(x, widths, mode, **options)
    except ValueError:
        with pytest.raises(ValueError, match="empty axis"):
            ra.pad(lazy, widths, mode, **options)
        return
    assert_same(ra.pad(lazy, widths, mode, **options), expected, rtol=1e-6 if mode in ("mean", "linear_ramp") else 0)


def test_padding_is_in_blocks_no_longer_than_those_there_are():
    x = ra.ones((100, 100), chunks=10)
    for mode in MODES:
        assert max(ra.pad(x, 95, mode).chunksize) <= 20


def test_padding_takes_widths_in_all_spellings_and_functions():
    x = np.arange(12).reshape(3, 4)
    lazy = ra.from_array(x, chunks=2)
    for width in (2, (1, 2), ((1, 2), (3, 0)), ((2,), (1,)), {0: 1}, {-1: (2, 1)}):
        assert_same(ra.pad(lazy, width), np.pad(x, width))
    assert ra.pad(lazy, 1, "empty").shape == (5, 6)

    def fill(vector, width, axis, options):
        vector[: width[0]] = options.get("padder", 7) + axis
        vector[vector.size - width[1] :] = 8

    assert_same(ra.pad(lazy, (1, 2), fill, padder=3), np.pad(x, (1, 2), fill, padder=3))


@pytest.mark.parametrize(
    ("width", "mode", "options", "error"),
    [
        (-1, "edge", {}, ValueError),
        (1.5, "edge", {}, TypeError),
        (((1, 1),) * 3, "edge", {}, ValueError),
        (1, "sideways", {}, ValueError),
        (1, "edge", {"constant_values": 1}, ValueError),
        (1, "mean", {"stat_length": -1}, ValueError),
    ],
)
def test_padding_raises_at_the_call_what_numpy_raises(width, mode, options, error):
    with pytest.raises(error):
        np.pad(np.ones((3, 3)), width, mode, **options)
    with pytest.raises(error):
        ra.pad(ra.ones((3, 3)), width, mode, **options)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ra.repeat(x, 3),
        lambda x: ra.pad(x, 2, "linear_ramp"),
        lambda x: ra.pad(x, 2, "mean"),
        lambda x: ra.sliding_window_view(x, 2),
        lambda x: x.view("i4"),
        lambda x: ra.frompyfunc(hex, 1, 1)(x),
        lambda x: x.map_overlap(np.negative, 1, "reflect"),
    ],
)
def test_the_same_call_is_the_same_expression_and_is_computed_once(call):
    x = ra.arange(12, chunks=4)
    assert call(x).name == call(x).name
