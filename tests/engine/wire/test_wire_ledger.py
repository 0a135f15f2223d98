"""Two ledgers and a network that breaks: every message exactly once, and in order."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.wire.frames import Body, pack
from restride.engine.wire.ledger import ACK_AFTER_BYTES, ACK_AFTER_MESSAGES, Ledger
from restride.errors import WireError


def body(text: str) -> Body:
    return pack(text.encode(), [], 1 << 10)


class End:
    """A ledger, what its user has sent and got, and what is on its way to it."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.sent: list[str] = []
        self.got: list[str] = []
        self.coming: deque[tuple[int, int, str]] = deque()

    def send(self, other: End) -> None:
        text = f"message {len(self.sent)}"
        self.sent.append(text)
        sequence, ack = self.ledger.send(body(text))
        other.coming.append((sequence, ack, text))

    def acknowledge(self, other: End) -> None:
        other.coming.append((0, self.ledger.acknowledge(), ""))

    def receive(self) -> None:
        if self.coming:
            sequence, ack, text = self.coming.popleft()
            if self.ledger.receive(sequence, ack, len(text)):
                self.got.append(text)

    def resume(self, received: int, other: End) -> None:
        for sequence, kept in self.ledger.resume(received):
            other.coming.append((sequence, self.ledger.acknowledge(), bytes(kept.parts[0]).rstrip(b"\0").decode()))


def reconnect(a: End, b: End) -> None:
    """All that was on its way is lost; the new connection begins with what each has received."""
    a.coming.clear()
    b.coming.clear()
    received_a, received_b = a.ledger.received, b.ledger.received
    a.resume(received_b, b)
    b.resume(received_a, a)


events = st.lists(
    st.sampled_from(["a sends", "b sends", "a receives", "b receives", "a acks", "b acks", "it breaks"]), max_size=60
)


@given(events)
def test_messages_come_exactly_once_and_in_order_over_broken_connections(events: list[str]) -> None:
    a, b = End(), End()
    for event in events:
        match event:
            case "a sends":
                a.send(b)
            case "b sends":
                b.send(a)
            case "a receives":
                a.receive()
            case "b receives":
                b.receive()
            case "a acks":
                a.acknowledge(b)
            case "b acks":
                b.acknowledge(a)
            case _:
                reconnect(a, b)
        assert a.got == b.sent[: len(a.got)]
        assert b.got == a.sent[: len(b.got)]
    reconnect(a, b)
    while a.coming or b.coming:
        a.receive()
        b.receive()
    assert (a.got, b.got) == (b.sent, a.sent)
    a.acknowledge(b)
    b.acknowledge(a)
    a.receive()
    b.receive()
    assert (a.ledger.unacknowledged, b.ledger.unacknowledged) == (0, 0)


def test_messages_are_kept_until_they_are_acknowledged() -> None:
    ledger = Ledger()
    for text in "abc":
        ledger.send(body(text))
    ledger.receive(0, 2, 0)
    assert ledger.unacknowledged == 1
    assert [sequence for sequence, _ in ledger.resume(2)] == [3]


def test_a_message_carries_the_acknowledgement_of_what_has_come() -> None:
    ledger = Ledger()
    ledger.receive(1, 0, 10)
    assert ledger.owes_ack
    assert ledger.send(body("answer")) == (1, 1)
    assert not ledger.owes_ack


@pytest.mark.parametrize(("messages", "nbytes"), [(ACK_AFTER_MESSAGES, 1), (2, ACK_AFTER_BYTES // 2)])
def test_many_messages_or_bytes_are_acknowledged_at_once(messages: int, nbytes: int) -> None:
    ledger = Ledger()
    for sequence in range(1, messages):
        ledger.receive(sequence, 0, nbytes)
        assert not ledger.owes_ack_now
    ledger.receive(messages, 0, nbytes)
    assert ledger.owes_ack_now
    assert ledger.acknowledge() == messages
    assert not ledger.owes_ack_now


def test_a_gap_is_an_error() -> None:
    ledger = Ledger()
    with pytest.raises(WireError, match="message 2 came after message 0"):
        ledger.receive(2, 0, 0)


def test_what_was_never_sent_cannot_be_acknowledged() -> None:
    with pytest.raises(WireError, match="message 1 is acknowledged, and 0 is the last"):
        Ledger().receive(0, 1, 0)
    with pytest.raises(WireError, match="message 1 is acknowledged"):
        Ledger().resume(1)


def test_what_was_acknowledged_cannot_be_asked_for_again() -> None:
    ledger = Ledger()
    ledger.send(body("a"))
    ledger.receive(0, 1, 0)
    with pytest.raises(WireError, match="has received 0 messages, and has acknowledged 1"):
        ledger.resume(0)
