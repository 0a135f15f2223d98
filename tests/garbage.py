"""Garbage in reference cycles, collected for sure."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

PATIENCE = 20.0


def collected(gone: Callable[[], bool]) -> bool:
    """Collect garbage until it is gone; whether it is, in the end.

    Once may not be enough: a collection does nothing while another thread is at one.
    """
    end = time.monotonic() + PATIENCE
    gc.collect()
    while not gone() and time.monotonic() < end:
        time.sleep(0.001)  # for the other thread
        gc.collect()
    return gone()
