"""The accessors of series and indexes."""

from __future__ import annotations

from restride.collections.dataframe.accessors.categories import CategoricalMethods
from restride.collections.dataframe.accessors.dates import DatetimeMethods
from restride.collections.dataframe.accessors.registering import AccessorAttribute
from restride.collections.dataframe.accessors.strings import StringMethods
from restride.collections.dataframe.base import FrameBase


class Accessors(FrameBase):
    """``str``, ``dt`` and ``cat``."""

    str = AccessorAttribute(StringMethods)
    dt = AccessorAttribute(DatetimeMethods)
    cat = AccessorAttribute(CategoricalMethods)
