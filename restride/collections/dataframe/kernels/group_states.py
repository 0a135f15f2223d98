"""States: what is kept of each group while aggregates are worked out some partitions at a time.

A state is one Arrow column with a value for each group. `chunk` makes it of rows, `combine` of states of the same
groups found in several places, in the order of these. Which states an aggregate is made of is said in `aggregates`.
Missing values are skipped; where a group has no others its state is null, or what the function gives of nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.encoding import encode, to_numpy
from restride.collections.dataframe.kernels.grouping import Groups
from restride.collections.dataframe.kernels.memory import Column, one_array, valid_mask
from restride.collections.dataframe.kernels.taking import without_dictionary
from restride.engine.graphs.csr import Ints


class State(Protocol):
    """What is kept of each group; equal states are kept once."""

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        """The state of each group of rows, given the columns of the table."""
        ...

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        """One state of several for each group."""
        ...


@dataclass(frozen=True)
class Size:
    """How many rows there are."""

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return pa.array(groups.sizes())

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        return pa.array(_added(to_numpy(states), groups))


@dataclass(frozen=True)
class Count:
    """How many values there are, missing ones left out."""

    column: int
    codes: bool = False
    """Whether the column holds codes of categories, -1 for a missing one."""

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        valid = known(columns[self.column], self.codes)
        return pa.array(groups.sizes() if valid is None else _counted(groups.codes[valid], groups))

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        return pa.array(_added(to_numpy(states), groups))


@dataclass(frozen=True)
class Sum:
    """The sum: of integers as int64 or uint64, of numbers with a fraction as float64, of durations as such."""

    column: int

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return self.combine(columns[self.column], groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        values, valid = numbers(states)
        total = pa.array(_added(values if valid is None else np.where(valid, values, 0), groups))
        return total.cast(states.type) if pa.types.is_duration(states.type) else total


@dataclass(frozen=True)
class Product:
    """The product, of the type that `Sum` has."""

    column: int

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return self.combine(columns[self.column], groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        values, valid = numbers(states)
        values = _widened(values if valid is None else np.where(valid, values, 1))
        product = np.ones(groups.n + 1, values.dtype)
        np.multiply.at(product, groups.codes, values)
        return pa.array(product[: groups.n])


@dataclass(frozen=True)
class Extreme:
    """The least or the greatest value, of any type that has an order."""

    column: int
    greatest: bool
    codes: bool = False

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return self.combine(columns[self.column], groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        kind = states.type
        if pa.types.is_floating(kind):
            values, _ = numbers(states)
            found = np.full(groups.n + 1, np.nan, values.dtype)
            (np.fmax if self.greatest else np.fmin).at(found, groups.codes, values)
            return nan_as_null(found[: groups.n])
        if is_number(kind):
            values, valid = numbers(states)
            if self.codes:
                valid = known(states, True)
            best, any_there = self._of_integers(values, valid, groups)
            found = pa.array(best, mask=None if any_there is None else ~any_there)
            return found.cast(kind)
        slots = encode(states, ordered=True)
        best, any_there = self._of_integers(slots.codes, slots.codes >= 0 if slots.any_missing else None, groups)
        if any_there is None:
            return slots.decode(best)
        places = np.cumsum(any_there) - 1
        return slots.decode(best[any_there]).take(pa.array(places, mask=~any_there))

    def _of_integers(
        self, values: np.ndarray, valid: np.ndarray | None, groups: Groups
    ) -> tuple[np.ndarray, np.ndarray | None]:
        values = values.view(np.uint8) if values.dtype == bool else values
        limits = np.iinfo(values.dtype)
        worst = limits.min if self.greatest else limits.max
        if valid is not None:
            values = np.where(valid, values, values.dtype.type(worst))
        found = np.full(groups.n + 1, worst, values.dtype)
        (np.maximum if self.greatest else np.minimum).at(found, groups.codes, values)
        counts = _counted(groups.codes if valid is None else groups.codes[valid], groups)
        return found[: groups.n], None if counts.all() else counts > 0


@dataclass(frozen=True)
class Truth:
    """Whether any value is true, or all are."""

    column: int
    every: bool

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        column = columns[self.column]
        if is_number(column.type):
            values, valid = numbers(column)
            true = values != 0
        else:
            true, valid = (
                to_numpy(pc.fill_null(pc.greater(pc.binary_length(without_dictionary(column)), 0), False)),
                known(column),
            )
        return self._of(true, valid, groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        return self._of(to_numpy(states), None, groups)

    def _of(self, true: np.ndarray, valid: np.ndarray | None, groups: Groups) -> pa.Array:
        decisive = true if not self.every else ~true
        if valid is not None:
            decisive = decisive & valid
        found = np.full(groups.n + 1, self.every)
        found[groups.codes[decisive]] = not self.every
        return pa.array(found[: groups.n])


@dataclass(frozen=True)
class Edge:
    """The first or the last value, of any type."""

    column: int
    last: bool
    codes: bool = False
    skipna: bool = True

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return self.combine(columns[self.column], groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        valid = known(states, self.codes) if self.skipna else None
        taken = taken_at(states, edge_rows(groups, valid, last=self.last))
        return pc.fill_null(taken, -1) if self.codes and taken.null_count else taken


@dataclass(frozen=True)
class Moments:
    """How many values, their mean, and the sums of powers of their distances from it, from the second power on.

    A struct of float64, of which the parts of a group are joined without loss of digits to the size of the mean.
    """

    column: int
    power: int = 2
    """The highest."""

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        values, valid = numbers(columns[self.column])
        codes, x = (groups.codes, values) if valid is None else (groups.codes[valid], values[valid])
        x = x.astype(np.float64, copy=False)
        size = groups.n + 1
        counts = np.bincount(codes, minlength=size).astype(np.float64)
        mean = _divided(_sums(codes, x, size), counts)
        parts = [counts, mean]
        if self.power > 1:
            distance = x - mean[codes]
            raised = distance
            for _ in range(2, self.power + 1):
                raised = raised * distance
                parts.append(_sums(codes, raised, size))
        return self._packed(parts, groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        n, mean, *powers = map(to_numpy, one_array(states).flatten())
        codes, size = groups.codes, groups.n + 1
        counts = _sums(codes, n, size)
        joint = _divided(_sums(codes, n * mean, size), counts)
        shift = mean - joint[codes]
        square = shift * shift
        parts = [counts, joint]
        if self.power > 1:
            parts.append(_sums(codes, powers[0] + n * square, size))
        if self.power > 2:
            parts.append(_sums(codes, powers[1] + 3 * shift * powers[0] + n * square * shift, size))
        if self.power > 3:
            fourth = powers[2] + 4 * shift * powers[1] + 6 * square * powers[0] + n * square * square
            parts.append(_sums(codes, fourth, size))
        return self._packed(parts, groups)

    def _packed(self, parts: Sequence[np.ndarray], groups: Groups) -> pa.Array:
        names = ["n", "mean", *(f"m{power}" for power in range(2, self.power + 1))]
        return pa.StructArray.from_arrays([pa.array(part[: groups.n]) for part in parts], names=names)


@dataclass(frozen=True)
class Comoments:
    """Of rows where both columns have a value: how many, both means, and sums of products of distances from them."""

    x: int
    y: int

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        (x, x_valid), (y, y_valid) = numbers(columns[self.x]), numbers(columns[self.y])
        valid = x_valid if y_valid is None else y_valid if x_valid is None else x_valid & y_valid
        codes = groups.codes
        if valid is not None:
            codes, x, y = codes[valid], x[valid], y[valid]
        size = groups.n + 1
        counts = np.bincount(codes, minlength=size).astype(np.float64)
        mean_x, dx, off_x = _distances(codes, x, counts)
        if self.x == self.y:
            squares = _sums(codes, dx * dx, size) - counts * off_x * off_x
            return self._packed([counts, mean_x, mean_x, squares, squares, squares], groups)
        mean_y, dy, off_y = _distances(codes, y, counts)
        parts = [
            counts, mean_x, mean_y,
            _sums(codes, dx * dx, size) - counts * off_x * off_x,
            _sums(codes, dy * dy, size) - counts * off_y * off_y,
            _sums(codes, dx * dy, size) - counts * off_x * off_y,
        ]  # fmt: skip
        return self._packed(parts, groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        n, x, y, xx, yy, xy = map(to_numpy, one_array(states).flatten())
        codes, size = groups.codes, groups.n + 1
        counts = _sums(codes, n, size)
        mean_x = _divided(_sums(codes, n * x, size), counts)
        mean_y = _divided(_sums(codes, n * y, size), counts)
        dx, dy = x - mean_x[codes], y - mean_y[codes]
        parts = [
            counts, mean_x, mean_y,
            _sums(codes, xx + n * dx * dx, size),
            _sums(codes, yy + n * dy * dy, size),
            _sums(codes, xy + n * dx * dy, size),
        ]  # fmt: skip
        return self._packed(parts, groups)

    def _packed(self, parts: Sequence[np.ndarray], groups: Groups) -> pa.Array:
        arrays = [pa.array(part[: groups.n]) for part in parts]
        return pa.StructArray.from_arrays(arrays, names=["n", "x", "y", "xx", "yy", "xy"])


@dataclass(frozen=True)
class Place:
    """The labels of the row that has the least or the greatest value, the first of such rows; and that value."""

    column: int
    labels: tuple[int, ...]
    greatest: bool
    skipna: bool = True

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return self._of(columns[self.column], [columns[label] for label in self.labels], groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        value, *labels = one_array(states).flatten()
        return self._of(value, labels, groups)

    def _of(self, column: Column, labels: Sequence[Column], groups: Groups) -> pa.Array:
        hit = self._is_best(column, groups)
        rows = edge_rows(groups, hit, last=False)
        arrays = [one_array(taken_at(part, rows)) for part in (column, *labels)]
        return pa.StructArray.from_arrays(arrays, names=["value", *(f"label{i}" for i in range(len(labels)))])

    def _is_best(self, column: Column, groups: Groups) -> np.ndarray:
        """Which values are the least or the greatest of their group; a pass or two over numbers, others are sorted."""
        if is_number(column.type):
            values, valid = numbers(column)
            values = values.view(np.uint8) if values.dtype == bool else values
        else:
            slots = encode(column, ordered=True)
            values, valid = slots.codes, slots.codes >= 0 if slots.any_missing else None
        if values.dtype.kind == "f":
            top = np.full(groups.n + 1, np.nan, values.dtype)
            (np.fmax if self.greatest else np.fmin).at(top, groups.codes, values)
        else:
            limits = np.iinfo(values.dtype)
            worst = limits.min if self.greatest else limits.max
            top = np.full(groups.n + 1, worst, values.dtype)
            of_all = values if valid is None else np.where(valid, values, values.dtype.type(worst))
            (np.maximum if self.greatest else np.minimum).at(top, groups.codes, of_all)
        hit: np.ndarray = values == top[groups.codes]
        return hit if valid is None else hit & valid


def positions_in(state: Any) -> tuple[int, ...]:
    """Positions of the columns that a state is made of."""
    single = tuple(getattr(state, name) for name in _POSITIONS if hasattr(state, name))
    return single + getattr(state, "labels", ())


def moved(state: Any, place: dict[int, int]) -> Any:
    """The same state where columns are at other positions."""
    changes: dict[str, Any] = {name: place[getattr(state, name)] for name in _POSITIONS if hasattr(state, name)}
    if hasattr(state, "labels"):
        changes["labels"] = tuple(place[label] for label in state.labels)
    return replace(state, **changes)


_POSITIONS = ("column", "x", "y")


def is_number(kind: pa.DataType) -> bool:
    """Whether numpy computes with values of a type, or with the integers that they are."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)) or bool(
        pa.types.is_temporal(kind) and not pa.types.is_interval(kind)
    )


