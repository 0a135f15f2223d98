"""Futures among the arguments of calls."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs

PATIENCE = 20.0


def same(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def test_futures_stand_for_their_results_anywhere_in_the_arguments(client: rs.Client) -> None:
    one, two = client.map(abs, [-1, -2])
    future = client.submit(same, one, [two, (one, {"k": two})], {one}, key={"a": [[two]]})
    assert future.result(PATIENCE) == ((1, [2, (1, {"k": 2})], {1}), {"key": {"a": [[2]]}})


def test_one_future_may_stand_in_many_places(client: rs.Client) -> None:
    future = client.submit(list, "ab")
    (first, (second, third)), _ = client.submit(same, future, (future, future)).result(PATIENCE)
    assert first is second is third


def test_map_fills_in_futures_among_elements_and_keywords(client: rs.Client) -> None:
    one, two = client.map(abs, [-1, -2])
    futures = client.map(same, [one, 5], [[two], [6]], key=two)
    assert client.gather(futures) == [((1, [2]), {"key": 2}), ((5, [6]), {"key": 2})]


def test_arguments_without_futures_are_handed_over_as_they_are(near: rs.Client) -> None:
    arguments = ([1], {"a": 1}, OrderedDict(b=2))
    (args, kwargs) = near.submit(same, *arguments, key=arguments).result(PATIENCE)
    assert all(ours is theirs for ours, theirs in zip(args, arguments))
    assert kwargs["key"] is arguments


def test_arguments_are_not_changed_by_filling_in(client: rs.Client) -> None:
    future = client.submit(abs, -1)
    argument = [future, {"a": future}]
    assert client.submit(same, argument).result(PATIENCE) == (([1, {"a": 1}],), {})
    assert argument == [future, {"a": future}]


def test_a_call_fails_with_what_the_future_among_its_arguments_failed_with(near: rs.Client) -> None:
    ran: list[object] = []
    failed = near.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        near.submit(ran.append, [failed]).result(PATIENCE)
    assert ran == []


def test_arguments_that_cannot_be_walked_fail_at_the_call_and_harm_nothing(client: rs.Client) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RecursionError):
        client.submit(len, endless)
    assert client.submit(len, [1]).result(PATIENCE) == 1


def test_a_function_without_a_name_can_be_called(client: rs.Client) -> None:
    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    assert client.submit(Adder(), 1).result(PATIENCE) == 2


@pytest.fixture(scope="module")
def inline() -> Any:
    with rs.Client("inline") as client:
        yield client


NESTED = st.recursive(
    st.integers(0, 9),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=1), inner, max_size=3),
        st.sets(st.integers(0, 9), max_size=3),
    ),
    max_leaves=12,
)


@given(value=NESTED, which=st.sets(st.integers(0, 9)))
def test_any_structure_with_futures_in_it_arrives_as_it_is_gathered(
    inline: rs.Client, value: Any, which: set[int]
) -> None:
    def with_futures(value: Any) -> Any:
        match value:
            case int():
                return inline.submit(int, value) if value in which else value
            case dict():
                return {key: with_futures(item) for key, item in value.items()}
            case _:
                return type(value)(map(with_futures, value))

    structure = with_futures(value)
    assert inline.gather(structure) == value
    assert inline.submit(same, structure, key=structure).result() == ((value,), {"key": value})
