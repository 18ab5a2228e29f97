"""Peers that take nothing are given up by the system, whoever they are."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from playground.ui.shell import silent_clients

OPTION = getattr(socket, "TCP_USER_TIMEOUT", 0)
pytestmark = pytest.mark.skipif(not OPTION, reason="an option of Linux")


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one


def milliseconds(one: socket.socket) -> int:
    return one.getsockopt(socket.IPPROTO_TCP, OPTION)


def test_connections_there_are_and_those_to_come_are_told(listening: socket.socket) -> None:
    address = listening.getsockname()
    with socket.create_connection(address) as first, listening.accept()[0] as before:
        assert silent_clients.give_up_silent(address[1], 7.5) == 2
        assert milliseconds(before) == 7500
        assert milliseconds(first) == 0, "its own end is somebody else's"
        with socket.create_connection(address), listening.accept()[0] as after:
            assert milliseconds(after) == 7500


def test_other_sockets_are_left_alone(listening: socket.socket) -> None:
    with socket.socket() as other, socket.socket(socket.AF_UNIX) as local:
        other.bind(("127.0.0.1", 0))
        assert silent_clients.give_up_silent(listening.getsockname()[1], 1) == 1
        assert milliseconds(other) == 0
        assert local.fileno() >= 0


def test_where_the_option_is_unknown_nothing_happens(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
    assert silent_clients.give_up_silent(listening.getsockname()[1], 1) == 0
    assert milliseconds(listening) == 0
