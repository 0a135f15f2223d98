"""The handshake: both ends prove that they know the secret before anything else is read."""

from __future__ import annotations

import struct
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.wire import handshake
from restride.engine.wire.handshake import HEAD, MAGIC, MAX_PAYLOAD, Steps, answer_steps, dial_steps
from restride.errors import AuthenticationError, RefusedError, RestrideError, VersionError, WireError

SECRET = b"0123456789abcdef"
HELLO = {"role": "worker", "name": "ältest"}


def admit(hello: dict[str, Any]) -> tuple[dict[str, Any], str]:
    return {"number": 3, "greeted": hello["name"]}, "admitted"


class End:
    """One end that is played step by step: what it has said, what it waits for, how it ended."""

    def __init__(self, steps: Steps[Any]) -> None:
        self._steps: Generator[bytes | int, bytes, Any] = steps
        self.said = b""
        self.wants = 0
        self.read = 0
        self.result: Any = None
        self.error: RestrideError | None = None
        self._go_on(None)

    @property
    def over(self) -> bool:
        return self.wants == 0

    def hear(self, data: bytes) -> bytes:
        """Take what it waits for, as often as the data allow; returns what is left."""
        while not self.over and len(data) >= self.wants:
            taken, data = data[: self.wants], data[self.wants :]
            self.read += len(taken)
            self._go_on(taken)
        return data

    def _go_on(self, data: bytes | None) -> None:
        self.wants = 0
        try:
            step = next(self._steps) if data is None else self._steps.send(data)
            while isinstance(step, bytes):
                self.said += step
                step = next(self._steps)
            self.wants = step
        except StopIteration as end:
            self.result = end.value
        except RestrideError as error:
            self.error = error

    def take_said(self) -> bytes:
        said, self.said = self.said, b""
        return said


def play(dialler: End, listener: End) -> tuple[bytes, bytes]:
    """Let both speak until neither has anything to say; returns all that each has said."""
    all_said = [b"", b""]
    while dialler.said or listener.said:
        for number, (speaker, hearer) in enumerate([(dialler, listener), (listener, dialler)]):
            said = speaker.take_said()
            all_said[number] += said
            hearer.hear(said)
    return all_said[0], all_said[1]


def frame(kind: int, content: bytes, version: int = handshake.VERSION) -> bytes:
    return HEAD.pack(MAGIC, version, kind, len(content)) + content


def test_ends_with_the_same_secret_exchange_hello_and_welcome() -> None:
    dialler, listener = End(dial_steps(SECRET, HELLO)), End(answer_steps(SECRET, admit))
    play(dialler, listener)
    assert dialler.result == {"number": 3, "greeted": "ältest"}
    assert listener.result == "admitted"


def test_a_dialler_with_another_secret_is_refused_before_its_hello_is_read() -> None:
    dialler, listener = End(dial_steps(b"another secret!!", HELLO)), End(answer_steps(SECRET, admit))
    play(dialler, listener)
    assert isinstance(listener.error, AuthenticationError)
    assert isinstance(dialler.error, AuthenticationError)
    assert listener.read == 2 * HEAD.size + 64
    assert listener.result is None


def test_a_listener_that_does_not_know_the_secret_gets_no_hello() -> None:
    dialler = End(dial_steps(SECRET, HELLO))
    dialler.take_said()
    dialler.hear(frame(handshake.NONCE, bytes(32)))
    dialler.take_said()
    dialler.hear(frame(handshake.PROOF, bytes(32)))
    assert isinstance(dialler.error, AuthenticationError)
    assert dialler.said == b""


def test_the_proof_of_one_end_is_not_that_of_the_other() -> None:
    """Sending a listener's own words back to it proves nothing."""
    dialler = End(dial_steps(SECRET, HELLO))
    nonce = dialler.take_said()
    dialler.hear(nonce)
    dialler.hear(dialler.take_said())
    assert isinstance(dialler.error, AuthenticationError)


def test_a_replayed_handshake_is_refused() -> None:
    dialler, listener = End(dial_steps(SECRET, HELLO)), End(answer_steps(SECRET, admit))
    said, _ = play(dialler, listener)
    again = End(answer_steps(SECRET, admit))
    again.hear(said)
    assert isinstance(again.error, AuthenticationError)


