"""Who takes part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Operation = Callable[[], object]


@dataclass(frozen=True)
class Peer:
    """One way to keep a session.

    ``prepare_read``, ``prepare_write``: make the session work of one request that reads one attribute, or assigns
    one: open, use, save. What is not session work (request and response objects) is made while preparing.
    ``close`` closes idle connections; the next operation opens others. ``memory``: bytes of the record in Redis.
    """

    name: str
    redis: str  # "cluster" or "plain"
    prepare_read: Callable[[], Operation]
    prepare_write: Callable[[], Operation]
    close: Callable[[], None]
    memory: Callable[[], int]
    is_ours: bool = False
