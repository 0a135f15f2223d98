"""The eight tables as a query sees them: attributes, read by the library under test when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")


@dataclass(frozen=True)
class Tables:
    """Frames of pandas, dask or restride, by the function that reads Parquet files."""

    folder: Path
    read: Callable[[str], Any]
    scale: float

    def __getattr__(self, name: str) -> Any:
        if name not in NAMES:
            raise AttributeError(f"no table is called {name!r}: there are {', '.join(NAMES)}")
        return self.read(str(self.folder / name))