def test_no_two_handshakes_say_the_same() -> None:
    said = {play(End(dial_steps(SECRET, {})), End(answer_steps(SECRET, lambda hello: ({}, None)))) for _ in range(5)}
    assert len({part for both in said for part in both}) == 10


@pytest.mark.parametrize("version", [0, 2, 65535])
def test_another_version_of_the_protocol_is_named_by_both_ends(version: int) -> None:
    listener = End(answer_steps(SECRET, admit))
    listener.hear(frame(handshake.NONCE, bytes(32), version))
    assert isinstance(listener.error, VersionError)
    assert f"version {version} of restride's protocol, this one version 1" in str(listener.error)
    dialler = End(dial_steps(SECRET, HELLO))
    dialler.hear(listener.take_said())
    assert isinstance(dialler.error, VersionError)
    newer = End(dial_steps(SECRET, HELLO))
    newer.hear(frame(handshake.REFUSAL, b"in another form", version))
    assert isinstance(newer.error, VersionError)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (VersionError("numpy 1 here"), VersionError),
        (RefusedError("no room"), RefusedError),
        (WireError("?"), RefusedError),
    ],
)
def test_a_refusal_reaches_the_dialler_with_its_reason(raised: RestrideError, told: type[RestrideError]) -> None:
    def refuse(hello: dict[str, Any]) -> Any:
        raise raised

    dialler, listener = End(dial_steps(SECRET, HELLO)), End(answer_steps(SECRET, refuse))
    play(dialler, listener)
    assert listener.error is raised
    assert type(dialler.error) is told
    assert str(dialler.error) == str(raised)


def test_what_an_unproved_listener_says_cannot_write_to_the_terminal() -> None:
    dialler = End(dial_steps(SECRET, HELLO))
    dialler.hear(frame(handshake.REFUSAL, b'{"error": "RefusedError", "message": "\\u001b[2J\\nline"}'))
    assert str(dialler.error) == "?[2J?line"


@pytest.mark.parametrize("end", [lambda: dial_steps(SECRET, HELLO), lambda: answer_steps(SECRET, admit)])
class TestGarbage:
    @given(data=st.binary(min_size=HEAD.size, max_size=200))
    def test_random_bytes_end_it(self, end: Any, data: bytes) -> None:
        heard = End(end())
        heard.hear(b"GET " + data)
        assert isinstance(heard.error, WireError)

    @given(kind=st.integers(0, 65535), length=st.integers(0, 2**32 - 1), content=st.binary(max_size=100))
    def test_frames_that_are_not_due_are_not_read(self, end: Any, kind: int, length: int, content: bytes) -> None:
        heard = End(end())
        before = heard.wants
        heard.hear(HEAD.pack(MAGIC, handshake.VERSION, kind, length) + content)
        assert before == HEAD.size
        assert heard.wants <= 2048
        assert heard.error is None or isinstance(heard.error, RestrideError)

    def test_a_hello_or_welcome_cannot_be_of_any_size(self, end: Any) -> None:
        dialler, listener = End(dial_steps(SECRET, HELLO)), End(answer_steps(SECRET, admit))
        for _ in range(2):
            listener.hear(dialler.take_said())
            dialler.hear(listener.take_said())
        for heard in (dialler, listener):
            heard.hear(HEAD.pack(MAGIC, handshake.VERSION, handshake.PAYLOAD, MAX_PAYLOAD + 1))
            assert isinstance(heard.error, WireError)


def test_a_hello_that_is_no_json_object_is_refused() -> None:
    for content in (b"[1]", b"\xff", b"[" * 100_000, b""):
        dialler, listener = End(dial_steps(SECRET, HELLO)), End(answer_steps(SECRET, admit))
        for _ in range(2):
            listener.hear(dialler.take_said())
            dialler.hear(listener.take_said())
        listener.hear(frame(handshake.PAYLOAD, content))
        assert isinstance(listener.error, WireError)


def test_a_hello_that_is_too_large_is_not_sent() -> None:
    dialler, listener = End(dial_steps(SECRET, {"name": "x" * MAX_PAYLOAD})), End(answer_steps(SECRET, admit))
    play(dialler, listener)
    assert isinstance(dialler.error, WireError)


def test_the_head_of_a_frame_never_changes() -> None:
    """Whatever the version, the ends can tell each other that they differ."""
    assert struct.pack("<4sHHI", b"RSTR", 1, 2, 3) == HEAD.pack(MAGIC, 1, 2, 3)
