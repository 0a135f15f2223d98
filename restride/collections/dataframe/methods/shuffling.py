"""Which rows are in which partition: shuffles, other partitions, an index to find rows by, parts at random."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Self

import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import is_frame_like
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.random_rows import parts_at_random, picked
from restride.collections.dataframe.operations.resizing import (
    PartitionBytes,
    by_divisions,
    by_size,
    divisions_of_frequency,
    in_partitions,
)
from restride.collections.dataframe.operations.rowwise import assigned, labelled
from restride.collections.dataframe.operations.selection import Project, column, kind_of
from restride.collections.dataframe.operations.shuffle import HashShuffle
from restride.collections.dataframe.operations.sorting import (
    indexed,
    key_divisions,
    sort_positions,
    with_sorted_index,
)


class Shuffling(FrameBase):
    """What frames and series have in common."""

    def repartition(
        self,
        divisions: Sequence[Any] | None = None,
        npartitions: int | Callable[[int], int] | None = None,
        partition_size: int | str | None = None,
        freq: Any = None,
        force: bool = False,
    ) -> Self:
        """The same rows, in the same order, in other partitions.

        Parameters
        ----------
        divisions : sequence, optional
            The least label of each partition, and the greatest of all; for frames whose own are known.
        npartitions : int or callable, optional
            How many; a function of how many there are. They are of equal size if the lengths of partitions are known;
            else whole ones are joined, or each is cut.
        partition_size : int or str, optional
            Bytes that a partition may take, about, such as ``"100MB"``; the sizes of partitions are computed for that.
        freq : str or offset, optional
            A partition for each period of time, for frames with known divisions that are times.
        force : bool
            Allow for divisions that are wider than those there are.

        Raises
        ------
        ValueError
            Not one of the first four is given; divisions that do not go with those there are.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": range(10)}), npartitions=5)
        >>> df.repartition(npartitions=2).map_partitions(len, meta=(None, "int64")).compute().tolist()
        [5, 5]
        """
        given = [one for one in (divisions, npartitions, partition_size, freq) if one is not None]
        if len(given) != 1:
            raise ValueError("give one of divisions, npartitions, partition_size and freq")
        frame = self.expr
        if npartitions is not None:
            n = npartitions(frame.npartitions) if callable(npartitions) else npartitions
            new = in_partitions(frame, int(n))
        elif partition_size is not None:
            sizes = self._new(PartitionBytes(frame)).compute()
            new = by_size(frame, sizes, nbytes_from(partition_size))
        else:
            frame = labelled(frame)
            if freq is not None:
                divisions = divisions_of_frequency(frame, freq)
            assert divisions is not None
            new = by_divisions(frame, divisions, force=force)
        made: Self = self._new(new)
        return made

    def sample(
        self,
        n: int | None = None,
        frac: float | None = None,
        replace: bool = False,
        random_state: Any = None,
        ignore_index: bool = False,
    ) -> Self:
        """Rows picked at random: a fraction of each partition.

        Parameters
        ----------
        n : int, optional
            Not supported: `head` of a sample has so many rows.
        frac : float
            Which fraction of the rows.
        replace : bool
            Whether a row may be picked several times.
        random_state : int or RandomState, optional
            A seed, for the same rows each time; partitions must be the same, too.
        ignore_index : bool
            Number the rows that are picked.

        Raises
        ------
        ValueError
            `frac` is missing, or is beyond 1 and rows may not be picked several times.
        """
        if n is not None or frac is None:
            raise ValueError("a sample is a fraction of the rows: give frac=, not n=; head(n) of a sample has n rows")
        if frac < 0:
            raise ValueError("A negative number of rows requested. Please provide `frac` >= 0.")
        if frac > 1 and not replace:
            raise ValueError("Replace has to be set to `True` when upsampling the population `frac` > 1.")
        made: Any = self._new(picked(self.expr, frac, replace=replace, random_state=random_state))
        new: Self = made.reset_index(drop=True) if ignore_index else made
        return new

    def random_split(
        self, frac: Sequence[float], random_state: Any = None, shuffle: bool = False, axis: Any = 0
    ) -> list[Self]:
        """The rows in several parts at random.

        Parameters
        ----------
        frac : sequence of float
            The fraction of the rows that each part gets, about; they add up to 1.
        random_state : int or RandomState, optional
            A seed, for the same parts each time.
        shuffle : bool
            Rows of each partition in random order.
        axis : {0}

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": range(100)}), npartitions=5)
        >>> train, test = df.random_split([0.8, 0.2], random_state=1)
        >>> len(train) + len(test)
        100
        """
        if axis not in (0, "index"):
            raise ValueError("random_split splits rows, so that axis must be 0")
        return [self._new(part) for part in parts_at_random(self.expr, list(frac), random_state, shuffle=shuffle)]

    def shuffle(
        self,
        on: Any = None,
        *,
        on_index: bool = False,
        npartitions: int | None = None,
        ignore_index: bool = False,
        force: bool = False,
        shuffle_method: str | None = None,
    ) -> Self:
        """Rows of equal keys in one partition, by the hash of the keys.

        Parameters
        ----------
        on : label, list of labels, or Series, optional
            Key columns, or levels of the index; or a series of the same rows.
        on_index : bool
            The labels of the rows are the keys.
        npartitions : int, optional
            Partitions of the result; as many as before unless given.
        ignore_index : bool
            Number the rows of the result from 0.
        force, shuffle_method
            Make no difference.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 1, 2]}), npartitions=2)
        >>> parts = df.shuffle("x", npartitions=3)
        >>> int(parts.map_partitions(lambda part: part.x.nunique(), meta=(None, "int64")).sum().compute())
        2
        """
        if (on is None) == (not on_index):
            raise ValueError("shuffle by columns, on=..., or by the index, on_index=True")
        frame = self.expr if ignore_index else labelled(self.expr)
        n = npartitions or frame.npartitions
        width = frame.layout.n_columns
        everything, kind = frame.everything, kind_of(frame.meta)
        if on_index:
            positions = [width + level for level in range(frame.layout.n_levels)]
        elif isinstance(on, FrameBase) or is_frame_like(on):
            frame, keys = aligned([frame, as_operand(on, frame)])
            frame, positions = _with_keys(frame, keys)
        elif isinstance(frame.meta, pd.Series):
            positions = [0]
        else:
            positions = sort_positions(frame, on if isinstance(on, list) else [on])
        new: FrameExpr = HashShuffle(frame, n, tuple(positions))
        made: Self = self._new(new if new.everything == everything else Project(new, everything, kind))
        return made


class FrameShuffling(Shuffling):
    """What frames alone have."""

    def set_index(
        self,
        keys: Any,
        *,
        drop: bool = True,
        append: bool = False,
        sorted: bool = False,  # noqa: A002  dask's name
        sort: bool = True,
        npartitions: int | None = None,
        divisions: Sequence[Any] | None = None,
        compute: bool = True,
        verify_integrity: bool = False,
        shuffle_method: str | None = None,
    ) -> Any:
        """Columns as the index, and rows in the order of it, so that they are found by their labels.

        The divisions of the result are found out at once, for which the key is computed, and nothing else.

        Parameters
        ----------
        keys : label, Series, Index, or list of these
            Columns, or series of the same rows.
        drop : bool
            Whether columns that become the index are not columns any more.
        append : bool
            Keep the levels of the index there is, before these.
        sorted : bool
            The rows are in this order already: nothing is moved.
        sort : bool
            Whether rows are sorted by the index at all; pandas does not.
        npartitions : int, optional
            Partitions of the result; as many as before unless given.
        divisions : sequence, optional
            The least label of each partition, and the greatest of all: then they need not be found out, and lookups by
            label know where to look.
        compute : bool
            Whether to find out the divisions at once. Without them rows cannot be looked up by label, or resampled.
        verify_integrity : bool
            Whether to compute at once whether any label is there twice.
        shuffle_method : str, optional
            Makes no difference.

        Raises
        ------
        KeyError
            There is no column of a label.
        ValueError
            Divisions that cannot be; when computed, labels that are beyond them. A label is there twice, if that is to
            be verified.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": [3, 1, 2], "x": [1.0, 2.0, 3.0]}), npartitions=2)
        >>> df.set_index("k").compute()
             x
        k
        1  2.0
        2  3.0
        3  1.0
        """
        frame = self.expr
        given = keys if isinstance(keys, list) else [keys]
        operands = [
            as_operand(key, frame) if isinstance(key, FrameBase) or is_frame_like(key) else key for key in given
        ]
        operands = [_as_column(key) if isinstance(key, FrameExpr) else key for key in operands]
        series = [key for key in operands if isinstance(key, FrameExpr)]
        if series:
            frame, *series = aligned([frame, *series])
            together = iter(series)
            operands = [next(together) if isinstance(key, FrameExpr) else key for key in operands]
        new = indexed(frame, operands, drop=drop, append=append)
        if sort and divisions is None and compute and not sorted:
            asked = key_divisions(new, npartitions or new.npartitions)
            divisions = None if asked is None else self._new(asked).compute()
        if sort or divisions is not None:
            new = with_sorted_index(new, n=npartitions, divisions=divisions, is_sorted=sorted)
        made = self._new(new)
        if verify_integrity:
            labels = made.index.to_frame()
            twice = labels[labels.duplicated()].compute()
            if len(twice):
                raise ValueError(f"Index has duplicate keys: {twice.index.unique()}")
        return made


def _as_column(key: FrameExpr) -> FrameExpr:
    return index_as_series(key) if isinstance(key.meta, pd.Index) else key


def _with_keys(frame: FrameExpr, keys: FrameExpr) -> tuple[FrameExpr, list[int]]:
    """A frame with further columns, series or the columns of a frame, and where they are."""
    width = frame.layout.n_columns
    series = [keys] if isinstance(keys.meta, pd.Series) else [column(keys, i) for i in range(keys.meta.shape[1])]
    as_frame = frame if isinstance(frame.meta, pd.DataFrame) else Project(frame, frame.everything, "frame")
    labels: dict[Hashable, FrameExpr] = {_Key(i): one for i, one in enumerate(series)}
    return assigned(as_frame, labels), [width + i for i in range(len(series))]


class _Key:
    """A label that no column has."""

    def __init__(self, number: int) -> None:
        self.number = number


def nbytes_from(text: int | str) -> int:
    """A number of bytes, of what people write: ``"100MB"``, ``"1.5 GiB"``, 1000.

    Examples
    --------
    >>> nbytes_from("1.5kB"), nbytes_from("2 MiB"), nbytes_from(7)
    (1500, 2097152, 7)
    """
    if not isinstance(text, str):
        return int(text)
    units = {"": 1, "B": 1}
    for power, letter in enumerate("kMGT", 1):
        units |= {f"{letter}B".lower(): 1000**power, f"{letter}iB".lower(): 1024**power, letter.lower(): 1000**power}
    units = {name.lower(): factor for name, factor in units.items()}
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = text.strip()[len(number) :].lower()
    try:
        return int(float(number) * units[unit])
    except (KeyError, ValueError):
        raise ValueError(f"{text!r} is no number of bytes; write it as '100MB' or '64 MiB'") from None
