"""restride: partitioned arrays and dataframes on a task scheduler fast enough to shuffle.

The public names, nothing else; the modules behind them load on first use, so that ``import restride`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from restride import array, config
    from restride.collections.collection import compute, persist
    from restride.engine.client.client import Client, default_client
    from restride.engine.client.futures import Future, as_completed, wait
    from restride.engine.distributed.local import LocalCluster
    from restride.engine.graphs.graph import Layer, TaskGraph
    from restride.engine.profile import profile
    from restride.engine.wire.security import Security
    from restride.errors import (
        AuthenticationError,
        BlockError,
        CancelledError,
        ChunkError,
        ClosedError,
        ClusterError,
        ConnectError,
        GraphError,
        InternalError,
        KilledWorkerError,
        LostError,
        RefusedError,
        RestrideError,
        SerializationError,
        TaskError,
        VersionError,
        WaitTimeoutError,
        WireError,
    )

__version__ = "0.1.0"

__all__ = [
    "AuthenticationError",
    "BlockError",
    "CancelledError",
    "ChunkError",
    "Client",
    "ClosedError",
    "ClusterError",
    "ConnectError",
    "Future",
    "GraphError",
    "InternalError",
    "KilledWorkerError",
    "Layer",
    "LocalCluster",
    "LostError",
    "RefusedError",
    "RestrideError",
    "Security",
    "SerializationError",
    "TaskError",
    "TaskGraph",
    "VersionError",
    "WaitTimeoutError",
    "WireError",
    "__version__",
    "array",
    "as_completed",
    "compute",
    "config",
    "default_client",
    "persist",
    "profile",
    "wait",
]

_MODULE_OF = {
    "AuthenticationError": "restride.errors",
    "BlockError": "restride.errors",
    "CancelledError": "restride.errors",
    "ChunkError": "restride.errors",
    "Client": "restride.engine.client.client",
    "ClosedError": "restride.errors",
    "ClusterError": "restride.errors",
    "ConnectError": "restride.errors",
    "Future": "restride.engine.client.futures",
    "GraphError": "restride.errors",
    "InternalError": "restride.errors",
    "KilledWorkerError": "restride.errors",
    "LostError": "restride.errors",
    "Layer": "restride.engine.graphs.graph",
    "LocalCluster": "restride.engine.distributed.local",
    "RefusedError": "restride.errors",
    "RestrideError": "restride.errors",
    "Security": "restride.engine.wire.security",
    "SerializationError": "restride.errors",
    "TaskError": "restride.errors",
    "TaskGraph": "restride.engine.graphs.graph",
    "VersionError": "restride.errors",
    "WaitTimeoutError": "restride.errors",
    "WireError": "restride.errors",
    "as_completed": "restride.engine.client.futures",
    "compute": "restride.collections.collection",
    "default_client": "restride.engine.client.client",
    "persist": "restride.collections.collection",
    "profile": "restride.engine.profile",
    "wait": "restride.engine.client.futures",
}
_SUBMODULES = {"array", "config"}


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"restride.{name}")
    if name in _MODULE_OF:
        value = getattr(importlib.import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'restride' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
