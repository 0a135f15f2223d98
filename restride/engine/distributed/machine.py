"""What this machine has for us: cores and memory, as far as affinity, containers and the like let us have them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def total_memory() -> int:
    """Bytes of memory that this process may use: the machine's, or its container's where that has less."""
    total: int = psutil.virtual_memory().total
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # of control groups, second and first version
        try:
            total = min(total, int(Path("/sys/fs/cgroup", name).read_text()))
        except (OSError, ValueError):
            continue  # no such control group, or no limit
    return total
