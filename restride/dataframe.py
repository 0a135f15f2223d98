"""Frames: partitioned tables with pandas' semantics and names. ``import restride.dataframe as rd``."""

from restride.collections.collection import compute, persist
from restride.collections.dataframe import extensions
from restride.collections.dataframe import testing as utils
from restride.collections.dataframe.binning import cut, qcut
from restride.collections.dataframe.concatenating import concat
from restride.collections.dataframe.conversions import (
    factorize,
    isna,
    isnull,
    melt,
    notna,
    notnull,
    to_datetime,
    to_numeric,
    to_timedelta,
    unique,
)
from restride.collections.dataframe.creation import from_pandas
from restride.collections.dataframe.crosstab import crosstab
from restride.collections.dataframe.dummies import get_dummies
from restride.collections.dataframe.frame import DataFrame
from restride.collections.dataframe.functional import (
    map_overlap,
    map_partitions,
    pivot_table,
    repartition,
    to_csv,
    to_hdf,
    to_json,
    to_parquet,
    to_records,
    to_sql,
)
from restride.collections.dataframe.groupby.specs import Aggregation
from restride.collections.dataframe.index import Index
from restride.collections.dataframe.io.arrays import from_array
from restride.collections.dataframe.io.arrow import from_arrow
from restride.collections.dataframe.io.arrow_files import read_feather, read_orc
from restride.collections.dataframe.io.creation import from_delayed, from_dict, from_map
from restride.collections.dataframe.io.hdf import read_hdf
from restride.collections.dataframe.io.parquet.reader import read_parquet
from restride.collections.dataframe.io.sql import read_sql, read_sql_query, read_sql_table
from restride.collections.dataframe.io.text.json import read_json
from restride.collections.dataframe.io.text.read_csv import read_csv, read_fwf, read_table
from restride.collections.dataframe.merging import merge, merge_asof, merge_ordered
from restride.collections.dataframe.scalar import Scalar
from restride.collections.dataframe.series import Series
from restride.collections.dataframe.wide_to_long import wide_to_long

__all__ = [
    "Aggregation",
    "DataFrame",
    "Index",
    "Scalar",
    "Series",
    "compute",
    "concat",
    "crosstab",
    "cut",
    "extensions",
    "factorize",
    "from_array",
    "from_arrow",
    "from_delayed",
    "from_dict",
    "from_map",
    "from_pandas",
    "get_dummies",
    "isna",
    "isnull",
    "map_overlap",
    "map_partitions",
    "melt",
    "merge",
    "merge_asof",
    "merge_ordered",
    "notna",
    "notnull",
    "persist",
    "pivot_table",
    "qcut",
    "read_csv",
    "read_feather",
    "read_fwf",
    "read_hdf",
    "read_json",
    "read_orc",
    "read_parquet",
    "read_sql",
    "read_sql_query",
    "read_sql_table",
    "read_table",
    "repartition",
    "to_csv",
    "to_datetime",
    "to_hdf",
    "to_json",
    "to_numeric",
    "to_parquet",
    "to_records",
    "to_sql",
    "to_timedelta",
    "unique",
    "utils",
    "wide_to_long",
]
