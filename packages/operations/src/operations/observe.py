"""One look at every pod: what it says about itself, and its table of the others."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

from .nodes import Names, NodeError, Nodes, Resolve
from .observed import MOVERS, VALKEY_MOVER, Member, Observed
from .table import parse_table
from .wanted import SLOTS, Shape, parse_shape

TARGET = "operations:target"
_FINISHED = frozenset({"success", "completed", "failed", "cancelled", "canceled"})
_AT_ONCE = 8


class Observer:
    """``reasons``: why pods were silent at the last look, by ordinal."""

    def __init__(self, nodes: Nodes, names: Names, resolve: Resolve) -> None:
        self._nodes = nodes
        self._names = names
        self._resolve = nodes.remember(resolve)
        self.reasons: dict[int, str] = {}
        self._recorded: Shape | None = None

    def look(self, pods: int, *, revision: str = "") -> Observed:
        """Ask the wanted pods, then those above them that somebody knows. A pod that is loading is silent.

        ``revision``: the name of the user that marks the ACL file which the nodes shall enforce; empty: none.
        """
        self.reasons = {}
        found: dict[int, Member | None] = {}
        asked: set[int] = set(range(pods))
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            while asked:
                answers = threads.map(lambda ordinal: self._ask(ordinal, revision), sorted(asked))
                found.update(zip(sorted(asked), answers, strict=True))
                asked = self._more(found) - found.keys()
        members = tuple(member for _, member in sorted(found.items()) if member is not None)
        self._nodes.close(but=frozenset(member.address for member in members))
        observed = Observed(members, frozenset(ordinal for ordinal in range(pods) if found[ordinal] is None))
        return self._with_record(observed)

    def _with_record(self, observed: Observed) -> Observed:
        """A cluster that is down for a moment has not forgotten what is recorded: a manager that then took it for
        nothing would use pods again that are drained.
        """
        unread = ""
        owner = target_owner(observed)
        if not observed.claimed:
            self._recorded = (
                None  # there is no cluster: what one before it recorded is none of the next one's
            )
        elif owner is None:
            unread = f"the slot of {TARGET} has no owner that answers"
        else:
            try:
                self._recorded = parse_shape(_pairs(self._nodes.ask(owner.address, "HGETALL", TARGET)))
            except NodeError as fault:
                unread = str(fault)
        return replace(observed, recorded=self._recorded, unread=unread)

    def _more(self, found: Mapping[int, Member | None]) -> set[int]:
        return {
            entry.ordinal
            for member in found.values()
            if member is not None
            for entry in member.table.values()
            if entry.ordinal is not None
        }

    def _ask(self, ordinal: int, revision: str) -> Member | None:
        try:
            address = self._resolve(self._names.host(ordinal), self._names.port)
            return self._describe(ordinal, address, revision)
        except (NodeError, ValueError, LookupError) as fault:  # an answer that makes no sense is none
            self.reasons[ordinal] = str(fault)
            return None

    def _describe(self, ordinal: int, address: str, revision: str) -> Member:
        def ask(*command: object) -> Any:
            return self._nodes.ask(address, *command)

        table = parse_table(ask("CLUSTER", "NODES"), self._names.ordinal)
        if table.own.ordinal not in (None, ordinal):
            # A name is cached for half a minute, and addresses are used again. Taken for this pod come back as another
            # node, it would cost the real one its slots.
            raise ValueError(f"its name still leads to an address that pod {table.own.ordinal} has now")
        role = ask("ROLE")
        is_replica = role[0] == "slave"
        human = _pairs(ask("CONFIG", "GET", "cluster-announce-human-nodename"))
        server = _info(ask("INFO", "server"))
        mover = self._mover(address)
        return Member(
            ordinal=ordinal,
            address=address,
            id=table.own.id,
            primary_id=table.own.primary_id if is_replica else None,
            slots=table.own.slots,
            epoch=table.epoch,
            keys=int(ask("DBSIZE")),
            synced=is_replica and role[3] == "connected",
            follows=f"{role[1]}:{role[2]}" if is_replica else "",
            offset=int(role[4] if is_replica else role[1]),
            placed_on=next(iter(human.values()), ""),
            table={entry.id: entry for entry in table.others},
            moving=bool(mover) and self._is_moving(address, mover),
            mover=mover,
            version=_version(server),
            acl_stale=bool(revision) and revision not in ask("ACL", "USERS"),
        )

    def _mover(self, address: str) -> str:
        """The subcommand by which this server moves slots atomically; empty: it cannot."""
        known = self._nodes.ask(address, "COMMAND", "INFO", *(f"cluster|{one}" for one in MOVERS))
        return next((mover for mover, answer in zip(MOVERS, known, strict=True) if answer), "")

    def _is_moving(self, address: str, mover: str) -> bool:
        if mover == VALKEY_MOVER:
            jobs = self._nodes.ask(address, "CLUSTER", "GETSLOTMIGRATIONS")
        else:
            jobs = self._nodes.ask(address, "CLUSTER", "MIGRATION", "STATUS", "ALL")
        return any(_pairs(job).get("state", "").lower() not in _FINISHED for job in jobs)


def target_owner(observed: Observed) -> Member | None:
    """The member whose slot the recorded shape is in."""
    slot = crc_hqx(TARGET.encode(), 0) & (SLOTS - 1)
    return next((member for member in observed.primaries if slot in observed.owned(member)), None)


def _pairs(flat: Sequence[Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in list(pairwise(flat))[::2]}


def _info(text: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _version(server: Mapping[str, str]) -> str:
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server.get('redis_version', '?')}"
