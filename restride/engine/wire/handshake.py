"""How two ends prove to each other that they know the same secret, before anything else is read; without I/O.

Each end sends a random nonce, and then, the dialler first, the HMAC-SHA256 of version, role and both nonces under the
secret. Only after that does the dialler say who it is (hello), and is told what it has to know (welcome); either may
be a refusal instead. Up to there what is read is of known size.

Both ends are generators: they yield bytes to send, or how many bytes they need next, and return when it is done.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

from restride.errors import AuthenticationError, RefusedError, RestrideError, VersionError, WireError

VERSION = 1
MAGIC = b"RSTR"
HEAD = struct.Struct("<4sHHI")
"""Magic number, version of the protocol, kind, length of what follows. This never changes."""
NONCE, PROOF, PAYLOAD, REFUSAL = range(1, 5)
NONCE_BYTES = 32
PROOF_BYTES = 32
MAX_PAYLOAD = 1 << 20
MAX_REFUSAL = 2048
REFUSALS = {error.__name__: error for error in (AuthenticationError, VersionError, RefusedError)}

Hello = Mapping[str, Any]
T = TypeVar("T")
Steps = Generator[bytes | int, bytes, T]
"""Yields bytes to send, or the number of bytes to read and send in."""
Admit = Callable[[dict[str, Any]], tuple[Hello, T]]
"""Takes a hello; returns the welcome and whatever else; raises a RestrideError to refuse."""


def dial_steps(secret: bytes, hello: Hello) -> Steps[dict[str, Any]]:
    """The end that dials; returns the welcome.

    Raises
    ------
    AuthenticationError
        The ends do not have the same secret.
    VersionError
        They do not speak the same version of this protocol, or so the other end says.
    RefusedError
        The other end would not have us.
    WireError
        The other end is no process of restride's.
    """
    mine = secrets.token_bytes(NONCE_BYTES)
    yield _frame(NONCE, mine)
    theirs = yield from _read(NONCE, NONCE_BYTES)
    yield _frame(PROOF, _proof(secret, b"dialler", mine, theirs))
    proof = yield from _read(PROOF, PROOF_BYTES)
    if not hmac.compare_digest(proof, _proof(secret, b"listener", mine, theirs)):
        raise AuthenticationError("the other end does not know our secret")
    yield _frame(PAYLOAD, _to_json(hello))
    return _from_json((yield from _read(PAYLOAD, MAX_PAYLOAD)))


def answer_steps(secret: bytes, admit: Admit[T]) -> Steps[T]:
    """The end that is dialled; returns what `admit` returns beside the welcome.

    Raises
    ------
    RestrideError
        The connection is refused, and the other end knows why.
    """
    try:
        theirs = yield from _read(NONCE, NONCE_BYTES)
        mine = secrets.token_bytes(NONCE_BYTES)
        yield _frame(NONCE, mine)
        proof = yield from _read(PROOF, PROOF_BYTES)
        if not hmac.compare_digest(proof, _proof(secret, b"dialler", theirs, mine)):
            raise AuthenticationError("the secret is another one here")
        yield _frame(PROOF, _proof(secret, b"listener", theirs, mine))
        welcome, admitted = admit(_from_json((yield from _read(PAYLOAD, MAX_PAYLOAD))))
    except RestrideError as error:
        yield _frame(REFUSAL, _to_json({"error": type(error).__name__, "message": str(error)[:1000]}))
        raise
    yield _frame(PAYLOAD, _to_json(welcome))
    return admitted


def _proof(secret: bytes, role: bytes, dialler_nonce: bytes, listener_nonce: bytes) -> bytes:
    text = b"".join([MAGIC, struct.pack("<H", VERSION), role, dialler_nonce, listener_nonce])
    return hmac.digest(secret, text, hashlib.sha256().name)


def _frame(kind: int, content: bytes) -> bytes:
    return HEAD.pack(MAGIC, VERSION, kind, len(content)) + content


def _read(kind: int, limit: int) -> Steps[bytes]:
    """Read a frame of this kind; before the proof it is as long as the limit, or too long."""
    magic, version, came, length = HEAD.unpack((yield HEAD.size))
    if magic != MAGIC:
        raise WireError("the other end does not speak restride's protocol")
    if version != VERSION:
        raise VersionError(f"the other end speaks version {version} of restride's protocol, this one version {VERSION}")
    if came == REFUSAL and length <= MAX_REFUSAL:
        raise _refusal((yield length))
    if came != kind or length > limit or (kind != PAYLOAD and length != limit):
        raise WireError(f"the handshake has a frame of kind {came} and {length} bytes where kind {kind} was due")
    return (yield length) if length else b""


def _refusal(content: bytes) -> RestrideError:
    said = _from_json(content)
    message = str(said.get("message", ""))[:1000]
    printable = "".join(character if character.isprintable() else "?" for character in message)
    return REFUSALS.get(str(said.get("error")), RefusedError)(printable)


def _to_json(value: Hello) -> bytes:
    content = json.dumps(value).encode()
    if len(content) > MAX_PAYLOAD:
        raise WireError(f"a hello or welcome of {len(content)} bytes; {MAX_PAYLOAD} are allowed")
    return content


def _from_json(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a frame of the handshake is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise WireError("a frame of the handshake is no JSON object")
    return value
