"""Waiting for processes that are nobody's children, or not ours."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable

import psutil

PATIENCE = 30.0


def all_end(processes: Iterable[psutil.Process]) -> bool:
    """Whether all of them end in time; whoever has to may not have reaped them yet."""
    deadline = time.monotonic() + PATIENCE
    return all(_ends(process.pid, max(0.0, deadline - time.monotonic())) for process in processes)


def _ends(pid: int, timeout: float) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return select.select([handle], [], [], timeout)[0] != []
    finally:
        os.close(handle)
