"""Bulk transfer between two workers of this machine: an array that one has made and the other asks for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.systems import dask_client, installed, restride_client
from benchmarks.timing import Timing


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    sizes = (10**7,) if quick else (10**8, 10**9)
    repeat = 2 if quick else 5
    with ExitStack() as stack:
        client = stack.enter_context(restride_client())
        transfers = {"restride": _between(client, *client.info()["workers"])}
        if installed("distributed"):
            client = stack.enter_context(dask_client())
            transfers["dask.distributed"] = _between(client, *client.scheduler_info()["workers"])
        rows = [row for nbytes in sizes for row in _rows(transfers, nbytes, repeat)]
    if not installed("distributed"):
        rows.append({"System": "dask.distributed", "note": "not installed"})
    return {"transfer": rows}


def _rows(transfers: dict[str, Callable[[int], float]], nbytes: int, repeat: int) -> list[dict[str, Any]]:
    taken: dict[str, list[float]] = {name: [] for name in transfers}
    for _ in range(repeat):
        for name, transfer in transfers.items():
            taken[name].append(transfer(nbytes))
    return [
        {
            "System": name,
            "MB": nbytes // 10**6,
            "GB/s": nbytes / 1e9 / Timing(tuple(seconds)).best,
            "median GB/s": nbytes / 1e9 / Timing(tuple(seconds)).median,
        }
        for name, seconds in taken.items()
    ]


def _between(client: Any, source: str, target: str) -> Callable[[int], float]:
    """What makes an array of so many bytes on the one worker, and takes the time until the other has used it."""
    values = itertools.count()

    def transfer(nbytes: int) -> float:
        array = client.submit(np.full, nbytes // 8, float(next(values)), workers=[source])
        client.submit(np.ndim, array, workers=[source]).result()
        start = perf_counter()
        length = client.submit(len, array, workers=[target]).result()
        seconds = perf_counter() - start
        assert length == nbytes // 8
        return seconds

    return transfer
