"""Stores of all sizes in turn, round by round in random order: a machine whose speed changes changes it for all alike."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Operation = Callable[[], object]


@dataclass(frozen=True)
class Work:
    """``prepare`` makes an operation, untimed. Of each block ``warm`` operations are not counted: the nodes were idle.
    ``command``: the one whose time in Redis itself is looked at.
    """

    name: str
    prepare: Callable[[], Operation]
    command: str = ""
    block: int = 30
    warm: int = 10


@dataclass(frozen=True)
class Subject:
    """``clients``: one a node, for Redis' own account of its time."""

    name: str
    works: Sequence[Work]
    clients: Sequence[Any]


@dataclass
class Samples:
    """Of one subject and work, a number a round: the block's lower quartile and Redis' mean a call. Microseconds."""

    wall: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)


Results = Mapping[tuple[str, str], Samples]


def take_turns(
    subjects: Sequence[Subject], *, rounds: int, order: random.Random
) -> dict[tuple[str, str], Samples]:
    """One work after the other, each by all subjects at once. The first round warms up and is not counted."""
    results: dict[tuple[str, str], Samples] = {}
    for number in range(rounds + 1):
        for index in range(len(subjects[0].works)):
            for subject in order.sample(subjects, len(subjects)):
                work = subject.works[index]
                wall, inside = _time_block(work, subject.clients)
                if number:
                    samples = results.setdefault((work.name, subject.name), Samples())
                    samples.wall.append(wall)
                    samples.inside.append(inside)
    return results


def quartile(samples: Sequence[float]) -> float:
    """The lower one: what the machine's other work adds is never negative."""
    return statistics.quantiles(samples, n=4, method="inclusive")[0] if len(samples) > 1 else samples[0]


def _time_block(work: Work, clients: Sequence[Any]) -> tuple[float, float]:
    for _ in range(work.warm):
        work.prepare()()
    operations = [work.prepare() for _ in range(work.block)]
    calls, spent = _account(work.command, clients)
    taken = []
    for operation in operations:
        began = time.perf_counter_ns()
        operation()
        taken.append((time.perf_counter_ns() - began) / 1000)
    calls_after, spent_after = _account(work.command, clients)
    inside = (spent_after - spent) / (calls_after - calls) if calls_after > calls else 0.0
    return quartile(taken), inside


def _account(command: str, clients: Sequence[Any]) -> tuple[int, int]:
    """How often the nodes have run it, and their microseconds in it."""
    found = [client.info("commandstats").get(f"cmdstat_{command}") for client in clients] if command else []
    return sum(one["calls"] for one in found if one), sum(one["usec"] for one in found if one)
