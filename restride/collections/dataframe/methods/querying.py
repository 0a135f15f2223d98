"""``query`` and ``eval``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.querying import Expression


class Querying(FrameBase):
    """Expressions in strings."""

    def query(
        self,
        expr: str,
        *,
        inplace: bool = False,
        local_dict: Mapping[str, Any] | None = None,
        global_dict: Mapping[str, Any] | None = None,
        engine: str | None = None,
        parser: str = "pandas",
    ) -> Any:
        """The rows for which a condition in a string is true.

        Parameters
        ----------
        expr : str
            Names are those of columns, in backticks if they have other characters than names of Python have, of levels
            of the index, and ``index``; ``@name`` is a variable. ``&``, ``|``, ``and`` and ``or`` combine conditions,
            ``in`` and ``not in`` look values up in a list.
        inplace : bool
            Change this frame, and return None.
        local_dict, global_dict : mapping, optional
            Variables; those of the caller if left out.
        engine, parser : str
            Make no difference.

        Raises
        ------
        pandas.errors.UndefinedVariableError
            A name is not known.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3], "my y": ["a", "b", "a"]}), npartitions=2)
        >>> least = 2
        >>> df.query("x >= @least and `my y` == 'a'").compute()
           x my y
        2  3    a
        """
        variables = _variables(local_dict, global_dict, sys._getframe(1))
        value, assigns = Expression(expr).on(self, variables)
        if assigns:
            raise ValueError("a query assigns nothing; eval does")
        if isinstance(value, FrameBase) and isinstance(value.expr.meta, pd.Series):
            found = self[value]  # type: ignore[index]
        else:
            found = self.loc[value]  # type: ignore[attr-defined]
        if not inplace:
            return found
        self.expr = found.expr
        return None

    def eval(
        self,
        expr: str,
        *,
        inplace: bool = False,
        local_dict: Mapping[str, Any] | None = None,
        global_dict: Mapping[str, Any] | None = None,
        engine: str | None = None,
        parser: str = "pandas",
    ) -> Any:
        """The value of an expression in a string, or the frame with the columns that it assigns.

        Parameters
        ----------
        expr : str
            See `query`; or lines such as ``z = x + y``.
        inplace : bool
            Change this frame, and return None.
        local_dict, global_dict : mapping, optional
            Variables; those of the caller if left out.
        engine, parser : str
            Make no difference.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), npartitions=2)
        >>> df.eval("x * y").compute().tolist()
        [3, 8]
        >>> df.eval("z = sqrt(x + y - 3)").columns.tolist()
        ['x', 'y', 'z']
        """
        variables = _variables(local_dict, global_dict, sys._getframe(1))
        value, assigns = Expression(expr).on(self, variables)
        if not inplace:
            return value
        if not assigns:
            raise ValueError("Cannot operate inplace if there is no assignment")
        self.expr = value.expr
        return None


def _variables(local: Mapping[str, Any] | None, outer: Mapping[str, Any] | None, caller: Any) -> dict[str, Any]:
    local = caller.f_locals if local is None else local
    outer = caller.f_globals if outer is None else outer
    return {**outer, **local}
