"""The shape that a release wants of its Redis Cluster, and the words for one that was recorded in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

SLOTS = 16_384
ENGINES = ("redis", "valkey")


@dataclass(frozen=True)
class Wanted:
    """``primaries`` shards with ``replicas`` replicas each, on the pods with ordinals below ``pods``.

    ``takeover_seconds``: when the majority of the primaries is gone so long, a replica is promoted without a
    vote; 0: never, since a network that is split could then serve a slot on both sides.
    """

    primaries: int
    replicas: int
    takeover_seconds: float = 0.0
    slots: int = SLOTS

    @property
    def pods(self) -> int:
        return self.primaries * (1 + self.replicas)

    def smaller(self, recorded: Shape | None) -> Wanted:
        """This, or the recorded shape if that has fewer pods: a drained pod is not used again before the record says so."""
        if recorded is None or recorded.pods >= self.pods:
            return self
        return replace(self, primaries=recorded.primaries, replicas=recorded.replicas)


@dataclass(frozen=True)
class Shape:
    """What the guard recorded in the cluster: it outlives the guard, the manager, and the upgrade that failed."""

    primaries: int
    replicas: int

    @property
    def pods(self) -> int:
        return self.primaries * (1 + self.replicas)

    def fields(self) -> dict[str, int]:
        return {"primaries": self.primaries, "replicas": self.replicas}


def parse_shape(fields: Mapping[str, str]) -> Shape | None:
    """``None``: nothing is recorded, or nothing that could be meant."""
    try:
        shape = Shape(int(fields["primaries"]), int(fields["replicas"]))
    except (KeyError, ValueError):
        return None
    return shape if shape.primaries > 0 and shape.replicas >= 0 else None
