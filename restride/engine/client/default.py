"""Which client computes where none is named."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restride.engine.client.client import Client

_lock = threading.Lock()
_clients: list[weakref.ref[Client]] = []
"""Clients that may be open, the newest last."""
_make: Callable[[], Client]
_kept: Client | None = None
"""The default client, which nobody else may hold."""


def take_note(client: Client) -> None:
    """A client has opened."""
    _clients.append(weakref.ref(client))


def set_default(make: Callable[[], Client]) -> None:
    """Say how this process makes a default client; for workers, as their tasks may compute, too."""
    global _make
    _make = make


def default_client() -> Client:
    """The newest client that is open; one in threads is made where there is none.

    Returns
    -------
    Client

    Examples
    --------
    >>> import restride as rs
    >>> with rs.Client(threads=2) as client:
    ...     rs.default_client() is client
    True
    """
    with _lock:
        for reference in reversed(_clients):
            client = reference()
            if client is not None and not client.closed:
                return client
            _clients.remove(reference)
        client = _make()
        global _kept
        _kept = client
        return client
