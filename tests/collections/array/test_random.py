from __future__ import annotations

import pickle

import numpy as np
import pytest

import restride as rs
import restride.array as ra
from restride.collections.lowering import lower
from tests.collections.array.strategies import assert_same

# For each distribution its arguments, its mean, and its variance.
DISTRIBUTIONS = {
    "random": ({}, 1 / 2, 1 / 12),
    "uniform": ({"low": -1, "high": 3}, 1, 16 / 12),
    "integers": ({"low": 1, "high": 6, "endpoint": True}, 3.5, 35 / 12),
    "choice": ({"a": [0, 10], "p": [0.75, 0.25]}, 2.5, 18.75),
    "standard_normal": ({}, 0, 1),
    "normal": ({"loc": 3, "scale": 2}, 3, 4),
    "lognormal": ({"mean": 0, "sigma": 0.5}, np.exp(0.125), (np.exp(0.25) - 1) * np.exp(0.25)),
    "standard_exponential": ({}, 1, 1),
    "exponential": ({"scale": 3}, 3, 9),
    "standard_gamma": ({"shape": 2}, 2, 2),
    "gamma": ({"shape": 2, "scale": 3}, 6, 18),
    "beta": ({"a": 2, "b": 2}, 1 / 2, 1 / 20),
    "chisquare": ({"df": 4}, 4, 8),
    "laplace": ({"loc": 1, "scale": 2}, 1, 8),
    "weibull": ({"a": 1}, 1, 1),
    "binomial": ({"n": 10, "p": 0.3}, 3, 2.1),
    "geometric": ({"p": 0.5}, 2, 2),
    "poisson": ({"lam": 4}, 4, 4),
}


@pytest.fixture
def rng():
    return ra.random.default_rng(0)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_has_the_mean_variance_and_dtype_it_should(rng, name):
    kwargs, mean, variance = DISTRIBUTIONS[name]
    x = getattr(rng, name)(size=(100, 1000), chunks=(17, 250), **kwargs)
    values = x.compute()
    assert x.dtype == values.dtype == getattr(np.random.default_rng(0), name)(size=2, **kwargs).dtype
    error = np.sqrt(variance / values.size)
    assert abs(values.mean() - mean) < 5 * error
    assert abs(values.var() / variance - 1) < 0.1


def test_every_method_of_a_generator_is_tested_here():
    assert {name for name in vars(ra.random.Generator) if not name.startswith("_")} == set(DISTRIBUTIONS)


def test_blocks_are_independent(rng):
    blocks = rng.standard_normal((64, 1000), chunks=(1, 1000)).compute()
    correlations = np.corrcoef(blocks)[np.triu_indices(64, 1)]
    assert abs(correlations).max() < 5 / np.sqrt(1000)


def test_two_calls_give_different_numbers(rng):
    assert not (rng.random(100) == rng.random(100)).any().compute()


def test_the_same_seed_gives_the_same_sequence_of_arrays():
    one, other = (ra.random.default_rng(7) for _ in range(2))
    for _ in range(3):
        x, y = (r.normal(size=(20, 20), chunks=7) for r in (one, other))
        assert x.name == y.name
        assert_same(x, y.compute())


def test_other_seeds_give_other_numbers():
    seeds = [None, None, 0, 1, [0, 1], np.random.SeedSequence(0).spawn(1)[0]]
    drawn = [ra.random.default_rng(seed).random().compute() for seed in seeds]
    assert len(set(drawn)) == len(seeds)


def test_a_seed_sequence_is_as_good_as_its_entropy():
    x = ra.random.default_rng(np.random.SeedSequence(5)).random(4, chunks=2)
    assert_same(x, ra.random.default_rng(5).random(4, chunks=2).compute())


def test_an_array_computed_again_is_the_same(rng):
    x = ra.random.default_rng().random(100, chunks=10)
    assert_same(x, x.compute())


