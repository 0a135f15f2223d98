"""Frames: partitioned tables with pandas' semantics and names. ``import restride.dataframe as rd``."""

from restride.collections.collection import compute, persist
from restride.collections.dataframe.creation import from_pandas
from restride.collections.dataframe.frame import DataFrame
from restride.collections.dataframe.index import Index
from restride.collections.dataframe.io.parquet.reader import read_parquet
from restride.collections.dataframe.scalar import Scalar
from restride.collections.dataframe.series import Series

__all__ = ["DataFrame", "Index", "Scalar", "Series", "compute", "from_pandas", "persist", "read_parquet"]
