"""Arrow's tables travel without the memory that they were cut from, and are read where they arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from restride.engine.arrow import copy_of_table, size_of_table
from restride.engine.serialize import dump_function, dump_values, load_function, load_values, travel_together
from restride.engine.worker.sizes import size_of
from restride.engine.worker.store import Store

N = 100_000
TABLE = pa.table(
    {
        "x": np.arange(N),
        "s": pa.array([f"text {i}" for i in range(N)]),
        "d": pa.array([f"d{i % 7}" for i in range(N)]).dictionary_encode(),
        "n": pa.array([None if i % 3 else i / 2 for i in range(N)]),
        "l": pa.array([[i] * (i % 3) for i in range(N)]),
    }
)


def travelled(*values: Any) -> tuple[list[Any], int]:
    head, buffers = dump_values(values)
    return load_values(head, buffers), len(head) + sum(buffer.nbytes for buffer in buffers)


@pytest.mark.parametrize("start", [0, 3, 50_000])
def test_a_slice_travels_alone(start: int) -> None:
    part = TABLE.slice(start, 100)
    (table, batch, column, array), nbytes = travelled(
        part, part.combine_chunks().to_batches()[0], part["s"], part["s"].chunk(0)
    )
    assert table.equals(part)
    assert batch.equals(part.combine_chunks().to_batches()[0])
    assert column.equals(part["s"])
    assert array.equals(part["s"].chunk(0))
    assert nbytes < 50_000


@pytest.mark.parametrize(
    "value",
    [
        TABLE,
        pa.table({}),
        TABLE.slice(0, 0),
        TABLE.select([]),
        pa.array([], pa.string()),
        pa.chunked_array([], pa.int64()),
        pa.RecordBatch.from_arrays([pa.array([], pa.int64())], ["a"]),
        pa.table([[1], [2]], names=["a", "a"]),
        TABLE.replace_schema_metadata({"k": "v"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_arrives_is_what_was_sent(value: Any) -> None:
    (new,), _ = travelled(value)
    assert type(new) is type(value)
    assert new.equals(value)
    if isinstance(value, pa.Table):
        assert new.schema.equals(value.schema, check_metadata=True)


def test_tables_inside_of_other_values_travel_alone_too() -> None:
    (new,), nbytes = travelled({"parts": [(1, TABLE.slice(7, 10))]})
    assert new["parts"][0][1].equals(TABLE.slice(7, 10))
    assert nbytes < 10_000


def test_a_slice_of_a_pandas_frame_travels_alone() -> None:
    frame = pd.DataFrame({"x": np.arange(N), "s": TABLE["s"].to_pandas(), "y": np.arange(N)})
    (new,), nbytes = travelled(frame.iloc[10:20])
    pd.testing.assert_frame_equal(new, frame.iloc[10:20])
    assert nbytes < 20_000


def test_functions_may_have_tables() -> None:
    part = TABLE.slice(5, 3)
    pickled = dump_function(lambda: part)
    assert len(pickled) < 10_000
    assert load_function(pickled)().equals(part)


def test_numbers_are_read_where_they_arrive() -> None:
    head, buffers = dump_values([TABLE])
    arrived = [np.frombuffer(bytearray(buffer), np.uint8) for buffer in buffers]
    (new,) = load_values(head, [memoryview(array) for array in arrived])
    address = new["x"].chunk(0).buffers()[1].address
    assert any(array.ctypes.data <= address < array.ctypes.data + array.nbytes for array in arrived)


def test_a_slice_counts_for_what_it_keeps_alive() -> None:
    whole, part = size_of(TABLE), size_of(TABLE.slice(10, 100))
    assert isinstance(whole, int)
    assert isinstance(part, tuple)
    own, key, held = part
    assert own < whole / 100
    assert held >= whole * 0.9
    assert size_of(TABLE.slice(500, 100))[1] == key  # type: ignore[index]
    assert isinstance(size_of_table(copy_of_table(TABLE.slice(10, 100))), int)


def test_a_store_copies_slices_that_keep_much_alive() -> None:
    store = Store()
    parts = [TABLE.slice(i * N // 20, N // 20) for i in range(20)]
    ids = list(range(20))
    store.put(ids, parts, [size_of(part) for part in parts])
    assert all(store[id] is part for id, part in zip(ids, parts, strict=True))
    store.drop(ids[1:])
    assert store[0].equals(parts[0])
    assert store[0] is not parts[0]
    assert store.nbytes < TABLE.nbytes / 10


class Word:
    def __init__(self, text: str) -> None:
        self.text = text


def test_values_of_a_type_may_be_prepared_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from restride.engine import serialize

    monkeypatch.setattr(serialize, "_together", {})
    travel_together(Word, lambda words: [", ".join(word.text for word in words)] * len(words))
    assert travelled(1, Word("a"), [Word], Word("b"))[0] == [1, "a, b", [Word], "a, b"]
