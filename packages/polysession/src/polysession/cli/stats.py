"""The whole cluster: live and due sessions, the outbox, and each primary with its
memory, replicas and clock. Exact in each partition, no snapshot of the whole.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..core.token import PARTITIONS
from ..stores.census import Census
from . import DONE, Terminal, text
from .source import add_options as add_source
from .source import open_manager, store_of

NAME = "stats"
SUMMARY = "counts, outbox backlog, spread, memory, clocks"
SKEW_MS = 1000  # above it a clock is wrong
BACKLOG = 1000  # events that a keeper carries in a pass or two


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for machines")
    add_source(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    with open_manager(options, terminal.environment) as manager:
        census = store_of(manager).census()
    terminal.say(json.dumps(describe(census), indent=2) if options.json else layout(census))
    return DONE


def describe(census: Census) -> dict[str, Any]:
    counts = sorted(census.spread.values())
    return {
        "live": census.live,
        "due": census.due,
        "outbox": census.outbox,
        "partitions": {
            "total": PARTITIONS,
            "used": len(counts),
            "median": counts[len(counts) // 2] if counts else 0,
            "largest": counts[-1] if counts else 0,
        },
        "primaries": [
            {
                "node": one.node,
                "version": one.version,
                "partitions": one.partitions,
                "sessions": one.sessions,
                "replicas": one.replicas,
                "memory_bytes": one.memory,
                "memory_limit_bytes": one.memory_limit or None,
                "clock_skew_ms": one.skew_ms,
            }
            for one in census.primaries
        ],
    }


def layout(census: Census) -> str:
    told = describe(census)
    spread = told["partitions"]
    pairs = [
        ("live sessions", f"{census.live:,}"),
        ("due, not ended yet", f"{census.due:,}"),
        ("outbox", f"{census.outbox:,} event{'' if census.outbox == 1 else 's'} for the keeper"),
        (
            "partitions in use",
            f"{spread['used']:,} of {PARTITIONS:,}; the median holds {spread['median']:,}, "
            f"the largest {spread['largest']:,}",
        ),
    ]
    rows = [
        [
            one.node,
            f"{one.sessions:,}",
            f"{one.partitions:,}",
            str(one.replicas),
            text.size(one.memory) + (f" of {text.size(one.memory_limit)}" if one.memory_limit else ""),
            f"{one.skew_ms:+d} ms",
            one.version,
        ]
        for one in census.primaries
    ]
    head = ["primary", "sessions", "parts", "replicas", "memory", "clock", "version"]
    lines = [text.facts(pairs), "", text.table(head, rows, right=frozenset({1, 2, 3, 4, 5}))]
    lines += [f"\n  ! {warning}" for warning in warnings(census)]
    return "\n".join(lines)


def warnings(census: Census) -> list[str]:
    """What an operator should know without comparing numbers."""
    found = []
    if census.outbox > BACKLOG or census.due > BACKLOG:
        found.append("The backlog is long: does a keeper run?")
    for one in census.primaries:
        if abs(one.skew_ms) > SKEW_MS:
            found.append(f"The clock of {one.node} differs from this machine's by more than a second.")
        if not one.replicas:
            found.append(f"{one.node} has no replica: sign-outs are answered 202, not 204.")
    return found
