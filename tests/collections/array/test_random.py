from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.lowering import lower
from tests.collections.array.strategies import assert_same, broadcasting_pairs

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
    "f": ({"dfnum": 4, "dfden": 20}, 20 / 18, 2 * 400 * 22 / (4 * 324 * 16)),
    "gumbel": ({"loc": 0, "scale": 1}, np.euler_gamma, np.pi**2 / 6),
    "hypergeometric": ({"ngood": 10, "nbad": 30, "nsample": 8}, 2, 8 * 0.25 * 0.75 * 32 / 39),
    "logistic": ({"loc": 1, "scale": 1}, 1, np.pi**2 / 3),
    "logseries": ({"p": 0.5}, 1 / np.log(2), (1 / np.log(2)) * (2 - 1 / np.log(2))),
    "negative_binomial": ({"n": 5, "p": 0.5}, 5, 10),
    "noncentral_chisquare": ({"df": 3, "nonc": 2}, 5, 14),
    "pareto": ({"a": 9}, 1 / 8, 9 / (64 * 7)),
    "power": ({"a": 2}, 2 / 3, 1 / 18),
    "rayleigh": ({"scale": 1}, np.sqrt(np.pi / 2), 2 - np.pi / 2),
    "standard_t": ({"df": 20}, 0, 20 / 18),
    "triangular": ({"left": 0, "mode": 1, "right": 2}, 1, 1 / 6),
    "wald": ({"mean": 1, "scale": 2}, 1, 1 / 2),
    "permutation": None,
    "shuffle": None,
    "spawn": None,
}
# Those without a mean or a variance that a test can rely on, and those that draw vectors.
OTHERS = {
    "dirichlet": {"alpha": [1, 2, 3]},
    "multinomial": {"n": 10, "pvals": [0.2, 0.3, 0.5]},
    "multivariate_hypergeometric": {"colors": [5, 6, 7], "nsample": 4},
    "multivariate_normal": {"mean": [0, 1], "cov": [[1, 0], [0, 2]]},
    "noncentral_f": {"dfnum": 3, "dfden": 20, "nonc": 1},
    "standard_cauchy": {},
    "vonmises": {"mu": 0, "kappa": 1},
    "zipf": {"a": 3},
}


@pytest.fixture
def rng():
    return ra.random.default_rng(0)


@pytest.mark.parametrize("name", [name for name, about in DISTRIBUTIONS.items() if about])
def test_a_distribution_has_the_mean_variance_and_dtype_it_should(rng, name):
    kwargs, mean, variance = DISTRIBUTIONS[name]
    x = getattr(rng, name)(size=(100, 1000), chunks=(17, 250), **kwargs)
    values = x.compute()
    assert x.dtype == values.dtype == getattr(np.random.default_rng(0), name)(size=2, **kwargs).dtype
    error = np.sqrt(variance / values.size)
    assert abs(values.mean() - mean) < 5 * error
    assert abs(values.var() / variance - 1) < 0.1


@pytest.mark.parametrize("name", OTHERS)
def test_draws_have_the_shape_and_dtype_that_numpys_have(rng, name):
    expected = getattr(np.random.default_rng(0), name)(size=(6, 5), **OTHERS[name])
    x = getattr(rng, name)(size=(6, 5), chunks=(2, 3, *expected.shape[2:]), **OTHERS[name])
    assert_same(x, x.compute())
    assert (x.shape, x.dtype) == (expected.shape, expected.dtype)
    if name in ("multinomial", "multivariate_hypergeometric"):
        assert (x.sum(axis=-1) == expected.sum(axis=-1)).all().compute()


def test_every_method_of_a_generator_is_tested_here():
    methods = {name for name in dir(ra.random.Generator) if not name.startswith("_")}
    assert methods == {*DISTRIBUTIONS, *OTHERS}


def test_there_is_every_distribution_that_numpy_has():
    missing = {name for name in dir(np.random.Generator) if not name.startswith("_")} - set(dir(ra.random.Generator))
    assert missing == {"bit_generator", "bytes", "permuted"}


@given(broadcasting_pairs(2, dtypes=["f8"]), st.booleans())
def test_parameters_may_be_arrays_that_broadcast(made, lazy):
    (a, x), (b, y) = made
    rng = ra.random.default_rng(3)
    drawn = rng.normal(x, abs(y) * 1e-9) if lazy else rng.normal(a, abs(b) * 1e-9)
    assert_same(drawn, a + np.zeros_like(b), rtol=1e-6)


