"""Arrow's tables and arrays as values of tasks: how they travel, what they hold, how a part is cut loose.

Arrow's own pickles of a slice have all of the memory that it was cut from. So what travels is an IPC stream, which has
the rows alone, in one buffer beside the pickle; what arrives is read where it was received. pyarrow is loaded by
whoever has such values, never here.
"""

from __future__ import annotations

import copyreg
import functools
import pickle
import sys
from collections.abc import Callable
from typing import Any

Reducers = dict[type, Callable[[Any], Any]]

SMALL = 64 * 1024
"""Bytes up to which a stream is written to memory that grows; for a larger one its length is worked out first."""
SLACK = 1.25
"""A table that keeps alive so many times its own bytes is no slice: buffers have room to grow, and padding."""


def reducers() -> Reducers | None:
    """A dispatch table for a pickler that has Arrow's types and all that `copyreg` knows; None without pyarrow."""
    if "pyarrow" not in sys.modules:
        return None
    return _reducers(len(copyreg.dispatch_table))


@functools.lru_cache(maxsize=1)
def _reducers(_known: int) -> Reducers:
    import pyarrow as pa

    arrays = [kind for kind in vars(pa.lib).values() if isinstance(kind, type) and issubclass(kind, pa.Array)]
    return {
        **copyreg.dispatch_table,
        pa.Table: _reduce_table,
        pa.RecordBatch: _reduce_batch,
        pa.ChunkedArray: _reduce_column,
        **dict.fromkeys(arrays, _reduce_array),
    }


def size_of_table(table: Any) -> int | tuple[int, int, int]:
    """Own bytes of a table or batch; for a slice also the identity and the bytes of the memory that it keeps alive."""
    nbytes, held = int(table.nbytes), int(table.get_total_buffer_size())
    if held <= SLACK * nbytes + 4096:
        return nbytes
    return nbytes, _address(table), held


def copy_of_table(table: Any) -> Any:
    """The same table, or record batch, in memory of its own."""
    import pyarrow as pa

    return (load_batch if isinstance(table, pa.RecordBatch) else load_table)(_stream(table))


def load_table(data: Any) -> Any:
    """The table of an IPC stream, in the memory that the stream is in."""
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(data), options=_read_options()) as reader:
        return reader.read_all()


def load_batch(data: Any) -> Any:
    """The record batch of an IPC stream."""
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(data), options=_read_options()) as reader:
        return reader.read_next_batch()


def load_column(data: Any) -> Any:
    """The one column of an IPC stream."""
    return load_table(data).column(0)


def load_array(data: Any) -> Any:
    """The one column of an IPC stream, in one part."""
    return load_batch(data).column(0)


def _reduce_table(table: Any) -> tuple[Any, ...]:
    return load_table, (pickle.PickleBuffer(_stream(table)),)


def _reduce_batch(batch: Any) -> tuple[Any, ...]:
    return load_batch, (pickle.PickleBuffer(_stream(batch)),)


def _reduce_column(column: Any) -> tuple[Any, ...]:
    import pyarrow as pa

    return load_column, (pickle.PickleBuffer(_stream(pa.Table.from_arrays([column], [""]))),)


def _reduce_array(array: Any) -> tuple[Any, ...]:
    import pyarrow as pa

    return load_array, (pickle.PickleBuffer(_stream(pa.RecordBatch.from_arrays([array], [""]))),)


def _stream(value: Any) -> Any:
    """An IPC stream of a table or record batch, as a buffer of Arrow's."""
    import pyarrow as pa

    if value.nbytes <= SMALL:
        sink = pa.BufferOutputStream()
        _write(sink, value)
        return sink.getvalue()
    length = pa.MockOutputStream()
    _write(length, value)
    buffer = pa.allocate_buffer(length.size())
    _write(pa.FixedSizeBufferWriter(buffer), value)
    return buffer


def _write(sink: Any, value: Any) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(sink, value.schema, options=_write_options()) as writer:
        writer.write(value)


@functools.cache
def _read_options() -> Any:
    import pyarrow as pa

    return pa.ipc.IpcReadOptions(use_threads=False)


@functools.cache
def _write_options() -> Any:
    import pyarrow as pa

    # Chunks of a table have dictionaries of their own.
    return pa.ipc.IpcWriteOptions(use_threads=False, unify_dictionaries=False)


def _address(table: Any) -> int:
    """Where the first memory of a table is: the same for all slices of it."""
    for column in table.columns:
        for chunk in getattr(column, "chunks", [column]):
            for buffer in chunk.buffers():
                if buffer is not None:
                    return int(buffer.address)
    return id(table)
