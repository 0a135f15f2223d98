"""A cluster of real processes that tests share, as long as they leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import restride as rs


@pytest.fixture(scope="session")
def cluster() -> Iterator[rs.LocalCluster]:
    """Two workers of one thread."""
    with rs.LocalCluster(workers=2, threads_per_worker=1) as cluster:
        cluster.wait_for_workers(timeout=60)
        yield cluster


@pytest.fixture
def client(cluster: rs.LocalCluster) -> Iterator[rs.Client]:
    """A client of the shared cluster."""
    with rs.Client(cluster) as client:
        yield client
