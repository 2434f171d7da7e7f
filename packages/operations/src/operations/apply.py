"""One step, done. Redis refuses what is out of date; then the next look decides anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from .nodes import NodeError, Nodes
from .observe import TARGET, target_owner
from .observed import VALKEY_MOVER, Member, Observed, ranges
from .steps import (
    AddSlots,
    Failover,
    Forget,
    LoadAcl,
    Meet,
    MoveSlots,
    NumberEpochs,
    Replicate,
    Reset,
    Step,
    TakeOver,
)
from .wanted import Shape


class Apply:
    """``replica_password_file``: with it, nodes are told the password that replicas log in by whenever ACLs are loaded."""

    def __init__(self, nodes: Nodes, *, replica_password_file: Path | None = None) -> None:
        self._nodes = nodes
        self._replica_password_file = replica_password_file

    def __call__(self, step: Step) -> None:
        """Every part is tried; then the first ``NodeError`` is raised."""
        match step:
            case NumberEpochs(members):
                self._each(
                    (member, ("CLUSTER", "SET-CONFIG-EPOCH", number))
                    for number, member in enumerate(members, start=1)
                )
            case Meet(pairs):
                self._each((asked, ("CLUSTER", "MEET", *met.address.rsplit(":", 1))) for asked, met in pairs)
            case AddSlots(shares):
                self._each((member, ("CLUSTER", "ADDSLOTSRANGE", *_flat(slots))) for member, slots in shares)
            case Replicate(member, primary):
                self._ask(member, "CLUSTER", "REPLICATE", primary.id)
            case Failover(replica):
                self._ask(replica, "CLUSTER", "FAILOVER")
            case TakeOver(replica):
                self._ask(replica, "CLUSTER", "FAILOVER", "TAKEOVER")
            case Forget(node, members):
                self._each((member, ("CLUSTER", "FORGET", node)) for member in members)
            case MoveSlots(source, target, slots):
                self._move(source, target, slots)
            case Reset(member):
                self._ask(member, "CLUSTER", "RESET", "HARD")
            case LoadAcl(members):
                # First: the mounted password is valid before and after, the one of the pod's start perhaps no longer.
                self._tell_password(members)
                self._each((member, ("ACL", "LOAD")) for member in members)

    def record(self, shape: Shape, observed: Observed) -> None:
        """Write down what the manager shall obey, in the cluster itself: with a copy, and there after a restart. Raises
        ``NodeError``, also where it was written and only the answer is lost; it can be repeated.
        """
        fields = [part for pair in shape.fields().items() for part in pair]
        self._ask(_target_owner(observed), "HSET", TARGET, *fields)

    def erase(self, observed: Observed) -> None:
        """Nothing is recorded any more. Raises as ``record`` does."""
        self._ask(_target_owner(observed), "DEL", TARGET)

    def _move(self, source: Member, target: Member, slots: frozenset[int]) -> None:
        if source.mover == VALKEY_MOVER:
            self._ask(source, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *_flat(slots), "NODE", target.id)
        else:
            self._ask(target, "CLUSTER", "MIGRATION", "IMPORT", *_flat(slots))

    def _tell_password(self, members: Iterable[Member]) -> None:
        if self._replica_password_file is None:
            return
        password = self._replica_password_file.read_text().strip()
        self._each((member, ("CONFIG", "SET", "masterauth", password)) for member in members)

    def _ask(self, member: Member, *command: object) -> None:
        self._nodes.ask(member.address, *command)

    def _each(self, asked: Iterable[tuple[Member, tuple[object, ...]]]) -> None:
        faults: list[NodeError] = []
        for member, command in asked:
            _collect(faults, lambda member=member, command=command: self._ask(member, *command))  # type: ignore[misc]
        if faults:
            raise faults[0]


def _target_owner(observed: Observed) -> Member:
    if (owner := target_owner(observed)) is None:
        raise NodeError(f"the slot of {TARGET} has no owner that answers")
    return owner


def _collect(faults: list[NodeError], act: Callable[[], None]) -> None:
    try:
        act()
    except NodeError as fault:
        faults.append(fault)


def _flat(slots: frozenset[int]) -> list[int]:
    return [edge for pair in ranges(slots) for edge in pair]
