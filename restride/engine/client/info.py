"""What a client tells of the place where it computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Info(dict[str, Any]):
    """Workers, their threads, memory and versions: a dict with a table for its repr.

    Keys are ``"where"``, ``"threads"``, ``"nbytes"`` (bytes of outputs held), ``"memory"`` (bytes that the processes
    take), ``"versions"`` (of this process), ``"scheduler"`` (pid and addresses of its process; empty where it is this
    one) and ``"workers"``: for each worker's name a dict of the same and more.
    """

    def __init__(
        self,
        where: str,
        workers: Mapping[str, Mapping[str, Any]],
        versions: Mapping[str, str],
        scheduler: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            where=where,
            threads=sum(worker["threads"] for worker in workers.values()),
            nbytes=sum(worker["nbytes"] for worker in workers.values()),
            memory=sum(worker["memory"] for worker in workers.values()),
            versions=dict(versions),
            scheduler=dict(scheduler or {}),
            workers={name: dict(worker) for name, worker in workers.items()},
        )

    def __repr__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self["versions"].items())
        lines = [
            f"{self['where']}: {_counted(len(self['workers']), 'worker')}, {_counted(self['threads'], 'thread')}",
            f"versions: {versions}",
        ]
        if self["workers"]:
            rows = [("worker", "threads", "outputs", "memory", "limit")]
            rows += [_row(name, worker) for name, worker in self["workers"].items()]
            widths = [max(map(len, column)) for column in zip(*rows)]
            lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join(lines)


def _row(name: str, worker: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    limit = worker.get("memory_limit")
    return (
        name,
        str(worker["threads"]),
        _megabytes(worker["nbytes"]),
        _megabytes(worker["memory"]),
        _megabytes(limit) if limit else "none",
    )


def _megabytes(nbytes: int) -> str:
    return f"{nbytes / 1e6:,.0f} MB"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
