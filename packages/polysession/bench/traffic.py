"""Bytes and round trips between this process and Redis, counted at the socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .peer import Operation, Peer


@dataclass
class Traffic:
    sent: int = 0
    received: int = 0
    round_trips: int = 0


_counted = Traffic()
_last_sent: list[bool] = [False]


class _CountingSocket(socket.socket):
    def sendall(self, data: Any, *flags: Any) -> None:
        super().sendall(data, *flags)
        _counted.sent += memoryview(data).nbytes
        _last_sent[0] = True

    def recv(self, *arguments: Any) -> bytes:
        data = super().recv(*arguments)
        _count_received(len(data))
        return data

    def recv_into(self, *arguments: Any) -> int:
        size = super().recv_into(*arguments)
        _count_received(size)
        return size


def _count_received(size: int) -> None:
    _counted.received += size
    _counted.round_trips += _last_sent[0]
    _last_sent[0] = False


@contextmanager
def _counting() -> Iterator[None]:
    original = socket.socket
    socket.socket = _CountingSocket  # type: ignore[misc]
    try:
        yield
    finally:
        socket.socket = original  # type: ignore[misc]


def count_traffic(peer: Peer) -> tuple[Traffic, Traffic]:
    """Of one read and of one write, on connections that are open already."""
    with _counting():
        peer.close()
        for _ in range(2):
            peer.prepare_read()()
            peer.prepare_write()()
        counted = _count(peer.prepare_read()), _count(peer.prepare_write())
        peer.close()
    return counted


def _count(operation: Operation) -> Traffic:
    before = replace(_counted)
    operation()
    return Traffic(
        _counted.sent - before.sent,
        _counted.received - before.received,
        _counted.round_trips - before.round_trips,
    )
