"""A line to a node: what it answers, and that nobody reads what was meant for somebody else."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from polysession.stores.pool import Deadline, Line
from redis.exceptions import BusyLoadingError, ConnectionError, MovedError, TimeoutError


class Handshaken:
    """A redis-py connection that has said HELLO."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock: socket.socket | None = sock

    def disconnect(self) -> None:
        if self._sock is not None:
            self._sock.close()
        self._sock = None


class OtherSocket(socket.socket):
    """Not the standard library's, as TLS's, gevent's and the asynchronous store's are not."""


class Bench:
    def __init__(self, kind: type[socket.socket]) -> None:
        mine, self.node = socket.socketpair()
        self.connection = Handshaken(mine if kind is socket.socket else kind(fileno=mine.detach()))
        self.line = Line(self.connection)

    def ask(self, answer: bytes, replies: int = 1, *, spare: int = 0, seconds: float = 5) -> list[Any]:
        self.node.sendall(answer)
        return self.line.exchange(b"PING\r\n", replies, Deadline(seconds), spare=spare)

    @property
    def is_open(self) -> bool:
        return self.connection._sock is not None


@pytest.fixture(params=[socket.socket, OtherSocket])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(request.param)
    yield made
    made.connection.disconnect()
    made.node.close()


def test_answers_come_in_order_and_errors_among_them(bench: Bench) -> None:
    ok, error, false = bench.ask(b"+OK\r\n-MOVED 7 host:1\r\n#f\r\n", 3)
    assert (ok, false) == (b"OK", False)
    assert isinstance(error, MovedError)
    assert bench.is_open


def test_an_answer_may_come_in_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polysession.stores.pool._RECEIVE_BYTES", 3)
    assert bench.ask(b"$10\r\n0123456789\r\n") == [b"0123456789"]


def test_a_node_that_closes_amid_an_answer_is_no_answer(bench: Bench) -> None:
    bench.node.sendall(b"$10\r\n012")
    bench.node.shutdown(socket.SHUT_WR)
    with pytest.raises(ConnectionError):
        bench.line.exchange(b"PING\r\n", 1, Deadline(5))
    assert not bench.is_open


def test_a_line_that_ran_out_of_time_is_closed_so_that_its_late_answer_is_nobodys(bench: Bench) -> None:
    with pytest.raises(TimeoutError):
        bench.ask(b"+half of", seconds=0.02)
    assert not bench.is_open


def test_each_exchange_has_its_own_deadline(bench: Bench) -> None:
    for seconds in (5, 0.1, 5):
        assert bench.ask(b"+OK\r\n", seconds=seconds) == [b"OK"]
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        bench.ask(b"", seconds=0.03)
    assert 0.02 < time.monotonic() - began < 3


def test_a_spare_answer_that_does_not_come_is_left_out(bench: Bench) -> None:
    assert bench.ask(b"+OK\r\n", 2, spare=1, seconds=0.02) == [b"OK"]
    assert not bench.is_open


def test_an_answer_that_is_no_redis_is_no_answer(bench: Bench) -> None:
    with pytest.raises(ConnectionError):
        bench.ask(b"HTTP/1.1 400 Bad Request\r\n")
    assert not bench.is_open


def test_a_node_that_is_loading_says_so(bench: Bench) -> None:
    with pytest.raises(BusyLoadingError):
        bench.ask(b"-LOADING Redis is loading the dataset in memory\r\n")
    assert not bench.is_open