def numbers(column: Column) -> tuple[np.ndarray, np.ndarray | None]:
    """Numbers, booleans, dates as integers; and where they are not missing, None if nowhere."""
    kind = column.type
    valid = valid_mask(column)
    if pa.types.is_temporal(kind):
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    if valid is not None:
        fill = np.nan if pa.types.is_floating(kind) else False if pa.types.is_boolean(kind) else 0
        column = pc.fill_null(column, fill)
    values = to_numpy(column)
    if values.dtype.kind == "f":
        there = values == values
        if not there.all():
            valid = there if valid is None else valid & there
    return values, valid


def known(column: Column, codes: bool = False) -> np.ndarray | None:
    """Where values are not missing, None if none is."""
    if codes:
        valid = to_numpy(column) >= 0
        return None if valid.all() else valid
    if pa.types.is_floating(column.type):
        return numbers(column)[1]
    return valid_mask(column)


def edge_rows(groups: Groups, valid: np.ndarray | None, *, last: bool) -> Ints:
    """The first or last row of each group among some rows; -1 where there is none."""
    rows = np.arange(len(groups.codes)) if valid is None else np.flatnonzero(valid)
    codes = groups.codes if valid is None else groups.codes[valid]
    if not last:
        rows, codes = rows[::-1], codes[::-1]
    found = np.full(groups.n + 1, -1)
    found[codes] = rows
    return found[: groups.n]


