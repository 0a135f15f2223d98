"""Parquet: planned from footers, read row group by row group, written a file a partition."""
