"""``series.str``: methods of strings, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.accessors.generated import Accessor, add_methods
from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.methods.elementwise import counted, row_by_row
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.rowwise import Method, labelled
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.dataframe.operations.tree import ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, to_pandas

_METHODS = {
    "capitalize": "First letter in upper case, all others in lower case.",
    "casefold": "Lower case for comparisons: ``ß`` becomes ``ss``.",
    "center": "Strings filled on both sides to a width.",
    "contains": "Whether a regular expression, or with ``regex=False`` a string, occurs.",
    "count": "How often a regular expression occurs.",
    "decode": "Strings of bytes.",
    "encode": "Bytes of strings.",
    "endswith": "Whether strings end in another, or in one of a tuple.",
    "extract": "What the groups of a regular expression match first: a column each.",
    "find": "Where another string first occurs; -1 where it does not.",
    "findall": "A list of all that a regular expression matches.",
    "fullmatch": "Whether a regular expression matches all of a string.",
    "get": "The element at a place of each string, list or dict; missing where there is none.",
    "index": "Where another string first occurs; a ValueError where it does not.",
    "isalnum": "Whether all characters are letters or digits.",
    "isalpha": "Whether all characters are letters.",
    "isascii": "Whether all characters are ASCII.",
    "isdecimal": "Whether all characters are decimal digits.",
    "isdigit": "Whether all characters are digits.",
    "islower": "Whether all letters are in lower case.",
    "isnumeric": "Whether all characters are numeric.",
    "isspace": "Whether all characters are white space.",
    "istitle": "Whether all words begin in upper case.",
    "isupper": "Whether all letters are in upper case.",
    "join": "Lists of strings joined by a separator.",
    "len": "How long strings, or lists, are.",
    "ljust": "Strings filled on the right to a width.",
    "lower": "Lower case.",
    "lstrip": "Without white space, or some characters, on the left.",
    "match": "Whether a regular expression matches from the start.",
    "normalize": "A normal form of Unicode: ``NFC``, ``NFD``, ``NFKC`` or ``NFKD``.",
    "pad": "Strings filled to a width on the left, the right or both sides.",
    "removeprefix": "Without a string that they begin with.",
    "removesuffix": "Without a string that they end in.",
    "replace": "With a string, or what a regular expression matches, replaced.",
    "rfind": "Where another string last occurs; -1 where it does not.",
    "rindex": "Where another string last occurs; a ValueError where it does not.",
    "rjust": "Strings filled on the left to a width.",
    "rstrip": "Without white space, or some characters, on the right.",
    "slice": "Parts from a place to another, with a step.",
    "slice_replace": "Parts from a place to another replaced.",
    "startswith": "Whether strings begin with another, or with one of a tuple.",
    "strip": "Without white space, or some characters, on both sides.",
    "swapcase": "Upper case for lower case, and lower case for upper case.",
    "title": "Words beginning in upper case.",
    "translate": "Characters replaced by a table, as `str.maketrans` makes it.",
    "upper": "Upper case.",
    "wrap": "Lines broken so that none is longer than a width.",
    "zfill": "Strings filled with zeros on the left to a width, after a sign.",
}


class StringMethods(Accessor):
    """Methods of strings, row by row; pandas' own, so that results are its results.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> names = rd.from_pandas(pd.Series(["Ann Lee", "Bo Chu", None]), npartitions=2)
    >>> names.str.upper().compute().tolist()
    ['ANN LEE', 'BO CHU', nan]
    >>> names.str.len().compute().tolist()
    [7.0, 6.0, nan]
    >>> names.str.split(" ", n=1, expand=True).compute()
         0    1
    0  Ann  Lee
    1   Bo  Chu
    2  NaN  NaN
    """

    word = "str"

    def __getitem__(self, key: Any) -> Any:
        """The character at a place, or the part that a slice chooses."""
        return counted(self._collection, Method("str.__getitem__"), key)

    def split(self, pat: Any = None, *, n: int = -1, expand: bool = False, regex: bool | None = None) -> Any:
        """Lists of the parts between separators; with `expand` a column each.

        Parameters
        ----------
        pat : str, optional
            The separator; white space if left out.
        n : int
            At how many places to split at most; needed for `expand`.
        expand : bool
            Return a frame of ``n + 1`` columns.
        regex : bool, optional
            Whether the separator is a regular expression.

        Raises
        ------
        NotImplementedError
            `expand` without `n`: how many columns there are would depend on the values.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> s = rd.from_pandas(pd.Series(["a-b", "c"]), npartitions=2)
        >>> s.str.split("-").compute().tolist()
        [['a', 'b'], ['c']]
        """
        kwargs = {} if regex is None else {"regex": regex}
        return self._split("split", pat, n, expand, kwargs)

    def rsplit(self, pat: Any = None, *, n: int = -1, expand: bool = False) -> Any:
        """Lists of the parts between separators, split from the right; see `split`."""
        return self._split("rsplit", pat, n, expand, {})

    def _split(self, name: str, pat: Any, n: int, expand: bool, kwargs: dict[str, Any]) -> Any:
        if not expand:
            return counted(self._collection, Method(f"str.{name}"), pat, n=n, **kwargs)
        if n < 1:
            raise NotImplementedError(f"{name}(expand=True) needs n=, the number of splits: it decides on the columns")
        return row_by_row(self._collection, Expanded(name, n + 1), pat, n=n, **kwargs)

    def partition(self, sep: str = " ", expand: bool = True) -> Any:
        """What is before the first separator, the separator, and what is after: a column each, or tuples."""
        return self._partition("partition", sep, expand)

    def rpartition(self, sep: str = " ", expand: bool = True) -> Any:
        """What is before the last separator, the separator, and what is after: a column each, or tuples."""
        return self._partition("rpartition", sep, expand)

    def _partition(self, name: str, sep: str, expand: bool) -> Any:
        if not expand:
            return counted(self._collection, Method(f"str.{name}"), sep, expand=False)
        return row_by_row(self._collection, Expanded(name, 3), sep)

    def repeat(self, repeats: Any) -> Any:
        """Strings as often as asked, by a number or by a series of one for each."""
        if isinstance(repeats, (FrameBase, pd.Series)):
            return row_by_row(self._collection, repeated, repeats)
        return counted(self._collection, Method("str.repeat"), repeats)

    def extractall(self, pat: str, flags: int = 0) -> Any:
        """What the groups of a regular expression match, a row for each match.

        Returns
        -------
        DataFrame
            Its index has another level, ``match``, with the number of the match in its string.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> s = rd.from_pandas(pd.Series(["a1b2", "c3"]), npartitions=2)
        >>> s.str.extractall(r"([a-z])([0-9])").compute()
                 0  1
          match
        0 0      a  1
          1      b  2
        1 0      c  3
        """
        series = self._series()
        function = Method("str.extractall")
        meta = function(series.meta.astype(series.meta.dtype), pat, flags=flags)
        made = MapPartitions(function, (series, pat), (("flags", flags),), meta, "extractall")
        return new_collection(made)

    def cat(self, others: Any = None, sep: str | None = None, na_rep: str | None = None, join: str = "left") -> Any:
        """Strings joined to those of others, row by row; without others all strings to one.

        Parameters
        ----------
        others : Series, Index, DataFrame or a list of these, optional
        sep : str, optional
            What comes between.
        na_rep : str, optional
            What stands for missing strings; without it rows with one are missing, and all strings to one skip them.
        join : str
            Rows are aligned by their labels.

        Returns
        -------
        Series, Index, or Scalar without `others`

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> s = rd.from_pandas(pd.Series(["a", "b", None]), npartitions=2)
        >>> s.str.cat(s.str.upper(), sep="-").compute().tolist()
        ['a-A', 'b-B', nan]
        >>> s.str.cat(sep=", ").compute()
        'a, b'
        """
        if others is None:
            joined = JoinStrings("" if sep is None else sep)
            texts = without_index(self._series(stored=False))
            steps = Steps(TextOf(joined, na_rep, texts.meta), joined, _empty_if_none)
            return new_collection(ReducedScalar(texts, steps, pd.StringDtype(na_value=float("nan")), "cat"))
        if join != "left":
            raise NotImplementedError(f"str.cat(join={join!r}); align the series by a merge first")
        listed = list(others) if isinstance(others, (list, tuple)) else [others]
        return row_by_row(self._collection, concatenated, *listed, sep=sep, na_rep=na_rep)

    def _series(self, *, stored: bool = True) -> Any:
        expr = self._collection.expr
        if isinstance(expr.meta, pd.Index):
            expr = index_as_series(expr)
        return labelled(expr) if stored else expr


add_methods(StringMethods, "str", _METHODS, pd.Series.str)


@dataclass(frozen=True)
class Expanded:
    """A method of ``str`` that gives a known number of columns, whatever the values."""

    name: str
    width: int

    @property
    def __name__(self) -> str:
        return f"str.{self.name}"

    def __call__(self, series: pd.Series, *args: Any, **kwargs: Any) -> pd.DataFrame:
        parts = getattr(series.str, self.name)(*args, expand=True, **kwargs)
        dtype = pd.StringDtype(na_value=float("nan")) if series.dtype == object else _text_dtype(series)
        # Where no string is split, pandas makes fewer columns.
        columns = {
            i: parts[i] if i in parts.columns else pd.Series(None, index=series.index) for i in range(self.width)
        }
        return pd.DataFrame({i: column.astype(dtype) for i, column in columns.items()}, index=series.index)


def _text_dtype(series: pd.Series) -> Any:
    dtype = series.dtype
    return dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype


def repeated(series: pd.Series, repeats: pd.Series) -> Any:
    """Kernel: each string as often as said for it."""
    return series.str.repeat(repeats.tolist())


def concatenated(series: pd.Series, *others: Any, sep: str | None, na_rep: str | None) -> Any:
    """Kernel: strings joined to those of others."""
    return series.str.cat(list(others) if len(others) != 1 else others[0], sep=sep, na_rep=na_rep)


@dataclass(frozen=True)
class JoinStrings:
    """Kernel: strings with a separator between; None stands for none at all."""

    sep: str
    __name__ = "cat"

    def __call__(self, *texts: str | None) -> str | None:
        there = [text for text in texts if text is not None]
        return self.sep.join(there) if there else None


@dataclass(frozen=True)
class TextOf:
    """Kernel: all strings of a partition joined."""

    joined: JoinStrings
    na_rep: str | None
    meta: Any
    __name__ = "cat"

    def __call__(self, partition: Partition) -> str | None:
        series = to_pandas(partition, self.meta)
        texts: Sequence[str] = (series.dropna() if self.na_rep is None else series.fillna(self.na_rep)).tolist()
        return self.joined(*texts)


def _empty_if_none(text: str | None) -> str:
    return text or ""
