"""The errors that restride raises of its own accord.

Everything roots in `RestrideError`, sorted by whose problem it is::

    RestrideError
    ├── GraphError          (ValueError)        a graph that cannot be built or submitted: the caller's
    ├── ChunkError          (ValueError)        chunks that do not fit a shape or an operation: the caller's
    ├── CancelledError      (concurrent.futures.CancelledError)   somebody cancelled the computation
    ├── WaitTimeoutError    (TimeoutError)      a wait ended before what it waited for
    ├── ClosedError         (RuntimeError)      a client or future used after its client was closed
    ├── BlockError          (ValueError)        a user's function returned a block other than declared
    ├── SchemaError         (ValueError)        a partition of other columns or dtypes than its frame's
    ├── ShuffleError        (RuntimeError)      rows were lost, or changed, on their way through a shuffle
    ├── SerializationError  (TypeError)         something that has to travel cannot be pickled: the caller's
    ├── TaskError           (RuntimeError)      stands for an exception of a task that cannot be pickled itself
    ├── ConnectError        (OSError)           no connection to an address, or none any more
    │   └── RefusedError                        the other end answered, and would not have the connection
    │       ├── AuthenticationError             the two ends do not know the same secret
    │       └── VersionError                    the two ends run versions that do not go together
    ├── WireError           (ValueError)        a message that is malformed, or larger than allowed
    ├── KilledWorkerError   (RuntimeError)      a task was running, again and again, when its worker died
    ├── LostError           (RuntimeError)      an output went with its worker and cannot be computed again
    ├── ClusterError        (RuntimeError)      a cluster's processes cannot be started, or have ended
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


class SchemaError(RestrideError, ValueError):
    """A partition has other columns or dtypes than its frame is known to have."""


class ShuffleError(RestrideError, RuntimeError):
    """A shuffle's pieces are not what was split: rows were lost, doubled or changed on their way."""


class SerializationError(RestrideError, TypeError):
    """A function, value or result cannot be pickled, and so cannot travel to another process."""


class TaskError(RestrideError, RuntimeError):
    """A task raised an exception that cannot be pickled: this has its type, message and traceback as text."""


class ConnectError(RestrideError, OSError):
    """No connection to an address could be made, or one was lost for good."""


class SilentError(ConnectError):
    """Something listens at the address and does not answer: it may be busy, and answer later."""


class RefusedError(ConnectError):
    """The other end answered, and would not have the connection: trying again is of no use."""


class AuthenticationError(RefusedError):
    """The other end does not know the same secret, or shows no certificate of the same authority."""


class VersionError(RefusedError):
    """The other end runs a version of Python, restride or a library that does not go together with ours."""


class WireError(RestrideError, ValueError):
    """A message between processes is malformed, or larger than ``comm.max_message`` allows."""


class KilledWorkerError(RestrideError, RuntimeError):
    """A task was running each time that several workers died; it is not tried again."""


class LostError(RestrideError, RuntimeError):
    """An output was lost with its worker, and cannot be computed again."""


class ClusterError(RestrideError, RuntimeError):
    """The processes of a cluster cannot be started, or ended when nobody asked them to."""


class PerformanceWarning(UserWarning):
    """Something works, but far slower, or in far more memory, than it could; the message tells how."""


class InternalError(RestrideError, RuntimeError):
    """An invariant of restride itself is broken; this is a bug to report, never the caller's mistake."""
