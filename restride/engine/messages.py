"""What scheduler, workers and clients tell each other: columns, never an object a task.

Ids are global: a job that has been submitted is the contiguous run ``base .. base + n - 1``. Layers are numbered the
same way, over all jobs. Nothing here does anything.

Messages whose fields are all columns, blobs and plain values travel as they are (`restride.engine.wire.codec`); those
that carry Python objects are for state machines that share a process, and what takes their place between processes
stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints
from restride.engine.graphs.params import ParamPages

Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Blob = bytes | memoryview
"""Bytes that only the ends look into."""
Blobs = Sequence[Blob]


def _no_ints() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(slots=True)
class TaskFailure:
    """Why a task failed: what was raised, by which task, made where."""

    exception: Any
    """What was raised, or its `Blob`; only the client looks into it. An error of the scheduler's own is itself."""
    traceback: Any
    """From the kernel on; only the client looks into it."""
    task: str
    """Name of the task."""
    origin: str | None
    """The line of the user's code that made it."""


# ---- scheduler -> worker


@dataclass(slots=True)
class Kernels:
    """Layers that the worker has not seen: numbers, and what to run."""

    numbers: Sequence[int]
    layers: Sequence[Any]
    """`Layer`, or between processes `PackedLayer`, which travel as `PackedKernels`."""


@dataclass(slots=True)
class PackedKernels:
    """`Kernels` between processes: pickled, each of them once."""

    numbers: Ints
    """Numbers of the layers."""
    kernel: Int32s
    """Which of `kernels` each layer runs."""
    has_param: Flags
    """Whether a layer's tasks have a parameter each."""
    resources: Sequence[Mapping[str, float]]
    """What a task of each layer needs to have for itself while it runs."""
    digests: Sequence[str]
    kernels: Blobs
    """Each the pickle of ``(function, constants)``."""


@dataclass(slots=True)
class Place:
    """Tasks to run, ascending by id, each after its dependencies exist."""

    ids: Ints
    attempts: Int32s
    layers: Int32s
    """Number of each task's layer."""
    params: list[Any] | ParamPages
    """The parameter of each task, None where its layer has none."""
    indptr: Ints
    deps: Ints
    """Dependencies as CSR of ids."""
    homes: Int32s
    """Which worker holds, or will hold, each dependency: one a dependency."""
    wanted: Flags
    """Whether a client holds the task's output: small ones are sent along with the news that they exist."""
    client: int = 0
    """Whose tasks they are, as clients take turns."""


@dataclass(slots=True)
class Drop:
    """Tasks and outputs that nobody needs any more: not begun ones are forgotten, results are let go."""

    ids: Ints


@dataclass(slots=True)
class ForgetKernels:
    """Layers of a job that is over."""

    numbers: Sequence[int]


@dataclass(slots=True)
class TakeBack:
    """Tasks to give back, those of them that have not begun; `GivenBack` says which they were."""

    ids: Ints


@dataclass(slots=True)
class Moved:
    """Outputs that placed tasks wait for will come from other workers than was said before."""

    ids: Ints
    homes: Int32s


@dataclass(slots=True)
class Replicate:
    """Outputs to fetch and to hold until they are dropped, though no task here needs them."""

    ids: Ints
    homes: Int32s


@dataclass(slots=True)
class Await:
    """Outputs that a client has, and sends to this worker of itself; they are reported as any other."""

    ids: Ints
    attempts: Int32s


@dataclass(slots=True)
class Stop:
    """Tasks that somebody cancelled by name, dropped already: say `Stopped` once none of them runs any more."""

    number: int
    ids: Ints


@dataclass(slots=True)
class Workers:
    """Where workers, and what else holds outputs, can be reached; sent to workers and clients alike."""

    numbers: Ints
    addresses: Sequence[Sequence[str]]
    """Of each worker, the best first; none for a worker that is gone."""


# ---- worker -> scheduler


@dataclass(slots=True)
class Finished:
    """Tasks whose outputs the worker now holds."""

    ids: Ints
    attempts: Int32s
    nbytes: Ints
    seconds: Floats
    result_ids: Ints = field(default_factory=_no_ints)
    """Tasks whose outputs are small and wanted by a client, so that they come along."""
    results: Blobs = ()
    """Their pickles."""


@dataclass(slots=True)
class Failed:
    """A task that raised."""

    id: int
    attempt: int
    exception: Any
    """What it raised; only the client looks into it. Between processes a `Blob`."""
    traceback: Any
    """From the kernel on; only the client looks into it."""


@dataclass(slots=True)
class PackedFailure:
    """`Failed` between processes."""

    id: int
    attempt: int
    exception: Blob


@dataclass(slots=True)
class GivenBack:
    """Answer to `TakeBack`: the tasks that had not begun, and are forgotten here."""

    ids: Ints
    attempts: Int32s


@dataclass(slots=True)
class Stopped:
    """Answer to `Stop`."""

    number: int


@dataclass(slots=True)
class Heartbeat:
    """The worker lives, and how it is."""

    nbytes: int
    """Bytes of the outputs that it holds."""
    memory: int
    """Bytes of memory that its process takes."""
    running: int
    """Tasks that run."""
    ready: int
    """Tasks that could."""