def test_the_numbers_do_not_depend_on_where_and_by_how_many_threads_they_are_drawn(rng):
    x = rng.integers(0, 2**40, (300, 10), chunks=(7, 3))
    with rs.Client("inline"):
        expected = x.compute()
    for threads in (1, 2, 5):
        with rs.Client(threads=threads):
            assert_same(x, expected)


def test_a_part_of_an_array_has_the_numbers_of_the_whole(rng):
    x = rng.random((30, 30), chunks=10)
    assert_same(x[12:25, 3], x.compute()[12:25, 3])
    assert_same(x.rechunk(7), x.compute())


def test_the_stream_of_a_block_is_that_of_the_call_and_the_number_of_the_block():
    x = ra.random.default_rng(0).integers(0, 1000, 6, chunks=3)
    stream = [np.random.SFC64(np.random.SeedSequence(0, spawn_key=(0, block))) for block in range(2)]
    assert_same(x, np.concatenate([np.random.Generator(bits).integers(0, 1000, 3) for bits in stream]))


def test_drawing_runs_in_the_task_that_uses_the_block(rng):
    graph, _ = lower([rng.random(1000, chunks=10).sum().expr])
    assert "random-sum" in graph.layers[0].name
    assert len(graph.layers[0]) == 100


def test_the_kernel_can_travel(rng):
    graph, _ = lower([rng.choice(["a", "b"], 10, chunks=5).expr])
    kernel = pickle.loads(pickle.dumps(graph.layers[0].kernel))
    np.testing.assert_array_equal(kernel([5, 0]), graph.layers[0].kernel([5, 0]))


def test_without_a_size_there_is_one_number(rng):
    assert rng.random().shape == ()
    assert 0 <= rng.random().compute() < 1


def test_single_precision_where_numpy_has_it(rng):
    for name in ("random", "standard_normal", "standard_exponential"):
        assert getattr(rng, name)(10, dtype="f4").compute().dtype == np.float32
    assert rng.integers(5, size=10, dtype="u1").compute().dtype == np.uint8


def test_choice_does_not_change_with_the_list_it_was_given(rng):
    values = np.array([1, 2])
    x = rng.choice(values, 10)
    values[:] = 9
    assert set(x.compute().tolist()) <= {1, 2}


def test_functions_without_a_generator_draw_fresh_numbers():
    assert not (ra.random.random(10, chunks=5) == ra.random.random(10, chunks=5)).any().compute()
    assert ra.random.normal(5, 1, size=(3, 4), chunks=2).shape == (3, 4)
    for name in ("uniform", "standard_normal", "poisson"):
        assert getattr(ra.random, name)(size=3).compute().shape == (3,)
    assert ra.random.integers(0, 3, size=3).compute().shape == (3,)


def test_a_generator_is_its_own_default_rng(rng):
    assert ra.random.default_rng(rng) is rng


def test_mistakes_are_errors_at_the_call(rng):
    with pytest.raises(TypeError, match="loc of normal must be a scalar, got list"):
        rng.normal([1, 2])
    with pytest.raises(TypeError, match="lam of poisson must be a scalar, got Array"):
        rng.poisson(ra.ones(3))
    with pytest.raises(ValueError, match="scale < 0"):
        rng.normal(0, -1, size=3)
    with pytest.raises(ValueError, match="low >= high"):
        rng.integers(5, 2, 3)
    with pytest.raises(ValueError, match="with replacement only"):
        rng.choice(10, 3, replace=False)
    with pytest.raises(ValueError, match="1-d array, got one of shape"):
        rng.choice([[1, 2]], 3)
    with pytest.raises(ValueError, match="do not sum to 1"):
        rng.choice(2, 3, p=[1, 1])
    with pytest.raises(TypeError, match="Unsupported dtype"):
        rng.random(3, dtype=int)
    with pytest.raises(ValueError, match="non-negative"):
        rng.random(-1)
    with pytest.raises(rs.ChunkError):
        rng.random(3, chunks=(2, 2))
    with pytest.raises(ValueError, match="non-negative"):
        ra.random.default_rng(-1)
    with pytest.raises(TypeError):
        ra.random.default_rng("seed")
