"""The errors that restride raises of its own accord.

Everything roots in `RestrideError`, sorted by whose problem it is::

    RestrideError
    ├── GraphError          (ValueError)        a graph that cannot be built or submitted: the caller's
    ├── ChunkError          (ValueError)        chunks that do not fit a shape or an operation: the caller's
    ├── CancelledError      (concurrent.futures.CancelledError)   somebody cancelled the computation
    ├── WaitTimeoutError    (TimeoutError)      a wait ended before what it waited for
    ├── ClosedError         (RuntimeError)      a client or future used after its client was closed
    ├── BlockError          (ValueError)        a user's function returned a block other than declared
    └── InternalError       (RuntimeError)      an invariant of ours is broken: please report it

An exception raised inside a task is none of these: it reaches the caller as the type it was raised with. Where numpy
or pandas define the error for a mistake (``AxisError``, ``IndexError``, ...), that type is raised instead.
"""

from __future__ import annotations

import concurrent.futures


class RestrideError(Exception):
    """Root of all errors that restride raises of its own accord."""


class GraphError(RestrideError, ValueError):
    """A task graph is malformed: a dangling dependency, columns of the wrong length."""


class ChunkError(RestrideError, ValueError):
    """Chunks do not fit the shape of an array, or an operation cannot work with the chunks given."""


class CancelledError(RestrideError, concurrent.futures.CancelledError):
    """The computation was cancelled before it could end."""


class WaitTimeoutError(RestrideError, TimeoutError):
    """A wait ended before what it waited for; the computation goes on."""


class ClosedError(RestrideError, RuntimeError):
    """A client, or a future of it, was used after the client was closed."""


class BlockError(RestrideError, ValueError):
    """A user's function returned a block of another shape or dtype than declared."""


class InternalError(RestrideError, RuntimeError):
    """An invariant of restride itself is broken; this is a bug to report, never the caller's mistake."""