def taken_at(column: Column, rows: Ints) -> pa.Array:
    """The values in some rows, null for row -1."""
    absent = rows < 0
    return one_array(column.take(pa.array(rows, mask=absent if absent.any() else None)))


def _counted(codes: Ints, groups: Groups) -> Ints:
    return np.bincount(codes, minlength=groups.n + 1)[: groups.n]


def _added(values: np.ndarray, groups: Groups) -> np.ndarray:
    """Sums by group, of integers without loss."""
    values = _widened(values)
    if values.dtype == np.float64:
        return _sums(groups.codes, values, groups.n + 1)[: groups.n]
    total = np.zeros(groups.n + 1, values.dtype)
    np.add.at(total, groups.codes, values)
    return total[: groups.n]


def _widened(values: np.ndarray) -> np.ndarray:
    """Numbers of the type that their sum has."""
    return values.astype(sum_dtype(values.dtype), copy=False)


def sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that sums of numbers have."""
    return np.dtype({"u": np.uint64, "f": np.float64}.get(dtype.kind, np.int64))


def _sums(codes: Ints, values: np.ndarray, size: int) -> np.ndarray:
    """Sums by code as floats, also where there is nothing, of which numpy makes integers."""
    return np.bincount(codes, values, size).astype(np.float64, copy=False)


def _divided(total: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(total, counts, out=np.zeros(len(total)), where=counts > 0)


def _distances(codes: Ints, values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of each group, the distance of each value from about there, and by how much that was off on average.

    Sums of products of distances less what that makes of them have few errors of rounding (Chan et al. 1983).
    """
    values = values.astype(np.float64, copy=False)
    mean = _divided(_sums(codes, values, len(counts)), counts)
    distances = values - mean[codes]
    off = _divided(_sums(codes, distances, len(counts)), counts)
    return mean + off, distances, off


def nan_as_null(values: np.ndarray) -> pa.Array:
    """Floats with null for NaN."""
    return pa.array(values, from_pandas=True)
