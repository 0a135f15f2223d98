"""Addresses: what they may look like, and what a mistake says."""

from __future__ import annotations

import pytest

from restride.engine.wire.address import Address, host_id, parse_address, reachable


@pytest.mark.parametrize(
    "text", ["tcp://127.0.0.1:8786", "tls://host.example:0", "tcp://[::1]:65535", "unix:///tmp/a socket"]
)
def test_an_address_can_be_parsed_and_written(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "should begin with tcp://, tls://, unix://"),
        ("localhost:8786", "should begin with"),
        ("http://localhost:8786", "should begin with"),
        ("tcp://localhost", "should have the form tcp://host:port"),
        ("tcp://:8786", "should have the form"),
        ("tls://host:port", "Port could not be cast"),
        ("tcp://host:65536", "Port out of range"),
        ("tcp://host:1/path", "should have the form"),
        ("tcp://user@host:1", "should have the form"),
        ("tcp://[::1", "Invalid IPv6"),
        ("unix://relative", "must be absolute"),
        (f"unix:///{'x' * 107}", "107 bytes at most"),
    ],
)
def test_what_is_no_address_is_said(text: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        parse_address(text)


def test_a_wildcard_is_reached_at_an_address_of_this_machine() -> None:
    for wildcard in ("0.0.0.0", "::"):
        host = reachable(Address("tcp", wildcard, 1)).host
        assert host not in ("0.0.0.0", "::", "")


def test_the_host_is_the_same_for_all_processes_of_it() -> None:
    assert host_id() == host_id()
    assert host_id()
