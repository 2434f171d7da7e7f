"""`CLUSTER NODES`, line by line: https://redis.io/docs/latest/commands/cluster-nodes/."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from .observed import Entry

_LINE = re.compile(
    r"(?P<id>\w+) (?P<address>[^@ ]*)(?:@\d*)?(?:,(?P<host>[^, ]*))?(?:,[^ ]*)? (?P<flags>\S+) (?P<primary>\S+) "
    r"\d+ \d+ (?P<epoch>\d+) (?P<link>\w+)(?P<slots>.*)"
)


@dataclass(frozen=True)
class Table:
    """``own`` is the line of the node that was asked."""

    own: Entry
    epoch: int
    others: tuple[Entry, ...]


def parse_table(text: str, ordinal_of: Callable[[str], int | None]) -> Table:
    """``ordinal_of``: the pod that announces a name. Raises ``ValueError`` for what is not such a table."""
    own: tuple[Entry, int] | None = None
    others = []
    for line in filter(None, text.splitlines()):
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"not a line of CLUSTER NODES: {line!r}")
        entry = _entry(match, ordinal_of)
        if "myself" in entry.flags:
            own = entry, int(match["epoch"])
        elif not entry.in_handshake:
            others.append(entry)
    if own is None:
        raise ValueError("CLUSTER NODES does not name the node that was asked")
    return Table(own[0], own[1], tuple(others))


def _entry(match: re.Match[str], ordinal_of: Callable[[str], int | None]) -> Entry:
    host = match["host"]
    return Entry(
        id=match["id"],
        address=match["address"],
        ordinal=ordinal_of(host) if host else None,
        flags=frozenset(match["flags"].split(",")),
        primary_id=None if match["primary"] == "-" else match["primary"],
        connected=match["link"] == "connected",
        slots=_slots(match["slots"]),
    )


@lru_cache(maxsize=1024)
def _slots(text: str) -> frozenset[int]:
    """Shared: all tables say the same of a node, and 16,384 numbers each would be the manager's memory."""
    return frozenset(_each_slot(text.split()))


def _each_slot(words: Iterable[str]) -> Iterable[int]:
    """`[slot->-node]` says that a slot is on its way in the older manner: not an owner."""
    for word in words:
        if word.startswith("["):
            continue
        first, _, last = word.partition("-")
        yield from range(int(first), int(last or first) + 1)
