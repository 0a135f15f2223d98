"""Where a process can be reached: ``tcp://host:port``, ``tls://host:port`` or ``unix:///path``."""

from __future__ import annotations

import functools
import socket
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

SCHEMES = ("tcp", "tls", "unix")
WILDCARDS = ("0.0.0.0", "::")
LONGEST_PATH = 107
"""Bytes that the path of a unix socket can have."""
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses kept for documentation, to ask the routing table by which way one would leave this machine."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address; `str` makes the text again."""

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Parse an address.

    Parameters
    ----------
    text : str
        ``tcp://host:port``, ``tls://host:port``, ``unix:///path``; an IPv6 host stands in brackets.

    Raises
    ------
    ValueError
        The text is no address; the message says why.

    Examples
    --------
    >>> parse_address("tcp://127.0.0.1:8786")
    Address(scheme='tcp', host='127.0.0.1', port=8786, path='')
    >>> str(parse_address("tls://[::1]:8786")), parse_address("unix:///tmp/scheduler").path
    ('tls://[::1]:8786', '/tmp/scheduler')
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"{text!r} is no address: it should begin with {', '.join(f'{s}://' for s in SCHEMES)}")
    if scheme == "unix":
        if not rest.startswith("/"):
            raise ValueError(f"{text!r} is no address: the path of a unix socket must be absolute, unix:///path")
        if len(rest.encode()) > LONGEST_PATH:
            raise ValueError(f"{text!r} is no address: the path of a unix socket has {LONGEST_PATH} bytes at most")
        return Address("unix", path=rest)
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no address: {error}") from None
    if not host or port is None or parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{text!r} is no address: it should have the form {scheme}://host:port")
    return Address(scheme, host=host, port=port)


def reachable(address: Address) -> Address:
    """The address with which others reach a listener: a wildcard host becomes this machine's own.

    Examples
    --------
    >>> str(reachable(Address("tcp", "127.0.0.1", 8786)))
    'tcp://127.0.0.1:8786'
    """
    if address.host not in WILDCARDS:
        return address
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE[family], 9))  # of a datagram socket: nothing is sent
            host = probe.getsockname()[0]
        except OSError:  # no network but our own
            host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    return replace(address, host=host)


@functools.cache
def host_id() -> str:
    """A text that processes have in common if they run on the same machine, and since the same start of it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return f"{socket.gethostname()}-{uuid.getnode():x}"
