"""The systems that are compared on processes of this machine: how each is started, and what the benchmarks ask of it.

All get the same number of workers, processes of one thread each. Systems other than restride take part where they are
installed.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

import restride as rs
from benchmarks import graphs

LOOPBACK = "127.0.0.1"


class Session(Protocol):
    """A system that runs."""

    def ready(self, workers: int) -> None:
        """Wait for the workers, where they start with the system and not with its first tasks."""

    def in_one_task(self, n: int) -> int:
        """Add one to the first `n` numbers in a single task; their sum."""

    def in_tasks(self, n: int) -> int:
        """Add one to the first `n` numbers in a task each; their sum."""

    def call(self) -> int:
        """The least that it can do, from the call to the result in hand."""


@dataclass(frozen=True, slots=True)
class System:
    """A system to compare."""

    name: str
    package: str
    """What has to be installed."""
    start: Callable[[int], AbstractContextManager[Session]]
    """Takes the number of workers."""
    most: int = 10_000
    """Tasks of a job at most; larger ones take minutes."""

    @property
    def installed(self) -> bool:
        return installed(self.package)


def installed(package: str) -> bool:
    return find_spec(package) is not None


@contextmanager
def restride_client(workers: int = 2) -> Iterator[rs.Client]:
    """A client of restride with workers of its own, all of them there."""
    with rs.Client("processes", workers=workers, threads_per_worker=1) as client:
        client.wait_for_workers(workers)
        yield client


@contextmanager
def dask_client(workers: int = 2, config: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """A client of dask.distributed with workers of its own; what it says in the log while it stops is left out."""
    import dask
    import distributed

    with (
        dask.config.set(config or {}),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


class _Restride:
    def __init__(self, client: rs.Client) -> None:
        self.client = client

    def ready(self, workers: int) -> None:
        self.client.wait_for_workers(workers)

    def in_one_task(self, n: int) -> int:
        return self.client.get(*graphs.inc_and_sum_at_once(n))[0]

    def in_tasks(self, n: int) -> int:
        return self.client.get(*graphs.inc_then_sum(n))[0]

    def call(self) -> int:
        return self.client.submit(graphs.inc, 1).result()


class _Dask:
    def __init__(self, client: Any) -> None:
        self.client = client

    def ready(self, workers: int) -> None:
        self.client.wait_for_workers(workers)

    def in_one_task(self, n: int) -> int:
        return self.client.get(*graphs.dask_inc_and_sum_at_once(n))

    def in_tasks(self, n: int) -> int:
        return self.client.get(*graphs.dask_inc_then_sum(n))

    def call(self) -> int:
        return self.client.submit(graphs.inc, 1, pure=False).result()  # or it would remember


class _Ray:
    def __init__(self, ray: Any) -> None:
        self.get = ray.get
        self.inc, self.inc_all, self.total = map(ray.remote, (graphs.inc, graphs.inc_all, graphs.total))

    def ready(self, workers: int) -> None:
        pass

    def in_one_task(self, n: int) -> int:
        return self.get(self.inc_all.remote(n))

    def in_tasks(self, n: int) -> int:
        level = [self.inc.remote(i) for i in range(n)]
        while len(level) > 1:
            level = [self.total.remote(*level[i : i + graphs.FAN_IN]) for i in range(0, len(level), graphs.FAN_IN)]
        return self.get(level[0])

    def call(self) -> int:
        return self.get(self.inc.remote(1))


class _Spark:
    def __init__(self, context: Any) -> None:
        self.context = context

    def ready(self, workers: int) -> None:
        pass

    def in_one_task(self, n: int) -> int:
        return self._sum(n, 1)

    def in_tasks(self, n: int) -> int:
        return self._sum(n, n)

    def call(self) -> int:
        return self._sum(1, 1)

    def _sum(self, n: int, tasks: int) -> int:
        return self.context.parallelize(range(n), tasks).map(graphs.inc).sum()


@contextmanager
def _restride(workers: int) -> Iterator[Session]:
    with rs.Client("processes", workers=workers, threads_per_worker=1) as client:
        yield _Restride(client)


@contextmanager
def _dask(workers: int, config: Mapping[str, Any] | None = None) -> Iterator[Session]:
    with dask_client(workers, config) as client:
        yield _Dask(client)


@contextmanager
def _ray(workers: int) -> Iterator[Session]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # or it warns of what it will do one day
    import ray

    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as directory:
        ray.init(
            num_cpus=workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address=LOOPBACK,
            _temp_dir=directory,
        )
        try:
            yield _Ray(ray)
        finally:
            ray.shutdown()


@contextmanager
def _spark(workers: int) -> Iterator[Session]:
    os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    from pyspark import SparkConf, SparkContext

    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": LOOPBACK}
    context = SparkContext(conf=SparkConf().setMaster(f"local[{workers}]").setAll(settings.items()))
    context.setLogLevel("ERROR")
    try:
        yield _Spark(context)
    finally:
        context.stop()


SYSTEMS = (
    System("restride", "restride", _restride, most=100_000),
    System("dask.distributed", "distributed", _dask),
    System(
        "dask.distributed, worker-saturation inf",
        "distributed",
        partial(_dask, config={"distributed.scheduler.worker-saturation": float("inf")}),
    ),
    System("ray", "ray", _ray),
    System("pyspark", "pyspark", _spark, most=1000),
)
