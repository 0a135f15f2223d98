"""What holds for every test: invariants are checked, and no thread outlives the test that started it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

import restride

os.environ.setdefault("RESTRIDE_VALIDATE", "1")

# A deadline per example says more about the machine than about the code.
settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

SECONDS_TO_FINISH = 20.0


def unfinished(threads: set[threading.Thread]) -> list[threading.Thread]:
    """Those of `threads` that are still alive after some seconds to finish in."""
    deadline = time.monotonic() + SECONDS_TO_FINISH
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]


def is_of_python(thread: threading.Thread) -> bool:
    """Whether Python made it: threads of C libraries that call Python are listed as well, and never end there."""
    return not isinstance(thread, threading._DummyThread)


@pytest.fixture(scope="session", autouse=True)
def default_client() -> Iterator[restride.Client]:
    """Where tests compute that name no client: made before them all, so that its threads are nobody's leak."""
    with restride.default_client() as client:
        yield client


@pytest.fixture(autouse=True)
def no_thread_leaks() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    leaked = unfinished({thread for thread in threading.enumerate() if is_of_python(thread)} - before)
    if leaked:
        pytest.fail(f"threads outlive the test: {', '.join(sorted(thread.name for thread in leaked))}")
