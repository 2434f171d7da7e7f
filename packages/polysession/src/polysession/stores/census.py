"""What the whole of a Redis Cluster holds of one key space: counts by partition, and how its primaries are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Primary:
    """One primary, as it said. Bytes; ``memory_limit`` 0: none. ``skew_ms``: its clock minus ours, at most wrong by half
    of a round trip. ``partitions``: how many of the 4,096 are its.
    """

    node: str
    partitions: int
    sessions: int
    replicas: int
    memory: int
    memory_limit: int
    skew_ms: int
    version: str


@dataclass(frozen=True, slots=True)
class Census:
    """Exact in each partition, no snapshot of the whole. ``live``: unexpired sessions. ``due``: expired, not ended yet.
    ``outbox``: events that the keeper has not carried on. ``spread``: live sessions by partition, without empty ones.
    """

    live: int
    due: int
    outbox: int
    spread: Mapping[int, int]
    primaries: tuple[Primary, ...]


def read_info(text: str) -> dict[str, str]:
    """The answer to INFO."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
