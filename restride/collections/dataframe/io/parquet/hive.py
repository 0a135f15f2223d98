"""Hive partitions: columns whose values are in the names of directories, ``year=2024/month=1``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import pandas as pd

from restride.collections.dataframe.io.files import DataFile

MISSING = "__HIVE_DEFAULT_PARTITION__"
INT32 = 2**31


@dataclass(frozen=True)
class HiveColumn:
    """A column whose values are in names of directories."""

    name: str
    categories: pd.Index
    codes: tuple[int, ...]
    """For each file the number of its category; -1 where the value is missing."""

    @property
    def dtype(self) -> pd.CategoricalDtype:
        return pd.CategoricalDtype(self.categories)


def hive_columns(files: Sequence[DataFile]) -> list[HiveColumn]:
    """The columns that the directories of files make: categoricals of integers if all values are, else of strings.

    Raises
    ------
    ValueError
        Not all files have the same keys; the message names one that has others.
    """
    pairs = [_pairs(file.folders) for file in files]
    keys = list(pairs[0]) if pairs else []
    for file, found in zip(files, pairs):
        if list(found) != keys:
            raise ValueError(
                f"the directories of {file.path} give values for {list(found)}, those of {files[0].path} for {keys}; "
                "all files of a data set have the same partition columns"
            )
    return [_column(key, [found[key] for found in pairs]) for key in keys]


def hive_folder(key: str, value: Any) -> str:
    """The name of the directory for rows with a value."""
    text = MISSING if value is None or value is pd.NA or value != value else quote(str(value), safe="")
    return f"{key}={text}"


def _pairs(folders: Sequence[str]) -> dict[str, str | None]:
    found = {}
    for folder in folders:
        key, equals, value = folder.partition("=")
        if equals:
            found[unquote(key)] = None if value == MISSING else unquote(value)
    return found


def _column(name: str, values: list[str | None]) -> HiveColumn:
    texts = list(dict.fromkeys(value for value in values if value is not None))
    numbers = {text: position for position, text in enumerate(texts)}
    codes = tuple(-1 if value is None else numbers[value] for value in values)
    if texts and all(_is_int(text) for text in texts):
        ints = [int(text) for text in texts]
        categories = list(dict.fromkeys(ints))  # 1 and 01 are one
        places = {value: position for position, value in enumerate(categories)}
        codes = tuple(-1 if code < 0 else places[ints[code]] for code in codes)
        small = all(-INT32 <= value < INT32 for value in categories)
        return HiveColumn(name, pd.Index(categories, dtype="int32" if small else "int64"), codes)
    return HiveColumn(name, pd.Index(texts, dtype="str"), codes)


def _is_int(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii() and abs(int(text)) < 2**63
