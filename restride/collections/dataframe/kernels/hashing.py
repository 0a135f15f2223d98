"""Hashes of rows: 64 bits for each row of one or several key columns, the same in every process.

Equal values hash alike however they lie in memory: as strings or through a dictionary, in few chunks or many, as int8
or int64, as 0.0 or -0.0. Nulls and NaN, which are one to pandas, hash alike. An int and a float of the same value do
not: whoever compares such columns casts them to one type first. The high bits are the good ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.kernels.memory import Column, chunks_of, fixed_width, valid_mask
from restride.collections.dataframe.kernels.words import Words

Hashes = np.ndarray[Any, np.dtype[np.uint64]]

# Odd, with bits all over: those of splitmix64, whose job is the same.
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)
_NULL = np.uint64(0x94D049BB133111EB)
"""The hash of null and of NaN."""
_BLOCK = 16 * 1024
"""Values that are worked on at once, so that what comes in between stays in the processor's cache."""


def hash_rows(columns: Sequence[Column]) -> Hashes:
    """A hash for each row of some key columns.

    Parameters
    ----------
    columns : sequence of pyarrow arrays, chunked or not
        One at least, of one length.

    Returns
    -------
    ndarray of uint64
        For one column the same as `hash_column`.

    Raises
    ------
    TypeError
        A column has values that cannot be hashed, such as lists.

    Examples
    --------
    >>> a, b = pa.array([1, 1, 2]), pa.array(["x", "x", "x"])
    >>> hashes = hash_rows([a, b])
    >>> bool(hashes[0] == hashes[1]), bool(hashes[0] == hashes[2])
    (True, False)
    """
    hashes = hash_column(columns[0])
    for column in columns[1:]:
        hashes *= _FIRST
        hashes += hash_column(column)
        _stir(hashes)
    return hashes


def hash_column(column: Column) -> Hashes:
    """A hash for each value of a column, as a new array of uint64; see `hash_rows`."""
    hashes = np.empty(len(column), np.uint64)
    start = 0
    for chunk in chunks_of(column):
        stop = start + len(chunk)
        if pa.types.is_dictionary(chunk.type):
            _hash_dictionary(chunk, hashes[start:stop])
        else:
            for first in range(start, stop, _BLOCK):
                last = min(first + _BLOCK, stop)
                hashes[first:last] = _hash_array(chunk.slice(first - start, last - first))
        start = stop
    return hashes


def hash_objects(values: pd.Series | pd.Index) -> Hashes:
    """A hash for each value of a column that Arrow cannot hold; nulls as in other columns.

    What is equal hashes alike whatever else there is in the column: numbers, 1 and True among them, by their value as
    in Python, which is the same in every process, other objects by their text.

    Raises
    ------
    TypeError
        A value cannot be hashed.
    """
    series = pd.Series(values, copy=False)
    if not pd.api.types.is_object_dtype(series.dtype):
        hashes: Hashes = np.array(pd.util.hash_pandas_object(series, index=False), np.uint64)
    elif pd.api.types.infer_dtype(series, skipna=True) in ("date", "string"):  # of which equal ones have equal texts
        codes, distinct = pd.factorize(series)
        texts = [str(value) for value in distinct]
        hashes = pd.util.hash_array(np.array(texts, object), categorize=False).astype(np.uint64)
        return np.append(hashes, _NULL)[codes]
    else:
        own = [hash(value) if isinstance(value, Number) else None for value in series if hash(value) is not None]
        texts = [str(value) if number is None else "" for value, number in zip(series, own)]
        hashes = np.array(pd.util.hash_array(np.array(texts, object), categorize=False), np.uint64)
        numbers = np.array([number is not None for number in own], bool)
        hashes[numbers] = hash_integers(np.array([number for number in own if number is not None], np.int64))
    hashes[series.isna().to_numpy()] = _NULL
    return hashes


def hash_integers(values: np.ndarray) -> Hashes:
    """A hash for each of some integers or booleans; at once also a way to mix their bits, as none is lost.

    Examples
    --------
    >>> len(np.unique(hash_integers(np.arange(1000) << 40) >> 48)) > 900
    True
    """
    bits: Hashes = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64, copy=False).view(np.uint64)
    return _stir(bits * _FIRST)


