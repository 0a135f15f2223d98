"""Published datasets: collections, and anything with futures in it, by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

import restride as rs
import restride.array as ra

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def nothing_stays(client: rs.Client) -> Iterator[None]:
    yield
    for name in client.list_datasets():
        client.unpublish_dataset(name)


def test_what_is_published_can_be_had_by_name(client: rs.Client) -> None:
    one, two = client.map(abs, [-1, -2])
    client.publish_dataset({"a": [one, (two, one)]}, name="numbers")
    client.publish_dataset(text="plain")
    assert client.list_datasets() == ["numbers", "text"]
    assert client.gather(client.get_dataset("numbers")) == {"a": [1, (2, 1)]}
    assert client.get_dataset("text") == "plain"


def test_it_outlives_the_futures_that_it_was_made_of(client: rs.Client) -> None:
    future = client.submit(np.arange, 1_000)
    client.publish_dataset(x=future)
    del future
    assert client.submit(abs, -1).result(PATIENCE) == 1
    assert client.submit(sum, client.get_dataset("x")).result(PATIENCE) == 499_500


def test_what_is_not_done_can_be_published_too(client: rs.Client) -> None:
    futures = client.map(abs, range(-50, 0))
    client.publish_dataset(x=futures)
    assert client.gather(client.get_dataset("x")) == list(range(50, 0, -1))


def test_a_failed_future_fails_for_whoever_gets_it(client: rs.Client) -> None:
    future = client.submit(divmod, 1, 0)
    rs.wait([future], PATIENCE)
    client.publish_dataset(x=future)
    with pytest.raises(ZeroDivisionError):
        client.get_dataset("x").result(PATIENCE)


def test_collections_can_be_published(client: rs.Client) -> None:
    (x,) = rs.persist(ra.arange(100, chunks=10) ** 2)
    client.publish_dataset(squares=x)
    del x
    assert client.get_dataset("squares").sum().compute() == sum(i * i for i in range(100))


def test_a_name_is_given_once_unless_it_is_overridden(client: rs.Client) -> None:
    client.publish_dataset(x=1)
    with pytest.raises(KeyError, match="'x' already"):
        client.publish_dataset(x=2)
    client.publish_dataset(2, name="x", override=True)
    assert client.get_dataset("x") == 2


def test_a_name_that_is_not_there_is_a_key_error(client: rs.Client) -> None:
    client.publish_dataset(x=1)
    client.unpublish_dataset("x")
    for ask in (client.get_dataset, client.unpublish_dataset):
        with pytest.raises(KeyError, match="no dataset 'x'"):
            ask("x")


def test_a_value_has_one_name(client: rs.Client) -> None:
    for publish in (lambda: client.publish_dataset(1), lambda: client.publish_dataset(1, 2, name="x")):
        with pytest.raises(TypeError, match="one value with its name="):
            publish()


def test_elsewhere_a_future_cannot_be_pickled_and_says_what_to_do(client: rs.Client) -> None:
    class Holder:
        def __init__(self, future: rs.Future) -> None:
            self.future = future

    future = client.submit(abs, -1)
    with pytest.raises(TypeError, match="publish_dataset"):
        future.__reduce__()
    if not client.in_process:
        with pytest.raises(rs.SerializationError, match="a future cannot be pickled"):
            client.submit(len, Holder(future))


def test_what_cannot_be_pickled_cannot_be_published_to_others(client: rs.Client) -> None:
    if client.in_process:
        lock = threading.Lock()
        client.publish_dataset(x=lock)
        assert client.get_dataset("x") is lock
    else:
        with pytest.raises(rs.SerializationError, match="and so not published"):
            client.publish_dataset(x=threading.Lock())
