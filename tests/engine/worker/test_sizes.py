"""How many bytes an output holds: its own, or those of the buffer that it keeps alive."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from restride.engine.worker.sizes import size_of


def held(value: Any) -> int:
    """Bytes that an output keeps alive."""
    size = size_of(value)
    return size[2] if isinstance(size, tuple) else size


def test_an_array_shows_and_holds_its_own_bytes() -> None:
    value = np.zeros((10, 10))
    assert size_of(value) == (800, id(value), 800)


@pytest.mark.parametrize("cut", [np.s_[3], np.s_[:, 2], np.s_[::2, ::-1], np.s_[2:2], np.s_[None, 3, ...]])
def test_a_view_shows_its_part_and_holds_the_buffer(cut: Any) -> None:
    whole = np.zeros((10, 10))
    view = whole[cut]
    assert size_of(view) == (view.nbytes, id(whole), 800)
    assert size_of(view[...]) == (view.nbytes, id(whole), 800), "a view of a view has the same buffer"


@pytest.mark.parametrize("kind", [np.matrix, np.ma.MaskedArray, np.recarray])
def test_views_of_subclasses_hold_their_buffer_too(kind: type) -> None:
    whole = np.zeros((10, 10), [("a", "f8")] if kind is np.recarray else "f8").view(kind)
    assert held(np.asarray(whole)[1, :2]) == 800


def test_arrays_from_a_buffer_hold_it_all() -> None:
    assert held(np.frombuffer(bytes(1000), np.uint8)[10:20]) == 1000


def test_arrays_of_objects_count_what_they_point_to() -> None:
    text = "x" * 1000
    assert held(np.array([text, None], object)) > 1000


def test_memory_mapped_files_cost_nothing_and_copies_of_them_do(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(1000))
    mapped = np.load(path, mmap_mode="r")
    assert [held(value) for value in (mapped, mapped[3:9], np.asarray(mapped), np.asarray(mapped)[::2])] == [0] * 4
    assert [held(value) for value in (mapped.copy(), np.array(mapped), mapped + 1, mapped[np.arange(1000)])] == [
        8000
    ] * 4
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        value = np.ndarray((10,), np.uint8, raw)
        assert held(value) == held(value[2:]) == 0
        del value


def test_containers_hold_what_their_items_hold() -> None:
    whole = np.zeros(1000)
    assert held((whole, whole[:1])) >= 16_000
    assert held([whole]) == sys.getsizeof([whole]) + 8000
    assert held({"a": whole}) == sys.getsizeof({"a": whole}) + 8000
    assert held({"a": [(whole,)]}) > 8000
    assert held({1, 2}) > sys.getsizeof({1, 2})


def test_containers_may_nest_deeply_or_hold_themselves() -> None:
    deep: list[Any] = [np.zeros(1000)]
    for _ in range(5000):
        deep = [deep]
    assert held(deep) > 8000 + 5000 * 56
    loop: list[Any] = []
    loop.append(loop)
    assert held(loop) == sys.getsizeof(loop)


def test_what_is_in_a_container_many_times_over_counts_once() -> None:
    inner = [np.zeros(1000)]
    assert held([inner] * 10) < 9000


def test_frames_and_tables_say_what_they_hold() -> None:
    assert held(pd.DataFrame({"a": np.zeros(1000)})) >= 8000
    assert held(pd.Series(np.zeros(1000))) >= 8000
    assert held(pd.Index(np.zeros(1000))) >= 8000
    assert held(pa.table({"a": np.zeros(1000)})) == 8000
    assert held(pa.array(np.zeros(1000))) == 8000


def test_objects_that_declare_bytes_are_believed_and_others_estimated() -> None:
    class Declares:
        nbytes = np.int64(12345)

    class DeclaresOtherwise:
        def nbytes(self) -> int:
            return 7

    class Silent: ...

    assert held(Declares()) == 12345
    assert held(memoryview(bytes(77))) == 77
    assert held(DeclaresOtherwise()) == sys.getsizeof(DeclaresOtherwise())
    assert held(Silent()) == sys.getsizeof(Silent())


@pytest.mark.parametrize("value", [0, 10**9, 1.5, True, None, "text", b"bytes", np.float64(1.0), 1j, len])
def test_small_values_hold_little_and_share_nothing(value: Any) -> None:
    size = size_of(value)
    assert isinstance(size, int)
    assert 0 <= size < 100