def _stir(hashes: Hashes) -> Hashes:
    """Bring the high bits down, then everything up again; in place, and no two values become one."""
    hashes ^= hashes >> _HALF
    hashes *= _SECOND
    return hashes


def _hash_array(array: pa.Array) -> Hashes:
    kind = array.type
    if pa.types.is_null(kind):
        return np.full(len(array), _NULL)
    if isinstance(array, pa.ExtensionArray):
        return hash_column(array.storage)
    if pa.types.is_floating(kind):
        hashes = _hash_floats(_floats(array))
    elif pa.types.is_boolean(kind):
        hashes = hash_integers(array.cast(pa.uint8()).fill_null(0).to_numpy(zero_copy_only=False))
        return _with_nulls(hashes, array) if array.null_count else hashes
    elif _is_words(kind):
        hashes = _hash_words(Words(array))
    elif pa.types.is_decimal(kind):
        hashes = _hash_decimals(array)
    elif pa.types.is_primitive(kind):
        unsigned = pa.types.is_unsigned_integer(kind)
        hashes = hash_integers(fixed_width(array, f"{'u' if unsigned else 'i'}{kind.bit_width // 8}"))
    else:
        return hash_objects(pd.Series(array.to_pandas(), copy=False))
    return _with_nulls(hashes, array)


def _with_nulls(hashes: Hashes, array: pa.Array) -> Hashes:
    valid = valid_mask(array)
    if valid is not None:
        hashes[~valid] = _NULL
    return hashes


def _floats(array: pa.Array) -> np.ndarray:
    return fixed_width(array, f"f{array.type.bit_width // 8}")


def _hash_floats(values: np.ndarray) -> Hashes:
    values = values.astype(np.float64) + 0.0  # -0.0 + 0.0 is 0.0
    hashes = hash_integers(values.view(np.int64))
    nan = np.isnan(values)
    if nan.any():
        hashes[nan] = _NULL
    return hashes


def _hash_dictionary(array: pa.DictionaryArray, hashes: Hashes) -> None:
    """Each value of the dictionary is hashed once, unless it has more of them than there are rows."""
    indices = array.indices
    if len(array.dictionary) > 4 * len(array) + 64:
        hashes[:] = hash_column(array.dictionary.take(indices))
        return
    of_values = np.append(hash_column(array.dictionary), _NULL)
    width = indices.type.bit_width // 8
    numbers = fixed_width(indices, f"{'u' if pa.types.is_unsigned_integer(indices.type) else 'i'}{width}")
    valid = valid_mask(indices)
    if valid is not None:
        numbers = np.where(valid, numbers, len(of_values) - 1)
    for first in range(0, len(numbers), _BLOCK):
        block = slice(first, first + _BLOCK)
        np.take(of_values, numbers[block], out=hashes[block], mode="clip")  # "raise" would copy the output


def _hash_words(words: Words) -> Hashes:
    hashes = words.lengths.view(np.uint64) * _SECOND
    for j in range(words.n_words):
        if words.shortest > 8 * j:
            _feed(hashes, words.little(j))
            continue
        # Only strings that go on, so that a hash does not depend on how long others are.
        live = words.lengths > 8 * j
        if np.count_nonzero(live) > len(words) // 2:
            np.copyto(hashes, _feed(hashes.copy(), words.little(j)), where=live)
        else:
            rows = np.flatnonzero(live)
            hashes[rows] = _feed(hashes[rows], words.little(j, rows))
    hashes *= _SECOND
    return hashes


def _feed(hashes: Hashes, words: np.ndarray) -> Hashes:
    """Take in a word each, in place."""
    hashes ^= words
    hashes *= _FIRST
    hashes ^= hashes >> _HALF
    return hashes


def _hash_decimals(array: pa.Array) -> Hashes:
    """Numbers of one scale: two columns of different scales are cast to one by whoever compares them."""
    n_words = array.type.byte_width // 8
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.zeros(len(array), np.uint64)
    first = array.offset * n_words
    words = np.frombuffer(buffer, np.uint64, count=len(array) * n_words, offset=8 * first).reshape(len(array), n_words)
    hashes = hash_integers(words[:, 0])
    for j in range(1, n_words):
        hashes *= _FIRST
        hashes += words[:, j]
        _stir(hashes)
    return hashes


def _is_words(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
