"""What scheduler, workers and clients tell each other: columns, never an object a task.

Ids are global: a job that has been submitted is the contiguous run ``base .. base + n - 1``. Layers are numbered the
same way, over all jobs. Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.engine.csr import Ints
from restride.engine.graph import Layer


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """Why a task failed: what was raised, by which task, made where."""

    exception: Any
    """What was raised; only the client looks into it."""
    traceback: Any
    """From the kernel on; only the client looks into it."""
    task: str
    """Name of the task."""
    origin: str | None
    """The line of the user's code that made it."""


# ---- scheduler -> worker


@dataclass(frozen=True, slots=True)
class Kernels:
    """Layers that the worker has not seen: numbers, and what to run."""

    numbers: Sequence[int]
    layers: Sequence[Layer]


@dataclass(frozen=True, slots=True)
class Place:
    """Tasks to run, ascending by id, each after its dependencies exist."""

    ids: Ints
    attempts: NDArray[np.int32]
    layers: NDArray[np.int32]
    """Number of each task's layer."""
    params: list[Any]
    """The parameter of each task, None where its layer has none."""
    indptr: Ints
    deps: Ints
    """Dependencies as CSR of ids."""
    homes: NDArray[np.int32]
    """Which worker holds, or will hold, each dependency: one a dependency."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Tasks and outputs that nobody needs any more: not begun ones are forgotten, results are let go."""

    ids: Ints


@dataclass(frozen=True, slots=True)
class ForgetKernels:
    """Layers of a job that is over."""

    numbers: Sequence[int]


# ---- worker -> scheduler


@dataclass(frozen=True, slots=True)
class Finished:
    """Tasks whose outputs the worker now holds."""

    ids: Ints
    attempts: NDArray[np.int32]
    nbytes: Ints
    seconds: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Failed:
    """A task that raised."""

    id: int
    attempt: int
    exception: Any
    """What it raised; only the client looks into it."""
    traceback: Any
    """From the kernel on; only the client looks into it."""


# ---- scheduler -> client


@dataclass(frozen=True, slots=True)
class Done:
    """Wanted tasks of a job whose outputs exist now; and where."""

    job: int
    """Id of the job's first task."""
    ids: Ints
    workers: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Broken:
    """Wanted tasks of a job that will never have an output."""

    job: int
    """Id of the job's first task."""
    ids: Ints
    failure: TaskFailure


ToWorker = Kernels | Place | Drop | ForgetKernels
ToClient = Done | Broken
