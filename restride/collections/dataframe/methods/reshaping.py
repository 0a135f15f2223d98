"""Frames in another shape."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.operations.melting import melted
from restride.collections.dataframe.operations.places import numbered
from restride.collections.dataframe.operations.rowwise import labelled


class Reshaping(FrameBase):
    """Frames in another shape."""

    def melt(
        self,
        id_vars: Any = None,
        value_vars: Any = None,
        var_name: Hashable = None,
        value_name: Hashable = "value",
        col_level: Any = None,
        ignore_index: bool = True,
    ) -> Any:
        """Columns one below the other, beside a column of their labels.

        Parameters
        ----------
        id_vars : label or list, optional
            Columns that are repeated for each of the others.
        value_vars : label or list, optional
            Columns that go one below the other; all others if left out.
        var_name, value_name : label, optional
            Of the columns of labels and of values.
        col_level : int or label, optional
            Which level of the columns' labels to use.
        ignore_index : bool
            Number the rows; otherwise each keeps its label.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b"], "x": [1, 2], "y": [3, 4]}), npartitions=2)
        >>> df.melt(id_vars="k").compute()
           k variable  value
        0  a        x      1
        1  b        x      2
        2  a        y      3
        3  b        y      4
        """
        arguments = {
            "id_vars": id_vars,
            "value_vars": value_vars,
            "var_name": var_name,
            "value_name": value_name,
            "col_level": col_level,
            "ignore_index": ignore_index,
        }
        frame = numbered(self.expr) if ignore_index else labelled(self.expr)
        return self._new(melted(frame, arguments))
