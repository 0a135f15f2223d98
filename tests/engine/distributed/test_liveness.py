"""The page of memory by which a nanny knows that a worker lives."""

from __future__ import annotations

import os
import time

import pytest

from restride.engine.distributed.liveness import NO_TASK, LivenessPage


@pytest.mark.parametrize(("threads", "slots"), [(0, 1), (1, 1), (4, 4)])
def test_a_page_has_a_place_for_each_thread_and_one_for_a_loop_that_computes(threads: int, slots: int) -> None:
    page = LivenessPage.create(threads)
    assert page.view[1:].tolist() == [NO_TASK] * slots
    page.close()


def test_what_a_worker_writes_its_nanny_reads() -> None:
    nannys = LivenessPage.create(3)
    workers = LivenessPage(os.dup(nannys.file))
    assert nannys.running.tolist() == []
    workers.view[1], workers.view[3] = 0, -(2**62)
    assert nannys.running.tolist() == [0, -(2**62)]
    workers.view[0] = time.monotonic_ns() - 5 * 10**9
    assert nannys.seconds_since_breath == pytest.approx(5, abs=1)
    workers.close()
    assert nannys.running.tolist() == [0, -(2**62)], "what a dead worker wrote can still be read"
    nannys.close()
