"""Who is how fast: all peers in turn, in small blocks, so that a busy moment of the machine strikes all alike."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .peer import Peer

Kind = Literal["read", "write"]


@dataclass
class Samples:
    """Of one peer and kind: microseconds of each operation, and the thread's CPU time of all."""

    wall: list[float] = field(default_factory=list)
    cpu: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.wall)

    @property
    def cpu_each(self) -> float:
        return self.cpu / len(self.wall)


def time_peers(
    peers: Sequence[Peer], *, rounds: int, block: int, order: random.Random
) -> dict[tuple[str, Kind], Samples]:
    """``rounds`` times ``block`` operations of each kind and peer. The first round warms up and is not counted."""
    samples: dict[tuple[str, Kind], Samples] = {}
    kinds: tuple[Kind, ...] = ("read", "write")
    for number in range(rounds + 1):
        turns = [(peer, kind) for peer in peers for kind in kinds]
        order.shuffle(turns)
        for peer, kind in turns:
            wall, cpu = _time_block(peer, kind, block)
            if number:
                kept = samples.setdefault((peer.name, kind), Samples())
                kept.wall += wall
                kept.cpu += cpu
    return samples


def _time_block(peer: Peer, kind: Kind, block: int) -> tuple[list[float], float]:
    prepare = peer.prepare_read if kind == "read" else peer.prepare_write
    operations = [prepare() for _ in range(block)]
    wall = []
    began = time.thread_time_ns()
    for operation in operations:
        start = time.perf_counter_ns()
        operation()
        wall.append((time.perf_counter_ns() - start) / 1000)
    return wall, (time.thread_time_ns() - began) / 1000
