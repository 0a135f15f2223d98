"""Frames: partitioned tables with pandas' semantics. What users import is in `restride.dataframe`."""
