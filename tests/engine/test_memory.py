"""What a process keeps of memory that nothing uses, and how arrays take it up."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import psutil
import pytest

from restride.engine.distributed.allocator import ENVIRONMENT
from restride.engine.memory import SPARE_BYTES, fill_bit_by_bit, release_unused

PROGRAM = """
import numpy as np, psutil
import restride.engine.memory as memory
from restride.engine.memory import MIB, SpareMemory
memory.LOOK_SECONDS = 0

spare = SpareMemory()
resident = lambda: psutil.Process().memory_info().rss
spare.look()
before = resident()
arrays = [np.ones(MIB, np.uint8) for _ in range({used})]
spare.look()
assert resident() - before > ({used} - 8) * MIB, "what is used stays"
last = arrays[-1]
del arrays
assert resident() - before > ({used} - 8) * MIB, "free memory below what is used, so that malloc keeps it"
for _ in range(memory.LOOKS):
    spare.look()
print((resident() - before) // MIB)
"""


def left_of(mebibytes: int) -> int:
    """What a process with a worker's settings keeps, in MiB, after it has used and freed so much."""
    out = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(used=mebibytes)],
        env={**ENVIRONMENT, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert out.returncode == 0, out.stderr
    return int(out.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_memory_that_nothing_uses_is_returned_once_it_is_much() -> None:
    much, little = SPARE_BYTES // 2**20 * 5, SPARE_BYTES // 2**20 // 2
    assert left_of(much) < 8
    assert left_of(little) >= little - 8


def test_unused_memory_can_be_returned_at_any_time() -> None:
    release_unused()


@pytest.mark.skipif(sys.platform != "linux", reason="pages of Linux")
def test_an_array_that_fills_bit_by_bit_takes_memory_where_it_is_written() -> None:
    array = fill_bit_by_bit(np.empty((4096, 4096), np.uint8))
    before = psutil.Process().memory_info().rss
    array[::16, 0] = 1
    assert psutil.Process().memory_info().rss - before < array.nbytes // 2


def test_arrays_of_any_size_may_fill_bit_by_bit() -> None:
    for n in (0, 1, 5000):
        assert len(fill_bit_by_bit(np.empty(n, np.uint8))) == n


FAULTS_OF_ARRAYS = """
import os, resource
import numpy as np
import restride.dataframe
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(1 << 20)  # of 8 MiB, 2,048 pages
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, os.environ["MIMALLOC_PURGE_DELAY"])
"""


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="what glibc is told")
def test_programs_that_use_frames_keep_freed_memory_unless_the_user_has_said_otherwise() -> None:
    def run(**variables: str) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "MIMALLOC_"))}
        environment = {**kept, "NUMPY_MADVISE_HUGEPAGE": "0", "PYTHONPATH": ":".join(sys.path), **variables}
        command = [sys.executable, "-c", FAULTS_OF_ARRAYS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        faults, delay = done.stdout.split()
        return int(faults), delay

    faults, delay = run()
    assert faults < 3 * 2048
    assert delay == "10000"
    faults, delay = run(MIMALLOC_PURGE_DELAY="7", MALLOC_MMAP_THRESHOLD_="131072")
    assert faults > 15 * 2048
    assert delay == "7"


TEMPORARIES = """
import resource
import numpy as np
import restride as rs

with rs.Client(threads=1):
    x = np.ones(1 << 20)  # of 8 MiB, 2,048 pages
    faults = []
    for _ in range(25):
        np.sqrt(x * x + x)
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(faults[-1] - faults[4])
"""


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="what glibc is told")
def test_temporaries_of_tasks_are_on_pages_that_others_have_left() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["PYTHONPATH"] = ":".join(sys.path)
    out = subprocess.run(
        [sys.executable, "-c", TEMPORARIES], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert int(out.stdout) < 200, "60 arrays are 120,000 pages"
