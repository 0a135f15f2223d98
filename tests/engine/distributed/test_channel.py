"""Messages and open files between a process and its children."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.distributed.channel import Channel

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = Channel.pair()
    yield ours, theirs
    ours.close()
    theirs.close()


@given(st.lists(st.dictionaries(st.text(), JSON), max_size=5))
def test_messages_arrive_as_they_were_sent_and_in_order(messages: list[dict[str, object]]) -> None:
    ours, theirs = Channel.pair()
    for message in messages:
        ours.send(message)
    assert [theirs.receive().content for _ in messages] == messages
    ours.close()
    theirs.close()


def test_open_files_come_with_the_message_that_they_were_sent_with(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as two:
        one.write(b"one")
        two.write(b"two")
        one.flush()
        two.flush()
        ours.send({"n": 0})
        ours.send({"n": 1}, [one.fileno()])
        ours.send({"n": 2})
        ours.send({"n": 3}, [two.fileno(), one.fileno()])
    notes = [theirs.receive() for _ in range(4)]
    assert [[os.pread(file, 3, 0) for file in note.files] for note in notes] == [[], [b"one"], [], [b"two", b"one"]]
    received = [file for note in notes for file in note.files]
    assert not any(os.get_inheritable(file) for file in received)
    for file in received:
        os.close(file)


def test_files_that_nobody_took_are_closed_with_the_channel() -> None:
    ours, theirs = Channel.pair()
    read, write = os.pipe()
    ours.send({}, [write])
    ours.send({})
    os.close(write)
    assert theirs.receive_now()[0].files != []
    ours.send({}, [read])
    theirs.receive_now()
    theirs.close()
    ours.close()
    os.close(read)


def test_what_was_sent_before_an_end_closed_is_received_before_the_end_is(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    ours.send({"last": "words"})
    ours.close()
    assert theirs.receive().content == {"last": "words"}
    with pytest.raises(EOFError, match="the other end has closed"):
        theirs.receive()
    with pytest.raises(OSError, match="Broken pipe"):
        theirs.send({})


def test_an_end_that_is_shut_is_noticed_although_a_copy_of_it_is_open(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    copy = os.dup(ours.fileno())
    ours.shut()
    with pytest.raises(EOFError):
        theirs.receive()
    os.close(copy)


def test_waiting_for_a_message_ends_in_time(ends: tuple[Channel, Channel]) -> None:
    with pytest.raises(TimeoutError, match=r"no answer in 0.01 s"):
        ends[0].receive(0.01)
