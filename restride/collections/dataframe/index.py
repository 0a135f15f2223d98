"""`Index`: the labels of rows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import collection_of
from restride.collections.dataframe.html import html_of, text_of
from restride.collections.dataframe.methods.accessing import Accessors
from restride.collections.dataframe.methods.elements import Elements
from restride.collections.dataframe.methods.index_values import IndexValues
from restride.collections.dataframe.methods.missing import Missing
from restride.collections.dataframe.methods.partitions import Partitions
from restride.collections.dataframe.methods.repetition import IndexRepetition


@collection_of(pd.Index)
class Index(Accessors, Elements, IndexValues, Missing, Partitions, IndexRepetition):
    """The labels of the rows of a frame or series, that computes nothing until asked to."""

    @property
    def name(self) -> Any:
        """The name of the labels."""
        return self.expr.meta.name

    @property
    def names(self) -> Any:
        """The names of the levels."""
        return self.expr.meta.names

    @property
    def dtype(self) -> Any:
        """The dtype of the labels."""
        return self.expr.meta.dtype

    @property
    def ndim(self) -> int:
        """1."""
        return 1

    def __repr__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)
