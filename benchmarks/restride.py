"""An 8000 x 8000 float64 array from 160 row slabs to 160 column slabs, then a sum: seconds, and ratios to the others.

The slabs are made by a task each, as they would be in the middle of a computation: out of an array in memory (plus one,
as a mere source along other boundaries is read along those at once), and out of a random generator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask
import dask.array as da
import numpy as np

import restride as rs
import restride.array as ra
from benchmarks.systems import dask_client, installed, restride_client
from benchmarks.timing import alternate, comparison

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def run(*, quick: bool = False) -> Tables:
    side, slabs, repeat = (1000, 20, 2) if quick else (8000, 160, 5)
    return {
        "restride": _threads(side, slabs, repeat),
        "restride, 2 processes": _processes(side, slabs, repeat),
    }


def _threads(side: int, slabs: int, repeat: int) -> list[Row]:
    rows, columns = (side // slabs, -1), (-1, side // slabs)
    x = np.random.default_rng(0).random((side, side))
    plus_one: dict[str, Callable[[], Any]] = {
        "restride": lambda: (ra.from_array(x, chunks=rows) + 1).rechunk(columns).sum().compute(),
        "dask threads": lambda: _dask((da.from_array(x, chunks=rows) + 1).rechunk(columns).sum(), "threads"),
        "dask synchronous": lambda: _dask((da.from_array(x, chunks=rows) + 1).rechunk(columns).sum(), "synchronous"),
        "numpy": lambda: np.asfortranarray(x + 1).sum(),
    }
    made = (side, side)
    random: dict[str, Callable[[], Any]] = {
        "restride": lambda: ra.random.default_rng(0).random(made, chunks=rows).rechunk(columns).sum().compute(),
        "dask threads": lambda: _dask(
            da.random.default_rng(0).random(made, chunks=rows).rechunk(columns).sum(), "threads"
        ),
        "dask synchronous": lambda: _dask(
            da.random.default_rng(0).random(made, chunks=rows).rechunk(columns).sum(), "synchronous"
        ),
        "numpy": lambda: np.asfortranarray(np.random.default_rng(0).random(made)).sum(),
    }
    with rs.Client(threads=2):
        return [
            _row("in memory, plus one", slabs, plus_one, repeat),
            _row("random", slabs, random, repeat),
        ]


def _row(source: str, slabs: int, contenders: dict[str, Callable[[], Any]], repeat: int) -> Row:
    expected = contenders["numpy"]()
    for name in ("restride", "dask threads") if source == "in memory, plus one" else ():
        np.testing.assert_allclose(contenders[name](), expected)
    taken = alternate(contenders, repeat)
    ours = taken["restride"].best
    return {
        "source": source,
        "slabs": slabs,
        **{f"{name} s": timing.best for name, timing in taken.items()},
        **{f"of {name}": ours / timing.best for name, timing in taken.items() if name != "restride"},
    }


def _dask(x: da.Array, scheduler: str) -> Any:
    with dask.config.set(scheduler=scheduler, num_workers=2):
        return x.compute()


def _processes(side: int, slabs: int, repeat: int) -> list[Row]:
    """The random array alone, which is made where it is needed."""
    if not installed("distributed"):
        return [{"contender": "dask.distributed", "note": "not installed"}]
    shape, rows, columns = (side, side), (side // slabs, -1), (-1, side // slabs)

    def theirs(method: str) -> Any:
        with dask.config.set({"array.rechunk.method": method}):
            return da.random.default_rng(0).random(shape, chunks=rows).rechunk(columns).sum().compute()

    contenders: dict[str, Callable[[], Any]] = {
        "restride": lambda: ra.random.default_rng(0).random(shape, chunks=rows).rechunk(columns).sum().compute(),
        "dask.distributed, P2P": lambda: theirs("p2p"),
        "dask.distributed, tasks": lambda: theirs("tasks"),
    }
    with restride_client(), dask_client():
        return comparison(alternate(contenders, repeat), slabs=slabs)
