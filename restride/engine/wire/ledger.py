"""The books of a session, without I/O: which messages have been sent, received and acknowledged.

Messages are numbered from 1 on and kept until the other end has acknowledged them. A new connection begins with each
end saying what it has received; what the other has not is sent again, in order, and what comes twice is dropped.
"""

from __future__ import annotations

from collections import deque

from restride.engine.wire.frames import Body
from restride.errors import WireError

ACK_AFTER_MESSAGES = 64
ACK_AFTER_BYTES = 1 << 20


class Ledger:
    """What one end knows of a session; calls must not overlap."""

    def __init__(self) -> None:
        self.sent = 0
        """Number of the last message that was sent."""
        self.received = 0
        """Number of the last message that has come."""
        self._acked = 0
        """What the other end has acknowledged."""
        self._told = 0
        """What the other end has been told that it was received."""
        self._kept: deque[Body] = deque()
        """Messages that are not acknowledged, the last of them number `sent`."""
        self._bytes_since_told = 0

    def send(self, body: Body) -> tuple[int, int]:
        """Book a message out; returns its number and the acknowledgement to send along."""
        self.sent += 1
        self._kept.append(body)
        return self.sent, self.acknowledge()

    def acknowledge(self) -> int:
        """What has been received, for the other end, which counts as told now."""
        self._told = self.received
        self._bytes_since_told = 0
        return self.received

    def receive(self, sequence: int, ack: int, nbytes: int) -> bool:
        """Book in a message, or an acknowledgement alone, which has number 0; whether it is a message, and new.

        Raises
        ------
        WireError
            Messages are missing before this one, or one is acknowledged that was never sent.
        """
        self._settle(ack)
        if sequence <= self.received:
            return False
        if sequence != self.received + 1:
            raise WireError(f"message {sequence} came after message {self.received}: some are missing")
        self.received = sequence
        self._bytes_since_told += nbytes
        return True

    @property
    def owes_ack(self) -> bool:
        """Whether something that was received has not been acknowledged."""
        return self.received > self._told

    @property
    def owes_ack_now(self) -> bool:
        """Whether that is so much that the other end should not keep it any longer."""
        return self.received - self._told >= ACK_AFTER_MESSAGES or self._bytes_since_told >= ACK_AFTER_BYTES

    @property
    def unacknowledged(self) -> int:
        """How many messages are kept."""
        return len(self._kept)

    def resume(self, received: int) -> list[tuple[int, Body]]:
        """What to send again, with its numbers, to an end that has received so many.

        Raises
        ------
        WireError
            That cannot be: it has acknowledged more before, or so many were never sent.
        """
        if received < self._acked:
            raise WireError(
                f"the other end has received {received} messages, and has acknowledged {self._acked} before"
            )
        self._settle(received)
        return list(enumerate(self._kept, self.sent - len(self._kept) + 1))

    def _settle(self, ack: int) -> None:
        if ack > self.sent:
            raise WireError(f"message {ack} is acknowledged, and {self.sent} is the last that was sent")
        while self._acked < ack:
            self._acked += 1
            self._kept.popleft()
