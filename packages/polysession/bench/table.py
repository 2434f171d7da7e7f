"""The result as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from .ours import OwnBytes
from .peer import Peer
from .timing import Kind, Samples
from .traffic import Traffic

FLOOR = "redis-py RedisCluster, bare (the floor)"
PACKAGES = ("polysession", "django", "flask", "django-redis", "flask-session", "redis", "hiredis")

Times = Mapping[tuple[str, Kind], Samples]


def render_head(now: datetime, redis_version: str, *, operations: int, sealed: bool) -> str:
    kind = "sealed" if sealed else "plain"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{now:%Y-%m-%d %H:%M} UTC; {_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Redis {redis_version}; Python {platform.python_version()}; {packages}. "
        f"A session of twelve attributes, 1 KB, ours {kind}; {operations} reads and writes each, in turns.\n"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def render_times(peers: Sequence[Peer], samples: Times) -> str:
    rows = []
    for peer in peers:
        cells = [peer.name, peer.redis]
        for kind in ("read", "write"):
            found = samples[peer.name, kind]
            cells += [
                f"{found.median:.0f}",
                f"{_ratio(samples, peer.name, kind):.2f}",
                f"{found.cpu_each:.0f}",
            ]
        rows.append(cells)
    names = (
        "session work of a request",
        "Redis",
        "read µs",
        "x floor",
        "CPU µs",
        "write µs",
        "x floor",
        "CPU µs",
    )
    return make_table(names, rows)


def render_sizes(
    peers: Sequence[Peer],
    traffic: Mapping[str, tuple[Traffic, Traffic]],
    memory: Mapping[str, int],
    own: OwnBytes,
) -> str:
    rows = []
    for peer in peers:
        read, write = traffic[peer.name]
        bytes_of_write = f"{write.sent} + {write.received}"
        rows.append(
            [peer.name, str(read.round_trips), str(write.round_trips), bytes_of_write, str(memory[peer.name])]
        )
    names = (
        "",
        "round trips: read",
        "write",
        "bytes of a write request, to + from Redis",
        "bytes of the record in Redis",
    )
    note = (
        f"\nA plain Polysession record without the browser's User-Agent and address is {own.record} bytes. Indexes find it: "
        f"{own.anonymous} bytes more for an anonymous session, {own.signed_in} for a principal's only one (a million "
        "sessions in the store).\n"
    )
    return make_table(names, rows) + note


def render_targets(
    peers: Sequence[Peer],
    samples: Times,
    traffic: Mapping[str, tuple[Traffic, Traffic]],
    memory: Mapping[str, int],
    own: OwnBytes,
) -> str:
    """What the library set itself, and whether the slower of its adapters is there."""
    ours = [peer.name for peer in peers if peer.is_ours]
    stock = [peer.name for peer in peers if peer.redis == "plain" and "bare" not in peer.name]
    sent = {name: both[1].sent for name, both in traffic.items()}
    total = {name: both[1].sent + both[1].received for name, both in traffic.items()}
    django = next(peer.name for peer in peers if peer.name.startswith("Django `cache`"))
    measured = (
        ("read, x floor", 0.9, max(_ratio(samples, name, "read") for name in ours)),
        ("write of one attribute, x floor", 0.8, max(_ratio(samples, name, "write") for name in ours)),
        ("round trips of a read", 1, max(traffic[name][0].round_trips for name in ours)),
        ("round trips of a write", 2, max(traffic[name][1].round_trips for name in ours)),
        ("bytes to Redis of a write, x best peer", 0.6, _times_best(sent, ours, stock)),
        ("the same, and from Redis, with its read", 0.6, _times_best(total, ours, stock)),
        ("record in Redis, bytes", memory[django], max(memory[name] for name in ours)),
        ("the same, plain, without User-Agent and address", memory[django], own.record),
        ("its place in the indexes, bytes: anonymous", 150, own.anonymous),
        ("the same: a principal's only session", 150, own.signed_in),
    )
    rows = [
        [
            name,
            f"≤ {target:g}",
            f"{value:.2f}".rstrip("0").rstrip("."),
            "met" if value <= target else "missed",
        ]
        for name, target, value in measured
    ]
    return make_table(("target (the slower adapter)", "", "measured", ""), rows)


def _ratio(samples: Times, name: str, kind: Kind) -> float:
    return samples[name, kind].median / samples[FLOOR, kind].median


def _times_best(numbers: Mapping[str, int], ours: Sequence[str], stock: Sequence[str]) -> float:
    return max(numbers[name] for name in ours) / min(numbers[name] for name in stock)


def make_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
