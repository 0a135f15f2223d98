"""Frames: partitioned tables with pandas' semantics. What users import is in `restride.dataframe`."""

from restride.engine.memory import keep_freed_memory

# Before pyarrow is loaded. A join of 10 million rows with as many took 2.7 s of the processors, and takes 2.1.
keep_freed_memory()
