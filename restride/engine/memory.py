"""What the system is told of this process's memory: what malloc may return, and which arrays fill up bit by bit.

Pages fresh from the system cost more than most kernels do, so what tasks free stays in the process for the next ones.
What has come together and nothing uses is returned, but no more in a second than costs a fifth of that.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections import deque
from time import monotonic
from typing import Any

import numpy as np

MIB = 2**20

SPARE_BYTES = 32 * MIB
"""What a worker's process may keep that nothing uses: there may be many."""
SPARE_BYTES_ALONE = 128 * MIB
"""The same where there is but one process."""
RETURNED_PER_SECOND = 512 * MIB
"""What it returns on average at most: to get it back takes up to 0.4 ms a MiB, to return it 0.04."""
LOOK_SECONDS = 0.05
"""How often it pays to look at most."""
LOOKS = 2
"""What was unused at each of the last looks is: tasks may want at once what others have just freed."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
"""glibc, mostly; other C libraries do not have all that is asked of it here."""


_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""What `mallopt` calls them."""
_MALLOC_SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": (_MMAP_THRESHOLD, 32 * MIB),
    "MALLOC_TRIM_THRESHOLD_": (_TRIM_THRESHOLD, 256 * MIB),
}
"""What keeps arrays on heaps, by the variables by which users would have said otherwise.

Larger arrays are not: 32 MiB is what glibc would come to by itself, and the most that a heap takes.
"""


def keep_freed_memory() -> None:
    """Have allocators keep what is freed for what comes next, in this process, as those of workers do from the start.

    malloc gives back the end of a heap when 256 MiB are free there; by itself it does so after each task that had
    temporaries of some MiB. Arrow's allocator gives back what was free for 10 s, if it has not been loaded before: a
    tenth of the time of joins and sorts, which otherwise begin with memory fresh from the system. `SpareMemory` looks
    after the rest. What the user has set stays.
    """
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "10000")
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        for variable, (setting, value) in _MALLOC_SETTINGS.items():
            if variable not in os.environ:
                mallopt(ctypes.c_int(setting), ctypes.c_int(value))


class _MallInfo(ctypes.Structure):
    """glibc's own account, in bytes."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
        )
    )  # fmt: skip


class SpareMemory:
    """Returns what malloc, and Arrow's allocator, keep and nothing uses, once it is much; nothing without glibc.

    Parameters
    ----------
    spare : int
        Bytes that may be kept.
    """

    def __init__(self, spare: int = SPARE_BYTES) -> None:
        self._spare = spare
        self._info: Any = getattr(_libc, "mallinfo2", None)
        if self._info is not None:
            self._info.restype = _MallInfo
        self._other = sys.maxsize
        """Bytes of the process that no allocator knows of that is asked here, such as the interpreter's own."""
        self._due = 0.0
        self._seen: deque[int] = deque(maxlen=LOOKS)

    @property
    def due(self) -> bool:
        """Whether it is time to look."""
        return self._info is not None and monotonic() >= self._due

    def look(self) -> None:
        """Return what is unused if that is much, and pays."""
        if not self.due:
            return
        self._seen.append(self._unused())
        unused, pause = min(self._seen), LOOK_SECONDS
        if unused > self._spare:
            release_unused()
            self._seen.clear()
            self._other += max(self._unused(), 0)
            pause = max(unused / RETURNED_PER_SECOND, pause)
        self._due = monotonic() + pause

    def _unused(self) -> int:
        with open("/proc/self/statm", "rb") as statm:
            resident, of_files = map(int, statm.read().split()[1:3])
        info = self._info()
        beside = (resident - of_files) * mmap.PAGESIZE - int(info.uordblks + info.hblkhd)
        allocated = _of_arrow("total_allocated_bytes")
        if allocated is not None:
            beside -= int(allocated())
        self._other = min(self._other, beside)
        return beside - self._other


def release_unused() -> None:
    """Return memory that is free to the system, as far as the libraries can; worth a call when memory gets short."""
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
    pool = _of_arrow("default_memory_pool")
    if pool is not None:
        pool().release_unused()


def _of_arrow(name: str) -> Any:
    """What pyarrow has by a name; None where it is not loaded, or another thread is still at it."""
    return getattr(sys.modules.get("pyarrow"), name, None)


def fill_bit_by_bit(array: np.ndarray) -> np.ndarray:
    """An array, new and empty, that takes memory only as it is filled, wherever that begins.

    numpy asks for pages of 2 MiB: with these, one column that is written makes all of a matrix resident.
    """
    advise, advice = getattr(_libc, "madvise", None), getattr(mmap, "MADV_NOHUGEPAGE", None)
    if advise is not None and advice is not None:
        start = -(-array.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
        length = array.ctypes.data + array.nbytes - start
        if length > 0:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(length), advice)  # where it fails, nothing is lost
    return array
