"""Who takes part in a cluster: the scheduler's notes on workers, clients and nannies that have registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from restride.engine.messages import Heartbeat
from restride.engine.scheduler.dispatch import WorkerTraits
from restride.engine.wire.address import parse_address
from restride.engine.wire.session import Session


@dataclass(eq=False, slots=True)
class WorkerMember:
    """A worker that has registered."""

    number: int
    session: Session
    hello: Mapping[str, Any]
    """What it said of itself."""
    seen: float
    """When it was last heard of, by itself or by its nanny; on the event loop's clock."""
    state: Heartbeat = field(default_factory=lambda: Heartbeat(0, 0, 0, 0))

    @property
    def name(self) -> str:
        return str(self.hello["name"])

    @property
    def addresses(self) -> list[str]:
        """Where others get outputs from it, the best first."""
        return list(self.hello["addresses"])

    @property
    def nanny(self) -> str | None:
        """The session of the nanny that looks after it."""
        nanny: str | None = self.hello.get("nanny")
        return nanny

    @property
    def traits(self) -> WorkerTraits:
        """What jobs may ask for in it."""
        hosts = {parse_address(address).host for address in self.addresses} - {""}
        resources = {str(name): float(amount) for name, amount in self.hello.get("resources", {}).items()}
        return WorkerTraits(frozenset({self.name, self.hello["host"], *self.addresses, *hosts}), resources)

    def info(self) -> dict[str, Any]:
        """What clients are told of it."""
        told = ("host", "pid", "threads", "memory_limit", "resources", "versions")
        return {
            "number": self.number,
            "addresses": self.addresses,
            **{key: self.hello.get(key) for key in told},
            "memory": self.state.memory,
            "nbytes": self.state.nbytes,
            "running": self.state.running,
            "ready": self.state.ready,
        }


@dataclass(eq=False, slots=True)
class ClientMember:
    """A client that has registered."""

    number: int
    session: Session
    name: str
    nested: bool
    """Whether it is a worker's, for the tasks that run there."""
    warned: set[str] = field(default_factory=set)
    """Of what."""


@dataclass(eq=False, slots=True)
class NannyMember:
    """A nanny that has registered."""

    session: Session
    name: str


Member = WorkerMember | ClientMember | NannyMember
