"""Several API processes listen at one port, and each at one of its own."""

import socket

import pytest

from api import server
from local import ports


def test_several_processes_listen_at_one_port_and_each_at_its_own() -> None:
    shared, first, second = ports.find_free(3)
    opened = [listener for own in (first, second) for listener in server.sockets("127.0.0.1", shared, own) or ()]
    try:
        assert [listener.getsockname()[1] for listener in opened] == [shared, first, shared, second]
        socket.create_connection(("127.0.0.1", shared), timeout=5).close()
    finally:
        for listener in opened:
            listener.close()


def test_one_that_is_alone_does_not_share_its_port() -> None:
    assert server.sockets("127.0.0.1", 18080, 0) is None


def test_a_port_of_its_own_that_is_taken_is_refused() -> None:
    shared, own = ports.find_free(2)
    with socket.create_server(("127.0.0.1", own)), pytest.raises(OSError, match="in use"):
        server.sockets("127.0.0.1", shared, own)
