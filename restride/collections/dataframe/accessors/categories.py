"""``series.cat``: categories and their codes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.accessors.generated import Accessor, add_methods
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.meta import is_unknown_categorical, unknown_categorical
from restride.collections.dataframe.methods.elementwise import row_by_row
from restride.collections.dataframe.operations.distinct import distinct
from restride.collections.dataframe.operations.rowwise import Attribute, Method

_METHODS = {
    "add_categories": "With further categories, at the end.",
    "as_ordered": "With categories in order, so that ``<`` and `max` compare by it.",
    "as_unordered": "With categories in no order.",
    "remove_categories": "Without some categories; their values are missing then.",
    "rename_categories": "With categories renamed.",
    "reorder_categories": "With the same categories in another order.",
    "set_categories": "With other categories; values that are none of them are missing.",
}


class CategoricalMethods(Accessor):
    """Categories and codes of a series.

    ``astype("category")`` leaves categories unknown until the result is computed; `as_known` computes them.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> s = rd.from_pandas(pd.Series(["b", "a", "b"]), npartitions=2).astype("category")
    >>> s.cat.known
    False
    >>> s = s.cat.as_known()
    >>> s.cat.categories.tolist(), s.cat.codes.compute().tolist()
    (['a', 'b'], [1, 0, 1])
    """

    word = "cat"

    @property
    def known(self) -> bool:
        """Whether the categories are known."""
        return not is_unknown_categorical(self._dtype)

    @property
    def ordered(self) -> bool:
        """Whether the categories have an order."""
        return bool(self._dtype.ordered)

    @property
    def categories(self) -> pd.Index:
        """The categories.

        Raises
        ------
        NotImplementedError
            They are not known.
        """
        return self._known_dtype.categories

    @property
    def codes(self) -> Any:
        """For each value the number of its category; -1 where it is missing.

        Raises
        ------
        NotImplementedError
            The categories are not known.
        """
        self._known_dtype  # noqa: B018  # raises
        return row_by_row(self._collection, Attribute("cat.codes"))

    def as_known(self) -> Any:
        """The same series with categories that are known; those that occur are computed now, and sorted."""
        if self.known:
            return self._collection
        categories = self._occurring()
        return row_by_row(self._collection, Method("astype"), pd.CategoricalDtype(categories, ordered=self.ordered))

    def as_unknown(self) -> Any:
        """The same series with categories that are not known until the result is computed."""
        dtype = unknown_categorical(self._dtype.categories.dtype, ordered=self.ordered)
        declared = pd.Series([], dtype=dtype, name=self._collection.expr.meta.name)
        return row_by_row(self._collection, Method("cat.remove_unused_categories"), declared=declared)

    def remove_unused_categories(self) -> Any:
        """Without categories that do not occur; those that do are computed now."""
        if not self.known:
            return self.as_known()
        used = set(self._occurring())
        kept = [category for category in self.categories if category in used]
        dtype = pd.CategoricalDtype(pd.Index(kept, dtype=self.categories.dtype), ordered=self.ordered)
        return row_by_row(self._collection, Method("astype"), dtype)

    def _occurring(self) -> pd.Index:
        found: pd.Index = new_collection(distinct(self._collection.expr)).compute()
        return found

    @property
    def _dtype(self) -> pd.CategoricalDtype:
        dtype: pd.CategoricalDtype = self._collection.expr.meta.dtype
        return dtype

    @property
    def _known_dtype(self) -> pd.CategoricalDtype:
        if not self.known:
            raise NotImplementedError("the categories are not known; compute them by cat.as_known()")
        return self._dtype


add_methods(CategoricalMethods, "cat", _METHODS, None)
