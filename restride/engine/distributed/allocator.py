"""How C libraries in worker processes manage memory: they keep what they have, until it is returned on purpose.

Pages fresh from the system cost more than most kernels do: on the machine where this was measured numpy takes 0.8 ms to
add to an array of 3.2 MB with glibc's defaults, and 0.22 ms with these. `restride.engine.memory` returns what has come
together unused.
"""

from __future__ import annotations

MIB = 2**20

ENVIRONMENT = {
    # One pool of threads runs tasks; a second one in BLAS would fight it for the cores.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # numpy would ask for pages of 2 MiB: in memory that was returned in between they take 2.4 ms a MiB, others 0.4.
    "NUMPY_MADVISE_HUGEPAGE": "0",
    # Arrow's allocator.
    "MIMALLOC_PURGE_DELAY": "-1",
    # glibc: chunks of arrays come from a heap that all threads share, whose free end is given back in large pieces.
    "MALLOC_MMAP_THRESHOLD_": str(1024 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(256 * MIB),
    "MALLOC_ARENA_MAX": "1",
}
"""Environment variables of worker processes, where the user has not set them; libraries read them as they load."""
