"""Pieces of split partitions travel together, alone, and arrive as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.checksums import checksums
from restride.collections.dataframe.kernels.pieces import Buckets, Piece, split_rows
from restride.engine.serialize import dump_values, load_values
from restride.engine.worker.sizes import size_of
from restride.engine.worker.store import Store


def partition(number: int, n: int = 1000, *, dictionary: bool = False, objects: bool = False) -> Any:
    text = pa.array([f"{number} {i % 5}" for i in range(n)], pa.string())
    table = pa.table({"0": np.arange(n) + number, "1": text.dictionary_encode() if dictionary else text})
    return table.to_pandas() if objects else table


def split(rows: Any, n_buckets: int = 10) -> Buckets:
    return split_rows(rows, (np.arange(len(rows)) % n_buckets).astype(np.uint8), n_buckets)


def rows_of(piece: Piece) -> list[Any]:
    rows = piece.of.cut(piece.bucket)
    return (
        pa.Table.from_pandas(rows, preserve_index=False).to_pylist()
        if isinstance(rows, pd.DataFrame)
        else rows.to_pylist()
    )


chosen = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=20)


@given(chosen)
def test_any_pieces_arrive_as_they_were(places: list[tuple[int, int]]) -> None:
    wholes = [split(partition(number, 50, dictionary=number > 1)) for number in range(4)]
    pieces = [Piece(wholes[number], bucket) for number, bucket in places]
    arrived = load_values(*dump_values(pieces))
    for sent, came in zip(pieces, arrived, strict=True):
        assert rows_of(came) == rows_of(sent)
        assert came.of.sums[came.bucket] == sent.of.sums[sent.bucket]
        assert int(checksums(came.of.cut(came.bucket))[0]) == sent.of.sums[sent.bucket]


@pytest.mark.parametrize("objects", [False, True])
def test_pieces_of_one_new_partition_arrive_in_one_table(objects: bool) -> None:
    wholes = [split(partition(number, objects=objects)) for number in range(5)]
    pieces = [Piece(whole, 3) for whole in wholes]
    head, buffers = dump_values(pieces)
    arrived = load_values(head, buffers)
    assert len({id(piece.of) for piece in arrived}) == 1
    assert [rows_of(piece) for piece in arrived] == [rows_of(piece) for piece in pieces]
    assert len(head) + sum(buffer.nbytes for buffer in buffers) < sum(whole.nbytes for whole in wholes) / 4


def test_a_piece_counts_for_its_partition_and_its_copy_for_itself() -> None:
    whole = split(partition(0))
    piece = Piece(whole, 2)
    shown, key, held = size_of(piece)  # type: ignore[misc]
    assert (key, held) == size_of(whole)[1:]  # type: ignore[index]
    assert 0 < shown < held / 5
    copy = piece.copy()
    assert rows_of(copy) == rows_of(piece)
    assert size_of(copy)[2] < held / 5  # type: ignore[index]


@pytest.mark.parametrize("objects", [False, True])
def test_pieces_left_of_a_partition_are_copied_together(objects: bool) -> None:
    whole = split(partition(0, objects=objects))
    pieces = [Piece(whole, bucket) for bucket in range(10)]
    store = Store()
    store.put(range(11), [whole, *pieces], list(map(size_of, [whole, *pieces])))
    assert store.nbytes == whole.nbytes
    store.drop([0, *range(1, 10)])
    assert store[10] is not pieces[9]
    assert rows_of(store[10]) == rows_of(pieces[9])
    assert store.nbytes < whole.nbytes / 8


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6), st.data())
def test_checksums_of_runs_add_up_whatever_the_order(lengths: list[int], data: st.DataObject) -> None:
    n = sum(lengths)
    numbers = data.draw(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=n, max_size=n))
    table = pa.table({"0": pa.array(numbers, pa.int64()), "1": pa.array([str(x) for x in numbers], pa.string())})
    bounds = np.cumsum([0, *lengths])
    order = data.draw(st.permutations(range(n)))
    for some in (table, table.select([1]), table.to_pandas()):
        sums = checksums(some, bounds)
        assert int(sums.sum(dtype=np.uint64)) == int(checksums(some)[0])
        moved = some.take(list(order)) if n else some
        assert int(checksums(moved)[0]) == int(checksums(some)[0])


def test_a_checksum_notices_a_row_that_is_doubled_in_place_of_another() -> None:
    table = pa.table({"0": [1, 2, 3]})
    assert checksums(table)[0] != checksums(table.take([0, 1, 1]))[0]
    texts = pd.DataFrame({"0": ["a", "b"]})
    assert checksums(texts)[0] != checksums(texts.take([0, 0]))[0]