# ---- worker, or client, -> worker


@dataclass(slots=True)
class Fetch:
    """Outputs to send, each as soon as it exists."""

    ids: Ints


@dataclass(slots=True)
class Withdraw:
    """Outputs of an earlier `Fetch` that are not needed any more."""

    ids: Ints


@dataclass(slots=True)
class Outputs:
    """Outputs that were asked for; or that a client has and a worker awaits."""

    ids: Ints
    head: Blob
    """Pickle of the list of them, without the buffers."""
    buffers: Blobs


@dataclass(slots=True)
class Undeliverable:
    """An output that cannot be sent: it cannot be pickled, say. From a client to the scheduler: one to `Deliver`."""

    id: int
    exception: Blob
    """Pickle of an exception that explains it."""


# ---- nanny <-> scheduler


@dataclass(slots=True)
class Vouch:
    """These workers' processes live: they run, or hold the GIL in a task, and are not stopped."""

    names: Sequence[str]


@dataclass(slots=True)
class Deaf:
    """These workers' loops have not run for a while, as tasks hold the GIL, say: nothing is read or sent there."""

    names: Sequence[str]
    running: Ints
    """Ids of the tasks that their threads are at."""


@dataclass(slots=True)
class Died:
    """A worker's process has ended."""

    name: str
    reason: str
    """In words, for people: ``killed by signal 9 (SIGKILL)``."""
    running: Ints
    """Ids of the tasks that its threads were at."""
    expected: bool
    """Whether it was asked to end."""


@dataclass(slots=True)
class Replace:
    """End this worker's process, and start another in its place."""

    name: str
    reason: str


# ---- client -> scheduler


@dataclass(slots=True)
class Submit:
    """A job, in columns; nothing in it need be unpickled to schedule it."""

    token: int
    """The client's number for it, from 0 on."""
    nested: bool
    options: Mapping[str, Any]
    """`Options` as a mapping."""
    layer: Int32s
    index: Int32s
    indptr: Ints
    indices: Ints
    wanted: Ints
    inputs: Ints
    """The columns of `Job`, and ids of the outputs of earlier jobs."""
    names: Sequence[str]
    origins: Sequence[str | None]
    counts: Ints
    """Of each layer: how many tasks it has; not all of them need be in the job."""
    kernel: Int32s
    """Of each layer: which kernel it runs, -1 where futures stand for its tasks."""
    first_page: Ints
    rows_per_page: Ints
    """Of each layer: where its params are, see `PackedJob`; no rows a page where it has none."""
    page_lengths: Ints
    pages: Blob
    digests: Sequence[str]
    kernels: Blobs


@dataclass(slots=True)
class Release:
    """Outputs that the client held and does not need any more, once for each time that it held them."""

    ids: Ints


@dataclass(slots=True)
class Cancel:
    """As `Release`; tasks among them, and what they alone need, that run must end soon, or their worker is replaced."""

    ids: Ints


@dataclass(slots=True)
class Request:
    """Anything that is asked for rarely: answered by a `Reply` with the same number."""

    number: int
    what: str
    arguments: Mapping[str, Any]
    blob: Blob = b""


@dataclass(slots=True)
class Reply:
    """Answer to a `Request`."""

    number: int
    value: Any
    """Plain values, as in JSON."""
    blobs: Blobs = ()
    error: str | None = None
    """Why there is no answer."""


# ---- scheduler -> client


@dataclass(slots=True)
class Accepted:
    """A job has got its ids, from `base` on."""

    token: int
    base: int
    warning: str = ""
    """What its user should know, if anything."""


@dataclass(slots=True)
class Rejected:
    """A job cannot be run."""

    token: int
    reason: str


@dataclass(slots=True)
class Done:
    """Wanted tasks of a job whose outputs exist now; and where."""

    job: int
    """Id of the job's first task."""
    ids: Ints
    workers: Int32s
    result_ids: Ints = field(default_factory=_no_ints)
    """Those whose outputs come along."""
    results: Blobs = ()
    """Their pickles."""


@dataclass(slots=True)
class Broken:
    """Wanted tasks of a job that will never have an output."""

    job: int
    """Id of the job's first task."""
    ids: Ints
    failure: TaskFailure


@dataclass(slots=True)
class PackedBroken:
    """`Broken` between processes."""

    job: int
    ids: Ints
    task: str
    origin: str | None
    exception: Blob
    """Pickle of what was raised; empty where the scheduler itself gave the task up."""
    error: str
    """Name of the error in `restride.errors` that the scheduler raises, and its message; empty otherwise."""
    message: str


@dataclass(slots=True)
class Deliver:
    """Outputs that the client has scattered: each is to be sent to this worker, which awaits it."""

    ids: Ints
    workers: Int32s


@dataclass(slots=True)
class Unneeded:
    """Outputs that the client has scattered, and will not be asked to deliver any more, whatever is lost."""

    ids: Ints


@dataclass(slots=True)
class Undone:
    """Outputs that were done, and are lost with their worker; they are computed again."""

    job: int
    ids: Ints


ToWorker = Kernels | Place | Await | Drop | ForgetKernels | TakeBack | Moved | Replicate | Stop
ToClient = Done | Broken | Undone | Deliver | Unneeded
