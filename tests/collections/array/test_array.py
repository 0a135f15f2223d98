from __future__ import annotations

import numpy as np
import pytest

import restride as rs
import restride.array as ra
from tests.collections.array.strategies import assert_same


@pytest.fixture
def x():
    return ra.from_array(np.arange(24.0).reshape(4, 6), chunks=(2, 4))


def test_an_array_tells_what_it_is_without_computing(x):
    assert (x.shape, x.ndim, x.size, x.itemsize, x.nbytes) == ((4, 6), 2, 24, 8, 192)
    assert (x.chunks, x.chunksize, x.numblocks, x.npartitions) == (((2, 2), (4, 2)), (2, 4), (2, 2), 4)
    assert repr(x) == "<Array: shape (4, 6), float64, 4 chunks of (2, 4)>"
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1)) == ((4, 6), 2, 24, 6)


def test_an_array_has_an_html_repr(x):
    html = x._repr_html_()
    assert html.count("<path") == 2
    assert "192 B" in html
    assert "4 chunks" in html
    for other in (ra.zeros(()), ra.zeros(0), ra.zeros((3, 0)), ra.zeros(10, chunks=3), ra.zeros((2, 10**6), chunks=1)):
        assert len(other._repr_html_()) < 20_000


def test_several_arrays_compute_at_once(x):
    total, most = rs.compute(x.sum(), x.max())
    assert (total, most) == (276, 23)
    assert rs.compute() == ()


def test_only_collections_compute():
    with pytest.raises(TypeError, match="got int"):
        rs.compute(1)


def test_a_full_reduction_is_a_numpy_scalar(x):
    assert type(x.sum().compute()) is np.float64
    assert type(x.any().compute()) is np.bool


def test_numpy_can_convert_an_array(x):
    np.testing.assert_array_equal(np.asarray(x), np.arange(24.0).reshape(4, 6))
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(x, copy=False)


def test_an_array_of_one_element_is_a_python_scalar(x):
    one = x[1:2, 1:2]
    assert (float(one), int(one), complex(one), one.item()) == (7.0, 7, 7 + 0j, 7.0)
    assert bool(x[0, 1])
    assert not bool(x[0, 0])
    assert list(range(5))[ra.arange(5)[2]] == 2
    with pytest.raises(TypeError):
        range(5)[x[0, 0]]
    with pytest.raises(ValueError, match="this has 24"):
        bool(x)


def test_an_array_is_not_hashable_as_equality_is_elementwise(x):
    with pytest.raises(TypeError):
        hash(x)
    assert (x == x).all().compute()


def test_a_scalar_array_has_no_length():
    with pytest.raises(TypeError):
        len(ra.zeros(()))
    with pytest.raises(TypeError):
        iter(ra.zeros(()))


class TestPersist:
    def test_keeps_blocks_so_that_they_are_not_made_again(self):
        calls = []

        def slow(block):
            calls.append(1)
            return block + 1

        x = ra.ones(6, chunks=2).map_blocks(slow).persist()
        assert_same(x.sum(), np.asarray(12.0))
        assert_same(x[1:5] * 2, np.full(4, 4.0))
        assert len(calls) == 3

    def test_gives_arrays_of_the_same_kind(self, x):
        y, z = rs.persist(x + 1, x.sum())
        assert y.chunks == x.chunks
        assert_same(y, np.arange(24.0).reshape(4, 6) + 1)
        assert_same(z, np.asarray(276.0))
        assert_same(y.rechunk(3), np.arange(24.0).reshape(4, 6) + 1)

    def test_results_are_the_callers_own(self):
        x = ra.ones(3).persist()
        x.compute()[:] = 5
        assert_same(x, np.ones(3))
        x.map_blocks(lambda block: block).compute()[:] = 5
        assert_same(x, np.ones(3))


def test_an_exception_of_a_task_reaches_the_caller_with_the_users_line(x):
    y = x.map_blocks(lambda block: {}["missing"])
    with pytest.raises(KeyError, match="missing") as raised:
        y.compute()
    assert "test_array.py" in "\n".join(raised.value.__notes__)


def test_the_engine_goes_on_after_an_exception(x):
    with pytest.raises(ZeroDivisionError):
        x.map_blocks(lambda block: 1 / 0).compute()
    assert x.sum().compute() == 276
