"""What a cluster says of its nodes: redirects, and the answer to CLUSTER SLOTS."""

from __future__ import annotations

from typing import Any

from .keys import SLOTS
from .pool import Node


def target(host: Any, port: int, answered_by: Node) -> Node | None:
    """Where a redirect or a slot entry points to. No host: the one that answered, by its other port; ``?``:
    unknown.
    """
    text = host.decode() if isinstance(host, bytes) else host
    if text == "?":
        return None
    return Node(text or answered_by.host, int(port))


def read_slots(reply: Any, answered_by: Node) -> tuple[list[Node | None], tuple[Node, ...]]:
    """The owner of each slot and all nodes, from the answer to CLUSTER SLOTS."""
    owners: list[Node | None] = [None] * SLOTS
    nodes: dict[Node, None] = {}
    for first, last, *members in reply:
        found = [target(entry[0], entry[1], answered_by) for entry in members]
        owners[first : last + 1] = [found[0] if found else None] * (last + 1 - first)
        nodes.update((node, None) for node in found if node is not None)
    return owners, tuple(nodes)
