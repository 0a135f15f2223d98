"""restride: partitioned arrays and dataframes on a task scheduler fast enough to shuffle.

The public names, nothing else; the modules behind them load on first use, so that ``import restride`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from restride import array, config
    from restride.collections.collection import compute, persist
    from restride.engine.client import Client, default_client
    from restride.engine.futures import Future, as_completed, wait
    from restride.engine.graph import Layer, TaskGraph
    from restride.errors import (
        BlockError,
        CancelledError,
        ChunkError,
        ClosedError,
        GraphError,
        InternalError,
        RestrideError,
        WaitTimeoutError,
    )

__version__ = "0.1.0"

__all__ = [
    "BlockError",
    "CancelledError",
    "ChunkError",
    "Client",
    "ClosedError",
    "Future",
    "GraphError",
    "InternalError",
    "Layer",
    "RestrideError",
    "TaskGraph",
    "WaitTimeoutError",
    "__version__",
    "array",
    "as_completed",
    "compute",
    "config",
    "default_client",
    "persist",
    "wait",
]

_MODULE_OF = {
    "BlockError": "restride.errors",
    "CancelledError": "restride.errors",
    "ChunkError": "restride.errors",
    "Client": "restride.engine.client",
    "ClosedError": "restride.errors",
    "Future": "restride.engine.futures",
    "GraphError": "restride.errors",
    "InternalError": "restride.errors",
    "Layer": "restride.engine.graph",
    "RestrideError": "restride.errors",
    "TaskGraph": "restride.engine.graph",
    "WaitTimeoutError": "restride.errors",
    "as_completed": "restride.engine.futures",
    "compute": "restride.collections.collection",
    "default_client": "restride.engine.client",
    "persist": "restride.collections.collection",
    "wait": "restride.engine.futures",
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
