"""The store: outputs, and the bytes that they really keep alive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.worker.sizes import size_of
from restride.engine.worker.store import WASTE, Store

FAT = 8_000
"""Bytes of the buffers here."""


def fat() -> np.ndarray:
    return np.random.default_rng(0).random(FAT // 8)


def arrive(store: Store, outputs: dict[int, Any]) -> None:
    """As compute threads do: measure, copy what would be waste, put."""
    sizes = []
    for id, value in outputs.items():
        size = size_of(value)
        if store.is_waste(size):
            outputs[id] = value.copy()
            size = size_of(outputs[id])
        sizes.append(size)
    store.put(list(outputs), list(outputs.values()), sizes)


def root(value: np.ndarray) -> np.ndarray:
    while isinstance(value.base, np.ndarray):
        value = value.base
    return value


def bytes_kept_alive(store: Store) -> int:
    """By following every output to its buffer, each buffer once."""
    return sum(buffer.nbytes for buffer in {id(root(store[at])): root(store[at]) for at in store}.values())


def test_outputs_come_and_go_by_id() -> None:
    store = Store()
    arrive(store, {3: "three", 5: [5]})
    assert (3 in store, 4 in store, len(store), list(store), store[3]) == (True, False, 2, [3, 5], "three")
    assert store.take([5, 3, 5]) == [[5], "three", [5]]
    store.drop([3])
    assert list(store) == [5]
    with pytest.raises(KeyError):
        store.take([5, 3])
    with pytest.raises(KeyError):
        store.drop([3])


def test_views_of_one_buffer_share_its_bytes() -> None:
    store = Store()
    whole = fat()
    arrive(store, {0: whole})
    arrive(store, {1: whole[: FAT // 16], 2: whole[::2], 3: whole.reshape(10, -1).T})
    assert store.nbytes == FAT
    store.drop([0])
    assert store.nbytes == FAT
    store.drop([1, 2, 3])
    assert store.nbytes == 0


def test_the_same_array_twice_is_held_once() -> None:
    store = Store()
    whole = fat()
    arrive(store, {0: whole, 1: whole})
    assert store.nbytes == FAT
    store.drop([0])
    assert store.nbytes == FAT
    store.drop([1])
    assert store.nbytes == 0


def test_a_thin_view_of_what_nobody_holds_is_copied_when_it_comes() -> None:
    store = Store()
    thin = fat()[:10]
    arrive(store, {0: thin})
    assert store.nbytes == 80
    assert not np.shares_memory(store[0], thin)
    np.testing.assert_array_equal(store[0], thin)


def test_a_view_that_shows_enough_of_its_buffer_is_kept_as_it_is() -> None:
    store = Store()
    view = fat()[: FAT // 8 // WASTE]
    arrive(store, {0: view})
    assert store[0] is view
    assert store.nbytes == FAT


def test_a_thin_view_of_what_is_held_is_copied_once_that_goes() -> None:
    store = Store()
    whole = fat()
    thin = whole[:10]
    arrive(store, {0: whole})
    arrive(store, {1: thin})
    assert store[1] is thin
    store.drop([0])
    assert store.nbytes == 80
    assert not np.shares_memory(store[1], whole)
    np.testing.assert_array_equal(store[1], thin)
    store.drop([1])
    assert store.nbytes == 0


def test_once_the_whole_has_gone_views_may_keep_little_more_than_they_show() -> None:
    store, whole = Store(), fat()
    arrive(store, {0: whole, 1: whole[: len(whole) // 4], 2: whole[:3]})
    store.drop([2])
    assert store[1].base is whole
    store.drop([0])
    assert store[1].base is None
    assert store.nbytes == FAT // 4


def test_a_thin_view_whose_buffer_goes_while_it_is_on_its_way_is_copied() -> None:
    store = Store()
    whole = fat()
    arrive(store, {0: whole})
    thin = whole[:10]
    size = size_of(thin)
    assert not store.is_waste(size)
    store.drop([0])
    store.put([1], [thin], [size])
    assert store.nbytes == 80
    assert not np.shares_memory(store[1], whole)


def test_a_view_of_a_copy_shares_the_bytes_of_the_copy() -> None:
    store = Store()
    whole = fat()
    arrive(store, {0: whole})
    arrive(store, {1: whole[:10]})
    store.drop([0])
    arrive(store, {2: store[1][::2]})
    assert store.nbytes == 80


def test_views_that_go_together_leave_nothing() -> None:
    store = Store()
    whole = fat()
    arrive(store, {0: whole})
    arrive(store, {id: whole[id : id + 50] for id in range(1, 20)})
    store.drop(range(20))
    assert (store.nbytes, len(store)) == (0, 0)


def test_what_shares_nothing_counts_by_itself() -> None:
    store = Store()
    arrive(store, {0: 1.5, 1: "text", 2: [1, 2]})
    assert store.nbytes > 0
    store.drop([0, 1, 2])
    assert store.nbytes == 0


cuts = st.tuples(st.integers(0, 90), st.integers(1, 100), st.sampled_from([1, 2, 3]))


@given(st.lists(st.tuples(st.sampled_from(["new", "view", "view", "drop"]), st.integers(0, 99), cuts), max_size=40))
def test_store_counts_what_is_kept_alive_whatever_comes_and_goes(
    steps: list[tuple[str, int, tuple[int, int, int]]],
) -> None:
    store = Store()
    expected: dict[int, np.ndarray] = {}
    for id, (step, which, (start, stop, stride)) in enumerate(steps):
        held = sorted(expected)
        if step == "drop" and held:
            gone = held[which % len(held)]
            store.drop([gone])
            del expected[gone]
        elif step == "view" and held:
            view = store[held[which % len(held)]][start:stop:stride]
            expected[id] = view.copy()
            arrive(store, {id: view})
        else:
            value = np.arange(id, id + 100.0)
            expected[id] = value.copy()
            arrive(store, {id: value})
        assert sorted(store) == sorted(expected)
        for at, value in expected.items():
            np.testing.assert_array_equal(store[at], value)
        assert store.nbytes == bytes_kept_alive(store)
        assert store.nbytes <= WASTE * sum(value.nbytes for value in expected.values())
