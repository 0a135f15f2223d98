"""Frames: partitioned tables with pandas' semantics. What users import is in `restride.dataframe`."""

from restride.engine.memory import keep_freed_memory

# Before pyarrow is loaded, whose allocator reads it then.
keep_freed_memory()
