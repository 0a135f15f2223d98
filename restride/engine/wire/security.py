"""What proves that two processes belong together: a shared secret, and certificates for TLS where it is wanted."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECRET_VARIABLE = "RESTRIDE_SECRET"
FILE_VARIABLE = "RESTRIDE_SECRET_FILE"
DEFAULT_FILE = Path("~/.config/restride/secret")
SHORTEST_SECRET = 16
"""Bytes; less could be guessed by whoever listens to a handshake."""


@dataclass(frozen=True)
class Security:
    """A shared secret, and where the certificates are.

    Parameters
    ----------
    secret : bytes
        At least 16 bytes, the same for all processes of a cluster.
    tls : Path, optional
        A directory with ``ca.pem``, ``cert.pem`` and ``key.pem``, made by ``restride security create``;
        ``tls://`` addresses need it.

    Examples
    --------
    >>> Security(b"0123456789abcdef")
    Security(tls=None)
    """

    secret: bytes = field(repr=False)
    tls: Path | None = None

    def __post_init__(self) -> None:
        if len(self.secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret has {len(self.secret)} bytes; it should have {SHORTEST_SECRET} at least")

    @classmethod
    def temporary(cls, tls: Path | None = None) -> Security:
        """A random secret, for processes that get it from the one that starts them."""
        return cls(secrets.token_bytes(32), tls)

    @classmethod
    def load(
        cls,
        *,
        secret_file: str | Path | None = None,
        tls: str | Path | None = None,
        create: bool = False,
        environment: Mapping[str, str] = os.environ,
    ) -> Security:
        """Read the secret of this user.

        Parameters
        ----------
        secret_file : path, optional
            Where the secret is; otherwise it is the value of ``RESTRIDE_SECRET``, or in the file that
            ``RESTRIDE_SECRET_FILE`` names, or in ``~/.config/restride/secret``.
        tls : path, optional
            Directory of the certificates.
        create : bool
            Whether to make a new secret where the file does not exist.

        Raises
        ------
        FileNotFoundError
            There is no secret, or no certificates in the directory.
        PermissionError
            Others than its owner can read the file, or it belongs to another user.
        ValueError
            The secret is too short.
        """
        certificates = None if tls is None else Path(tls).expanduser()
        if certificates is not None:
            _check_certificates(certificates)
        if secret_file is None and environment.get(SECRET_VARIABLE):
            return cls(environment[SECRET_VARIABLE].encode(), certificates)
        path = Path(secret_file or environment.get(FILE_VARIABLE) or DEFAULT_FILE).expanduser()
        if create and not path.exists():
            _create_secret(path)
        return cls(_read_secret(path), certificates)

    def server_context(self) -> ssl.SSLContext:
        """TLS settings of the end that is dialled: it asks for a certificate, too."""
        return _context(self._directory(), ssl.PROTOCOL_TLS_SERVER)

    def client_context(self) -> ssl.SSLContext:
        """TLS settings of the end that dials."""
        return _context(self._directory(), ssl.PROTOCOL_TLS_CLIENT)

    def _directory(self) -> Path:
        if self.tls is None:
            raise ValueError(
                "a tls:// address needs certificates: make some with 'restride security create DIR', "
                "and name their directory in Security(tls=...) or by --tls"
            )
        return self.tls


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read, complete from the moment that it is there.

    Raises
    ------
    FileExistsError
        There is such a file already.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.link(draft, path)
    finally:
        draft.unlink()


def _create_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # somebody else was first, and theirs is as good
        write_private(path, secrets.token_hex(32).encode() + b"\n")


def _read_secret(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no secret: {path} does not exist, and {SECRET_VARIABLE} is not set; copy it from a machine that "
            f"has one, or start a scheduler here, which makes it"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid():
            raise PermissionError(f"{path} belongs to another user; a secret has to be your own: chown {os.getuid()}")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PermissionError(f"others can read or change {path}, the secret: chmod 600 {path}")
        return file.read().strip()


def _check_certificates(directory: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        if not (directory / name).is_file():
            raise FileNotFoundError(f"{directory / name} is missing; 'restride security create {directory}' makes it")


@functools.cache
def _context(directory: Path, protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # An authority of one's own vouches for its cluster, whose processes share a certificate, not for names of hosts.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    _check_certificates(directory)
    context.load_verify_locations(directory / "ca.pem")
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context
