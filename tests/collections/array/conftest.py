"""What holds for tests of arrays: zarr's threads live as long as the process, so they start before all tests."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import zarr


@pytest.fixture(scope="session", autouse=True)
def zarr_threads() -> Iterator[None]:
    """One worker beside the loop: both run after the first array, and no test starts more."""
    with zarr.config.set({"threading.max_workers": 1}):
        zarr.create_array({}, data=np.ones(3))
        yield
