"""A Redis Cluster in memory: tables, gossip, elections, replication, and Redis' refusals, as far as the manager meets them.

It also judges: a step that would lose the only copy of a slot, or forget somebody too early, is an ``Unsafe``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from operations.observed import VALKEY_MOVER, Entry, Member, Observed
from operations.steps import (
    AddSlots,
    Failover,
    Forget,
    Meet,
    MoveSlots,
    NumberEpochs,
    Replicate,
    Reset,
    Step,
    TakeOver,
)
from operations.wanted import Wanted

SLOTS = 24


class Unsafe(AssertionError):
    pass


@dataclass
class Node:
    """``copies``: slots whose keys it holds, on disk too while it is stopped. ``knows``: addresses by node ID."""

    id: str
    ordinal: int
    address: str
    primary_id: str | None = None
    slots: set[int] = field(default_factory=set)
    copies: set[int] = field(default_factory=set)
    epoch: int = 0
    synced: bool = False
    follows: str = ""
    knows: dict[str, str] = field(default_factory=dict)


class Cluster:
    """``pods``: the node that each ordinal's volume holds; ``up``: the ordinals that run."""

    def __init__(self, *, atomic: bool = True) -> None:
        self.nodes: dict[str, Node] = {}
        self.pods: dict[int, Node] = {}
        self.up: set[int] = set()
        self.placed: dict[int, str] = {}
        self.atomic = atomic
        self.written: set[int] = set()
        self._made = 0

    # What happens to pods.

    def start(self, ordinal: int, *, placed_on: str) -> None:
        """Elsewhere each time; with its volume, if it has one."""
        self._made += 1
        if ordinal not in self.pods:
            node = Node(f"n{self._made}", ordinal, "")
            self.nodes[node.id] = self.pods[ordinal] = node
        self.pods[ordinal].address = f"10.0.0.{self._made}:6379"
        self.pods[ordinal].synced = False
        self.placed[ordinal] = placed_on
        self.up.add(ordinal)

    def stop(self, ordinal: int) -> None:
        self.up.discard(ordinal)

    def lose(self, ordinal: int) -> None:
        """The volume of a stopped pod: its node never comes back."""
        if ordinal not in self.up:
            self.pods.pop(ordinal, None)

    def write(self) -> None:
        """A key in each slot that is served."""
        for node in self.running():
            if node.primary_id is None:
                node.copies |= node.slots
                self.written |= node.slots
        self.replicate()

    def running(self) -> list[Node]:
        return [self.pods[ordinal] for ordinal in sorted(self.up)]

    def recoverable(self) -> set[int]:
        """Slots of which some volume has a copy."""
        return set().union(*(node.copies for node in self.pods.values())) if self.pods else set()

    # What Redis does by itself.

    def settle(self) -> None:
        for _ in range(3):
            self.gossip()
            self.elect()
            self.reconcile()
            self.replicate()

    def gossip(self) -> None:
        """Who reaches whom tells everything; addresses of the living win."""
        running = {node.id: node for node in self.running()}
        for _ in range(len(running)):
            for one in running.values():
                for other_id, address in list(one.knows.items()):
                    other = running.get(other_id)
                    if other is None or other.address != address:
                        continue
                    other.knows[one.id] = one.address
                    for third, where in one.knows.items():
                        if third != other.id and third in running and running[third].address == where:
                            other.knows[third] = where

    def elect(self) -> None:
        """A synced replica of a dead primary, if a majority of the primaries with slots lives and knows it."""
        running = {node.id: node for node in self.running()}
        voters = [node for node in self.nodes.values() if node.slots and node.primary_id is None]
        for dead in [node for node in voters if node.id not in running]:
            candidates = [
                node for node in running.values() if node.primary_id == dead.id and dead.id in node.knows
            ]
            alive = [node for node in voters if node.id in running]
            for node in candidates:
                votes = [one for one in alive if one.knows.get(node.id) == node.address]
                if node.copies >= (dead.slots & self.written) and 2 * len(votes) > len(voters):
                    self._promote(node, dead)
                    break

    def reconcile(self) -> None:
        """A primary that comes back after its replica was promoted follows it; the later epoch has the slots."""
        running = self.running()
        for node in running:
            for other in running:
                if other.id in node.knows and other.primary_id is None and other.epoch > node.epoch:
                    taken = node.slots & other.slots
                    node.slots -= taken
                    if taken and not node.slots and node.primary_id is None:
                        node.primary_id, node.follows = other.id, other.address

    def replicate(self) -> None:
        running = {node.id: node for node in self.running()}
        for node in running.values():
            primary = running.get(node.primary_id or "")
            node.synced = (
                primary is not None and node.follows == primary.address and primary.primary_id is None
            )
            if node.synced and primary is not None:
                node.copies = set(primary.copies)

    def _promote(self, node: Node, former: Node) -> None:
        node.primary_id, node.slots = None, set(former.slots)
        node.epoch = max(one.epoch for one in self.nodes.values()) + 1
        former.slots = set()
        for other in self.nodes.values():
            if other.primary_id == former.id:
                other.primary_id, other.follows = node.id, node.address
        former.primary_id, former.follows = node.id, node.address

    # What the manager sees and does.

    def observe(self, wanted: Wanted) -> Observed:
        running = self.running()
        known = {
            identity
            for node in running
            for identity in node.knows
            if self.nodes[identity].ordinal >= wanted.pods
        }
        asked = [
            node
            for node in running
            if node.ordinal < wanted.pods or any(self.nodes[one].ordinal == node.ordinal for one in known)
        ]
        members = tuple(self._member(node) for node in asked)
        return Observed(members, frozenset(set(range(wanted.pods)) - self.up))

    def _member(self, node: Node) -> Member:
        return Member(
            ordinal=node.ordinal,
            address=node.address,
            id=node.id,
            primary_id=node.primary_id,
            slots=frozenset(node.slots if node.primary_id is None else ()),
            epoch=node.epoch,
            keys=len(node.copies),
            synced=node.synced,
            follows=node.follows if node.primary_id else "",
            placed_on=self.placed[node.ordinal],
            table={other: self._entry(self.nodes[other], address) for other, address in node.knows.items()},
            mover=VALKEY_MOVER if self.atomic else "",
            version="Redis 8.0.2",
        )

    def _entry(self, node: Node, address: str) -> Entry:
        reached = node.ordinal in self.up and self.pods[node.ordinal] is node and node.address == address
        return Entry(
            id=node.id,
            address=address,
            ordinal=node.ordinal,
            flags=frozenset() if reached else frozenset({"fail"}),
            primary_id=node.primary_id,
            connected=reached,
            slots=frozenset(node.slots if node.primary_id is None else ()),
        )

    def apply(self, step: Step) -> None:
        match step:
            case NumberEpochs(members):
                for number, member in enumerate(members, start=1):
                    self.nodes[member.id].epoch = number
            case Meet(pairs):
                for asked, met in pairs:
                    self.nodes[asked.id].knows[met.id] = met.address
            case AddSlots(shares):
                for member, slots in shares:
                    self._judge_add(member, set(slots))
            case Replicate(member, primary):
                self._judge_replicate(self.nodes[member.id], self.nodes[primary.id])
            case Failover(replica):
                self._judge_failover(self.nodes[replica.id])
            case TakeOver(replica):
                self._judge_takeover(self.nodes[replica.id])
            case Forget(node, members):
                self._judge_forget(self.nodes[node], members)
            case MoveSlots(source, target, slots):
                self._judge_move(self.nodes[source.id], self.nodes[target.id], set(slots))
            case Reset(member):
                self._judge_reset(self.nodes[member.id])

    def _judge_add(self, member: Member, slots: set[int]) -> None:
        owned = set().union(*(node.slots for node in self.running()))
        if slots & (owned | self.recoverable()):
            raise Unsafe(
                f"slots {slots & (owned | self.recoverable())} are given out although somebody has them"
            )
        self.nodes[member.id].slots |= slots
        self.written -= slots

    def _copies_besides(self, node: Node) -> set[int]:
        return set().union(*(one.copies for one in self.running() if one is not node))

    def _judge_replicate(self, node: Node, primary: Node) -> None:
        if node.slots and node.primary_id is None:
            raise Unsafe("a primary with slots cannot become a replica")
        if primary.id not in node.knows or primary.primary_id is not None:
            raise Unsafe("Redis refuses: the primary is unknown, or none")
        served = set().union(*(one.slots for one in self.running() if one.primary_id is None))
        if (node.copies - self._copies_besides(node)) & served:
            raise Unsafe(f"the only copy of {node.copies - self._copies_besides(node)} is given up")
        node.primary_id, node.follows = primary.id, primary.address

    def _judge_failover(self, node: Node) -> None:
        if not node.synced:
            raise Unsafe("a replica that is not in step takes over")
        self._promote(node, self.nodes[node.primary_id or ""])

    def _judge_takeover(self, node: Node) -> None:
        former = self.nodes[node.primary_id or ""]
        if self.pods.get(former.ordinal) is former:
            raise Unsafe("a replica takes over from a primary whose data is still there")
        self._promote(node, former)

    def _judge_forget(self, node: Node, members: tuple[Member, ...]) -> None:
        ids = {member.id for member in members}
        for one in self.running():
            if one.id in ids and any(
                other.id in one.knows and one.knows[other.id] != other.address for other in self.running()
            ):
                raise Unsafe("somebody is forgotten before all that moved were met")
        if self.pods.get(node.ordinal) is node:
            raise Unsafe("a node is forgotten that can come back")
        for one in self.running():
            if one.id in ids and one.primary_id == node.id:
                raise Unsafe("Redis refuses: a replica cannot forget its primary")
        if node.slots & self.recoverable():
            raise Unsafe("slots are forgotten of which somebody has a copy")
        for one in self.running():
            if one.id in ids:
                one.knows.pop(node.id, None)
        node.slots = set()

    def _judge_move(self, source: Node, target: Node, slots: set[int]) -> None:
        if not self.atomic or not slots <= source.slots or target.primary_id is not None or not slots:
            raise Unsafe("these slots cannot move")
        source.slots -= slots
        target.slots |= slots
        target.copies |= source.copies & slots
        source.copies -= slots
        target.epoch = max(one.epoch for one in self.nodes.values()) + 1
        self.replicate()

    def _judge_reset(self, node: Node) -> None:
        if node.slots and node.primary_id is None:
            raise Unsafe("a primary with slots is reset")
        if node.copies - self._copies_besides(node):
            raise Unsafe("the only copy of a slot is reset away")
        fresh = Node(f"{node.id}r", node.ordinal, node.address)
        self.nodes[fresh.id] = self.pods[node.ordinal] = fresh