def test_each_element_is_drawn_with_its_own_parameters_wherever_its_block_is(rng):
    lam = np.array([[1.0], [100.0], [10_000.0]])
    x = rng.poisson(ra.from_array(lam, chunks=(2, 1)), size=(3, 1000), chunks=(2, 300))
    means = x.mean(axis=1).compute()
    np.testing.assert_allclose(means, lam[:, 0], rtol=0.2)
    assert_same(rng.integers([1, 5], [2, 6], size=(4, 2)), np.array([[1, 5]] * 4))
    with pytest.raises(ValueError, match="broadcast"):
        rng.normal(np.zeros(3), size=(2, 2))


def test_permutations_have_every_element_once(rng):
    x = np.arange(24).reshape(8, 3)
    lazy = ra.from_array(x, chunks=(3, 2))
    for axis in (0, 1):
        shuffled = rng.permutation(lazy, axis=axis).compute()
        np.testing.assert_array_equal(np.sort(shuffled, axis), x)
        assert (np.diff(np.sort(shuffled, 1 - axis), axis=axis) != 0).any()
    assert sorted(rng.permutation(100, chunks=30).compute().tolist()) == list(range(100))
    rng.shuffle(lazy)
    np.testing.assert_array_equal(np.sort(lazy.compute(), 0), x)
    with pytest.raises(TypeError, match="only an Array"):
        rng.shuffle([1, 2])


def test_choice_without_replacement_takes_nothing_twice(rng):
    assert sorted(rng.choice(10, 10, replace=False).compute().tolist()) == list(range(10))
    taken = rng.choice(ra.arange(100, chunks=30), (5, 4), replace=False)
    assert taken.shape == (5, 4)
    assert len(set(taken.compute().ravel().tolist())) == 20
    with pytest.raises(ValueError, match="larger sample"):
        rng.choice(3, 5, replace=False)


def test_choice_takes_along_an_axis(rng):
    x = np.arange(12).reshape(3, 4)
    columns = rng.choice(x, 50, axis=1).compute()
    assert columns.shape == (3, 50)
    assert {tuple(column) for column in columns.T} <= {tuple(column) for column in x.T}
    assert set(rng.choice(ra.arange(5), 30).compute().tolist()) <= set(range(5))


def test_children_of_a_generator_are_independent(rng):
    one, other = rng.spawn(2)
    assert not (one.random(50) == other.random(50)).any().compute()


def test_a_random_state_draws_the_same_again_once_it_has_the_same_seed():
    state = ra.random.RandomState(3)
    first = [state.randint(0, 9, 20, chunks=7).compute(), state.normal(size=5).compute()]
    state.seed(3)
    np.testing.assert_array_equal(state.randint(0, 9, 20, chunks=7).compute(), first[0])
    np.testing.assert_array_equal(state.normal(size=5).compute(), first[1])
    assert not np.array_equal(ra.random.RandomState(4).normal(size=5).compute(), first[1])


def test_the_functions_of_the_module_follow_its_seed():
    ra.random.seed(5)
    first = ra.random.random((10, 10), chunks=3).compute()
    ra.random.seed(5)
    np.testing.assert_array_equal(ra.random.random((10, 10), chunks=3).compute(), first)
    ra.random.seed()


def test_legacy_names_mean_what_they_mean_in_numpy():
    state = ra.random.RandomState(0)
    assert state.rand(2, 3).shape == state.randn(2, 3).shape == (2, 3)
    assert state.rand().shape == ()
    assert set(state.random_integers(2, size=100).compute().tolist()) == {1, 2}
    assert set(state.randint(2, size=100).compute().tolist()) == {0, 1}
    assert state.tomaxint(5).compute().min() >= 0
    assert state.random_sample(4).dtype == np.float64
    missing = {name for name in dir(np.random.RandomState) if not name.startswith("_")} - set(dir(state))
    assert missing == {"bytes", "dirichlet", "get_state", "multivariate_normal", "set_state"}


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
    with pytest.raises(ValueError, match="scale < 0"):
        rng.normal(0, -1, size=3)
    with pytest.raises(ValueError, match="low >= high"):
        rng.integers(5, 2, 3)
    with pytest.raises(ValueError, match="sequence or an integer"):
        rng.choice(np.array(2.0), 3)
    with pytest.raises(ValueError, match="scale < 0"):
        rng.normal(0, [1, -1])
    with pytest.raises(rs.ChunkError, match="one block"):
        rng.multinomial(3, [0.5, 0.5], size=4, chunks=(2, 1))
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
