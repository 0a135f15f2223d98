"""What every process of a cluster needs to know, and how it is said to one that starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from restride.config import Settings
from restride.engine.wire.security import Security


@dataclass(frozen=True, slots=True)
class Common:
    """Shared by all processes that somebody starts together."""

    security: Security
    settings: Settings
    log_level: str
    """From which on children log, to standard error."""

    def to_plain(self) -> dict[str, Any]:
        """As plain values, for a `Channel`; they hold the secret."""
        tls = self.security.tls
        return {
            "secret": self.security.secret.hex(),
            "tls": None if tls is None else str(tls),
            "settings": dataclasses.asdict(self.settings),
            "log_level": self.log_level,
        }

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Self:
        """Reverse of `to_plain`; what else is in the mapping does not matter."""
        tls = values["tls"]
        security = Security(bytes.fromhex(values["secret"]), None if tls is None else Path(tls))
        return cls(security, Settings(**values["settings"]), values["log_level"])
