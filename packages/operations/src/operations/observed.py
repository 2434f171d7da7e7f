"""What the pods of a Redis Cluster said about themselves and about each other, at one look. Frozen, without IO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .wanted import Shape

VALKEY_MOVER, REDIS_MOVER = MOVERS = ("migrateslots", "migration")  # of Valkey 9 and of Redis 8.4
NO_SLOTS: frozenset[int] = frozenset()
_FAILING = frozenset({"fail", "fail?", "noaddr"})


@dataclass(frozen=True)
class Entry:
    """A line of one member's node table. ``ordinal``: of the pod whose name the node announced, if it did."""

    id: str
    address: str
    ordinal: int | None = None
    flags: frozenset[str] = frozenset()
    primary_id: str | None = None
    connected: bool = True
    slots: frozenset[int] = NO_SLOTS

    @property
    def failing(self) -> bool:
        return bool(self.flags & _FAILING)

    @property
    def in_handshake(self) -> bool:
        """Its ID is not its own yet."""
        return "handshake" in self.flags


@dataclass(frozen=True)
class Member:
    """A pod that answered. ``table``: the other nodes by ID, without those in handshake. ``follows``: the address
    that a replica copies from, which may be one that its primary had.
    """

    ordinal: int
    address: str
    id: str
    primary_id: str | None = None
    slots: frozenset[int] = NO_SLOTS
    epoch: int = 0
    keys: int = 0
    synced: bool = False
    follows: str = ""
    offset: int = 0
    placed_on: str = ""
    table: Mapping[str, Entry] = field(default_factory=dict)
    moving: bool = False
    mover: str = ""
    version: str = ""
    acl_stale: bool = False

    @property
    def is_primary(self) -> bool:
        return self.primary_id is None

    @property
    def atomic(self) -> bool:
        """Its server moves slots with all their keys at once, by the subcommand ``mover``."""
        return bool(self.mover)

    @property
    def knows_nobody(self) -> bool:
        return not self.table


@dataclass(frozen=True)
class Shard:
    """A primary that has slots, or shall have some, and the replicas that answer."""

    primary: Member
    replicas: tuple[Member, ...]

    @property
    def synced(self) -> tuple[Member, ...]:
        return tuple(replica for replica in self.replicas if replica.synced)

    @property
    def members(self) -> tuple[Member, ...]:
        return (self.primary, *self.replicas)

    @property
    def on_one_node(self) -> bool:
        """All its pods are on one Kubernetes node; a shard of one pod cannot be parted."""
        places = {member.placed_on for member in self.members}
        return bool(self.replicas) and len(places) == 1 and places != {""}


@dataclass(frozen=True)
class Observed:
    """``members`` answered, by ordinal; ``silent`` are ordinals below the wanted number that did not, or are loading.

    ``recorded``: what the guard recorded. ``unread``: why it could not be read at this look; then it is what was last
    read, which says nothing at a first look.
    """

    members: tuple[Member, ...]
    silent: frozenset[int] = frozenset()
    recorded: Shape | None = None
    unread: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, Member]:
        return {member.id: member for member in self.members}

    @cached_property
    def by_ordinal(self) -> Mapping[int, Member]:
        return {member.ordinal: member for member in self.members}

    @cached_property
    def entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """Every node that some member's table names and that did not answer, by ID."""
        found: dict[str, list[Entry]] = {}
        for member in self.members:
            for entry in member.table.values():
                if entry.id not in self.by_id:
                    found.setdefault(entry.id, []).append(entry)
        return {node: tuple(entries) for node, entries in sorted(found.items())}

    @cached_property
    def primaries(self) -> tuple[Member, ...]:
        """Members that answered and own slots."""
        return tuple(member for member in self.members if member.is_primary and self.owned(member))

    @cached_property
    def _owners(self) -> Mapping[int, Member]:
        """A slot's owner is who says so itself; of two, the later epoch's, as Redis decides it."""
        owners: dict[int, Member] = {}
        for member in sorted(self.members, key=lambda one: (one.epoch, one.id)):
            if member.is_primary:
                owners.update(dict.fromkeys(member.slots, member))
        return owners

    @cached_property
    def _owned(self) -> Mapping[str, frozenset[int]]:
        found: dict[str, set[int]] = {}
        for slot, member in self._owners.items():
            found.setdefault(member.id, set()).add(slot)
        return {node: frozenset(slots) for node, slots in found.items()}

    def owned(self, member: Member) -> frozenset[int]:
        return self._owned.get(member.id, NO_SLOTS)

    @cached_property
    def served(self) -> frozenset[int]:
        """Slots whose owner answered."""
        return frozenset(self._owners)

    @cached_property
    def claimed_by_absent(self) -> Mapping[str, frozenset[int]]:
        """Slots that tables give to nodes which did not answer, and that nobody serves."""
        return {
            node: frozenset().union(*(entry.slots for entry in entries)) - self.served
            for node, entries in self.entries.items()
        }

    @cached_property
    def claimed(self) -> frozenset[int]:
        """Slots that have an owner in anybody's view, one who answered or not."""
        views = [entry.slots for member in self.members for entry in member.table.values()]
        return self.served.union(*views)

    def replicas_of(self, node: str) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.primary_id == node)

    def shard(self, primary: Member) -> Shard:
        return Shard(primary, self.replicas_of(primary.id))

    @property
    def shards(self) -> tuple[Shard, ...]:
        return tuple(self.shard(primary) for primary in self.primaries)

    @property
    def shards_on_one_node(self) -> int:
        return count_on_one_node(self.shards)


def count_on_one_node(shards: Iterable[Shard]) -> int:
    return sum(shard.on_one_node for shard in shards)


def ranges(slots: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Slots as the ranges (first, last) that Redis' commands take."""
    first = last = None
    for slot in sorted(slots):
        if first is None or last is None:
            first = last = slot
        elif slot == last + 1:
            last = slot
        else:
            yield first, last
            first = last = slot
    if first is not None and last is not None:
        yield first, last
