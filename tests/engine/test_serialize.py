"""Values, functions and exceptions survive the way to another process, or say why they cannot."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from restride.engine.serialize import (
    OUT_OF_BAND,
    RemoteTraceback,
    dump_exception,
    dump_function,
    dump_value,
    dump_values,
    load_exception,
    load_function,
    load_value,
    load_values,
)
from restride.errors import RestrideError, SerializationError, TaskError


class Stubborn:
    def __getstate__(self) -> Any:
        raise ArithmeticError("not today")


class TwoArgumentsError(Exception):
    def __new__(cls, code: int, text: str) -> Self:
        return super().__new__(cls, code, text)

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise ArithmeticError("cannot be shown")


def raised(exception: BaseException) -> BaseException:
    try:
        raise exception
    except type(exception) as error:
        return error


@given(
    st.lists(st.one_of(st.none(), st.text(max_size=5), hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(max_side=4))))
)
def test_values_survive(values: list[Any]) -> None:
    for again in (load_values(*dump_values(values)), load_value(dump_value(values))):
        assert len(again) == len(values)
        for before, after in zip(values, again):
            assert type(before) is type(after)
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((100, 100)),
        np.zeros((100, 100), order="F"),
        np.zeros((200, 200))[::2, ::2],
        np.zeros((4, 100, 50)).transpose(1, 0, 2),
        np.broadcast_to(np.float64(3.0), (100, 100)),
        np.arange(10_000)[::-1],
    ],
    ids=["c", "fortran", "strided", "transposed", "broadcast", "reversed"],
)
def test_buffers_of_arrays_travel_beside_the_pickle_whatever_their_layout(array: np.ndarray[Any, Any]) -> None:
    head, buffers = dump_values([array])
    assert len(head) < 500
    assert [buffer.nbytes for buffer in buffers] == [array.nbytes]
    assert all(buffer.ndim == 1 and buffer.itemsize == 1 for buffer in buffers)
    (again,) = load_values(head, [bytearray(buffer) for buffer in buffers])
    np.testing.assert_array_equal(again, array)
    assert again.flags.writeable


def test_contiguous_arrays_are_not_copied() -> None:
    array = np.arange(10_000)
    _, (buffer,) = dump_values([array])
    assert np.shares_memory(np.frombuffer(buffer, array.dtype), array)


def test_small_buffers_stay_in_the_pickle() -> None:
    small, large = np.zeros(OUT_OF_BAND - 1, np.uint8), np.zeros(OUT_OF_BAND, np.uint8)
    _, buffers = dump_values([small, large])
    assert len(buffers) == 1
    assert isinstance(dump_value(large), bytes)


def test_functions_travel_by_value() -> None:
    factor = 3
    assert load_function(dump_function(lambda x: factor * x))(2) == 6
    (scale,) = load_values(*dump_values([lambda x: factor * x]))
    assert scale(2) == 6


def test_what_is_defined_in_main_can_be_loaded_where_main_is_another_module() -> None:
    script = """
import sys, numpy as np
from restride.engine.serialize import *
class Point:
    def __init__(self, x): self.x = x
class Odd(Exception): pass
def double(point): return 2 * point.x
head, buffers = dump_values([Point(np.arange(10_000))])
parts = [head, *buffers, dump_function(double), dump_exception(Odd("odd"))]
print(*(bytes(part).hex() for part in parts))
"""
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    head, buffer, function, exception = map(bytes.fromhex, output.split())
    (point,) = load_values(head, [buffer])
    np.testing.assert_array_equal(load_function(function)(point), 2 * np.arange(10_000))
    assert type(load_exception(exception)).__name__ == "Odd"


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (threading.Lock(), "a value of type _thread.lock cannot be pickled.*TypeError"),
        (Stubborn(), "a value of type .*Stubborn cannot be pickled.*ArithmeticError: not today"),
        ([1, [threading.Lock()]], "a value of type list cannot be pickled"),
        ((n for n in ()), "'.*', a generator, cannot be pickled"),
    ],
)
def test_what_cannot_be_pickled_is_named(value: Any, match: str) -> None:
    for dump in (dump_value, lambda value: dump_values([1, value, 2]), lambda value: dump_function(lambda: value)):
        with pytest.raises(SerializationError) as error:
            dump(value)
        assert isinstance(error.value, (RestrideError, TypeError))
        assert error.value.__cause__ is not None
    with pytest.raises(SerializationError, match=match):
        dump_values([1, value, 2])


def test_an_exception_survives_with_its_traceback_as_the_cause() -> None:
    error = raised(KeyError("no such band"))
    again = load_exception(dump_exception(error))
    assert type(again) is KeyError
    assert again.args == ("no such band",)
    assert isinstance(again.__cause__, RemoteTraceback)
    assert "in raised" in str(again.__cause__)
    assert "KeyError: 'no such band'" in str(again.__cause__)


def test_the_traceback_may_be_another_or_a_text() -> None:
    error, other = raised(ValueError("one")), raised(OSError("two"))
    assert "in raised" in str(load_exception(dump_exception(ValueError("x"), other.__traceback__)).__cause__)
    assert str(load_exception(dump_exception(error, "by hand")).__cause__) == "\nby hand"


def test_causes_and_notes_of_an_exception_can_be_read() -> None:
    error = ValueError("above")
    error.add_note("in block 3")
    error.__cause__ = raised(OSError("below"))
    again = load_exception(dump_exception(error))
    assert "OSError: below" in str(again.__cause__)
    assert again.__notes__ == ["in block 3"]


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (ValueError("holds a lock", threading.Lock()), "ValueError: .*it cannot be pickled"),
        (
            TwoArgumentsError(3, "text"),
            "TwoArgumentsError: 3: text .*its pickle cannot be loaded: TypeError: .*missing",
        ),
        (ExceptionGroup("several", [ValueError(threading.Lock())]), "ExceptionGroup: several .1 sub-exception"),
    ],
)
def test_an_exception_that_cannot_travel_is_told_as_a_task_error(error: Exception, match: str) -> None:
    again = load_exception(dump_exception(raised(error)))
    assert type(again) is TaskError
    assert isinstance(again.__cause__, RemoteTraceback)
    assert "in raised" in str(again.__cause__)
    with pytest.raises(TaskError, match=match):
        raise again


def test_an_exception_that_cannot_even_be_shown_is_told() -> None:
    again = load_exception(dump_exception(raised(UnprintableError(threading.Lock()))))
    assert type(again) is TaskError
    assert "UnprintableError: (its message cannot be shown)" in str(again)


def test_what_ends_a_program_travels_like_any_other_exception() -> None:
    assert type(load_exception(dump_exception(KeyboardInterrupt()))) is KeyboardInterrupt
    assert load_exception(dump_exception(SystemExit(3))).args == (3,)


def test_a_blob_may_be_a_memoryview() -> None:
    assert load_value(memoryview(dump_value([1]))) == [1]
    assert type(load_exception(memoryview(dump_exception(ValueError())))) is ValueError
    assert load_values(memoryview(dump_values([1])[0]), []) == [1]
    assert pickle.loads(dump_value(1)) == 1
