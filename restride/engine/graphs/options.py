"""How a job is to be run: what a caller may ask for beside the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

MOST_PRIORITY = 500
"""Priorities go from minus this to this."""


@dataclass(frozen=True, slots=True)
class Options:
    """What all tasks of a job have in common."""

    retries: int = 0
    """How often a task that raises is tried again."""
    priority: int = 0
    """Jobs of a higher one go first."""
    workers: tuple[str, ...] = ()
    """Names, addresses or hosts of the workers that may run it; any where empty."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """What each task needs to have for itself while it runs."""
    scattered: bool = False
    """Whether the client has the outputs, and sends them to where the tasks are placed: there is nothing to run."""

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries must be a number from 0, got {self.retries}")
        if not -MOST_PRIORITY <= self.priority <= MOST_PRIORITY:
            raise ValueError(f"priority must be from -{MOST_PRIORITY} to {MOST_PRIORITY}, got {self.priority}")
        if any(amount < 0 for amount in self.resources.values()):
            raise ValueError(f"resources must be amounts from 0, got {dict(self.resources)}")

    def to_mapping(self) -> dict[str, Any]:
        """Plain values that say the same."""
        return {
            "retries": self.retries,
            "priority": self.priority,
            "workers": list(self.workers),
            "resources": dict(self.resources),
            "scattered": self.scattered,
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """The options that `to_mapping` gave."""
        return cls(
            int(mapping["retries"]),
            int(mapping["priority"]),
            tuple(mapping["workers"]),
            dict(mapping["resources"]),
            bool(mapping["scattered"]),
        )


_DEFAULT = Options()


def options_of(
    retries: int = 0,
    priority: int = 0,
    workers: str | Iterable[str] | None = None,
    resources: Mapping[str, float] | None = None,
) -> Options:
    """Options as the arguments of `Client.submit` say them.

    Raises
    ------
    ValueError
        Impossible amounts.
    """
    if not (retries or priority or workers or resources):
        return _DEFAULT
    names = (workers,) if isinstance(workers, str) else tuple(workers or ())
    return Options(retries, priority, names, dict(resources or {}))
